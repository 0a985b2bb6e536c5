"""`callsync demo`, `init` and `check`: what a newcomer runs first."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from pipelines.commands.ending import DONE, FAILED, leave
from pipelines.commands.reading import execute
from pipelines.commands.telling import log_format_option
from pipelines.plain_text import plain
from pipelines.streams import complain
from sources.errors import ConfigError
from sources.zones import zone_of

_FIRST_YEAR = 1900
"""In which a demo may end. The simulator's ids count from 1999 on, and do not reach back to 1800."""


@click.command()
@click.option(
    "--calls", type=click.IntRange(1, 1_000_000), default=10_000, show_default=True, help="Calls a provider."
)
@click.option("--seed", type=int, default=1, show_default=True, help="What makes the data.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("callsync-demo"),
    show_default=True,
    help="Where it is made.",
)
@click.option(
    "--until",
    metavar="DATE",
    help="When the simulated month ends: a past date brings the same calls every time.  [default: now]",
)
@log_format_option
def demo(calls: int, seed: int, folder: Path, until: str | None, log_format: str) -> None:
    """Sync three simulated providers and show what the warehouse answers.

    Starts the three HTTP APIs on loopback, runs the real pipeline into a DuckDB file in a folder of its own,
    and asks it some questions. Needs no account and no network. An earlier demo in the folder is replaced.
    """
    from rich.console import Console
    from rich.markup import escape

    from pipelines import demo as demonstration

    console = Console()
    end = _past(until)
    try:
        with demonstration.simulated(calls, seed, end) as simulator:
            console.print(
                f"Three providers with {calls:,} calls each answer on 127.0.0.1:{simulator['port']}."
            )
            demonstration.prepare(folder, simulator, end)
            from pipelines import config as configuration
            from pipelines.planning import Plan

            config = configuration.load()
            report = execute(config, (), Plan(end=end), log_format)
    except OSError as error:
        raise ConfigError(f"the demo cannot be made in {folder}: {error.strerror or error}") from None
    if not report.error:
        demonstration.answer(config.warehouse, config.general.reporting_timezone, console)
        console.print(
            f"\nAsk more: [bold]cd {escape(str(folder))} && callsync sql[/]",
            highlight=False,
            soft_wrap=True,
        )
    leave(report.exit_code)


def _past(date: str | None) -> datetime:
    """What `--until` says, as a time of the reporting zone; now without it."""
    from pipelines.config import General
    from sources.windows import instant

    now = datetime.now(UTC).replace(microsecond=0)
    try:
        until = instant(date, General.reporting_timezone) if date else now
    except ValueError:
        raise ConfigError("--until takes a date such as 2026-01-31, or ISO 8601 with an offset") from None
    if until > now:
        raise ConfigError(f"--until {date} is not past: the demo reads only what has happened")
    local = until.astimezone(zone_of(General.reporting_timezone))
    if local.year < _FIRST_YEAR:
        raise ConfigError(f"--until {date} is too early: a demo ends in {_FIRST_YEAR} or later")
    return local


@click.command()
def init() -> None:
    """Write a commented .dlt/config.toml and .dlt/secrets.toml.

    Every key stands there with its meaning and default. Files that exist are never overwritten.
    """
    from pipelines import scaffold

    config, secrets = scaffold.write()
    click.echo(f"Wrote {config} and {secrets} (readable by you alone).")
    click.echo(
        "Next: name your accounts in [callsync] accounts, put their keys into secrets.toml, "
        "then callsync check."
    )


@click.command()
@click.argument("selectors", metavar="[SEL]...", nargs=-1)
def check(selectors: tuple[str, ...]) -> None:
    """Test the keys of accounts, and find out what the providers' documents leave open.

    SEL is a provider or provider.account; without any, all configured accounts. Loads nothing.
    """
    from rich.console import Console
    from rich.markup import escape

    from pipelines import checking
    from pipelines import config as configuration

    config = configuration.load()
    console = Console(soft_wrap=True)
    failed = False
    for checked in checking.check(config.selected(selectors), config.general.accounts_at_once):
        console.print(
            f"[bold]{escape(str(checked.account))}[/]  "
            + ("[red]failed[/]" if checked.error else "[green]ok[/]")
        )
        for finding in checked.findings:
            console.print(plain(f"  {finding.topic}: {finding.found}"), markup=False, highlight=False)
        if checked.error:
            failed = True
            complain(f"{checked.account}: {checked.error}")
    leave(FAILED if failed else DONE)
