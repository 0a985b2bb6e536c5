"""`callsync.reported_calls`: the rows of `intermediate.calls_with_outcome`, so that no report derives them.

A call's row depends on the call's own records, its account's names, the phone numbers and the settings. So
after a load package only the calls it brought get new rows, by the same definition over the package's tables:

    unit ──(definition, with the provider's tables exchanged for the unit's)──▶ rows ──▶ delete and insert

An account's rows are made anew when names come that the definition reads, all rows when settings or the
definition itself change. Time alone changes one thing: a call that its provider never ended is in_progress
until `unknown_from`, and unknown from the first run after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import duckdb
import pyarrow as pa

from pipelines import call_keys, callers, warehouse
from pipelines.portions import portions
from pipelines.reading_sql import exchanged, references
from pipelines.views import CALLS_DEFINITION, REPORTED_CALLS, sql_views
from sources.account import Account
from sources.provider import Provider
from sources.registry import PROVIDERS
from sources.units import Unit

ENTERED_AT_ONCE = warehouse.ROW_GROUP
"""Rows that are entered together: each time, those they replace are searched for among all."""

MOST_CHANGED = 0.1
"""Part of all rows; where a run enters more at once, the rows of all callers are made anew."""

NUMBERS = "unit_phone_numbers"
"""The temporary table with those rows of `callsync.phone_numbers` that the calls of a package name."""

_NUMBERS_OF_PORTION = "portion_phone_numbers"

_GATHERED = "renewed_calls"
_REPLACED = "replaced_calls"
_IN_UNIT = "unit_"
"""What the names of a unit's tables begin with."""


def rebuild(connection: duckdb.DuckDBPyConnection) -> None:
    """Make every row anew, those of the callers too, a portion of the calls at a time."""
    connection.execute(f"delete from {REPORTED_CALLS}")
    for provider in PROVIDERS.values():
        for _ in portions(connection, provider, _IN_UNIT):
            _derive_portion(connection, provider)
    callers.rebuild(connection)


