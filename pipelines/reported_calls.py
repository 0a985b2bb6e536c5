"""`callsync.reported_calls`: the rows of `intermediate.calls_with_outcome`, so that no report derives them.

A call's row depends on the call's own records, its account's names, the phone numbers and the settings. So
after a load package only the calls it brought get new rows, by the same definition over the package's tables:

    unit ──(definition, with the provider's tables exchanged for the unit's)──▶ rows ──▶ delete and insert

An account's rows are made anew when its names change, all rows when settings or the definition do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from pipelines import warehouse
from pipelines.portions import portions
from pipelines.views import CALLS_DEFINITION, REPORTED_CALLS, sql_views
from sources.account import Account
from sources.provider import Provider
from sources.registry import PROVIDERS
from sources.units import Unit

KEY = ("provider", "account", "provider_call_id")

ROW_GROUP = 122_880
"""Rows that DuckDB stores together."""

_GATHERED = "renewed_calls"
_IN_UNIT = "unit_"
"""What the names of a unit's tables begin with."""


def rebuild(connection: duckdb.DuckDBPyConnection) -> None:
    """Make every row anew, a portion of the calls at a time."""
    connection.execute(f"delete from {REPORTED_CALLS}")
    for provider in PROVIDERS.values():
        for _ in portions(connection, provider, _IN_UNIT):
            connection.execute(f"insert into {REPORTED_CALLS} {over_unit(provider.name)}")


class Renewal:
    """Rows made anew for the units of a run: gathered in memory, and entered many at a time.

    DuckDB writes rows twice, to its log and to the table, unless they fill a row group.

    Args:
        connection: the warehouse; used by this object alone.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._gathered = 0

    def add(self, provider: Provider, units: Sequence[Unit]) -> None:
        """Make the rows of the units' calls; of a unit that brings names those of its whole account."""
        for unit in units:
            calls = [shaped for record_type, shaped in unit.data if record_type.table == provider.calls.table]
            if len(calls) < len(unit.data):
                self.enter()
                self._renew_account(provider, unit.account)
            elif calls:
                self._gather(provider, calls[0].tables)
        if self._gathered >= ROW_GROUP:
            self.enter()

    def enter(self) -> None:
        """Put what was gathered in the place of the earlier rows."""
        if not self._gathered:
            return
        with warehouse.transaction(self._connection):
            same = " and ".join(f"reported.{column} = renewed.{column}" for column in KEY)
            self._connection.execute(
                f"delete from {REPORTED_CALLS} as reported using {_GATHERED} as renewed where {same}"
            )
            self._connection.execute(f"insert into {REPORTED_CALLS} from {_GATHERED}")
        self._connection.execute(f"drop table {_GATHERED}")
        self._gathered = 0

    def _renew_account(self, provider: Provider, account: Account) -> None:
        self._connection.execute(
            f"delete from {REPORTED_CALLS} where provider = ? and account = ?", [provider.name, account.name]
        )
        for _ in portions(self._connection, provider, _IN_UNIT, account.name):
            self._connection.execute(f"insert into {REPORTED_CALLS} {over_unit(provider.name)}")

    def _gather(self, provider: Provider, tables: Mapping[str, pa.Table]) -> None:
        for name, table in tables.items():
            self._connection.register(_in_unit(name), table)
        if self._gathered:
            self._connection.execute(
                f"delete from {_GATHERED} as earlier using {_in_unit(provider.calls.table)} as unit "
                f"where earlier.provider = '{provider.name}' and earlier.account = unit.account "
                f"and earlier.provider_call_id = cast(unit.{provider.calls.key_column} as varchar)"
            )
            self._connection.execute(f"insert into {_GATHERED} {over_unit(provider.name)}")
        else:
            self._connection.execute(f"create temp table {_GATHERED} as {over_unit(provider.name)}")
        for name in tables:
            self._connection.unregister(_in_unit(name))
        self._gathered += tables[provider.calls.table].num_rows


@cache
def over_unit(provider_name: str) -> str:
    """The definition for one provider, over the tables of a unit instead of the provider's own."""
    provider = PROVIDERS[provider_name]
    exchanged = {f"{provider.name}.{name}": _in_unit(name) for name in provider.calls.schemas()}
    selects = {view.name: view.select for view in sql_views()}
    selects["intermediate.calls"] = f"select * from staging.stg_{provider.name}__calls"

    def inlined(select: str) -> exp.Expr:
        return sqlglot.parse_one(select, dialect="duckdb").transform(exchange)

    def exchange(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Table):
            name = f"{node.db}.{node.name}"
            if name in exchanged:
                return exp.to_table(exchanged[name]).as_(node.alias_or_name)
            if name in selects:
                return exp.Subquery(this=inlined(selects[name])).as_(node.alias_or_name)
        return node

    return inlined(selects[CALLS_DEFINITION]).sql(dialect="duckdb")


def _in_unit(table: str) -> str:
    return f"{_IN_UNIT}{table}"
