"""The calls of a warehouse, some at a time: to make something anew of all takes the memory of a few."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from sources.provider import Provider

CALLS = 50_000
"""Calls of a portion: with their lists about 30 MB, a quarter of the least memory DuckDB can be given."""


def portions(
    connection: duckdb.DuckDBPyConnection, provider: Provider, prefix: str, account: str | None = None
) -> Iterator[None]:
    """Hold one portion after the other, in temporary tables.

    Args:
        connection: the warehouse.
        provider: whose calls.
        prefix: of the temporary tables' names; the rest is the name of the table whose rows they have.
        account: whose calls alone; None for all.
    """
    calls, key = provider.calls.table, provider.calls.key_column
    ((last,),) = connection.execute(f"select max(rowid) from {provider.name}.{calls}").fetchall()
    whose = "" if account is None else "and account = $account"
    values = {} if account is None else {"account": account}
    for start in range(0, -1 if last is None else last + 1, CALLS):
        connection.execute(
            f"create or replace temp table {prefix}{calls} as select * from {provider.name}.{calls} "
            f"where rowid >= {start} and rowid < {start + CALLS} {whose}",
            values,
        )
        for name in provider.calls.schemas().keys() - {calls}:
            connection.execute(
                f"create or replace temp table {prefix}{name} as "
                f"select * from {provider.name}.{name} semi join {prefix}{calls} using (account, {key})"
            )
        yield
    for name in provider.calls.schemas():
        connection.execute(f"drop table if exists {prefix}{name}")
