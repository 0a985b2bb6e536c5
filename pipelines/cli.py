"""The command line: the commands, and errors to one line and an exit code.

What a command needs is imported when it runs: dlt alone takes most of a second to load.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NoReturn

import click

from pipelines import allocating, garbage, interrupts
from pipelines.commands import asking, beginning, reading, recordings, rejects, verifying
from pipelines.commands.ending import BUSY, DONE, FAILED, USAGE, remember, without_passwords, without_values
from pipelines.plain_text import is_utf_8, plain
from pipelines.private_files import private_files
from pipelines.streams import complain
from sources.errors import CallsyncError, ConfigError, WarehouseBusy

_NEVER_USED = "httpx._main"
"""httpx's own command line, which it loads where it can: a twentieth of what an idle run takes."""

_EXIT_CODES = """\b
Exit codes:
  0  done
  1  some account failed; the others are loaded
  2  usage or configuration
  3  another run holds the warehouse
  4  the data differs from what it should be
"""


_HELP = """Copy the call history of VBot, eTelecom and Voximplant into a DuckDB warehouse, and keep it true.

\b
Try it, without any account:      callsync demo
Start with your own accounts:     callsync init, then edit .dlt/config.toml and .dlt/secrets.toml
See that the keys work:           callsync check
Load, then every few minutes:     callsync sync
Load an older range once:         callsync backfill vbot.main --from 2025-01-01 --to 2026-01-01
Ask:                              callsync sql "select * from reporting.daily_calls"

The configuration is read from .dlt in the working directory, or from the environment.
"""


class _Commands(click.Group):
    """Commands in the order in which a newcomer needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=_HELP,
    epilog=_EXIT_CODES,
)
@click.version_option(package_name="callsync", message="callsync %(version)s")
def cli() -> None:
    """The command line."""


for command in (
    beginning.demo,
    beginning.init,
    beginning.check,
    reading.sync,
    reading.backfill,
    recordings.recordings,
    asking.status,
    asking.sql,
    asking.data_test,
    verifying.verify,
    rejects.rejects,
):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit; never shows a stack trace for what a user can mend."""
    # Python takes it for missing, and httpx does without.
    sys.modules.setdefault(_NEVER_USED, None)  # type: ignore[arg-type]  # None is how Python notes it
    allocating.ask_the_system()
    garbage.seldom()
    with private_files():
        code = _code_of(list(sys.argv[1:] if arguments is None else arguments))
    sys.exit(code)


def _code_of(arguments: list[str]) -> int:
    command, began = without_passwords(" ".join(arguments)), datetime.now(UTC)
    try:
        code, why, command = _ended(arguments, command)
        sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:
            raise
        if not isinstance(error, BrokenPipeError):
            complain(f"the output cannot be written: {error.strerror}")
        # Or the reader of our output left, as `| head` does. What is left of it goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    if why is not None:
        with interrupts.deaf():
            remember(command, began, code, why)
    return code


def _ended(arguments: list[str], command: str) -> tuple[int, str | None, str]:
    """The exit code of a command, its reason where it has not told it itself, and how it is remembered."""
    try:
        if not is_utf_8(command):
            raise ConfigError("an argument is not UTF-8; is the terminal set to another encoding?")
        # Click hands the code of an early leave back instead of raising it.
        code: int | None = cli.main(arguments, prog_name="callsync", standalone_mode=False, obj=command)
        return code or DONE, None, command
    except click.ClickException as error:
        error.show()
        return USAGE, error.format_message(), without_values(command)
    except (click.Abort, KeyboardInterrupt, RuntimeError) as error:
        if not isinstance(error, click.Abort) and not interrupts.is_interrupt(error):
            raise
        with interrupts.deaf():
            complain(interrupts.INTERRUPTED)
        return FAILED, interrupts.INTERRUPTED, command
    except CallsyncError as error:
        complain(str(error))
        code = (
            USAGE if isinstance(error, ConfigError) else BUSY if isinstance(error, WarehouseBusy) else FAILED
        )
        return code, str(error), plain(command)
    except Exception as error:
        # Whatever else goes wrong with a warehouse: one that is damaged fails anywhere it is read.
        duckdb = sys.modules.get("duckdb")
        if duckdb is None or not isinstance(error, duckdb.Error):
            raise
        from pipelines.warehouse import one_line

        why = (
            f"the warehouse cannot be used: {one_line(error)}; "
            "if a file is damaged, put a copy in its place, such as warehouse.read.duckdb"
        )
        complain(why)
        return FAILED, why, command
