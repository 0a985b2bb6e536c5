"""`python -m benchmarks`: measure speed and memory against the simulator, and write RESULTS.md.

What measures imports nothing heavy, because a child's peak memory starts at its parent's.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks import delta, environments, idle, latency, memory, report, throughput
from benchmarks.processes import History
from benchmarks.systems import CALLSYNC_SYSTEM, SYSTEMS
from benchmarks.tables import PROVIDERS

SERIES = ("throughput", "latency", "delta", "memory", "idle")
FULL_CALLS = 200_000
MEMORY_CALLS = 200_000
IDLE_CALLS = 100_000


def main() -> None:
    """Measure what is asked, print each table when it is known, write the file when everything is."""
    chosen = _arguments()
    made = {
        "throughput": _throughput,
        "latency": _latency,
        "delta": _delta,
        "memory": _memory,
        "idle": _idle,
    }
    sections = []
    for name in chosen.only or SERIES:
        for section in made[name](chosen):
            print(section.text(), end="\n\n", flush=True)
            sections.append(section)
    if not chosen.only:
        report.write(sections, sys.argv[1:])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=report.__doc__)
    add = parser.add_argument
    add("--only", choices=SERIES, nargs="+", help="measure these, and leave RESULTS.md as it is")
    add("--rounds", type=int, default=3, metavar="R", help="of each measurement (default: 3)")
    add("--calls", type=int, metavar="N", help="in each history (default: each series its own)")
    add("--page-size", type=int, nargs="+", default=[100, 1_000], metavar="P", help="throughput")
    add(
        "--provider",
        choices=PROVIDERS,
        nargs="+",
        default=["etelecom", "vbot", "voximplant"],
        help="throughput",
    )
    names = [system.name for system in SYSTEMS]
    add("--system", choices=names, nargs="+", default=names, help="throughput: beside callsync")
    return parser.parse_args()


def _throughput(chosen: argparse.Namespace) -> list[report.Section]:
    systems = [system for system in SYSTEMS if system.name in {CALLSYNC_SYSTEM.name, *chosen.system}]
    for environment in dict.fromkeys(name for system in systems for name in system.environments):
        environments.build(environment)
    calls = chosen.calls or FULL_CALLS
    results = [
        throughput.measure(provider, History(calls, throughput.DAYS, size), systems, chosen.rounds)
        for provider in chosen.provider
        for size in chosen.page_size
    ]
    return [throughput.section(results, systems)]


def _latency(chosen: argparse.Namespace) -> list[report.Section]:
    calls = chosen.calls or latency.CALLS
    # Waiting is most of it, so that one round tells as much as many.
    results = [latency.measure(each, calls, rounds=1) for each in latency.LATENCIES_MS]
    return [latency.section(results, latency.paced(latency.LATENCIES_MS[0], calls))]


def _delta(chosen: argparse.Namespace) -> list[report.Section]:
    sizes = [chosen.calls] if chosen.calls else delta.SIZES
    rounds = max(chosen.rounds, delta.ROUNDS)
    return delta.sections([delta.measure(delta.prepared(size), rounds=rounds) for size in sizes])


def _memory(chosen: argparse.Namespace) -> list[report.Section]:
    sizes = memory.histories(chosen.calls or MEMORY_CALLS)
    return [memory.section([memory.measure(history) for history in sizes])]


def _idle(chosen: argparse.Namespace) -> list[report.Section]:
    calls = chosen.calls or IDLE_CALLS
    return [idle.section([(calls, idle.measure(calls, chosen.rounds))])]


if __name__ == "__main__":
    main()
