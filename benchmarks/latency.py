"""An API that takes its time: windows read at once against one after the other, and the pace that is kept."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.processes import (
    CALLSYNC,
    BenchmarkError,
    Cost,
    History,
    Served,
    measured,
    simulator,
    write_project,
)
from benchmarks.report import Section
from benchmarks.tables import counted, tables

LATENCIES_MS = (50, 200, 500)
CALLS, DAYS = 20_000, 30
PACE = 10
"""Requests a second: callsync's default."""
PROVIDER = "etelecom"


@dataclass(frozen=True)
class Reading:
    """One sync.

    Attributes:
        cost: what it took.
        requests: how many it sent.
        most_in_a_second: of them, in any second.
    """

    cost: Cost
    requests: int
    most_in_a_second: int


@dataclass(frozen=True)
class Latency:
    """Syncs of the same calls; each list is of rounds, the same place the same round."""

    milliseconds: float
    default: Sequence[Reading]
    sequential: Sequence[Reading]

    @property
    def times(self) -> float:
        """How many times as fast the default concurrency is: the median of the rounds."""
        pairs = zip(self.default, self.sequential, strict=True)
        return statistics.median(slow.cost.wall_seconds / fast.cost.wall_seconds for fast, slow in pairs)


def measure(milliseconds: float, calls: int, rounds: int) -> Latency:
    """Syncs with the default concurrency and with one window at a time, without a pace."""
    history = History(calls, DAYS, latency_ms=milliseconds)
    with simulator(history) as served:
        pairs = [
            (_sync(served, history, {}), _sync(served, history, {"concurrency": 1})) for _ in range(rounds)
        ]
    return Latency(milliseconds, *zip(*pairs, strict=True))


def paced(milliseconds: float, calls: int, requests_per_second: float = PACE) -> Reading:
    """A sync with a pace; what the provider saw of it is told, not judged.

    Requests arrive when the machine lets them: where other work holds its processors, more may come within a
    second than were sent within one.
    """
    history = History(calls, DAYS, latency_ms=milliseconds)
    with simulator(history) as served:
        return _sync(served, history, {"requests_per_second": requests_per_second})


def _sync(served: Served, history: History, options: Mapping[str, object]) -> Reading:
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        write_project(folder, served, history, PROVIDER, **{PROVIDER: options})
        served.ask("pace", provider=PROVIDER)
        cost = measured(folder, [*CALLSYNC, "sync"])
        said = served.ask("pace", provider=PROVIDER)
        has = counted(folder / "warehouse.duckdb", tables(PROVIDER))
    if has != served.ask("rows", provider=PROVIDER):
        raise BenchmarkError(f"callsync loaded {has}")
    return Reading(cost, said["requests"], said["most_in_a_second"])


def section(results: Sequence[Latency], pace: Reading) -> Section:
    """The table."""
    rows = []
    for result in results:
        for name, readings in (("default", result.default), ("1", result.sequential)):
            rows.append(
                (
                    f"{result.milliseconds:g}",
                    name,
                    f"{statistics.median(reading.cost.wall_seconds for reading in readings):.1f}",
                    f"{readings[0].requests:,}",
                    f"{max(reading.most_in_a_second for reading in readings)}",
                    f"{result.times:.2f}" if name == "default" else "1",
                )
            )
    return Section(
        f"Latency: eTelecom over {DAYS} days, 100 a page, rounds: {len(results[0].default)}",
        ("ms a request", "concurrency", "wall s", "requests", "most in a second", "times as fast"),
        tuple(rows),
        f"Without a pace. With requests_per_second = {PACE} at {LATENCIES_MS[0]} ms, {pace.requests:,} "
        f"requests took {pace.cost.wall_seconds:.1f} s, and no second saw more than {pace.most_in_a_second}.",
    )
