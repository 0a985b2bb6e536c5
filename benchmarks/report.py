"""Measurements as tables, on the terminal and in RESULTS.md."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import environments

RESULTS = Path(__file__).parent / "RESULTS.md"
CHART = RESULTS.with_suffix(".svg")
PEERS = {
    "singer-sdk": ("singer-tap", "singer-sdk"),
    "target-duckdb": ("singer-target", "target-duckdb"),
    "PyAirbyte": ("pyairbyte", "airbyte"),
}
LIBRARIES = ("dlt", "duckdb", "pyarrow", "httpx", "msgspec")


@dataclass(frozen=True)
class Section:
    """A table with its title and what a reader must know to read it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str
    panels: Sequence[Mapping[str, object]] = ()
    """What `benchmarks.chart` draws of it."""

    def text(self) -> str:
        """Markdown, aligned so that it reads well as it is."""
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        rule = tuple("-" * (width - 1) + ":" for width in widths)
        lines = [
            "| " + " | ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) + " |"
            for row in (self.columns, rule, *self.rows)
        ]
        chart = [f"![{self.title}]({CHART.name})", ""] if self.panels else []
        return "\n".join([f"## {self.title}", "", *chart, *lines, "", self.note])


def spread(values: Sequence[float], form: str) -> str:
    """The median, then the least and the most."""
    middle = format(statistics.median(values), form)
    if len(values) == 1:
        return middle
    return f"{middle} ({format(min(values), form)}–{format(max(values), form)})"


def write(sections: Sequence[Section], arguments: Sequence[str]) -> None:
    """Replace RESULTS.md and its chart."""
    head = [
        "# Benchmark results",
        "",
        f"`{' '.join(['python -m benchmarks', *arguments])}` on {datetime.now(UTC):%Y-%m-%d}, "
        "against the simulator on loopback. How and what: [README.md](README.md).",
        "Medians, with the least and the most in brackets. Ratios travel better than absolute numbers.",
        "",
        f"Machine: {_processor()}, {os.cpu_count()} cores shared with the simulator, {_memory_gb():.0f} GB, "
        f"{platform.system()}. Python {platform.python_version()}, "
        + ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
        + ". Peers: "
        + ", ".join(f"{package} {environments.version(*where)}" for package, where in PEERS.items())
        + ".",
        "",
    ]
    RESULTS.write_text("\n".join(head) + "\n" + "\n\n".join(section.text() for section in sections) + "\n")
    for section in sections:
        if section.panels:
            _draw(section.panels)


def _draw(panels: Sequence[Mapping[str, object]]) -> None:
    environments.build("chart")
    command = [str(environments.python("chart")), str(CHART.with_name("chart.py")), str(CHART)]
    subprocess.run(command, input=json.dumps(panels).encode(), check=True)  # noqa: S603 - our own


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
