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
    connection: duckdb.DuckDBPyConnection, columns: Sequence[pa.ChunkedArray], default_region: str
) -> None:
    """Add the numbers of some columns that are not known yet."""
    chunks = [chunk for column in columns for chunk in column.chunks]
    numbers = pa.chunked_array(chunks, pa.string()).unique()
    connection.register("brought_numbers", pa.table({"number": numbers}))
    _add(connection, "select number from brought_numbers", default_region)
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
    selects = [f"select {column} as number from {table}" for table, column in columns]
    _add(connection, " union ".join(selects), default_region)


def _add(connection: duckdb.DuckDBPyConnection, query: str, default_region: str) -> None:
    # Only what the known numbers share with the new ones is held in memory.
    connection.execute(
        f"""
        create or replace temp table new_numbers as
        with numbers as materialized (select distinct number from ({query}) where number is not null)
        select number from numbers
        except
        select number from callsync.phone_numbers semi join numbers using (number)
        """
    )
    counted = connection.execute("select count(*) from new_numbers").fetchone()
    for start in range(0, counted[0] if counted else 0, _READ_AT_ONCE):
        part = f"select number from new_numbers where rowid >= {start} and rowid < {start + _READ_AT_ONCE}"
        found = [read(number, default_region) for (number,) in connection.execute(part).fetchall()]
        columns = list(zip(*found, strict=True))
        fresh = pa.table(
            [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)],
            schema=_SCHEMA,
        )
        connection.register("fresh_numbers", fresh)
        connection.execute("insert into callsync.phone_numbers select * from fresh_numbers")
        connection.unregister("fresh_numbers")
    connection.execute("drop table new_numbers")
