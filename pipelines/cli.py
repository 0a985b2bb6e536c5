"""The command line: words to values, values to a run, errors to one line and an exit code.

What a command needs is imported when it runs: dlt alone takes most of a second to load.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from rich.console import Console

from pipelines import threads
from sources.errors import CallsyncError, ConfigError, WarehouseBusy

if TYPE_CHECKING:
    from pipelines.config import Config
    from pipelines.run_log import RunReport
    from pipelines.running import Plan

DONE, FAILED, USAGE, BUSY, DIFFERS = range(5)

_EXIT_CODES = """\b
Exit codes:
  0  done
  1  some account failed; the others are loaded
  2  usage or configuration
  3  another run holds the warehouse
  4  the data differs from what it should be
"""

_log_format = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How progress is told, on standard error.",
)
_dry_run = click.option("--dry-run", is_flag=True, help="Show the windows that would be read, and read none.")


class _Commands(click.Group):
    """Commands in the order in which a newcomer needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EXIT_CODES,
)
@click.version_option(package_name="callsync", message="callsync %(version)s")
def cli() -> None:
    r"""Copy the call history of VBot, eTelecom and Voximplant into a DuckDB warehouse, and keep it true.

    \b
    Try it, without any account:      callsync demo
    Start with your own accounts:     callsync init, then edit .dlt/config.toml and .dlt/secrets.toml
    See that the keys work:           callsync check
    Load, then every few minutes:     callsync sync
    Load an older range once:         callsync backfill vbot.main --from 2025-01-01 --to 2026-01-01
    Ask:                              callsync sql "select * from reporting.daily_calls"

    The configuration is read from .dlt in the working directory, or from the environment.
    """


@cli.command()
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
@_log_format
def demo(calls: int, seed: int, folder: Path, log_format: str) -> None:
    """Sync three simulated providers and show what the warehouse answers.

    Starts the three HTTP APIs on loopback, runs the real pipeline into a DuckDB file in a folder of its own,
    and asks it some questions. Needs no account and no network. An earlier demo in the folder is replaced.
    """
    from pipelines import demo as demonstration

    console = Console()
    try:
        with demonstration.simulated(calls, seed) as simulator:
            console.print(
                f"Three providers with {calls:,} calls each answer on 127.0.0.1:{simulator['port']}."
            )
            demonstration.prepare(folder, simulator)
            from pipelines import config as configuration
            from pipelines.running import Plan

            config = configuration.load()
            report = _run(config, (), Plan(), log_format)
    except OSError as error:
        raise ConfigError(f"the demo cannot be made in {folder}: {error.strerror or error}") from None
    demonstration.answer(config.warehouse, config.general.reporting_timezone, console)
    console.print(
        f'\nAsk more: [bold]cd {folder} && callsync sql "select * from reporting.calls limit 5"[/]',
        highlight=False,
    )
    _leave(report.exit_code)


@cli.command()
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


@cli.command()
@click.argument("selectors", metavar="[SEL]...", nargs=-1)
def check(selectors: tuple[str, ...]) -> None:
    """Test the keys of accounts, and find out what the providers' documents leave open.

    SEL is a provider or provider.account; without any, all configured accounts. Loads nothing.
    """
    from pipelines import checking
    from pipelines import config as configuration

    config = configuration.load()
    console = Console(soft_wrap=True)
    failed = False
    for checked in checking.check(config.selected(selectors), config.general.accounts_at_once):
        console.print(
            f"[bold]{checked.account}[/]  " + ("[red]failed[/]" if checked.error else "[green]ok[/]")
        )
        for finding in checked.findings:
            console.print(f"  {finding.topic}: {finding.found}", markup=False, highlight=False)
        if checked.error:
            failed = True
            _complain(f"{checked.account}: {checked.error}")
    _leave(FAILED if failed else DONE)


@cli.command()
@click.argument("selectors", metavar="[SEL]...", nargs=-1)
@_dry_run
@_log_format
def sync(selectors: tuple[str, ...], dry_run: bool, log_format: str) -> None:
    """Read what is new, and the days in which calls still change.

    The scheduled run: from where the last one arrived, less lookback_days, until now. SEL is a provider or
    provider.account; without any, all configured accounts. Safe to stop and to run again at any time.
    """
    from pipelines import config as configuration
    from pipelines.running import Plan

    _read(configuration.load(), selectors, Plan("sync"), dry_run, log_format)


@cli.command()
@click.argument("selectors", metavar="SEL...", nargs=-1, required=True)
@click.option("--from", "start", required=True, metavar="DATE", help="First day, or ISO 8601 with an offset.")
@click.option("--to", "end", required=True, metavar="DATE", help="Day (or time) after the last one.")
@click.option("--force", is_flag=True, help="Read again what an earlier run read already.")
@_dry_run
@_log_format
def backfill(
    selectors: tuple[str, ...], start: str, end: str, force: bool, dry_run: bool, log_format: str
) -> None:
    """Read a historical range, without moving the sync.

    Reads only what no earlier run covered, so it can be stopped and run again. A date is midnight in the
    reporting zone, and the range ends before --to.
    """
    from pipelines import config as configuration
    from pipelines.running import Plan
    from sources.windows import instant

    config = configuration.load()
    zone = config.general.reporting_timezone
    try:
        plan = Plan("backfill", instant(start, zone), instant(end, zone), force)
    except ValueError:
        raise ConfigError(
            "--from and --to take a date such as 2026-01-31, or ISO 8601 with an offset"
        ) from None
    if plan.start is not None and plan.end is not None and plan.start >= plan.end:
        raise ConfigError(f"--from {start} is not before --to {end}")
    _read(config, selectors, plan, dry_run, log_format)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="For machines; times in UTC.")
