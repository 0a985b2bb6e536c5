"""What the warehouse knows of recordings: told in short steps between the runs that read the providers."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import filelock
import pyarrow as pa

from pipelines import warehouse
from pipelines.config import Config
from pipelines.recordings.journal import Journal
from pipelines.recordings.outcome import COLUMNS, Outcome
from sources.errors import WarehouseBusy, WarehouseError

POLL_SECONDS = 0.2

_TIME = pa.timestamp("us", tz="UTC")
_NUMBERS = ("position", "bytes", "attempts")
SCHEMA = pa.schema(
    {
        name: pa.int64() if name in _NUMBERS else _TIME if name.endswith("_at") else pa.string()
        for name in COLUMNS
    }
)
"""The columns of `callsync.recording_files`."""


@contextmanager
def alone(home: Path, command: str) -> Iterator[None]:
    """Keep every other download of recordings away; the runs that read the providers go on.

    Raises:
        WarehouseBusy: another download is at work.
        WarehouseError: its folder cannot be used.
    """
    note = home / "recordings.holder.json"
    try:
        home.parent.mkdir(exist_ok=True, mode=0o700)
        home.mkdir(exist_ok=True, mode=0o700)
        lock = filelock.FileLock(home / "recordings.lock", mode=0o600)
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise WarehouseBusy(
            f"recordings are being fetched by {_holder(note)}; try again when it is done"
        ) from None
    except OSError as error:
        raise WarehouseError(f"{home} cannot be locked: {error.strerror}") from None
    try:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        with suppress(OSError):
            note.write_text(json.dumps({"pid": os.getpid(), "command": command, "started_at": started}))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def enter(config: Config, journal: Journal, *, command: str, patience_seconds: float) -> str | None:
    """Tell the warehouse what is in the journal, and publish; what kept us from it, or None."""
    length = journal.length
    if not length:
        return None
    if not config.warehouse.exists():
        # A new one would hold nothing else, and take the place of the readers' copy.
        return f"there is no {config.warehouse.name}"
    give_up_at = time.monotonic() + patience_seconds
    while True:
        try:
            with warehouse.held(config.warehouse, command):
                _enter(config, journal.latest(), max(0.0, give_up_at - time.monotonic()))
                warehouse.publish(config.warehouse, None)
            journal.clear(length)
            return None
        except WarehouseBusy as busy:
            if time.monotonic() >= give_up_at:
                return str(busy)
            time.sleep(POLL_SECONDS)
        except (WarehouseError, duckdb.Error) as error:
            return warehouse.one_line(error)


def table_of(outcomes: Sequence[Outcome]) -> pa.Table:
    """Outcomes as rows of `callsync.recording_files`."""
    return pa.Table.from_pylist([asdict(outcome) for outcome in outcomes], schema=SCHEMA)


def _enter(config: Config, outcomes: Sequence[Outcome], patience_seconds: float) -> None:
    with warehouse.writing(
        config.warehouse,
        patience_seconds=patience_seconds,
        memory_mb=config.general.duckdb_memory_mb,
        say=lambda text: None,
    ) as connection:
        # A warehouse of an earlier version has no such table yet.
        warehouse.create_tables(connection, {}, {})
        connection.register("outcomes", table_of(outcomes))
        with warehouse.transaction(connection):
            connection.execute(
                "insert or replace into callsync.recording_files by name select * from outcomes"
            )


def _holder(note: Path) -> str:
    try:
        holder = json.loads(note.read_text())
        return f"callsync {holder['command']} (pid {holder['pid']}, since {holder['started_at']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another run of callsync recordings"
