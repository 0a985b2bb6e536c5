"""Threads that never keep the process alive.

The pools of `concurrent.futures` are joined when the interpreter ends, so that a reader in a long pause
between two attempts would hold up Ctrl-C by minutes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
Result = TypeVar("Result")


def in_order(items: Sequence[T], work: Callable[[T], Result], at_once: int, name: str) -> Iterator[Result]:
    """What `work` makes of the items, `at_once` at a time; in the order of the items.

    Raises:
        Exception: what `work` raised, in the item's turn.
    """
    results: list[Future[Result]] = [Future() for _ in items]

    def settle(number: int) -> None:
        try:
            results[number].set_result(work(items[number]))
        except Exception as error:
            results[number].set_exception(error)

    work_through(range(len(items)), settle, at_once, name)
    for result in results:
        yield result.result()


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
