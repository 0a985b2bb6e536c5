"""`callsync status`, `sql` and `test`: what is read from the warehouse."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from pipelines.commands.ending import DIFFERS, DONE, FAILED, leave, remember
from pipelines.streams import complain
from sources.errors import ConfigError


@click.command()
@click.option(
    "--call", "call_id", metavar="ID", help="Which run and window brought a call, and changed it last."
)
@click.option("--json", "as_json", is_flag=True, help="For machines; times in UTC.")
def status(call_id: str | None, as_json: bool) -> None:
    """Show what is covered, how fresh it is, and how the last run went.

    With --call and an id as in reporting.calls: where that call comes from.
    """
    if call_id is not None:
        _explain(call_id, as_json)
        return
    from rich.console import Console

    from pipelines import config as configuration
    from pipelines import last_runs
    from pipelines import status as reading

    general, warehouse = configuration.load_warehouse()
    statuses, runs = reading.read(warehouse, general.accounts), last_runs.read(warehouse)
    if not statuses:
        raise ConfigError(configuration.NO_ACCOUNT)
    if as_json:
        accounts = reading.as_json(statuses, general.reporting_timezone)
        click.echo(json.dumps({"accounts": accounts, "runs": last_runs.as_json(runs)}, indent=2))
    else:
        reading.show(statuses, runs, general.reporting_timezone, Console(soft_wrap=True))


def _explain(call_id: str, as_json: bool) -> None:
    from pipelines import config as configuration
    from pipelines import explaining
    from sources.printing import printable

    general, warehouse = configuration.load_warehouse()
    explained = explaining.read(warehouse, call_id)
    if explained is None:
        raise ConfigError(f"there is no call {call_id} in the warehouse; see call_id in reporting.calls")
    if as_json:
        click.echo(json.dumps(explaining.as_json(explained), indent=2))
    else:
        for line in explaining.lines(explained, general.reporting_timezone):
            click.echo(printable(line))


@click.command()
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
    help="How to show the answer.  [default: what the ending of -o says, else table]",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file instead."
)
def sql(query: str | None, file: Path | None, form: str | None, output: Path | None) -> None:
    """Ask the warehouse in SQL, read-only.

    On a terminal and without a query it opens a shell, with history and completion; elsewhere it reads the
    query from standard input.

    Reads the published copy: it never blocks a sync and is never blocked by one. Start with
    "show all tables", or with reporting.calls. Times are shown in the reporting zone.
    """
    if query is not None and file is not None:
        raise ConfigError("give a query or a file with -f, not both")
    text = query if query is not None else _query_in(file)
    from pipelines import config as configuration

    general, warehouse = configuration.load_warehouse()
    zone = general.reporting_timezone
    if text is None and form != "parquet" and output is None and sys.stdout.isatty():
        from pipelines import shell

        shell.run(warehouse, zone, form or "table")
    elif text is None:
        raise ConfigError('give a query, as in callsync sql "select 1", or a file with -f')
    else:
        from pipelines import queries

        try:
            queries.ask(warehouse, text, form=form, output=output, zone=zone)
        except KeyboardInterrupt:
            complain("interrupted")
            leave(FAILED)


def _query_in(file: Path | None) -> str | None:
    """The text of a file, or of standard input; None where that is a terminal, or empty."""
    try:
        if file is not None:
            return file.read_text("utf-8-sig")
        if sys.stdin is None or sys.stdin.isatty():
            return None
        return sys.stdin.buffer.read().decode("utf-8-sig").strip() or None
    except OSError as error:
        raise ConfigError(f"the query cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError("the query cannot be read: it is not UTF-8") from None


@click.command("test")
def data_test() -> None:
    """Test the warehouse's data: keys, orphans, sums, ranges; exit 4 and the rows when one fails."""
    began = datetime.now(UTC)
    from pipelines import config as configuration
    from pipelines import data_tests

    _, warehouse = configuration.load_warehouse()
    verdicts = []
    for verdict in data_tests.run(warehouse):
        verdicts.append(verdict)
        if not verdict.passed:
            complain(f"{verdict.name}: {verdict.summary}")
            click.echo(verdict.shown)
    failed = [verdict for verdict in verdicts if not verdict.passed]
    click.echo(f"{len(verdicts) - len(failed)} passed, {len(failed)} failed")
    code = DIFFERS if failed else DONE
    why = "; ".join(f"{verdict.name}: {verdict.summary}" for verdict in failed) or None
    remember(str(click.get_current_context().obj), began, code, why)
    leave(code)
