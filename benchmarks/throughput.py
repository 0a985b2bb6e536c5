"""Calls a second from HTTP to DuckDB, of callsync, the floor and the peers on the same server.

Rounds are interleaved, so that all meet the same moods of the machine, and compared round by round. A round
in which any of them loads other rows than the provider has is an error.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.processes import BenchmarkError, Cost, History, Served, simulator
from benchmarks.report import Section, spread
from benchmarks.systems import CALLSYNC_SYSTEM, Load, System
from benchmarks.tables import counted

DAYS = 30


@dataclass(frozen=True)
class Throughput:
    """Rounds of all systems with one provider and page size.

    Attributes:
        provider: whose calls were loaded.
        history: how many, on what pages.
        costs: by the system's name, one a round; the same place is the same round.
    """

    provider: str
    history: History
    costs: Mapping[str, Sequence[Cost]]

    def calls_a_second(self, name: str) -> list[float]:
        """Of a system, round by round."""
        return [self.history.calls / cost.wall_seconds for cost in self.costs[name]]

    def times(self, name: str) -> list[float]:
        """Callsync's calls a second over those of another system, round by round."""
        pairs = zip(self.calls_a_second(CALLSYNC_SYSTEM.name), self.calls_a_second(name), strict=True)
        return [ours / theirs for ours, theirs in pairs]


def measure(provider: str, history: History, systems: Sequence[System], rounds: int) -> Throughput:
    """All systems in turn, the first one changing from round to round."""
    taking_part = [system for system in systems if provider in system.providers]
    costs: dict[str, list[Cost]] = {system.name: [] for system in taking_part}
    with simulator(history) as served:
        expected = served.ask("rows", provider=provider)
        for number in range(rounds):
            first = number % len(taking_part)
            for system in (*taking_part[first:], *taking_part[:first]):
                costs[system.name].append(load(system, provider, served, history, expected))
    return Throughput(provider, history, costs)


def load(
    system: System, provider: str, served: Served, history: History, expected: Mapping[str, int]
) -> Cost:
    """One load into an empty folder, of which everything arrived.

    Raises:
        BenchmarkError: a table has other rows than the provider shows.
    """
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        cost = system.run(Load(folder, provider, served, history))
        has = counted(folder / system.file, system.tables(provider))
    if has != expected:
        raise BenchmarkError(f"{system.name} loaded {has}, the provider has {dict(expected)}")
    return cost


def panels(results: Sequence[Throughput]) -> list[dict[str, object]]:
    """What the chart shows: medians of calls a second."""
    return [
        {
            "title": f"{result.provider}, {result.history.page_size:,} calls a page",
            "bars": {name: statistics.median(result.calls_a_second(name)) for name in result.costs},
        }
        for result in results
    ]


def section(results: Sequence[Throughput], systems: Sequence[System]) -> Section:
    """The table."""
    rows = []
    for result in results:
        for name, costs in result.costs.items():
            rows.append(
                (
                    result.provider,
                    f"{result.history.page_size:,}",
                    name,
                    spread(result.calls_a_second(name), ",.0f"),
                    spread([cost.cpu_seconds for cost in costs], ".2f"),
                    spread([cost.peak_mb for cost in costs], ",.0f"),
                    spread(result.times(name), ".2f") if name != CALLSYNC_SYSTEM.name else "1",
                )
            )
    measured = {name for result in results for name in result.costs}
    return Section(
        f"Full load: {results[0].history.calls:,} calls with their children into a new warehouse",
        ("provider", "page size", "system", "calls/s", "CPU s", "peak MB", "callsync is times as fast"),
        tuple(rows),
        "The whole process is measured, start of the interpreter included, and the rows of every table are "
        "counted after each round. Peak is the sum of a system's processes.\n\n"
        + "\n".join(f"- {system.name}: {system.note}" for system in systems if system.name in measured),
        panels(results),
    )
