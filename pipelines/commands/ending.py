"""What the commands share: their exit codes, how they leave, and how they complain."""

from __future__ import annotations

import click

DONE, FAILED, USAGE, BUSY, DIFFERS = range(5)


def complain(text: str) -> None:
    """Say what went wrong, as one line on standard error."""
    click.secho(text, err=True, fg="red")


def leave(code: int) -> None:
    """End the command with an exit code other than 0."""
    if code:
        raise click.exceptions.Exit(code)
