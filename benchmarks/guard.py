"""`python -m benchmarks.guard`: fails where callsync takes much more processor time than it did.

callsync and the floor load the same calls in turn, so that the machine's speed and its mood meet both. The
least processor time of the rounds counts, because what disturbs a process only ever adds to it. Their ratio
is compared with the committed one; more rounds are made while it looks too high, so that only a ratio that
stays so fails. Units of a fixed size keep the number of load packages from following the machine's load.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.processes import CALLSYNC, Cost, History, Served, measured, simulator, write_project
from benchmarks.systems import FLOOR, Load

COMMITTED = Path(__file__).parent / "guard.json"
TOLERANCE = 1.2
CALLS, DAYS, PAGE_SIZE = 30_000, 6, 1_000
LEAST_ROUNDS, MOST_ROUNDS = 3, 8
PROVIDER = "etelecom"
FIXED_UNITS: Mapping[str, object] = {"commit_rows": 10_000, "commit_seconds": 3_600}


def callsync(served: Served, history: History) -> Cost:
    """One sync into a new warehouse."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        write_project(folder, served, history, PROVIDER, callsync=FIXED_UNITS)
        return measured(folder, [*CALLSYNC, "sync"])


def floor(served: Served, history: History) -> Cost:
    """The floor's load of the same."""
    with TemporaryDirectory(prefix="bench-") as name:
        return FLOOR.run(Load(Path(name), PROVIDER, served, history))


def main() -> None:
    """Measure, compare, say; ends with 1 where the ratio is too high."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__)
    parser.add_argument("--commit", action="store_true", help="write the ratio of all rounds to guard.json")
    chosen = parser.parse_args()
    limit = 0.0 if chosen.commit else json.loads(COMMITTED.read_text())["cpu_ratio"] * TOLERANCE
    ours: list[float] = []
    least: list[float] = []
    history = History(CALLS, DAYS, PAGE_SIZE)
    with simulator(history) as served:
        while len(ours) < LEAST_ROUNDS or (min(ours) / min(least) > limit and len(ours) < MOST_ROUNDS):
            ours.append(callsync(served, history).cpu_seconds)
            least.append(floor(served, history).cpu_seconds)
    ratio = min(ours) / min(least)
    print(
        f"callsync takes {min(ours):.2f} s of processor time and the floor {min(least):.2f} s, "
        f"{ratio:.2f} times as much ({len(ours)} rounds)"
    )
    if chosen.commit:
        COMMITTED.write_text(json.dumps({"cpu_ratio": round(ratio, 2)}) + "\n")
    elif ratio > limit:
        sys.exit(f"that is more than {limit:.2f}, the committed ratio and {TOLERANCE - 1:.0%} of it")


if __name__ == "__main__":
    main()
