"""`callsync rejects`: the quarantine, and its replay."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

import click

from pipelines.commands.ending import leave
from pipelines.commands.reading import execute
from pipelines.commands.telling import log_format_option
from sources.errors import ConfigError
from sources.zones import zone_of

if TYPE_CHECKING:
    from pipelines.quarantine import Quarantined

ID_LENGTH = 12
"""Characters of an id that are shown, and enough of them to name a record."""


@click.group(invoke_without_command=True)
@click.pass_context
def rejects(context: click.Context) -> None:
    """Show the records that no table could take, or load them once callsync can read them.

    A record without a usable id or time is kept with its payload and the reason; everything else of its page
    is loaded. Without a word it lists them.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@rejects.command("list")
@click.option("--all", "with_replayed", is_flag=True, help="Those that were replayed too.")
@click.option("--json", "as_json", is_flag=True, help="For machines, with the payloads; times in UTC.")
def list_(with_replayed: bool = False, as_json: bool = False) -> None:
    """List the quarantine, the newest first."""
    from rich.console import Console
    from rich.table import Table

    from sources.printing import printable

    found, zone = _read(with_replayed)
    if as_json:
        click.echo(json.dumps([_plain(record) for record in found], indent=2))
        return
    if not found:
        click.echo("Nothing is in quarantine.")
        return
    table = Table(
        "id", "account", "endpoint", "seen", "reason", box=None, pad_edge=False, header_style="bold"
    )
    for record in found:
        seen = record.seen_at.astimezone(zone_of(zone)).strftime("%Y-%m-%d %H:%M")
        done = " (replayed)" if record.replayed_at else ""
        table.add_row(
            record.reject_id[:ID_LENGTH],
            record.account,
            record.endpoint,
            seen,
            printable(record.reason) + done,
        )
    console = Console()
    if not console.is_terminal:
        console.width = 1000
    console.print(table, markup=False)


@rejects.command()
@click.argument("reject_id", metavar="ID")
def show(reject_id: str) -> None:
    """Show a record with its payload; the first characters of its id are enough."""
    found = [record for record in _read(True)[0] if record.reject_id.startswith(reject_id)]
    if len(found) != 1:
        many = "no record" if not found else f"{len(found)} records"
        raise ConfigError(
            f"{many} in quarantine with an id that begins with {reject_id}; see callsync rejects"
        )
    # What a provider sent is shown with its control characters escaped.
    click.echo(json.dumps(_plain(found[0]), indent=2))


@rejects.command()
@click.argument("selectors", metavar="[SEL]...", nargs=-1)
@log_format_option
def replay(selectors: tuple[str, ...], log_format: str) -> None:
    """Read the stored payloads once more, as after an upgrade, and load what is readable now.

    No provider is asked. A call that the warehouse has already is left as it is.
    """
    from pipelines import config as configuration
    from pipelines.planning import Plan

    config = configuration.load()
    chosen = {str(account) for account in config.selected(selectors)}

    def quarantined() -> set[str]:
        return {record.reject_id for record in _read(False)[0] if record.account in chosen}

    before = quarantined()
    report = execute(config, selectors, Plan("replay"), log_format)
    left = quarantined()
    click.echo(
        f"{len(before - left):,} of {len(before):,} records replayed; {len(left):,} stay in quarantine"
    )
    leave(report.exit_code)


def _read(with_replayed: bool) -> tuple[list[Quarantined], str]:
    from pipelines import config as configuration
    from pipelines import opening, quarantine

    general, path = configuration.load_warehouse()
    with closing(opening.reading(path)) as connection:
        return quarantine.listed(connection, with_replayed=with_replayed), general.reporting_timezone


def _plain(record: Quarantined) -> dict[str, object]:
    fields = asdict(record) | {"payload": json.loads(record.payload)}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in fields.items()
    }
