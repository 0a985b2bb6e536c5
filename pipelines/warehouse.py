"""The warehouse file: one writer at a time, its own tables, and the copy that every reader opens.

    warehouse.duckdb            written by one run at a time
    warehouse.read.duckdb       the published copy: replaced by an atomic rename, never changed in place
    .callsync/warehouse/        the lock, and dlt's working directory for a package that is on its way

The warehouse is the only truth: dlt's state is restored from it, and the working directory holds nothing that
cannot be lost.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.plain_text import plain
from sources.errors import ConfigError, WarehouseError

ROW_GROUP = 20_480
"""Rows that are stored together. Whole groups go to their place at once; what an insert brings less goes to
the log first and stays in memory until the log is brought in. So a small unit's rows are whole groups."""

THREADS_ALONE = 2
"""DuckDB's threads where nothing else of a run works beside it; more would take memory for little time."""

STATES_KEPT = 10
"""dlt saves its whole state with each package that changes it, and reads the newest."""

FORMAT = 2
"""What a warehouse of this version is; raised where `pipelines.upgrading` gets a step."""

FORMAT_KEY = "format"
"""Key in `callsync.meta`: the format a warehouse has; the first version wrote none."""

CHANGED_BY = "changed_by"
"""Key in `callsync.meta`: the newest run that changed anything, which no time tells: clocks are set back."""

SMALL_RUNS = 100
"""Runs that brought little until their small groups are joined: a workday of one every five minutes."""

_SMALL_RUNS = "small_runs"
"""Key in `callsync.meta`: how many there were since."""


@dataclass(frozen=True)
class Files:
    """Where a warehouse keeps what belongs to it."""

    warehouse: Path

    @property
    def published(self) -> Path:
        """The copy that readers open."""
        return self.warehouse.with_name(f"{self.warehouse.stem}.read{self.warehouse.suffix}")

    @property
    def log(self) -> Path:
        """What DuckDB has yet to put into the warehouse; there while it is open, or after a fault."""
        return self.warehouse.with_name(f"{self.warehouse.name}.wal")

    @property
    def home(self) -> Path:
        """Lock and working directory."""
        return self.warehouse.parent / ".callsync" / self.warehouse.stem

    @property
    def working(self) -> Path:
        """The pipelines directory of dlt."""
        return self.home / "pipelines"

    @property
    def spare(self) -> Path:
        """The copy before the last, of a large warehouse."""
        return self.home / "spare.duckdb"

    @property
    def next_spare(self) -> Path:
        """The second name of the copy while another takes its place."""
        return self.home / "spare.next.duckdb"

    def has(self, file: Path) -> bool:
        """Whether a file is one of these."""
        return file in (self.warehouse, self.published, self.log) or self.home in file.parents


LONGEST_LOG_BYTES = 8 * 2**20
"""DuckDB brings its log into the file when nobody else writes, which in a run is never. Of what is in the log
alone it keeps something in memory: after two million calls, more than it may."""

LONGEST_LOG_AT_END_BYTES = 4 * 2**20
"""As long may it be where all of DuckDB's memory is needed for a search among all calls."""


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of it or nothing, also when Ctrl-C comes in the middle."""
    try:
        connection.execute("begin")
        yield
    except BaseException:
        with suppress(duckdb.Error):
            connection.execute("rollback")
        raise
    connection.execute("commit")


def shorten_log(connection: duckdb.DuckDBPyConnection, longest: int) -> None:
    """Bring the log into the file where it is longer; at that moment nobody else may write."""
    ((file,),) = connection.execute(
        "select path from duckdb_databases() where database_name = current_database()"
    ).fetchall()
    log = Files(Path(file)).log
    if log.exists() and log.stat().st_size > longest:
        connection.execute("checkpoint")


def count_small_run(connection: duckdb.DuckDBPyConnection) -> None:
    """Note a run that brought little, of which each leaves a small group in every table that it fills.

    After so many of them the checkpoint that follows joins the small groups with those beside them. That
    rewrites these, so it is not for every run; without end small groups would slow every search down.
    """
    runs = int(meta(connection, _SMALL_RUNS) or 0) + 1
    if runs >= SMALL_RUNS:
        connection.execute("reset max_vacuum_tasks")
    remember(connection, _SMALL_RUNS, str(runs % SMALL_RUNS))


def newest_change(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The newest run that changed anything, or failed."""
    return meta(connection, CHANGED_BY)


