"""Calls a second as bars: `python chart.py FILE.svg`, in its own environment, reads JSON from standard input.

It is a list of panels: `{"title": …, "bars": {system: calls a second}}`.
"""

from __future__ import annotations

import json
import sys

# matplotlib is not in the environment that mypy looks into.
# mypy: disable-error-code="import-not-found"
import matplotlib
from matplotlib import pyplot

OURS, THEIRS = "#1f6fb2", "#b8c4ce"


def main(file: str) -> None:
    """One panel below the other, on one scale."""
    matplotlib.use("svg")
    # The same numbers are to give the same file.
    matplotlib.rcParams["svg.hashsalt"] = "callsync"
    panels = json.load(sys.stdin)
    heights = [len(panel["bars"]) + 1 for panel in panels]
    figure, axes = pyplot.subplots(
        len(panels),
        sharex=True,
        squeeze=False,
        figsize=(8, 0.32 * sum(heights) + 0.5),
        height_ratios=heights,
        layout="constrained",
    )
    for axis, panel in zip(axes[:, 0], panels, strict=True):
        names = list(panel["bars"])
        colours = [OURS if name == "callsync" else THEIRS for name in names]
        bars = axis.barh(names, list(panel["bars"].values()), color=colours)
        axis.bar_label(bars, fmt="{:,.0f}", padding=3)
        axis.invert_yaxis()
        axis.set_title(panel["title"], loc="left", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
        axis.margins(x=0.12)
    axes[-1, 0].set_xlabel("calls a second")
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
