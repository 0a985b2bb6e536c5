"""`callsync status`: what is covered, how fresh it is and how the last run went, from the published copy."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines import opening, schema_changes, warehouse
from pipelines.last_runs import LastRun
from pipelines.plain_text import plain
from pipelines.schema_changes import SchemaChange
from sources.zones import zone_of

WIDEST = 1000
"""Characters of a line that goes to a file or a pipe."""


@dataclass(frozen=True)
class Range:
    """A span of time `[start, end)` in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class AccountStatus:
    """One account as the published copy knows it; times in UTC."""

    account: str
    cursor: datetime | None
    newest_call: datetime | None
    is_stale: bool
    calls: int
    covered: tuple[Range, ...]
    missing: tuple[Range, ...]
    rejected: int
    warnings: int
    last_run: str | None
    last_run_at: datetime | None
    last_status: str | None
    last_error: str | None
    changes: tuple[SchemaChange, ...] = ()


_QUERY = """
with
counted as (
    select provider || '.' || account as name, count(*) as calls from callsync.reported_calls group by 1
),
rejected as (
    select account as name, count(*) as rejected from callsync.rejected_records
    where replayed_at is null group by 1
),
last_runs as (
    select account as name, run_id, status, error, warnings, finished_at,
        -- In the order in which they were written: the clock may have been set back between two runs.
        row_number() over (partition by account order by rowid desc) as nth
    from callsync.run_accounts
)
select
    freshness.name, freshness.cursor, freshness.newest_call_at, freshness.is_stale,
    coalesce(counted.calls, 0), coalesce(rejected.rejected, 0), coalesce(last_runs.warnings, 0),
    last_runs.run_id, last_runs.finished_at, last_runs.status, last_runs.error
from reporting.freshness as freshness
left join counted on freshness.name = counted.name
left join rejected on freshness.name = rejected.name
left join last_runs on freshness.name = last_runs.name and last_runs.nth = 1
order by freshness.name
"""


def read(path: Path, configured: Sequence[str]) -> list[AccountStatus]:
    """The status of every account that is configured or was ever read.

    Raises:
        WarehouseError: the published copy cannot be opened.
    """
    known: list[AccountStatus] = []
    if warehouse.Files(path).published.exists():
        with closing(opening.reading(path)) as connection:
            known = [_status(connection, row) for row in connection.execute(_QUERY).fetchall()]
    names = {status.account for status in known}
    never = [
        AccountStatus(name, None, None, True, 0, (), (), 0, 0, None, None, None, None)
        for name in configured
        if name not in names
    ]
    return sorted([*known, *never], key=lambda status: status.account)


def as_json(statuses: Sequence[AccountStatus], zone: str) -> list[dict[str, Any]]:
    """The stable form of `--json`: times are ISO 8601 in UTC; days in texts are the reporting zone's."""
    return [
        {
            "account": status.account,
            "cursor": _iso(status.cursor),
            "newest_call": _iso(status.newest_call),
            "is_stale": status.is_stale,
            "calls": status.calls,
            "covered": [[_iso(span.start), _iso(span.end)] for span in status.covered],
            "missing": [[_iso(span.start), _iso(span.end)] for span in status.missing],
            "rejected": status.rejected,
            "warnings": status.warnings,
            "schema_changes": [_change(change, zone) for change in status.changes],
            "last_run": {
                "run_id": status.last_run,
                "finished_at": _iso(status.last_run_at),
                "status": status.last_status,
                "error": status.last_error,
            },
        }
        for status in statuses
    ]


def show(statuses: Sequence[AccountStatus], runs: Sequence[LastRun], zone: str, console: Console) -> None:
    """A table of the accounts, times in the reporting zone; then what is missing and what failed."""
    if not console.is_terminal:
        # Nothing folds lines for whoever reads a file.
        console.width = WIDEST

    def local(moment: datetime | None) -> str:
        return moment.astimezone(zone_of(zone)).strftime("%Y-%m-%d %H:%M") if moment else "never"

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    for heading in ("account", "calls", "read until", "newest call", "last run", "rejects"):
        is_number = heading in ("calls", "rejects")
        table.add_column(heading, justify="right" if is_number else "left", no_wrap=True)
    for status in statuses:
        outcome = f"{status.last_status or ''} {local(status.last_run_at)}".strip()
        table.add_row(
            escape(status.account),
            f"{status.calls:,}",
            f"[yellow]{local(status.cursor)}[/]" if status.is_stale else local(status.cursor),
            local(status.newest_call),
            f"[red]{outcome}[/]" if status.last_error else outcome,
            f"{status.rejected:,}",
        )
    console.print(table)
    for status in statuses:
        if status.is_stale:
            console.print(f"{status.account}: stale", style="yellow", markup=False, highlight=False)
        for span in status.missing:
            console.print(
                f"{status.account}: not read yet: {local(span.start)} to {local(span.end)}",
                markup=False,
                highlight=False,
            )
        if status.warnings:
            console.print(
                f"{status.account}: {status.warnings} values of the last run were unreadable; "
                "they are kept in extra",
                markup=False,
                highlight=False,
            )
        for change in status.changes:
            console.print(
                plain(f"{status.account}: {change.text(zone)}"), style="yellow", markup=False, highlight=False
            )
        if status.last_error:
            console.print(
                plain(f"{status.account}: {status.last_error}"), style="red", markup=False, highlight=False
            )
    told = {f"{status.account}: {status.last_error}" for status in statuses}
    for run in runs:
        if run.exit_code and run.error not in told:
            ended = f"last {run.kind}, {local(run.finished_at)}, exit code {run.exit_code}"
            console.print(plain(f"{ended}: {run.error}"), style="red", markup=False, highlight=False)


def _status(connection: duckdb.DuckDBPyConnection, row: tuple[Any, ...]) -> AccountStatus:
    name, cursor, newest, is_stale, calls, rejected, warnings, run_id, finished_at, state, error = row
    ranges = connection.execute(
        "select state, range_start, range_end from reporting.coverage where name = ? order by range_start",
        [name],
    ).fetchall()
    spans = {
        kind: tuple(Range(start, end) for said, start, end in ranges if said == kind)
        for kind in ("covered", "missing")
    }
    return AccountStatus(
        account=name,
        cursor=cursor,
        newest_call=newest,
        is_stale=bool(is_stale),
        calls=calls,
        covered=spans["covered"],
        missing=spans["missing"],
        rejected=rejected,
        warnings=warnings,
        last_run=run_id,
        last_run_at=finished_at,
        last_status=state,
        last_error=error,
        changes=tuple(schema_changes.found(connection, name)),
    )


def _change(change: SchemaChange, zone: str) -> dict[str, Any]:
    fields = {name: value for name, value in vars(change).items() if name not in ("meaning", "since")}
    return fields | {"since": _iso(change.since), "text": change.text(zone)}


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
