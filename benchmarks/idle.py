"""A sync that finds nothing new: three accounts, process start included."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.processes import CALLSYNC, Cost, History, measured, simulator, write_project
from benchmarks.report import Section, spread
from benchmarks.tables import PROVIDERS

DAYS = 30


def measure(calls: int, rounds: int) -> list[Cost]:
    """Load three accounts, then sync them again and again."""
    history = History(calls, DAYS)
    with simulator(history) as served, TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        write_project(folder, served, history, *PROVIDERS)
        measured(folder, [*CALLSYNC, "sync"])
        return [measured(folder, [*CALLSYNC, "sync"]) for _ in range(rounds)]


def section(results: Sequence[tuple[int, Sequence[Cost]]]) -> Section:
    """The table."""
    return Section(
        f"Idle: sync of three accounts with nothing new, rounds: {len(results[0][1])}",
        ("calls an account", "wall s", "CPU s", "peak MB"),
        tuple(
            (
                f"{calls:,}",
                spread([cost.wall_seconds for cost in costs], ".2f"),
                spread([cost.cpu_seconds for cost in costs], ".2f"),
                spread([cost.peak_mb for cost in costs], ",.0f"),
            )
            for calls, costs in results
        ),
        f"VBot, eTelecom and Voximplant, {DAYS} days each, of which every sync reads the last three again.",
    )
