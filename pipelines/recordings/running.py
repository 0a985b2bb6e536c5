"""A download of recordings: who is at it, in what order, until when, and what is told of it."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from pipelines import holding, warehouse
from pipelines.config import Config
from pipelines.recordings import bookkeeping, listing, parts
from pipelines.recordings.fetching import Fetched, Fetcher
from pipelines.recordings.journal import Journal
from pipelines.recordings.listing import Listing, Selection
from pipelines.recordings.outcome import Outcome, Status
from pipelines.recordings.target import delete, opened, size_of
from pipelines.threads import work_through
from sources.errors import AccessDenied, CallsyncError, NoRoom, NotNamed, TargetError, Transient
from sources.recordings import RecordingClient
from sources.registry import PROVIDERS

ENTER_SECONDS = 300.0
"""How often the warehouse is told while a download goes on."""

MOST_FAULTS = 10
"""After so many faults of the net, the server or the disk in a row an account is left to the next run, and
after so many of a store what is to be deleted there."""

MOST_REFUSALS = 3
"""After so many refused keys in a row likewise; providers lock who goes on."""

GRACE_SECONDS = 1.0

INTERRUPTED = "interrupted; what was fetched is kept, and the next run goes on from there"


@dataclass(frozen=True)
class Planned:
    """How many recordings of an account are to be fetched."""

    account: str
    recordings: int


@dataclass
class AccountReport:
    """How an account fared; `error` is the first reason why a recording is not held."""

    account: str
    wanted: int = 0
    held: int = 0
    failed: int = 0
    gone: int = 0
    expired: int = 0
    bytes: int = 0
    error: str | None = None

    @property
    def untried(self) -> int:
        """Recordings that nobody came to."""
        return self.wanted - self.held - self.failed - self.gone


@dataclass(frozen=True)
class Report:
    """How a download fared."""

    accounts: tuple[AccountReport, ...]
    error: str | None = None

    @property
    def exit_code(self) -> int:
        """0 when everything that was wanted is held, else 1."""
        return 1 if self.error or any(report.error or report.untried for report in self.accounts) else 0


@dataclass(frozen=True)
class Watcher:
    """Who is told of progress, one at a time."""

    observe: Callable[[Planned | Outcome], None] = lambda event: None
    say: Callable[[str], None] = lambda text: None


@dataclass
class _Streak:
    """Faults in a row of an account."""

    faults: int = 0
    refusals: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_over(self) -> bool:
        return self.faults >= MOST_FAULTS or self.refusals >= MOST_REFUSALS

    def add(self, fetched: Fetched) -> None:
        with self.lock:
            self.faults = self.faults + 1 if isinstance(fetched.fault, Transient | NoRoom) else 0
            self.refusals = self.refusals + 1 if isinstance(fetched.fault, AccessDenied) else 0


class Run:
    """One download, while nobody else is at it."""

    def __init__(self, config: Config, selection: Selection, journal: Journal, watcher: Watcher) -> None:
        self._config = config
        self._selection = selection
        self._journal = journal
        self._watcher = watcher
        self._reports = {str(account): AccountReport(str(account)) for account in selection.accounts}
        self._streaks: dict[str, _Streak] = defaultdict(_Streak)
        self._events: queue.Queue[Fetched | CallsyncError | None] = queue.Queue()
        self._stop = threading.Event()
        self._at_work = 0

    def execute(self, listed: Listing, command: str) -> Report:
        """Delete what is past its retention, then fetch what is wanted; faults end in the report."""
        files = warehouse.Files(self._config.warehouse)
        target = opened(self._config.general.recordings_target, files.home)
        parts.sweep(target.parts)
        error: str | None = None
        at_once = self._config.general.recordings_at_once
        clients = {
            str(account): (account, RecordingClient(account, access(account), connections=at_once))
            for account in self._selection.accounts
            if (access := PROVIDERS[account.provider].recordings)
        }
        try:
            if listed.moved:
                self._journal.append(*listed.moved)
            self._expire(listed.expired())
            self._plan(listed)
            fetcher = Fetcher(
                clients,
                target,
                self._journal,
                zone=self._config.general.reporting_timezone,
                owner=str(self._config.warehouse),
            )
            self._fetch_all(listed, fetcher, command)
        except KeyboardInterrupt:
            error = INTERRUPTED
        except CallsyncError as fault:
            error = str(fault)
        if not self._at_work:
            for _, client in clients.values():
                client.close()
        return Report(tuple(self._reports.values()), error)

    def _plan(self, listed: Listing) -> None:
        for name, count in listed.counts().items():
            self._reports[name].wanted = count
            self._watcher.observe(Planned(name, count))

    def _fetch_all(self, listed: Listing, fetcher: Fetcher, command: str) -> None:
        at_once = self._config.general.recordings_at_once
        work_through(range(at_once), lambda _: self._work(listed, fetcher), at_once, "recording")
        self._at_work, enter_at = at_once, time.monotonic() + ENTER_SECONDS
        try:
            while self._at_work:
                if fault := self._hear(self._events.get()):
                    raise fault
                if time.monotonic() >= enter_at:
                    # A run that reads a provider comes first; what is not entered now is entered later.
                    bookkeeping.enter(self._config, self._journal, command=command, patience_seconds=0)
                    enter_at = time.monotonic() + ENTER_SECONDS
        finally:
            self._stop.set()
            with suppress(queue.Empty):
                while self._at_work:
                    self._hear(self._events.get(timeout=GRACE_SECONDS))

    def _work(self, listed: Listing, fetcher: Fetcher) -> None:
        """Fetch one recording after the other; every fault becomes an event."""
        try:
            while not self._stop.is_set() and (wanted := listed.next()):
                streak = self._streaks[wanted.recording.selector]
                if not streak.is_over:
                    fetched = fetcher.fetch(wanted)
                    streak.add(fetched)
                    self._events.put(fetched)
        except CallsyncError as fault:
            self._events.put(fault)
        except Exception as fault:
            self._events.put(TargetError(f"unexpected {type(fault).__name__}: {warehouse.one_line(fault)}"))
        finally:
            self._events.put(None)

    def _hear(self, event: Fetched | CallsyncError | None) -> CallsyncError | None:
        """Count what somebody at work tells; the fault that nobody else will do without, if it is one."""
        if isinstance(event, Fetched):
            self._count(event)
        elif event is None:
            self._at_work -= 1
        else:
            return event
        return None

    def _count(self, fetched: Fetched) -> None:
        outcome = fetched.outcome
        report = self._reports[outcome.selector]
        if outcome.status is Status.HELD:
            report.held += 1
            report.bytes += outcome.bytes or 0
        elif outcome.status is Status.GONE:
            report.gone += 1
        else:
            report.failed += 1
        # Of what has no address nothing is missing that anybody could have.
        if not isinstance(fetched.fault, NotNamed):
            report.error = report.error or outcome.error
        self._watcher.observe(outcome)

    def _expire(self, outcomes: Sequence[Outcome]) -> None:
        faults: Counter[str] = Counter()
        for outcome in outcomes:
            # An account that is no longer configured has no report yet.
            report = self._reports.setdefault(outcome.selector, AccountReport(outcome.selector))
            place = outcome.path or ""
            scheme, is_store, rest = place.partition("://")
            store = scheme + is_store + rest.partition("/")[0] if is_store else ""
            if store and faults[store] >= MOST_FAULTS:
                continue
            try:
                note = _removed(outcome)
            except CallsyncError as fault:
                report.error = report.error or str(fault)
                faults[store] += 1
                continue
            faults[store] = 0
            if note:
                self._watcher.say(f"{report.account}: {note}")
            expired = replace(
                outcome, status=Status.EXPIRED, path=None, error=note, expired_at=datetime.now(UTC)
            )
            self._journal.append(expired)
            report.expired += 1


def run(config: Config, selection: Selection, command: str, watcher: Watcher) -> Report:
    """Fetch what is wanted, and tell the warehouse.

    Raises:
        WarehouseBusy: another download is at work.
        WarehouseError: nothing was published yet.
        ConfigError: the target is none.
        TargetError: the target cannot be written.
    """
    files = warehouse.Files(config.warehouse)
    selection = _settled(config, selection)
    patience = config.general.warehouse_patience_seconds
    with holding.recording(config.warehouse, command):
        journal = Journal(files.home / "recordings.jsonl")
        # What a killed run left; where a reading run has the warehouse, the journal itself is as good.
        bookkeeping.enter(config, journal, command=command, patience_seconds=0)
        with listing.opened(config.warehouse, journal.latest(), selection) as listed:
            report = Run(config, selection, journal, watcher).execute(listed, command)
        if report.error:
            patience = 0.0
        why = bookkeeping.enter(config, journal, command=command, patience_seconds=patience)
        if why:
            watcher.say(f"{why}; the next run enters into callsync.recording_files what was fetched")
    return report


def dry_run(config: Config, selection: Selection) -> list[tuple[str, int, int]]:
    """What `run` would fetch and delete: account, recordings, files; nothing is asked and nothing changed.

    Raises:
        WarehouseError: nothing was published yet.
    """
    selection = _settled(config, selection)
    journal = Journal(warehouse.Files(config.warehouse).home / "recordings.jsonl")
    with listing.opened(config.warehouse, journal.latest(), selection) as listed:
        expired = Counter(outcome.selector for outcome in listed.expired())
        wanted = listed.counts()
        return [(name, wanted.get(name, 0), expired[name]) for name in {**wanted, **expired}]


def _settled(config: Config, selection: Selection) -> Selection:
    """The selection with the retention, and without providers whose recordings nobody can ask for."""
    days = config.general.recordings_retention_days
    return replace(
        selection,
        accounts=tuple(a for a in selection.accounts if PROVIDERS[a.provider].recordings),
        kept_from=datetime.now(UTC) - timedelta(days=days) if days else None,
    )


def _removed(outcome: Outcome) -> str | None:
    """Delete a file, unless it is no longer the one that was written; what there is to say of it."""
    size = size_of(outcome.path or "")
    if size is not None and size != outcome.bytes:
        return f"{outcome.path} is left in its place: somebody has changed it"
    delete(outcome.path or "")
    return None
