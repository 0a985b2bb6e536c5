"""How commands ended that could not write it into `callsync.runs` themselves: lines beside the warehouse.

    a command ends ──▶ .callsync/<warehouse>/runs.jsonl ──▶ callsync.runs ──▶ published copy
                            └──▶ callsync status                              (and the line goes)

A command that finds the warehouse held, or that only reads, leaves a line. Whoever holds the warehouse next
enters it, and it goes when the copy that readers open has it, so `callsync status` knows it all the time.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import duckdb
import msgspec

from pipelines import holding, opening, publishing, warehouse, wholeness
from pipelines.warehouse import Files
from sources.errors import CallsyncError

STATUSES = ("ok", "failed", "failed", "busy", "differs")
"""What `callsync.runs` says, by exit code."""

_WORTH_A_COPY = (1, 4)
"""Exit codes that readers have to know of even where a new copy is dear; 2 and 3 may come with every run."""


_MEMORY_MB = 128
"""What DuckDB gets to enter some lines."""


@dataclass(frozen=True)
class Note:
    """How a command ended; times in UTC.

    Attributes:
        run_id: as in `callsync.runs`; a run that has a row there gets it replaced.
        command: the command line.
        error: why the exit code is not 0, on one line.
    """

    run_id: str
    command: str
    started_at: datetime
    finished_at: datetime
    exit_code: int
    error: str | None

    @property
    def status(self) -> str:
        """What `callsync.runs` says."""
        return STATUSES[self.exit_code]


_NOTE = msgspec.json.Decoder(Note)


def tell(path: Path, command: str, started_at: datetime, exit_code: int, error: str | None) -> None:
    """Note how a command ended, and enter it at once unless the warehouse is held.

    It is best effort: what went wrong has been said already, and nothing is made for a warehouse that no run
    has begun.
    """
    now = datetime.now(UTC)
    note = Note(f"{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}", command, started_at, now, exit_code, error)
    with suppress(CallsyncError, duckdb.Error, OSError):
        if path.exists():
            leave(path, note)
            _enter_now(path, command)


def leave(path: Path, note: Note) -> None:
    """Write a line.

    Raises:
        OSError: it cannot be written.
    """
    file = _file(path)
    for folder in (file.parent.parent, file.parent):
        folder.mkdir(exist_ok=True, mode=0o700)
    with _alone(file) as lines:
        lines.seek(0, os.SEEK_END)
        # A line that a kill cut short must not take this one with it.
        lines.write(b"\n" + msgspec.json.encode(note) + b"\n")
        lines.flush()
        os.fsync(lines.fileno())


def waiting(path: Path) -> list[Note]:
    """What the published copy does not have yet, the oldest first."""
    try:
        return list(_notes(_file(path).read_bytes()))
    except OSError:
        return []


def enter(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Enter every line, as often as it takes; returns the bytes read, for `forget`."""
    try:
        content = _file(path).read_bytes()
    except OSError:
        return 0
    with warehouse.transaction(connection):
        for note in _notes(content):
            is_worth_a_copy = note.exit_code in _WORTH_A_COPY
            connection.execute(
                "insert or replace into callsync.runs "
                "(run_id, command, started_at, finished_at, status, exit_code, changed, calls, error) "
                "values (?, ?, ?, ?, ?, ?, ?, 0, ?)",
                [
                    note.run_id, note.command, note.started_at, note.finished_at, note.status,
                    note.exit_code, is_worth_a_copy, note.error,
                ],
            )  # fmt: skip
            if is_worth_a_copy:
                warehouse.remember(connection, warehouse.CHANGED_BY, note.run_id)
    return len(content)


def forget(path: Path, length: int) -> None:
    """Take away the first bytes: the published copy has them."""
    if length:
        with suppress(OSError), _alone(_file(path)) as lines:
            lines.seek(length)
            rest = lines.read()
            lines.seek(0)
            lines.truncate()
            lines.write(rest)


def _enter_now(path: Path, command: str) -> None:
    with holding.held(path, command, briefly=True):
        with opening.writing(
            path, patience_seconds=0, memory_mb=_MEMORY_MB, say=lambda text: None
        ) as connection:
            if warehouse.format_of(connection) != warehouse.FORMAT:
                # The next run upgrades it, and enters this then.
                return
            length = enter(connection, path)
            newest, is_whole = warehouse.newest_change(connection), wholeness.is_whole(connection)
        if publishing.publish(path, newest, is_whole=is_whole):
            forget(path, length)


def _file(path: Path) -> Path:
    return Files(path).home / "runs.jsonl"


def _notes(content: bytes) -> Iterator[Note]:
    for line in content.splitlines():
        with suppress(msgspec.DecodeError):
            yield _NOTE.decode(line)


@contextmanager
def _alone(file: Path) -> Iterator[BinaryIO]:
    """The file, with every other writer of it kept away."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as lines:
        fcntl.flock(lines, fcntl.LOCK_EX)
        yield lines