class Renewal:
    """Rows made anew for the units of a run: gathered in memory, and entered many at a time.

    Args:
        connection: the warehouse; used by this object alone.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._gathered = 0
        self._callers = callers.Changed(connection)

    def settle(self) -> bool:
        """Make the calls unknown that can no longer be in progress; True when there were any."""
        with warehouse.transaction(self._connection):
            due = "where unknown_from <= current_timestamp"
            self._connection.execute(
                f"create or replace temp table {_REPLACED} as "
                f"select {', '.join(callers.COLUMNS)} from {REPORTED_CALLS} {due}"
            )
            ((count,),) = self._connection.execute(
                f"update {REPORTED_CALLS} set outcome = 'unknown', unknown_from = null {due}"
            ).fetchall()
            if count:
                settled = f"(select * replace ('unknown' as outcome) from {_REPLACED})"
                self._callers.note(_REPLACED, settled)
                self._callers.renew()
            self._connection.execute(f"drop table {_REPLACED}")
        return bool(count)

    def add(self, provider: Provider, units: Sequence[Unit]) -> None:
        """Make the rows of the units' calls, but for those of units that bring names.

        Args:
            provider: whose units they are.
            units: of one package, whose numbers are in NUMBERS.
        """
        for unit in units:
            if not brings_names(provider, unit):
                for record_type, shaped in unit.data:
                    if record_type.table == provider.calls.table:
                        self._gather(provider, shaped.tables)
        if self._gathered >= ENTERED_AT_ONCE:
            self.enter()

    def follow_names(self, provider: Provider, accounts: Sequence[Account]) -> None:
        """Make all rows of the accounts anew of which a package has brought names."""
        for account in accounts:
            self.enter()
            self._renew_account(provider, account)

    def enter(self) -> None:
        """Put what was gathered in the place of the earlier rows."""
        if not self._gathered:
            return
        with warehouse.transaction(self._connection):
            ((known,),) = self._connection.execute(f"select count(*) from {REPORTED_CALLS}").fetchall()
            if self._gathered > known * MOST_CHANGED:
                self._callers.note_all()
            found = call_keys.places(self._connection, REPORTED_CALLS, _GATHERED)
            # One search for the rows that are replaced serves to compare them and to delete them.
            self._connection.execute(
                f"""
                create or replace temp table {_REPLACED} as
                with found as materialized ({found})
                select reported.rowid as place, {", ".join(callers.COLUMNS)}
                from {REPORTED_CALLS} as reported semi join found on reported.rowid = found.place
                """
            )
            self._callers.note(_REPLACED, _GATHERED)
            self._connection.execute(
                f"delete from {REPORTED_CALLS} where rowid in (select place from {_REPLACED})"
            )
            self._connection.execute(f"insert into {REPORTED_CALLS} from {_GATHERED}")
        self._connection.execute(f"drop table {_REPLACED}; drop table {_GATHERED}")
        self._gathered = 0

    def finish(self) -> None:
        """Enter what is left, and make the rows of the callers anew whose calls have changed."""
        self.enter()
        self._callers.renew()

    def _renew_account(self, provider: Provider, account: Account) -> None:
        whose, values = "where provider = ? and account = ?", [provider.name, account.name]
        # Names seldom change what is kept of callers, which costs more to make anew than to compare.
        digest = f"select sum(hash({', '.join(callers.COLUMNS)})) from {REPORTED_CALLS} {whose}"
        before = self._connection.execute(digest, values).fetchall()
        self._connection.execute(f"delete from {REPORTED_CALLS} {whose}", values)
        for _ in portions(self._connection, provider, _IN_UNIT, account.name):
            _derive_portion(self._connection, provider)
        if self._connection.execute(digest, values).fetchall() != before:
            self._callers.note_all()

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


def _derive_portion(connection: duckdb.DuckDBPyConnection, provider: Provider) -> None:
    """Make the rows of a portion's calls."""
    named = " union all ".join(
        f"select {column} as number from {_in_unit(table)}"
        for table, column in provider.phone_columns()
        if table in provider.calls.schemas()
    )
    # Of all numbers only these: in a join, DuckDB would hold every one in memory that any call ever had.
    connection.execute(
        f"create or replace temp table {_NUMBERS_OF_PORTION} as "
        f"select * from callsync.phone_numbers semi join ({named}) as named using (number)"
    )
    connection.execute(f"insert into {REPORTED_CALLS} {over_unit(provider.name, _NUMBERS_OF_PORTION)}")


def brings_names(provider: Provider, unit: Unit) -> bool:
    """Whether a unit brings names that the definition reads, and so changes any call of its account."""
    return any(
        f"{provider.name}.{record_type.table}" in _read_whole(provider.name) for record_type, _ in unit.data
    )


@cache
def _read_whole(provider_name: str) -> set[str]:
    """The tables that the definition reads, those of the calls aside."""
    return references(over_unit(provider_name))


@cache
def over_unit(provider_name: str, numbers: str = NUMBERS) -> str:
    """The definition for one provider, over the tables of a unit and its numbers instead of all."""
    provider = PROVIDERS[provider_name]
    exchange = {f"{provider.name}.{name}": _in_unit(name) for name in provider.calls.schemas()}
    exchange["callsync.phone_numbers"] = numbers
    selects = {view.name: view.select for view in sql_views()}
    selects["intermediate.calls"] = f"select * from staging.stg_{provider.name}__calls"

    def inlined(name: str) -> str | None:
        return exchange.get(name) or (
            f"(\n{exchanged(selects[name], inlined)}\n)" if name in selects else None
        )

    return exchanged(selects[CALLS_DEFINITION], inlined)


def _in_unit(table: str) -> str:
    return f"{_IN_UNIT}{table}"
