"""Ctrl-C, in every form that it comes in, and what else asks a process to end."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = "interrupted; what was loaded is kept, and the next run goes on from there"
"""What a run says that Ctrl-C has ended."""

BURST_SECONDS = 1.0
"""A further Ctrl-C that comes so soon would meet the first in the middle of what it has to put in order."""

IMPORT_SECONDS = 0.02
"""How long after a Ctrl-C in the middle of an import it is tried again."""

_IN_A_QUERY = "Query interrupted"
"""What DuckDB says of Ctrl-C in the middle of a query; some of its versions name the cause, some do not."""


def is_interrupt(fault: BaseException) -> bool:
    """Whether an error is Ctrl-C."""
    return isinstance(fault, KeyboardInterrupt) or (
        isinstance(fault, RuntimeError) and str(fault) == _IN_A_QUERY
    )


def hear() -> None:
    """Hear Ctrl-C, once where it comes in a burst, and end in the same way when the system says so.

    Whatever is told to end leaves nothing half-written.
    """
    heard_at = -math.inf

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal heard_at
        if number != signal.SIGALRM:
            earlier, heard_at = heard_at, time.monotonic()
            if heard_at - earlier <= BURST_SECONDS:
                return
        if _is_importing(frame):
            # Half a module is of no use to what has to be put in order, and Python drops what is raised while
            # it lets go of an import's lock.
            signal.setitimer(signal.ITIMER_REAL, IMPORT_SECONDS)
            return
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What was ignored when the process began (nohup) stays so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__") == "importlib._bootstrap":
            return True
        frame = frame.f_back
    return False


@contextmanager
def deaf() -> Iterator[None]:
    """Hear no further Ctrl-C while the first one is answered."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