def status(as_json: bool) -> None:
    """Show what is covered, how fresh it is, and how the last run went."""
    from pipelines import config as configuration
    from pipelines import status as reading

    general, warehouse = configuration.load_warehouse()
    statuses = reading.read(warehouse, general.accounts)
    if not statuses:
        raise ConfigError(configuration.NO_ACCOUNT)
    if as_json:
        click.echo(json.dumps({"accounts": reading.as_json(statuses)}, indent=2))
    else:
        reading.show(statuses, general.reporting_timezone, Console(soft_wrap=True))


@cli.command()
@click.argument("query", required=False)
@click.option(
    "-f",
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the query from a file.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file instead."
)
def sql(query: str | None, file: Path | None, form: str, output: Path | None) -> None:
    """Ask the warehouse in SQL, read-only.

    Reads the published copy: it never blocks a sync and is never blocked by one. Start with
    "show all tables", or with reporting.calls. Times are shown in the reporting zone.
    """
    if (query is None) == (file is None):
        raise ConfigError('give a query, as in callsync sql "select 1", or a file with -f')
    from pipelines import config as configuration
    from pipelines import queries

    general, warehouse = configuration.load_warehouse()
    text = query if query is not None else Path(str(file)).read_text("utf-8")
    queries.ask(warehouse, text, form=form, output=output, zone=general.reporting_timezone)


@cli.command("test")
def data_test() -> None:
    """Test the warehouse's data: keys, orphans, sums, ranges; exit 4 and the rows when one fails."""
    from pipelines import config as configuration
    from pipelines import data_tests

    _, warehouse = configuration.load_warehouse()
    verdicts = []
    for verdict in data_tests.run(warehouse):
        verdicts.append(verdict)
        if not verdict.passed:
            _complain(f"{verdict.name}: {verdict.error or f'{verdict.offenders} offending rows'}")
            click.echo(verdict.shown)
    failed = sum(not verdict.passed for verdict in verdicts)
    click.echo(f"{len(verdicts) - failed} passed, {failed} failed")
    _leave(DIFFERS if failed else DONE)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit; never shows a stack trace for what a user can mend."""
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")
    code = _code_of(list(sys.argv[1:] if arguments is None else arguments))
    if threads.are_left():
        # Readers in a pause or a request are left to the operating system, not waited for.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _code_of(arguments: list[str]) -> int:
    try:
        # Click hands the code of an early leave back instead of raising it.
        code: int | None = cli.main(
            arguments, prog_name="callsync", standalone_mode=False, obj=" ".join(arguments)
        )
        return code or DONE
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted; what was loaded is kept, and the next run goes on from there")
        return FAILED
    except CallsyncError as error:
        _complain(str(error))
        return (
            USAGE if isinstance(error, ConfigError) else BUSY if isinstance(error, WarehouseBusy) else FAILED
        )
    except BrokenPipeError:
        # The reader of our output left, as `| head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _read(config: Config, selectors: Sequence[str], plan: Plan, dry_run: bool, log_format: str) -> None:
    if dry_run:
        from pipelines import running

        for planned in running.dry_run(config, config.selected(selectors), plan):
            count = len(planned.windows)
            click.echo(f"{planned.account}: {count:,} window{'' if count == 1 else 's'}")
            for window in planned.windows:
                click.echo(f"  {window}")
        return
    _leave(_run(config, selectors, plan, log_format).exit_code)


def _run(config: Config, selectors: Sequence[str], plan: Plan, log_format: str) -> RunReport:
    from pipelines import running
    from pipelines.progress import reporter

    accounts = config.selected(selectors)
    with reporter(log_format) as told:
        report = running.run(config, accounts, plan, _command(), observe=told.observe, say=told.say)
    _summarise(report, log_format)
    return report


def _summarise(report: RunReport, log_format: str) -> None:
    """One line an account, and a line of its own for each error."""
    for account in report.accounts:
        if log_format == "json":
            fields: dict[str, Any] = {"event": "account", **vars(account), "run_id": report.run_id}
            click.echo(json.dumps(fields), err=True)
        elif not account.error and not report.error:
            extras = [f"{account.rejected:,} quarantined"] if account.rejected else []
            extras += [f"{account.warnings:,} unreadable values kept in extra"] if account.warnings else []
            news = f"{account.changed_windows} of {account.windows} windows changed"
            click.echo(f"{account.account}: {account.calls:,} calls read, {', '.join([news, *extras])}")
        if account.error:
            _complain(f"{account.account}: {account.error}")
    if report.error:
        _complain(report.error)


def _complain(text: str) -> None:
    click.secho(text, err=True, fg="red")


def _command() -> str:
    return str(click.get_current_context().obj)


def _leave(code: int) -> None:
    if code:
        raise click.exceptions.Exit(code)
