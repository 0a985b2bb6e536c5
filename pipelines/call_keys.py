"""Calls of any provider by their key: how a few are found among millions."""

from __future__ import annotations

import duckdb

from pipelines.warehouse import literal

KEY = ("provider", "account", "provider_call_id")
"""The columns that name a call in each table over all providers."""


def same(left: str, right: str) -> str:
    """The condition that rows of two tables are of one call."""
    return " and ".join(f"{left}.{column} = {right}.{column}" for column in KEY)


def places(connection: duckdb.DuckDBPyConnection, table: str, sought: str) -> str:
    """The select that gives the `place` of each row of a table whose call another table has.

    Each account is searched by itself. DuckDB skips the groups of rows where no id lies between the least and
    the greatest that are sought, and those of several providers lie far apart: everything is between them.

    Args:
        connection: where both are.
        table: at least with the columns KEY; what is found are its row ids.
        sought: at least with the columns KEY.
    """
    accounts = connection.execute(f"select distinct provider, account from {sought} order by all").fetchall()
    selects = []
    for provider, account in accounts:
        whose = f"provider = {literal(provider)} and account = {literal(account)}"
        ids = f"select provider_call_id from {sought} where {whose}"
        selects.append(
            f"select kept.rowid as place from {table} as kept "
            f"semi join ({ids}) as ids using (provider_call_id) where {whose}"
        )
    return " union all ".join(selects)
