"""What a command wants, what is known before it begins, and what it would read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from pipelines import opening, warehouse
from pipelines.config import Config
from sources.account import Account
from sources.ledger import Ledger, ledgers_of
from sources.reading import AccountReader
from sources.registry import PROVIDERS
from sources.units import Span
from sources.windows import Intervals, Window


@dataclass(frozen=True)
class Plan:
    """What a command wants of every account it selected.

    Attributes:
        kind: `sync`, `backfill`, or `replay` of the quarantine, which asks no provider.
        start: first instant of a backfill; a sync begins at the account's `start_date`.
        end: end of the range; without it, now.
        force: reads what earlier runs read already.
        within: by account, the part of the range that is read, where it is not all of it.
    """

    kind: str = "sync"
    start: datetime | None = None
    end: datetime | None = None
    force: bool = False
    within: Mapping[str, Intervals] | None = None

    def of(self, account: Account, now: datetime) -> Span:
        """What is wanted of one account."""
        start = self.start or account.options.start_date
        within = None if self.within is None else self.within.get(str(account), Intervals())
        return Span(self.kind, min(start, now), min(self.end or now, now), self.force, within)


@dataclass(frozen=True)
class PlannedAccount:
    """What a run would read of an account."""

    account: Account
    windows: tuple[Window, ...]


def dry_run(config: Config, accounts: Sequence[Account], plan: Plan) -> list[PlannedAccount]:
    """What `run` would read, by what the warehouse knows; no provider is asked and nothing changed.

    Raises:
        WarehouseError: the warehouse cannot be opened.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    with opening.looking(config.warehouse) as connection:
        known = ledgers(connection, accounts, now) if connection else {}
    planned = []
    for account in accounts:
        provider, ledger = PROVIDERS[account.provider], known.get(str(account), Ledger())
        opened = provider.connect(account, ledger.findings)
        try:
            reader = AccountReader(provider, account, opened, ledger, now=now)
            planned.append(PlannedAccount(account, tuple(reader.windows(plan.of(account, now)))))
        finally:
            opened.close()
    return planned


def ledgers(
    connection: duckdb.DuckDBPyConnection,
    accounts: Sequence[Account],
    now: datetime,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Ledger]:
    """What the warehouse knows of accounts at `now`, by their selectors."""
    states: dict[str, Mapping[str, Any]] = {
        name: ledgers_of(PROVIDERS[name], warehouse.dlt_state(connection, name))
        for name in {account.provider for account in accounts}
    }
    known = {}
    for account in accounts:
        ledger = Ledger.from_json(states[account.provider].get(account.name))
        if ledger.is_ahead_of(now):
            say(f"{account}: an earlier run read ahead of this clock; what it may have missed is read again")
            ledger = ledger.as_of(now, warehouse.newest_call(connection, account.provider, account.name))
        known[str(account)] = ledger
    return known
