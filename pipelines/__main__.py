"""How the process begins: Ctrl-C is heard before anything is loaded that takes time to load."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn

from pipelines import interrupts


def console() -> NoReturn:
    """The command line as a process of its own, which ends at once.

    To take down what was loaded takes a tenth of a second, and readers in a pause or a request are left to
    the operating system, not waited for.
    """
    interrupts.hear()
    # That of a failure: `pipelines.commands.ending` is not loaded yet.
    failed = 1
    code: object = failed
    try:
        from pipelines import cli, streams

        streams.open_all()
        cli.main()
    except SystemExit as ended:
        code = ended.code
    except KeyboardInterrupt:
        # Before the command began, or after it had ended.
        with interrupts.deaf():
            _say_interrupted()
    with suppress(OSError, KeyboardInterrupt):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else failed)


def _say_interrupted() -> None:
    from pipelines import streams

    streams.open_all()
    streams.complain(interrupts.INTERRUPTED)


if __name__ == "__main__":
    console()
