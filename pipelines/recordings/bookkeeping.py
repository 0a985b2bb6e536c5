"""What the warehouse knows of recordings: told in short steps between the runs that read the providers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict

import duckdb
import pyarrow as pa

from pipelines import holding, opening, publishing, upgrading, warehouse, wholeness
from pipelines.config import Config
from pipelines.recordings.journal import Journal
from pipelines.recordings.outcome import COLUMNS, Outcome, Status
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
            with holding.held(config.warehouse, command, briefly=True):
                is_whole = _enter(config, journal.latest(), max(0.0, give_up_at - time.monotonic()))
                is_published = publishing.publish(config.warehouse, None, is_whole=is_whole)
            if not is_published:
                # What is wanted is read from the copy: there only the journal knows what was fetched.
                return f"{config.warehouse.name} is shown to nobody before a callsync sync has made it whole"
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


def _enter(config: Config, outcomes: Sequence[Outcome], patience_seconds: float) -> bool:
    """Write the outcomes; whether readers may see the warehouse."""
    with opening.writing(
        config.warehouse,
        patience_seconds=patience_seconds,
        memory_mb=config.general.duckdb_memory_mb,
        say=lambda text: None,
    ) as connection:
        # A warehouse of an earlier version has no such table yet.
        upgrading.bring_up_to_date(connection)
        connection.register("outcomes", table_of(outcomes))
        with warehouse.transaction(connection):
            connection.execute(
                "insert or replace into callsync.recording_files by name select * from outcomes"
            )
            connection.execute(f"delete from callsync.recording_files where status = '{Status.MOVED}'")
        return wholeness.is_whole(connection)
