"""Peak memory of a sync, for histories of different length and for all calls in one window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.processes import (
    CALLSYNC,
    BenchmarkError,
    Cost,
    History,
    measured,
    simulator,
    write_project,
)
from benchmarks.report import Section
from benchmarks.tables import counted, tables

CALLS_A_DAY = 200_000 // 30
ONE_DAY = 1


@dataclass(frozen=True)
class Peak:
    """What the sync of a history took."""

    history: History
    cost: Cost


def histories(calls: int) -> list[History]:
    """So many calls and five times as many: over days that are alike, and in one day."""
    sizes = (calls, 5 * calls)
    alike = [History(size, max(1, size // CALLS_A_DAY)) for size in sizes]
    return alike + [History(size, ONE_DAY) for size in sizes]


def measure(history: History) -> Peak:
    """One sync of eTelecom into a new warehouse."""
    with simulator(history) as served, TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        write_project(folder, served, history, "etelecom")
        cost = measured(folder, [*CALLSYNC, "sync"])
        calls = counted(folder / "warehouse.duckdb", tables("etelecom"))["root"]
    if calls != history.calls:
        raise BenchmarkError(f"callsync loaded {calls:,} calls of {history.calls:,}")
    return Peak(history, cost)


def section(peaks: Sequence[Peak]) -> Section:
    """The table."""
    return Section(
        "Memory: one sync of eTelecom into a new warehouse",
        ("calls", "days", "peak MB", "wall s", "calls/s"),
        tuple(
            (
                f"{peak.history.calls:,}",
                f"{peak.history.days}",
                f"{peak.cost.peak_mb:,.0f}",
                f"{peak.cost.wall_seconds:.1f}",
                f"{peak.history.calls / peak.cost.wall_seconds:,.0f}",
            )
            for peak in peaks
        ),
        "100 calls a page, windows of one day: the last two rows are one window.",
    )
