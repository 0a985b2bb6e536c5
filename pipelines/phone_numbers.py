"""`callsync.phone_numbers`: one row a distinct raw number, read when it first comes (see `phone_texts`)."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from pipelines.phone_texts import read

_READ_AT_ONCE = 50_000
"""Numbers held in memory: a warehouse read anew under another region may have millions."""

_SCHEMA = pa.schema(
    {
        "number": pa.string(),
        "e164": pa.string(),
        "region": pa.string(),
        "kind": pa.string(),
        "is_valid": pa.bool_(),
    }
)


def add(
    connection: duckdb.DuckDBPyConnection,
    columns: Sequence[pa.ChunkedArray],
    default_region: str,
    *,
    found: str = "found_numbers",
) -> None:
    """Add the numbers of some columns that are not known yet.

    Args:
        connection: the warehouse.
        columns: of texts, a side of a call each.
        default_region: country of numbers that name none.
        found: the temporary table that holds the rows of all these numbers afterwards, known before or not.
    """
    chunks = [chunk for column in columns for chunk in column.chunks]
    numbers = pa.chunked_array(chunks, pa.string()).unique().drop_null()
    connection.register("brought_numbers", pa.table({"number": numbers}))
    # The one search among all numbers: they are many, and their texts in no order.
    connection.execute(
        f"create or replace temp table {found} as "
        "select known.* from callsync.phone_numbers as known semi join brought_numbers using (number)"
    )
    new = f"select number from brought_numbers except select number from {found}"
    _read(connection, new, default_region, ("callsync.phone_numbers", found))
    connection.unregister("brought_numbers")


def refresh(
    connection: duckdb.DuckDBPyConnection,
    columns: Sequence[tuple[str, str]],
    default_region: str,
    *,
    anew: bool = False,
) -> None:
    """Add every number of some tables' columns that is not known; `anew` reads the known ones again too."""
    if anew:
        connection.execute("delete from callsync.phone_numbers")
    selects = " union ".join(f"select {column} as number from {table}" for table, column in columns)
    # Only what the known numbers share with the new ones is held in memory.
    new = f"""
        with numbers as materialized (select distinct number from ({selects}) where number is not null)
        select number from numbers
        except
        select number from callsync.phone_numbers semi join numbers using (number)
    """
    _read(connection, new, default_region, ("callsync.phone_numbers",))


def _read(
    connection: duckdb.DuckDBPyConnection, query: str, default_region: str, into: Sequence[str]
) -> None:
    connection.execute(f"create or replace temp table new_numbers as {query}")
    counted = connection.execute("select count(*) from new_numbers").fetchone()
    for start in range(0, counted[0] if counted else 0, _READ_AT_ONCE):
        part = f"select number from new_numbers where rowid >= {start} and rowid < {start + _READ_AT_ONCE}"
        understood = [read(number, default_region) for (number,) in connection.execute(part).fetchall()]
        columns = list(zip(*understood, strict=True))
        fresh = pa.table(
            [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)],
            schema=_SCHEMA,
        )
        connection.register("fresh_numbers", fresh)
        for table in into:
            connection.execute(f"insert into {table} select * from fresh_numbers")
        connection.unregister("fresh_numbers")
    connection.execute("drop table new_numbers")
