"""`callsync sync` and `backfill`: the runs that read the providers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from pipelines.commands.ending import leave
from pipelines.commands.telling import log_format_option, reporter
from pipelines.streams import complain
from sources.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.config import Config
    from pipelines.planning import Plan
    from pipelines.run_log import RunReport

_dry_run = click.option("--dry-run", is_flag=True, help="Show the windows that would be read, and read none.")


@click.command()
@click.argument("selectors", metavar="[SEL]...", nargs=-1)
@_dry_run
@log_format_option
def sync(selectors: tuple[str, ...], dry_run: bool, log_format: str) -> None:
    """Read what is new, and the days in which calls still change.

    The scheduled run: from where the last one arrived, less lookback_days, until now. SEL is a provider or
    provider.account; without any, all configured accounts. Safe to stop and to run again at any time.
    """
    from pipelines import config as configuration
    from pipelines.planning import Plan

    _read(configuration.load(), selectors, Plan("sync"), dry_run, log_format)


@click.command()
@click.argument("selectors", metavar="SEL...", nargs=-1, required=True)
@click.option("--from", "start", required=True, metavar="DATE", help="First day, or ISO 8601 with an offset.")
@click.option("--to", "end", required=True, metavar="DATE", help="Day (or time) after the last one.")
@click.option("--force", is_flag=True, help="Read again what an earlier run read already.")
@_dry_run
@log_format_option
def backfill(
    selectors: tuple[str, ...], start: str, end: str, force: bool, dry_run: bool, log_format: str
) -> None:
    """Read a historical range, without moving the sync.

    Reads only what no earlier run covered, so it can be stopped and run again. A date is midnight in the
    reporting zone, and the range ends before --to.
    """
    from pipelines import config as configuration
    from pipelines.planning import Plan

    config = configuration.load()
    first, last = range_of(start, end, config.general.reporting_timezone)
    _read(config, selectors, Plan("backfill", first, last, force), dry_run, log_format)


def range_of(start: str, end: str, zone: str) -> tuple[datetime, datetime]:
    """What --from and --to mean, in UTC.

    Raises:
        ConfigError: one of them is no date, or they are the wrong way round.
    """
    first, last = instant_of(start, zone), instant_of(end, zone)
    if first >= last:
        raise ConfigError(f"--from {start} is not before --to {end}")
    return first, last


def instant_of(text: str, zone: str) -> datetime:
    """What --from or --to means, in UTC.

    Raises:
        ConfigError: it is no date.
    """
    from sources.windows import instant

    try:
        return instant(text, zone)
    except ValueError:
        raise ConfigError(
            "--from and --to take a date such as 2026-01-31, or ISO 8601 with an offset"
        ) from None


def _read(config: Config, selectors: Sequence[str], plan: Plan, dry_run: bool, log_format: str) -> None:
    if dry_run:
        from pipelines import planning

        for planned in planning.dry_run(config, config.selected(selectors), plan):
            count = len(planned.windows)
            click.echo(f"{planned.account}: {count:,} window{'' if count == 1 else 's'}")
            for window in planned.windows:
                click.echo(f"  {window}")
        return
    leave(execute(config, selectors, plan, log_format).exit_code)


def execute(
    config: Config, selectors: Sequence[str], plan: Plan, log_format: str, *, to_error: bool = False
) -> RunReport:
    """Run over the selected accounts, with progress and a summary, which `to_error` keeps off the output."""
    from pipelines import running

    accounts = config.selected(selectors)
    with reporter(log_format) as told:
        report = running.run(
            config, accounts, plan, str(click.get_current_context().obj), observe=told.observe, say=told.say
        )
    if log_format == "json":
        _emit_summary(report)
    else:
        _summarise(report, plan, to_error=to_error)
    return report


def _emit_summary(report: RunReport) -> None:
    """An event for each account, with its error, and one for each error of the run."""
    from pipelines.progress import emit

    for account in report.accounts:
        emit(event="account", **vars(account), run_id=report.run_id)
    for fault in (report.error, report.unpublished):
        if fault:
            emit(event="error", text=fault, run_id=report.run_id)


def _summarise(report: RunReport, plan: Plan, *, to_error: bool) -> None:
    """One line an account that was read, and a line of its own for each error."""
    for account in report.accounts:
        if plan.kind != "replay" and not account.error and not report.error:
            extras = [f"{account.rejected:,} quarantined"] if account.rejected else []
            extras += [f"{account.warnings:,} unreadable values kept in extra"] if account.warnings else []
            news = f"{account.changed_windows} of {account.windows} windows changed"
            click.echo(
                f"{account.account}: {account.calls:,} calls read, {', '.join([news, *extras])}", err=to_error
            )
        if account.error:
            complain(f"{account.account}: {account.error}")
    for fault in (report.error, report.unpublished):
        if fault:
            complain(fault)
