"""What is kept of callers: who contacted whom first after each missed call, and who calls again and again.

Both follow from the calls that one account has with one number, its caller. So once a run, only callers are
made anew of whom a row of `callsync.reported_calls` went, came or changed:

    changed rows ─▶ their callers ─▶ all calls of those ─(the definition, over these calls alone)─▶ rows

Where many have changed, those of all callers are made anew: DuckDB does that in what memory it is given.
"""

from __future__ import annotations

from functools import cache

import duckdb

from pipelines.reading_sql import exchanged
from pipelines.views import OF_CALLERS, REPORTED_CALLS, sql_views

CALLER = ("provider", "account", "contact_number")

COLUMNS = (
    *CALLER,
    "provider_call_id",
    "from_number",
    "direction",
    "outcome",
    "is_answered",
    "is_missed",
    "started_at",
    "local_started_at",
)
"""What the definitions read of `callsync.reported_calls`."""

MOST_CALLS = 250_000
"""Calls of changed callers that are fetched together; of more, the rows of all callers are made anew."""

_CHANGED = "changed_callers"
_FOUND = "found_calls"
_CALLS = "callers_calls"


def rebuild(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the rows of all callers anew."""
    for table, definition in OF_CALLERS.items():
        connection.execute(f"delete from {table}")
        connection.execute(f"insert into {table} select * from {definition}")


class Changed:
    """The callers of whom a run changed calls.

    Args:
        connection: the warehouse; what is noted lives and ends with it.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._all = False
        self._some = False
        connection.execute(
            f"create temp table {_CHANGED} (provider varchar, account varchar, contact_number varchar)"
        )

    def note_all(self) -> None:
        """Note that every caller may have changed."""
        self._all = True

    def note(self, before: str, after: str) -> None:
        """Note the callers whose calls differ between two tables with at least COLUMNS."""
        if self._all:
            return
        self._some = True
        earlier, later = (f"select {', '.join(COLUMNS)} from {table}" for table in (before, after))
        self._connection.execute(
            f"insert into {_CHANGED} select distinct {', '.join(CALLER)} from "
            f"(({earlier} except {later}) union all ({later} except {earlier})) as changed "
            "where contact_number is not null"
        )

    def renew(self) -> None:
        """Make the rows of the noted callers anew."""
        if self._all:
            rebuild(self._connection)
        elif self._some:
            self._renew_some()
        self._all = self._some = False

    def _renew_some(self) -> None:
        # Calls are found first and then fetched by their place: fetched while searched for, all are read.
        ((found,),) = self._connection.execute(
            f"""
            create or replace temp table {_FOUND} as
            select calls.rowid as place, changed.*
            from {REPORTED_CALLS} as calls
            inner join (select distinct * from {_CHANGED}) as changed on {_same("calls", "changed")}
            """
        ).fetchall()
        if found > MOST_CALLS:
            rebuild(self._connection)
        else:
            self._renew_found()
        self._connection.execute(f"drop table {_FOUND}; delete from {_CHANGED}")

    def _renew_found(self) -> None:
        for table in OF_CALLERS:
            self._connection.execute(
                f"delete from {table} as kept using {_CHANGED} as changed where {_same('kept', 'changed')}"
            )
        others = (f"calls.{column}" for column in COLUMNS if column not in CALLER)
        self._connection.execute(
            f"""
            create or replace temp table {_CALLS} as
            select found.* exclude (place), {", ".join(others)}
            from {REPORTED_CALLS} as calls inner join {_FOUND} as found on calls.rowid = found.place
            """
        )
        for table, select in over_calls().items():
            self._connection.execute(f"insert into {table} {select}")
        self._connection.execute(f"drop table {_CALLS}")


def _same(one: str, other: str) -> str:
    return " and ".join(f"{one}.{column} = {other}.{column}" for column in CALLER)


@cache
def over_calls() -> dict[str, str]:
    """By table, its definition over some calls alone."""
    selects = {view.name: view.select for view in sql_views()}
    return {
        table: exchanged(selects[definition], {REPORTED_CALLS: _CALLS}.get)
        for table, definition in OF_CALLERS.items()
    }
