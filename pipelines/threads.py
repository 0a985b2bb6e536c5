"""Threads that never keep the process alive.

The pools of `concurrent.futures` are joined when the interpreter ends, so that a reader in a long pause
between two attempts would hold up Ctrl-C by minutes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar
from weakref import WeakSet

T = TypeVar("T")

GRACE_SECONDS = 0.5
"""A thread that has handed over its result takes a moment to end."""

_started: WeakSet[threading.Thread] = WeakSet()


def work_through(items: Sequence[T], work: Callable[[T], None], at_once: int, name: str) -> None:
    """Start threads that do `work` on the items, in their order and `at_once` at a time; returns at once.

    `work` must not raise: nobody would hear of it.
    """
    left = iter(items)
    lock = threading.Lock()

    def run() -> None:
        while True:
            with lock:
                item = next(left, None)
            if item is None:
                return
            work(item)

    for number in range(min(at_once, len(items))):
        thread = threading.Thread(target=run, name=f"{name}-{number}", daemon=True)
        _started.add(thread)
        thread.start()


def are_left() -> bool:
    """Whether any of the threads is still at work, after a moment for those that are about to end."""
    give_up_at = time.monotonic() + GRACE_SECONDS
    for thread in list(_started):
        thread.join(max(0.0, give_up_at - time.monotonic()))
    return any(thread.is_alive() for thread in list(_started))