def newest_call(connection: duckdb.DuckDBPyConnection, provider: str, account: str) -> datetime | None:
    """When the newest call of an account began that the reports know."""
    rows = connection.execute(
        "select max(started_at) from callsync.reported_calls where provider = ? and account = ?",
        [provider, account],
    ).fetchall()
    newest: datetime | None = rows[0][0]
    return newest


def pipeline_name(schema: str) -> str:
    """The name under which dlt keeps the state of what it loads into a schema."""
    return f"callsync_{schema}"


def dlt_state(connection: duckdb.DuckDBPyConnection, schema: str) -> Mapping[str, Any]:
    """The state that the newest completed load package of a schema saved; empty before the first.

    dlt restores the same by itself before it loads; reading it here spares an idle run dlt.
    """
    if not _has_dlt_state(connection, schema):
        return {}
    state = _one(
        connection,
        f"""
        select state from {schema}._dlt_pipeline_state as states
        inner join {schema}._dlt_loads as loads on loads.load_id = states._dlt_load_id
        where states.pipeline_name = ? and loads.status = 0 order by loads.load_id desc limit 1
        """,
        pipeline_name(schema),
    )
    # As dlt packs it.
    return json.loads(zlib.decompress(base64.b64decode(state))) if state else {}


def tidy(connection: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Drop what dlt leaves after a package: older states, of which the newest counts, and staged rows."""
    if _has_dlt_state(connection, schema):
        connection.execute(
            f"""
            delete from {schema}._dlt_pipeline_state where _dlt_load_id not in (
                select _dlt_load_id from {schema}._dlt_pipeline_state
                order by _dlt_load_id desc limit {STATES_KEPT}
            )
            """
        )
    connection.execute(f"drop schema if exists {schema}_staging cascade")


def format_of(connection: duckdb.DuckDBPyConnection) -> int:
    """The format of a warehouse: 0 in an empty one and in those of the first version, which wrote none."""
    return int(meta(connection, FORMAT_KEY) or 0) if has_table(connection, "callsync", "meta") else 0


def refuse_newer(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    """Leave a warehouse alone that this version cannot know.

    Raises:
        ConfigError: a newer callsync has written it.
    """
    if format_of(connection) > FORMAT:
        raise ConfigError(
            f"{warehouse.name} was written by a newer callsync (its format is {format_of(connection)}, "
            f"and this one knows {FORMAT}); update callsync. Nothing was changed"
        )


def has_table(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    """Whether there is such a table."""
    # The standard's own view of tables reads every view, too, which takes ten times as long.
    tables = "select count(*) from duckdb_tables() where schema_name = ? and table_name = ?"
    return _one(connection, tables, schema, name) != "0"


def meta(connection: duckdb.DuckDBPyConnection, key: str) -> str | None:
    """A remembered fact about the warehouse itself."""
    return _one(connection, "select value from callsync.meta where key = ?", key)


def remember(connection: duckdb.DuckDBPyConnection, key: str, value: str) -> None:
    """Remember a fact about the warehouse itself."""
    connection.execute("insert or replace into callsync.meta values (?, ?)", [key, value])


def literal(text: object) -> str:
    """Text as SQL writes it."""
    return "'" + str(text).replace("'", "''") + "'"


def root_cause(fault: BaseException) -> BaseException:
    """The error that an error of dlt began with."""
    while fault.__cause__ is not None or fault.__context__ is not None:
        fault = fault.__cause__ or fault.__context__ or fault
    return fault


def one_line(error: BaseException) -> str:
    """An error of a library as one printable line."""
    return plain(" ".join(str(error).split()))[:300]


def reason(error: BaseException) -> str:
    """Why DuckDB could not write, as one printable line; with what to raise where memory was short."""
    said, _, settings = one_line(error).partition(" Possible solutions")
    # What DuckDB proposes itself are settings that nobody can reach here.
    return f"{said}; raise duckdb_memory_mb under [callsync] in .dlt/config.toml" if settings else said


def unwritable(fault: BaseException) -> WarehouseError:
    """What stops a run that cannot write what it has read."""
    return WarehouseError(f"the warehouse could not be written: {reason(fault)}")


def _one(connection: duckdb.DuckDBPyConnection, query: str, *values: str) -> str | None:
    # An unread result blocks the connection (DuckDB 2.0), so everything is fetched.
    rows = connection.execute(query, list(values)).fetchall()
    return str(rows[0][0]) if rows else None


def _has_dlt_state(connection: duckdb.DuckDBPyConnection, schema: str) -> bool:
    return has_table(connection, schema, "_dlt_pipeline_state")
