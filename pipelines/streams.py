"""Standard input, output and error however a process finds them: closed, full, or short of letters."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

import click

from pipelines.plain_text import plain


def open_all() -> None:
    """Open what the process was started without: the next file would take its place, and be written to."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is given, and all below are open.
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As standard error does: a name in a letter that the terminal lacks is no reason to stop.
        sys.stdout.reconfigure(errors="backslashreplace")


def complain(text: str) -> None:
    """Say what went wrong, as one line on standard error."""
    tell(plain(text), fg="red")


def tell(line: str, *, fg: str | None = None) -> None:
    """A line on standard error, wherever that can be written: a log that is full must not stop the data."""
    with suppress(OSError):
        click.secho(line, err=True, fg=fg)
