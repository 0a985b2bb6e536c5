"""Threads that never keep the process alive.

The pools of `concurrent.futures` are joined when the interpreter ends, so that a reader in a long pause
between two attempts would hold up Ctrl-C by minutes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


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
        threading.Thread(target=run, name=f"{name}-{number}", daemon=True).start()
