"""A warehouse of any earlier version becomes one of this version, in one transaction, before a run begins.

What is missing is created: tables, and columns at the end of tables that are there. What needs more than
that is one of the `STEPS`, and `callsync.meta` remembers the format that a warehouse has. Views, kept rows
and read numbers follow by themselves, because each remembers what it was made of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import closing

import duckdb

from pipelines import layout, warehouse
from sources.registry import PROVIDERS
from sources.schemas import schemas_of


def _drop_index_of_numbers(connection: duckdb.DuckDBPyConnection) -> None:
    """A key's index is held in memory whole, and nobody asks it: numbers are added where they are not yet."""
    connection.execute("alter table callsync.phone_numbers rename to indexed_numbers")
    connection.execute(layout.OWN_TABLES)
    connection.execute("insert into callsync.phone_numbers from callsync.indexed_numbers")
    connection.execute("drop table callsync.indexed_numbers")


STEPS: Mapping[int, Callable[[duckdb.DuckDBPyConnection], None]] = {1: _drop_index_of_numbers}
"""By format, what turns it into the next one once every table and column is there; most need nothing."""

_LAYOUT = "layout"
"""Key in `callsync.meta`: which tables and columns are known to be there."""


def bring_up_to_date(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what a warehouse lacks and take the steps it has not had; all of it or nothing.

    Args:
        connection: the warehouse; it may be empty.
    """
    schemas = {name: schemas_of(provider) for name, provider in PROVIDERS.items()}
    parts = [layout.OWN_TABLES, *(f"{name} {tables}" for name, tables in schemas.items())]
    fingerprint = hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()
    with warehouse.transaction(connection):
        layout.create_tables(connection, PROVIDERS.values())
        if warehouse.meta(connection, _LAYOUT) != fingerprint:
            _add_columns(connection)
            warehouse.remember(connection, _LAYOUT, fingerprint)
        for format_ in range(warehouse.format_of(connection), warehouse.FORMAT):
            if format_ in STEPS:
                STEPS[format_](connection)
        warehouse.remember(connection, warehouse.FORMAT_KEY, str(warehouse.FORMAT))


def _add_columns(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the columns that a new warehouse would have."""
    with closing(duckdb.connect(":memory:")) as blank:
        layout.create_tables(blank, PROVIDERS.values())
        wanted = _columns(blank)
    there = {column[:3] for column in _columns(connection)}
    for schema, table, name, type_ in wanted:
        if (schema, table, name) not in there:
            connection.execute(f'alter table {schema}.{table} add column "{name}" {type_}')


def _columns(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, str]]:
    """Schema, table, name and type of every column, in their order."""
    return connection.execute(
        """
        select columns.schema_name, columns.table_name, columns.column_name, columns.data_type
        from duckdb_columns() as columns
        inner join duckdb_tables() as tables
            on columns.database_oid = tables.database_oid and columns.table_oid = tables.table_oid
        where columns.database_name = current_database()
        order by columns.schema_name, columns.table_name, columns.column_index
        """
    ).fetchall()
