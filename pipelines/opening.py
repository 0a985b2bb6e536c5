"""How the warehouse file is opened: made where there is none, written by one, read as its copy by all."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import duckdb

from pipelines.warehouse import ROW_GROUP, Files, literal, one_line, refuse_newer
from sources.errors import CallsyncError, ConfigError, WarehouseBusy, WarehouseError

STORAGE_VERSION = "v1.5.0"
"""Files are written so that DuckDB 1.5 clients can open them too."""

BLOCK_BYTES = 65_536
"""A new file's unit of space. Each insert begins blocks of its own, which would stay half empty if larger."""

POLL_SECONDS = 0.5

_LOCKED = re.compile(r"\block\b", re.IGNORECASE)
"""What DuckDB says of a file that another program has open; of a damaged one it says which block it is."""

_NEWER_STORAGE = re.compile("storage version|version number", re.IGNORECASE)
"""What DuckDB says of a file that only a later DuckDB can read, whichever DuckDB it is."""


@contextmanager
def writing(
    warehouse: Path, *, patience_seconds: float, memory_mb: int, say: Callable[[str], None]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, opened for writing while it is held.

    Raises:
        WarehouseBusy: another program has it open.
        WarehouseError: the file cannot be used.
        ConfigError: a newer callsync or a newer DuckDB has written it.
    """
    connection = _open(warehouse, patience_seconds, memory_mb, say)
    try:
        refuse_newer(connection, warehouse)
        yield connection
    finally:
        connection.close()


@contextmanager
def looking(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """The warehouse for a look that changes nothing, showing times in UTC; its copy while it is written.

    None before a first run.

    Raises:
        WarehouseError: the file cannot be used.
    """
    if not warehouse.exists():
        yield None
        return
    try:
        connection = _to_read(warehouse)
    except duckdb.Error:
        connection = reading(warehouse)
    with closing(connection):
        refuse_newer(connection, warehouse)
        yield connection


def reading(warehouse: Path) -> duckdb.DuckDBPyConnection:
    """The published copy, read-only and showing times in UTC.

    Raises:
        WarehouseError: nothing was published yet.
        ConfigError: a newer callsync or a newer DuckDB has written it.
    """
    published = Files(warehouse).published
    if not published.exists():
        raise WarehouseError(
            f"there is no {published.name} beside {warehouse.name} yet; run callsync sync first"
        )
    try:
        connection = _to_read(published)
        refuse_newer(connection, published)
    except duckdb.Error as error:
        raise _unusable(published, error) from None
    return connection


def _to_read(file: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(file), read_only=True)
    # DuckDB would draw it into the output of whoever it takes for interactive.
    connection.execute("set timezone = 'UTC'; set enable_progress_bar = false")
    return connection


def _open(
    warehouse: Path, patience_seconds: float, memory_mb: int, say: Callable[[str], None]
) -> duckdb.DuckDBPyConnection:
    give_up_at = time.monotonic() + patience_seconds
    has_said = False
    if not warehouse.exists():
        _create(warehouse)
    while True:
        try:
            return _attached(warehouse, memory_mb)
        except duckdb.IOException as error:
            if not _LOCKED.search(str(error)):
                raise _unusable(warehouse, error) from None
            if time.monotonic() >= give_up_at:
                raise WarehouseBusy(
                    f"another program has {warehouse.name} open; "
                    f"close it, or read {Files(warehouse).published.name}"
                ) from None
            if not has_said:
                say(
                    f"another program has {warehouse.name} open; "
                    f"waiting up to {patience_seconds:.0f} s for it"
                )
                has_said = True
            time.sleep(POLL_SECONDS)
        except duckdb.Error as error:
            raise _unusable(warehouse, error) from None


def _attached(warehouse: Path, memory_mb: int) -> duckdb.DuckDBPyConnection:
    """A connection of which every cursor sees the warehouse as its own database.

    How many rows are stored together is told to ATTACH alone. A cursor begins with the database that the
    connection was made for, whatever USE said since; so the warehouse takes that one's place and name.
    """
    connection = duckdb.connect(":memory:")
    try:
        # Unbounded, DuckDB keeps what it wrote in memory; what does not fit goes to disk. A second thread
        # takes memory and, beside the readers, no less time.
        connection.execute(
            f"set timezone = 'UTC'; set threads = 1; set memory_limit = '{memory_mb}MB'; "
            f"set temp_directory = {literal(f'{warehouse}.tmp')}; set enable_progress_bar = false; "
            # A file of a package is read once.
            "set enable_external_file_cache = false; "
            # Left to itself it joins groups wherever four fit into three, and writes much twice.
            "set max_vacuum_tasks = 0"
        )
        connection.execute("attach ':memory:' as meanwhile; use meanwhile; detach memory")
        # Without the type DuckDB takes a damaged file for a table of text where its name ends like one.
        connection.execute(f"attach {literal(warehouse)} as memory (type duckdb, row_group_size {ROW_GROUP})")
        connection.execute("use memory; detach meanwhile")
    except BaseException:
        connection.close()
        raise
    return connection


def _create(warehouse: Path) -> None:
    """Make an empty warehouse in one step: DuckDB cannot open a file of which it wrote half."""
    for left_by_a_killed_run in warehouse.parent.glob(f".{warehouse.name}.*.new"):
        with suppress(OSError):
            left_by_a_killed_run.unlink()
    temporary = warehouse.with_name(f".{warehouse.name}.{os.getpid()}.new")
    try:
        with duckdb.connect(":memory:") as connection:
            connection.execute(
                f"attach {literal(temporary)} as warehouse "
                f"(block_size {BLOCK_BYTES}, storage_version '{STORAGE_VERSION}')"
            )
        temporary.chmod(0o600)
        # What a warehouse that is gone did not finish is not this one's.
        Files(warehouse).log.unlink(missing_ok=True)
        os.replace(temporary, warehouse.resolve())
    except (duckdb.Error, OSError) as error:
        raise WarehouseError(f"{warehouse} cannot be created: {one_line(error)}") from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def _unusable(file: Path, error: duckdb.Error) -> CallsyncError:
    if _NEWER_STORAGE.search(str(error)):
        return ConfigError(
            f"{file.name} was written by a newer DuckDB than {duckdb.__version__}; "
            "update callsync and duckdb. Nothing was changed"
        )
    return WarehouseError(f"{file} cannot be opened: {one_line(error)}")
