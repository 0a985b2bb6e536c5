"""Calls a second from HTTP to DuckDB, beside dlt's own declarative source on the same server.

Rounds are interleaved, so that both meet the same moods of the machine, and compared pair by pair. A round in
which either loads other rows than the provider has is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.processes import (
    CALLSYNC,
    BenchmarkError,
    Cost,
    Counts,
    History,
    loaded,
    measured,
    simulator,
    truth,
    write_project,
)
from benchmarks.report import Section, spread

DAYS = 30
SYSTEMS = ("callsync", "dlt rest_api")


@dataclass(frozen=True)
class Throughput:
    """Rounds of both systems at one page size; the same place in both tuples is the same round."""

    history: History
    costs: Mapping[str, Sequence[Cost]]

    @property
    def ratios(self) -> list[float]:
        """How many times the calls a second of dlt's source, round by round."""
        ours, theirs = (self.costs[name] for name in SYSTEMS)
        return [slow.wall_seconds / fast.wall_seconds for fast, slow in zip(ours, theirs, strict=True)]


def measure(calls: int, rounds: int, page_size: int) -> Throughput:
    """Both systems in turn, the first one changing from round to round."""
    history = History(calls, DAYS, page_size)
    expected = truth(history)
    costs: dict[str, list[Cost]] = {name: [] for name in SYSTEMS}
    with simulator(history) as providers:
        for number in range(rounds):
            for name in SYSTEMS if number % 2 == 0 else reversed(SYSTEMS):
                with TemporaryDirectory(prefix="bench-") as folder:
                    cost, counts = _round(name, Path(folder), providers, history)
                if counts != expected:
                    raise BenchmarkError(f"{name} loaded {dict(counts)}, the provider has {dict(expected)}")
                costs[name].append(cost)
    return Throughput(history, costs)


def section(results: Sequence[Throughput]) -> Section:
    """The table."""
    rows = []
    for result in results:
        for name in SYSTEMS:
            costs = result.costs[name]
            rows.append(
                (
                    f"{result.history.etelecom_page:,}",
                    name,
                    spread([result.history.calls / cost.wall_seconds for cost in costs], ",.0f"),
                    spread([cost.wall_seconds for cost in costs], ".2f"),
                    spread([cost.cpu_seconds for cost in costs], ".2f"),
                    spread([cost.peak_mb for cost in costs], ",.0f"),
                    spread(result.ratios, ".2f") if name == SYSTEMS[0] else "1",
                )
            )
    calls = results[0].history.calls
    return Section(
        f"Throughput: {calls:,} eTelecom calls into a new warehouse, rounds: {len(results[0].ratios)}",
        ("page size", "system", "calls/s", "wall s", "CPU s", "peak MB", "times as fast"),
        tuple(rows),
        "The whole process is measured, start of the interpreter included; root and child rows of every "
        "round are those of the provider. dlt rest_api: JSON cursor paginator, Parquet, uncompressed extract "
        "files, merge by id.",
    )


def _round(name: str, folder: Path, providers: Mapping[str, Any], history: History) -> tuple[Cost, Counts]:
    if name == "callsync":
        write_project(folder, providers, history, "etelecom")
        return measured([*CALLSYNC, "sync"], folder), loaded(folder / "warehouse.duckdb", "etelecom")
    said = providers["etelecom"]
    arguments = ["-m", "benchmarks.rest_api", said["base_url"], said["api_key"], str(history.etelecom_page)]
    return measured(arguments, folder), loaded(folder / "rest_api.duckdb", "etelecom")
