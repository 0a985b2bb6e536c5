"""How runs fared: the reports, and their rows in `callsync.runs`, `run_accounts` and `accounts`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from pipelines import warehouse
from sources.account import Account
from sources.ledger import Ledger

_LAST = "last_run"
"""Key in `callsync.meta`: the run that began last."""


@dataclass
class AccountReport:
    """How an account fared in a run; `calls` counts those read, unchanged ones included."""

    account: str
    windows: int = 0
    changed_windows: int = 0
    calls: int = 0
    rejected: int = 0
    warnings: int = 0
    notes: list[str] = field(default_factory=list)
    error: str | None = None


@dataclass(frozen=True)
class RunReport:
    """How a run fared.

    Attributes:
        error: what ended it, beside the faults of single accounts.
        unpublished: why readers do not see what it loaded.
    """

    run_id: str
    accounts: tuple[AccountReport, ...]
    changed: bool
    error: str | None = None
    unpublished: str | None = None

    @property
    def exit_code(self) -> int:
        """0 when every account was read, else 1."""
        return 1 if self.error or self.unpublished or any(account.error for account in self.accounts) else 0

    @property
    def reason(self) -> str | None:
        """Why the exit code is not 0: the run's own error, then those of its accounts."""
        errors = [f"{account.account}: {account.error}" for account in self.accounts if account.error]
        return "; ".join([text for text in (self.error, *errors, self.unpublished) if text]) or None


def begin(connection: duckdb.DuckDBPyConnection, run_id: str, command: str) -> bool:
    """Write the run's row; True when the run before did not come to its end."""
    with warehouse.transaction(connection):
        cut_short = connection.execute(
            "update callsync.runs set status = 'interrupted', changed = true, error = 'ended without a word' "
            "where status = 'running' returning run_id"
        ).fetchall()
        for (interrupted,) in cut_short:
            warehouse.remember(connection, warehouse.CHANGED_BY, interrupted)
        last = connection.execute(
            "select status from callsync.runs where run_id = ?", [warehouse.meta(connection, _LAST)]
        ).fetchall()
        connection.execute(
            "insert into callsync.runs (run_id, command, started_at, status, changed) "
            "values (?, ?, ?, 'running', false)",
            [run_id, command, datetime.now(UTC)],
        )
        warehouse.remember(connection, _LAST, run_id)
    return bool(cut_short) or last != [("ok",)]


def finish(
    connection: duckdb.DuckDBPyConnection,
    report: RunReport,
    accounts: Sequence[Account],
    ledgers: Mapping[str, Ledger],
) -> None:
    """Write how the run fared.

    Raises:
        duckdb.Error: the warehouse cannot be written any more.
    """
    now = datetime.now(UTC)
    with warehouse.transaction(connection):
        for entry in report.accounts:
            error = entry.error or report.error
            connection.execute(
                "insert into callsync.run_accounts (run_id, account, status, windows, calls, rejected, "
                "warnings, error, finished_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    report.run_id, entry.account, "failed" if error else "ok", entry.windows, entry.calls,
                    entry.rejected, entry.warnings, error, now,
                ],
            )  # fmt: skip
        for account in accounts:
            if str(account) in ledgers:
                _keep(connection, account, ledgers[str(account)], now)
        if report.changed or report.exit_code:
            warehouse.remember(connection, warehouse.CHANGED_BY, report.run_id)
        connection.execute(
            "update callsync.runs set finished_at = ?, status = ?, exit_code = ?, changed = ?, "
            "calls = ?, error = ? where run_id = ?",
            [
                now,
                "failed" if report.exit_code else "ok",
                report.exit_code,
                report.changed or report.exit_code != 0,
                sum(entry.calls for entry in report.accounts),
                report.reason,
                report.run_id,
            ],
        )


def _keep(connection: duckdb.DuckDBPyConnection, account: Account, ledger: Ledger, now: datetime) -> None:
    connection.execute(
        "insert or replace into callsync.accounts (provider, account, name, start_date, "
        '"cursor", finished, updated_at) values (?, ?, ?, ?, ?, ?, ?)',
        [
            account.provider, account.name, str(account), account.options.start_date, ledger.cursor,
            json.dumps(ledger.finished.to_json()), now,
        ],
    )  # fmt: skip
