"""What became of a recording: the row of `callsync.recording_files`, and the line of the journal."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """How a recording stands."""

    HELD = "held"
    FAILED = "failed"
    """Tried again by the next run."""
    GONE = "gone"
    """The provider has it no more, or never had it."""
    EXPIRED = "expired"
    """Deleted here, because the retention ended."""
    MOVED = "moved"
    """In the journal alone: the row stands under another position now, and nothing under this one."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A row of `callsync.recording_files`; key: `call_id`, `position`. Times are in UTC.

    Attributes:
        source: what the file was asked by, `recording_id` or the address, with a hash of what is not
            signature in its query; another one under the same key is another recording.
        started_at: start of the call.
        path: where the file is: a path, or a URL.
        attempts: runs that tried to fetch it.
    """

    call_id: str
    position: int
    provider: str
    account: str
    recording_id: str | None
    source: str
    started_at: datetime | None
    status: Status
    path: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    content_type: str | None = None
    error: str | None = None
    attempts: int = 0
    first_tried_at: datetime | None = None
    tried_at: datetime | None = None
    fetched_at: datetime | None = None
    expired_at: datetime | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What tells recordings apart."""
        return self.call_id, self.position

    @property
    def selector(self) -> str:
        """Its account as the configuration names it."""
        return f"{self.provider}.{self.account}"


COLUMNS = tuple(column.name for column in fields(Outcome))
