"""`python -m benchmarks`: measure speed and memory against the simulator, and write RESULTS.md.

What measures imports nothing heavy, because a child's peak memory starts at its parent's.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks import idle, memory, report, throughput

SERIES = ("throughput", "memory", "idle")
IDLE_CALLS = (10_000, 100_000)
IDLE_ROUNDS = 10
MEMORY_CALLS = 200_000


def main() -> None:
    """Measure what is asked, print each table when it is known, write the file when everything is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=report.__doc__)
    parser.add_argument("--calls", type=int, metavar="N", help="calls (default: each series its own)")
    parser.add_argument("--rounds", type=int, metavar="R", help="rounds (default: throughput 5, idle 10)")
    parser.add_argument(
        "--page-size", type=int, nargs="+", default=[100, 1_000], metavar="P", help="throughput"
    )
    parser.add_argument("--only", choices=SERIES, nargs="+", default=SERIES, help="leave RESULTS.md as it is")
    chosen = parser.parse_args()
    sections = []
    for name in chosen.only:
        sections.append(_section(name, chosen))
        print(sections[-1].text(), end="\n\n", flush=True)
    if tuple(chosen.only) == SERIES:
        report.write(sections, sys.argv[1:])


def _section(name: str, chosen: argparse.Namespace) -> report.Section:
    if name == "throughput":
        calls, rounds = chosen.calls or 100_000, chosen.rounds or 5
        return throughput.section([throughput.measure(calls, rounds, size) for size in chosen.page_size])
    if name == "memory":
        sizes = memory.histories(chosen.calls or MEMORY_CALLS)
        return memory.section([memory.measure(history) for history in sizes])
    rounds = chosen.rounds or IDLE_ROUNDS
    counts = (chosen.calls,) if chosen.calls else IDLE_CALLS
    return idle.section([(calls, idle.measure(calls, rounds)) for calls in counts])


if __name__ == "__main__":
    main()
