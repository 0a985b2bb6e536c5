"""What the commands share: their exit codes, how they leave, and what is remembered of it."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime

import click

from sources.errors import CallsyncError

DONE, FAILED, USAGE, BUSY, DIFFERS = range(5)

REMEMBERED = ("sync", "backfill", "verify", "rejects replay", "recordings", "test")
"""The commands that read a provider, write the warehouse or judge it: `callsync.runs` has how each ended."""

_USER_AND_PASSWORD = re.compile(r"(?<=//)[^/\s@]*:[^/\s@]*(?=@)")


def remember(command: str, began: datetime, code: int, why: str | None) -> None:
    """Note how a command ended that did not write its own row, wherever a warehouse is configured and there.

    Args:
        command: the command line, without the program.
        began: when it began, aware.
        code: its exit code.
        why: the reason, where the code is not 0.
    """
    if command.startswith(REMEMBERED):
        # A command that went wrong before it needed them has not loaded these yet, and they take a moment.
        from pipelines import config as configuration
        from pipelines import notes

        with suppress(CallsyncError):
            _, path = configuration.load_warehouse()
            notes.tell(path, command, began, code, why)


def without_passwords(command: str) -> str:
    """A command line without the users and passwords of the addresses in it."""
    return _USER_AND_PASSWORD.sub("***", command)


def without_values(command: str) -> str:
    """A command line that cannot be understood, without what may stand in it by mistake, such as a key."""
    name = next((known for known in REMEMBERED if command.startswith(known)), "")
    options = (word.split("=")[0] for word in command.split() if word.startswith("--"))
    return " ".join((name, *options)).strip()


def leave(code: int) -> None:
    """End the command with an exit code other than 0."""
    if code:
        raise click.exceptions.Exit(code)
