"""Measurements as tables, on the terminal and in RESULTS.md."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
LIBRARIES = ("dlt", "duckdb", "pyarrow", "httpx", "msgspec")


@dataclass(frozen=True)
class Section:
    """A table with its title and what a reader must know to read it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str

    def text(self) -> str:
        """Markdown, aligned so that it reads well as it is."""
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        rule = tuple("-" * (width - 1) + ":" for width in widths)
        lines = [
            "| " + " | ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) + " |"
            for row in (self.columns, rule, *self.rows)
        ]
        return "\n".join([f"## {self.title}", "", *lines, "", self.note])


def spread(values: Sequence[float], form: str) -> str:
    """The median, then the least and the most."""
    middle = format(statistics.median(values), form)
    if len(values) == 1:
        return middle
    return f"{middle} ({format(min(values), form)}–{format(max(values), form)})"


def write(sections: Sequence[Section], arguments: Sequence[str]) -> None:
    """Replace RESULTS.md."""
    head = [
        "# Benchmark results",
        "",
        f"`{' '.join(['python -m benchmarks', *arguments])}` on {datetime.now(UTC):%Y-%m-%d}, "
        "against the simulator on loopback without latency.",
        "Medians, with the least and the most in brackets. Ratios travel better than absolute numbers.",
        "",
        f"Machine: {_processor()}, {os.cpu_count()} cores shared with the simulator, {_memory_gb():.0f} GB, "
        f"{platform.system()}. Python {platform.python_version()}, "
        + ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
        + ".",
        "",
    ]
    RESULTS.write_text("\n".join(head) + "\n" + "\n\n".join(section.text() for section in sections) + "\n")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
