"""One recording, from wanted to entered in the journal; what each step leaves is enough for the next run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pipelines.config import explained
from pipelines.recordings import naming
from pipelines.recordings.journal import Journal
from pipelines.recordings.listing import File, Wanted
from pipelines.recordings.outcome import Outcome, Status
from pipelines.recordings.parts import FilePart, Whole, no_room
from pipelines.recordings.target import Target, size_of
from sources import audio
from sources.account import Account
from sources.download import About
from sources.errors import CallsyncError, NoRoom, NotThere, ProviderError, RequestRefused, TargetError
from sources.recordings import Recording, RecordingClient

YOUNG = timedelta(days=1)
"""Providers list a recording before it is there: what is not found of a call so young may still come."""


@dataclass(frozen=True)
class Fetched:
    """What became of a recording, the fault that kept it, and the row whose file is now this one's."""

    outcome: Outcome
    fault: ProviderError | NoRoom | None = None
    earlier: Outcome | None = None


class Fetcher:
    """Fetches recordings, several at once.

    Args:
        accounts: whose recordings these are, and the client of each, by selector.
        target: where they go.
        journal: where it is entered.
        zone: IANA zone of the days in their paths.
        owner: tells the parts of this warehouse from those of another one with the same target.
    """

    def __init__(
        self,
        accounts: Mapping[str, tuple[Account, RecordingClient]],
        target: Target,
        journal: Journal,
        *,
        zone: str,
        owner: str,
    ) -> None:
        self._accounts = accounts
        self._target = target
        self._journal = journal
        self._zone = zone
        self._owner = owner

    def fetch(self, wanted: Wanted) -> Fetched:
        """Fetch a recording, or what is left of it.

        Raises:
            TargetError: it cannot be kept, and no other one could.
        """
        recording = wanted.recording
        try:
            part = FilePart(
                self._target.parts,
                naming.part_of(recording, self._owner),
                wanted.source,
            )
            try:
                fetched = self._bring(wanted, part)
            finally:
                part.close()
            self._journal.append(*filter(None, (fetched.outcome, fetched.earlier)))
            is_dropped = isinstance(fetched.fault, NoRoom) or not part.size
            if fetched.outcome.status is not Status.FAILED or is_dropped:
                part.discard()
        except OSError as fault:
            raise TargetError(f"{self._target.parts} cannot be written: {fault.strerror}") from None
        return fetched

    def _bring(self, wanted: Wanted, part: FilePart) -> Fetched:
        recording = wanted.recording
        account, client = self._accounts[recording.selector]
        now = datetime.now(UTC)
        tried = _tried(wanted, now)
        try:
            whole, known = part.whole, None
            # A kill between the last two steps leaves the file in its place and no word of it.
            if whole is None or not self._is_placed(part, whole):
                if whole is None or not part.size:
                    with no_room(self._target.parts):
                        _fetch(client, recording, part)
                        extension = audio.extension(part.head(), part.about.content_type)
                        whole = part.finish(self._name(wanted, extension))
                known = _unlisted(wanted, whole)
                if known is None:
                    self._target.place(part.file, whole.path)
        except (ProviderError, NoRoom) as fault:
            is_young = recording.started_at is not None and now - recording.started_at < YOUNG
            is_gone = isinstance(fault, NotThere) and not is_young
            status = Status.GONE if is_gone else Status.FAILED
            return Fetched(replace(tried, status=status, error=explained(fault, account)), fault)
        held = replace(
            tried,
            status=Status.HELD,
            path=known.path if known else self._target.location(whole.path),
            bytes=whole.bytes,
            sha256=whole.sha256,
            content_type=part.about.content_type or None,
            fetched_at=datetime.now(UTC),
        )
        earlier = known and replace(held, position=known.position, status=Status.MOVED, path=None)
        return Fetched(held, earlier=earlier)

    def _name(self, wanted: Wanted, extension: str) -> str:
        """Where it belongs: what is held there of another recording stays."""
        path = naming.path_of(wanted.recording, extension, self._zone)
        if self._target.location(path) not in {file.path for file in wanted.files}:
            return path
        return naming.path_of(wanted.recording, extension, self._zone, other=wanted.source)

    def _is_placed(self, part: FilePart, whole: Whole) -> bool:
        if part.size:
            return False
        if size_of(self._target.location(whole.path)) == whole.bytes:
            return True
        part.begin(About())
        return False


def _fetch(client: RecordingClient, recording: Recording, part: FilePart) -> None:
    try:
        client.fetch(recording, part)
    except (CallsyncError, OSError):
        raise
    except Exception as fault:
        # An address is text of the provider's: whatever it can break, it breaks for itself alone.
        raise RequestRefused(f"unexpected {type(fault).__name__}") from None


def _unlisted(wanted: Wanted, whole: Whole) -> File | None:
    """The same content, held of an address that is listed no more: it has moved, and one file is enough."""
    for file in wanted.files:
        is_same = (file.bytes, file.sha256) == (whole.bytes, whole.sha256)
        if is_same and not file.is_listed and size_of(file.path) == file.bytes:
            return file
    return None


def _tried(wanted: Wanted, now: datetime) -> Outcome:
    """The recording as it was before, tried once more."""
    recording, before = wanted.recording, wanted.before
    known = before or Outcome(
        call_id=recording.call_id,
        position=recording.position,
        provider=recording.provider,
        account=recording.account,
        recording_id=None,
        source="",
        started_at=None,
        status=Status.FAILED,
        first_tried_at=now,
    )
    return replace(
        known,
        recording_id=recording.recording_id,
        source=wanted.source,
        started_at=recording.started_at,
        error=None,
        attempts=known.attempts + 1,
        tried_at=now,
    )
