"""How many threads read an account: few where a processor is busy with it, many where answers take long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from simulator import Simulator
from sources import workers
from sources.gathering import Piece
from sources.workers import FIRST_WORKERS, Workers
from tests.sources.accounts import simulated
from tests.sources.runs import read

MOST = FIRST_WORKERS + 5
JOBS = 90
JOB_SECONDS = 0.02

Use = Callable[[float], None]


@pytest.fixture
def processors(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Sets how many processors the process seems to use, and that this is looked at often."""
    monkeypatch.setattr(workers, "WATCHED_SECONDS", 0.1)

    def use(count: float) -> None:
        monkeypatch.setattr(time, "process_time", lambda: time.monotonic() * count)

    return use


class Staff:
    """Workers whose jobs wait, and who of them did any."""

    def __init__(self, most: int) -> None:
        self.seen: set[str] = set()
        self._workers = Workers(self._jobs(), most=most, name="reader", abandon=lambda: None)

    def _jobs(self) -> Iterator[Iterator[Piece]]:
        return (self._job(number) for number in range(JOBS))

    def _job(self, number: int) -> Iterator[Piece]:
        self.seen.add(threading.current_thread().name)
        time.sleep(JOB_SECONDS)
        yield Piece(note=str(number))

    def work(self, gather: Callable[[Piece], None] = lambda piece: None) -> list[str | None]:
        notes = []
        with self._workers:
            for piece in self._workers.pieces():
                gather(piece)
                notes.append(piece.note)
        return notes


def test_all_that_are_allowed_read_while_a_processor_is_idle(processors: Use) -> None:
    processors(0.1)
    staff = Staff(MOST)
    notes = staff.work()
    assert len(staff.seen) == MOST
    assert sorted(map(str, notes)) == sorted(map(str, range(JOBS)))


def test_a_few_read_while_they_keep_a_processor_busy(processors: Use) -> None:
    processors(1.0)
    staff = Staff(MOST)
    staff.work()
    assert len(staff.seen) == FIRST_WORKERS


def test_nobody_joins_in_while_what_was_read_waits_to_be_gathered(processors: Use) -> None:
    processors(0.1)
    staff = Staff(MOST)
    staff.work(lambda piece: time.sleep(2 * JOB_SECONDS))
    assert len(staff.seen) == FIRST_WORKERS


def test_never_more_read_than_are_allowed(processors: Use) -> None:
    processors(0.1)
    staff = Staff(1)
    staff.work()
    assert len(staff.seen) == 1


@pytest.mark.parametrize("most", [1, 5])
def test_a_slow_provider_is_asked_for_as_many_windows_at_once_as_configured(
    simulator: Simulator, most: int
) -> None:
    simulator.faults.latency_ms = 150
    read(simulated(simulator, "etelecom", concurrency=most, page_size=10))
    assert simulator.requests.peak_in_flight("etelecom") == most
