"""Threads that do the jobs of an account: as many as keep a processor busy, or all that are allowed.

Where answers take long, many windows have to wait at once. Where they come at once, reading takes a processor
anyway, and every further thread takes time from the others and memory for nothing. So a few begin, and more
join them whenever the gatherer waits while a processor idles.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from sources.errors import IncompleteRead
from sources.gathering import Piece
from sources.jobs import Abandoned

PIECES_WAITING = 2
"""Pieces that may wait to be gathered, which takes next to no time."""

FIRST_WORKERS = (os.cpu_count() or 1) + 1
"""Workers that begin: one for each processor, and one whose answer is on its way."""

WATCHED_SECONDS = 0.2
"""How long the gatherer has to wait, all in all, before the process is found idle or busy."""

BUSY_PROCESSORS = 0.75
"""Processors in use above which another thread brings next to nothing: Python runs on one at a time."""


class Workers:
    """The threads, to be left by `with` when nobody wants their pieces any more.

    Args:
        jobs: taken one after the other; each is done in one thread.
        most: as many threads at most.
        name: what the names of the threads begin with.
        abandon: lets every job end soon.
    """

    def __init__(
        self, jobs: Iterator[Iterator[Piece]], *, most: int, name: str, abandon: Callable[[], None]
    ) -> None:
        self._jobs = jobs
        self._most = most
        self._name = name
        self._abandon = abandon
        self._taking = threading.Lock()
        self._stop = threading.Event()
        self._pieces: queue.Queue[Piece | None] = queue.Queue(maxsize=PIECES_WAITING)
        self._started = self._working = 0
        self._waiting = _Waiting()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._abandon()
        while self._working:
            self._count(self._pieces.get())

    def pieces(self) -> Iterator[Piece]:
        """Every piece of every job, as they come; a fault is one of them, and most faults end all jobs."""
        self._start(FIRST_WORKERS)
        while self._working:
            piece = self._next()
            self._count(piece)
            if piece is not None:
                yield piece

    def _count(self, piece: Piece | None) -> None:
        if piece is None:
            self._working -= 1

    def _next(self) -> Piece | None:
        while True:
            try:
                with self._waiting:
                    return self._pieces.get(timeout=WATCHED_SECONDS)
            except queue.Empty:
                pass
            finally:
                if self._waiting.was_idle():
                    self._start(self._started)

    def _start(self, count: int) -> None:
        for _ in range(min(count, self._most - self._started)):
            name = f"{self._name}-{self._started}"
            threading.Thread(target=self._work, name=name, daemon=True).start()
            self._started += 1
            self._working += 1

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                with self._taking:
                    job = next(self._jobs, None)
                if job is None:
                    break
                for piece in job:
                    self._pieces.put(piece)
            except Abandoned:
                break
            except IncompleteRead as failure:
                # Only this window's list is wrong; the others may well be read.
                self._pieces.put(Piece(failure=failure))
            except Exception as failure:
                self._stop.set()
                self._pieces.put(Piece(failure=failure))
        self._pieces.put(None)


class _Waiting:
    """What the process does meanwhile: entered whenever somebody waits."""

    def __init__(self) -> None:
        self._waited = self._used = 0.0

    def __enter__(self) -> None:
        self._waited -= time.monotonic()
        self._used -= time.process_time()

    def __exit__(self, *exc: object) -> None:
        self._waited += time.monotonic()
        self._used += time.process_time()

    def was_idle(self) -> bool:
        """Whether a processor was idle, once that is known; then the watch begins anew."""
        if self._waited < WATCHED_SECONDS:
            return False
        is_idle = self._used < self._waited * BUSY_PROCESSORS
        self._waited = self._used = 0.0
        return is_idle
