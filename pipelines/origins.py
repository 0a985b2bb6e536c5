"""Which run brought each call, and which changed it last: `callsync.call_origins`.

    unit ──(a hash over each call and its lists)──▶ new      ─▶ a row
                                                    changed  ─▶ the row's last run
                                                    the same ─▶ nothing

A window that is read again is loaded whole where one of its calls has changed; the hash tells which. The
window that a run read a call in is the run's row of `callsync.windows` that the call's time lies in, as the
view `callsync.call_history` has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import duckdb

from pipelines import call_keys, contents, warehouse
from sources.provider import Provider
from sources.registry import PROVIDERS
from sources.units import Unit

ENTERED_AT_ONCE = warehouse.ROW_GROUP
"""Calls that are entered together: each time, what is known of them is searched for among all."""

_GATHERED = "gathered_origins"
_RULES = "origins"
"""Key in `callsync.meta`: what the hashes were made by. DuckDB's differ from version to version."""


def refresh(connection: duckdb.DuckDBPyConnection, *, is_whole: bool) -> None:
    """Make good what runs left out that ended early, or that knew nothing of origins.

    Args:
        connection: the warehouse.
        is_whole: whether every run has entered what it loaded.
    """
    rules = f"{duckdb.__version__} {[provider.calls.schemas() for provider in PROVIDERS.values()]}"
    known = warehouse.meta(connection, _RULES)
    if is_whole and known == rules:
        return
    with warehouse.transaction(connection):
        for provider in PROVIDERS.values():
            _refresh(connection, provider, is_first=known is None, is_comparable=known == rules)
        warehouse.remember(connection, _RULES, rules)


class Recorder:
    """The origins of the calls of a run: gathered in memory, and entered many at a time.

    Args:
        connection: the warehouse; used by this object alone.
        run_id: as in `callsync.runs`.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, run_id: str) -> None:
        self._connection = connection
        self._run_id = run_id
        self._gathered = 0

    def add(self, provider: Provider, units: Sequence[Unit]) -> None:
        """Gather the units' calls, and enter them when they are many."""
        for unit in units:
            for record_type, shaped in unit.data:
                if record_type.table == provider.calls.table:
                    with contents.registered(self._connection, shaped.tables):
                        self._gather(
                            provider.name, unit.account.name, contents.select(provider, contents.PART, "true")
                        )
        if self._gathered >= ENTERED_AT_ONCE:
            self.enter()

    def enter(self) -> None:
        """Enter what was gathered, where it is new or has changed."""
        if not self._gathered:
            return
        with warehouse.transaction(self._connection):
            found = call_keys.places(self._connection, "callsync.call_origins", _GATHERED)
            # One search finds what is known of these calls; the rest works on what was found.
            self._connection.execute(
                f"""
                create or replace temp table known_origins as
                with found as materialized ({found})
                select known.*, known.rowid as place
                from callsync.call_origins as known semi join found on known.rowid = found.place
                """
            )
            self._connection.execute(
                f"""
                create or replace temp table renewed_origins as
                select gathered.provider, gathered.account, gathered.provider_call_id, gathered.content,
                    coalesce(known.first_run_id, gathered.run_id) as first_run_id,
                    coalesce(known.first_loaded_at, gathered.loaded_at) as first_loaded_at,
                    gathered.run_id as last_run_id, gathered.loaded_at as last_loaded_at,
                    coalesce(known.is_exact, true) as is_exact, known.place
                from {_GATHERED} as gathered
                left join known_origins as known on {call_keys.same("gathered", "known")}
                where known.content is distinct from gathered.content
                """
            )
            self._connection.execute(
                "delete from callsync.call_origins where rowid in (select place from renewed_origins)"
            )
            self._connection.execute(
                "insert into callsync.call_origins by name select * exclude (place) from renewed_origins"
            )
        self._connection.execute("drop table known_origins; drop table renewed_origins")
        self._connection.execute(f"drop table {_GATHERED}")
        self._gathered = 0

    def _gather(self, provider: str, account: str, select: str) -> None:
        if not self._gathered:
            self._connection.execute(
                f"create or replace temp table {_GATHERED} (provider varchar, account varchar, "
                "provider_call_id varchar, content ubigint, run_id varchar, loaded_at timestamptz)"
            )
        else:
            self._connection.execute(
                f"delete from {_GATHERED} as gathered using ({select}) as again "
                "where gathered.provider = $provider and gathered.account = $account "
                "and gathered.provider_call_id = again.id",
                {"provider": provider, "account": account},
            )
        ((count,),) = self._connection.execute(
            f"insert into {_GATHERED} select $provider, $account, id, content, $run_id, $loaded_at "
            f"from ({select}) as called",
            {
                "provider": provider, "account": account, "run_id": self._run_id,
                "loaded_at": datetime.now(UTC),
            },
        ).fetchall()  # fmt: skip
        self._gathered += count


def _refresh(
    connection: duckdb.DuckDBPyConnection, provider: Provider, *, is_first: bool, is_comparable: bool
) -> None:
    accounts = connection.execute(
        f"select distinct account from {provider.name}.{provider.calls.table}"
    ).fetchall()
    for (account,) in accounts:
        whose = {"provider": provider.name, "account": account}
        current = contents.select(provider, f"{provider.name}.", "account = $account")
        connection.execute(f"create or replace temp table current_calls as {current}", {"account": account})
        held = "known.provider = $provider and known.account = $account"
        if not is_comparable:
            connection.execute(
                "update callsync.call_origins as known set content = called.content "
                f"from current_calls as called where {held} and known.provider_call_id = called.id",
                whose,
            )
        # A run that ended early loaded these, and its windows are the newest that were read there. What an
        # earlier version loaded came with the oldest or later, and changed with the newest or earlier.
        connection.execute(
            f"""
            create or replace temp table unknown_calls as
            select called.*, known.provider_call_id is null as is_new
            from current_calls as called
            left join callsync.call_origins as known on {held} and known.provider_call_id = called.id
            where known.content is distinct from called.content
            """,
            whose,
        )
        nth = "nth" if is_first else "nth_last"
        connection.execute(
            f"""
            create or replace temp table renewed_origins as
            with reads as (
                select called.id, windows.run_id, windows.loaded_at,
                    row_number() over (partition by called.id order by windows.loaded_at) as nth,
                    row_number() over (partition by called.id order by windows.loaded_at desc) as nth_last
                from unknown_calls as called
                inner join {provider.name}.callsync_windows as windows
                    on windows.account = $provider || '.' || $account
                    and called.first_at >= windows.window_start and called.first_at < windows.window_end
            )
            select $provider as provider, $account as account, called.id as provider_call_id, called.content,
                case when called.is_new then brought.run_id else known.first_run_id end as first_run_id,
                case when called.is_new then brought.loaded_at else known.first_loaded_at end
                    as first_loaded_at,
                changed.run_id as last_run_id, changed.loaded_at as last_loaded_at,
                case when called.is_new then $is_exact else known.is_exact end as is_exact
            from unknown_calls as called
            left join reads as changed on called.id = changed.id and changed.nth_last = 1
            left join reads as brought on called.id = brought.id and brought.{nth} = 1
            left join callsync.call_origins as known on {held} and known.provider_call_id = called.id
            """,
            {**whose, "is_exact": not is_first},
        )
        connection.execute(
            "delete from callsync.call_origins as known using renewed_origins as renewed "
            f"where {call_keys.same('renewed', 'known')}"
        )
        connection.execute("insert into callsync.call_origins by name from renewed_origins")
        connection.execute("drop table current_calls; drop table unknown_calls; drop table renewed_origins")
