"""`callsync recordings`: the sound of the calls."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pipelines.commands.ending import leave, remember
from pipelines.commands.reading import instant_of
from pipelines.commands.telling import log_format_option
from pipelines.streams import complain
from sources.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.recordings.running import AccountReport, Report


@click.command()
@click.argument("selectors", metavar="[SEL]...", nargs=-1)
@click.option("--from", "start", metavar="DATE", help="Only of calls from that day (or time) on.")
@click.option("--to", "end", metavar="DATE", help="Only of calls before that day (or time).")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Fetch so many at most.")
@click.option("--target", metavar="PLACE", help="A folder or URL instead of the configured one.")
@click.option("--retry-gone", is_flag=True, help="Ask again for what the provider had no more.")
@click.option("--dry-run", is_flag=True, help="Count what would be fetched, and fetch nothing.")
@log_format_option
def recordings(
    selectors: tuple[str, ...],
    start: str | None,
    end: str | None,
    limit: int | None,
    target: str | None,
    retry_gone: bool,
    dry_run: bool,
    log_format: str,
) -> None:
    """Download the recordings that are not held yet.

    Fetches what reporting.recordings lists, the oldest first, into recordings_target: a folder, or a URL
    such as s3://bucket/calls. Safe to stop and to run again at any time, and beside a sync: it goes on where
    it was. What is held, what failed and why stands in callsync.recording_files. SEL is a provider or
    provider.account; without any, all configured accounts.
    """
    command, began = str(click.get_current_context().obj), datetime.now(UTC)
    from dataclasses import replace

    from pipelines import config as configuration
    from pipelines.progress import counted
    from pipelines.recordings import progress, running
    from pipelines.recordings.listing import Selection

    config = configuration.load()
    zone = config.general.reporting_timezone
    chosen = Selection(
        config.selected(selectors),
        is_everyone=not selectors,
        start=None if start is None else instant_of(start, zone),
        end=None if end is None else instant_of(end, zone),
        limit=limit,
        retry_gone=retry_gone,
    )
    if chosen.start and chosen.end and chosen.start >= chosen.end:
        raise ConfigError(f"--from {start} is not before --to {end}")
    if dry_run:
        for name, count, expired in running.dry_run(config, chosen):
            click.echo(f"{name}: {counted(count, 'recording')} to fetch, {expired:,} to delete")
        return
    if target is not None:
        config = replace(config, general=replace(config.general, recordings_target=target))
    with progress.watcher(log_format) as watcher:
        report = running.run(config, chosen, command, watcher)
    _summarise(report, log_format)
    lacking = [
        f"{account.account}: {_lacking(account)}"
        for account in report.accounts
        if account.error or account.untried
    ]
    why = "; ".join(filter(None, [report.error, *lacking])) or None
    remember(command, began, report.exit_code, why)
    leave(report.exit_code)


def _summarise(report: Report, log_format: str) -> None:
    """One line an account; what is not held, with its first reason, on standard error."""
    for account in report.accounts:
        if log_format == "json":
            click.echo(
                json.dumps({"event": "account", **vars(account), "untried": account.untried}), err=True
            )
            continue
        click.echo(f"{account.account}: {_done(account)}")
        # Why nobody came to some of them is told by the error of the run, if it has one.
        if account.error or (account.untried and not report.error):
            complain(f"{account.account}: {_lacking(account)}")
    if report.error:
        complain(report.error)


def _done(account: AccountReport) -> str:
    from rich.filesize import decimal

    fetched = f"{account.held:,} fetched ({decimal(account.bytes)})" if account.wanted else "nothing to fetch"
    deleted = f", {account.expired:,} deleted at the end of their retention" if account.expired else ""
    return fetched + deleted


def _lacking(account: AccountReport) -> str:
    counts = [
        f"{count:,} {word}"
        for count, word in (
            (account.failed, "failed"),
            (account.gone, "gone"),
            (account.untried, "not tried"),
        )
        if count
    ]
    return ": ".join(filter(None, [", ".join(counts), account.error]))
