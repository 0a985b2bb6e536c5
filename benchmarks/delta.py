"""`python -m benchmarks.delta`: what a small sync costs in warehouses of different size, and each view.

The calls of three accounts lie as dense in time in every warehouse, so that a larger one is a longer history
and every sync reads the same days again. A warehouse is filled once a day, by callsync from the simulator,
and kept below `build/`; what is measured works on a copy of it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.processes import (
    CALLSYNC,
    ROOT,
    BenchmarkError,
    Cost,
    History,
    answer,
    measured,
    simulator,
    write_project,
)
from benchmarks.report import Section, spread
from benchmarks.tables import PROVIDERS, ROOTS, TEXTS, counted, tables

KEPT = ROOT / "build" / "benchmarks"
SIZES = (100_000, 1_000_000, 5_000_000)
NEWS = 1_000
ROUNDS = 5
"""At least: they take little time, and the first of them finds little of the file in memory."""
CALLS_A_DAY = 3_600
"""Of the three accounts together: 5,000,000 calls are almost four years."""


@dataclass(frozen=True)
class Prepared:
    """A warehouse that has everything of a history.

    Attributes:
        folder: the project; not to be touched.
        history: what the simulator served.
        port: where it did: addresses of recordings name it.
        filled: what filling it took.
        rows: by provider, what it has of calls and of the lists inside them.
    """

    folder: Path
    history: History
    port: int
    filled: Cost
    rows: Mapping[str, Mapping[str, int]]

    @property
    def calls(self) -> int:
        """Calls of all accounts."""
        return len(PROVIDERS) * self.history.calls


@dataclass(frozen=True)
class Measures:
    """What syncs cost at one size; `views` has the milliseconds of computing and of reading each."""

    prepared: Prepared
    news: int
    idle: Sequence[Cost]
    delta: Sequence[Cost]
    views: Mapping[str, tuple[float, float]]


def prepared(calls: int, *, anew: bool = False) -> Prepared:
    """The warehouse of so many calls in all, filled unless it was today."""
    history = History(calls // len(PROVIDERS), max(1, calls // CALLS_A_DAY), page_size=1_000)
    folder = KEPT / f"{history.until:%Y%m%d}-{calls}"
    note = folder / "prepared.json"
    if anew or not note.exists():
        for old in [folder, *_of_earlier_days(history.until)]:
            shutil.rmtree(old, ignore_errors=True)
        with simulator(history) as served:
            write_project(folder / "project", served, history, *PROVIDERS)
            cost = measured(folder / "project", [*CALLSYNC, "sync"])
            rows = {name: served.ask("rows", provider=name) for name in PROVIDERS}
            _check(folder / "project", rows)
        note.write_text(json.dumps({"port": served.port, "filled": astuple(cost), "rows": rows}))
    known = json.loads(note.read_text())
    return Prepared(folder / "project", history, known["port"], Cost(*known["filled"]), known["rows"])


def measure(ready: Prepared, *, news: int = NEWS, rounds: int = ROUNDS, test: bool = False) -> Measures:
    """Idle syncs, then syncs of so many calls of all accounts, half of them new and half changed."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(prefix="work-", dir=KEPT) as scratch,
        simulator(ready.history, ready.port) as served,
    ):
        folder = Path(scratch) / "project"
        shutil.copytree(ready.folder, folder)
        # Otherwise the first syncs to reach the disk wait for what this copy has left to write.
        os.sync()
        # Voximplant's key is another one whenever the simulator starts.
        write_project(folder, served, ready.history, *PROVIDERS)
        sync = [*CALLSYNC, "sync"]
        # The first one moves the cursor on from when the warehouse was filled.
        measured(folder, sync)
        idle = [measured(folder, sync) for _ in range(rounds)]
        delta, rows = [], {name: Counter(counts) for name, counts in ready.rows.items()}
        for number in range(rounds):
            text = f"round {number}"
            for provider, share in zip(PROVIDERS, _shares(news), strict=True):
                half = share // 2
                added = served.ask("news", provider=provider, new=half, changed=share - half, text=text)
                rows[provider].update(added)
            delta.append(measured(folder, sync))
            _check_news(folder, news, text)
        _check(folder, rows)
        if test:
            measured(folder, [*CALLSYNC, "test"])
        views = answer("benchmarks.views", str(folder / "warehouse.read.duckdb"), str(rounds))
    return Measures(ready, news, idle, delta, views)


def sections(results: Sequence[Measures]) -> list[Section]:
    """The tables: syncs, and views."""
    least = results[0]
    rounds = len(least.delta)

    def times(ours: Sequence[float], first: Sequence[float]) -> str:
        return f"{statistics.median(ours) / statistics.median(first):.2f}"

    rows = []
    for what in ("idle", "delta"):
        for result in results:
            costs, first = getattr(result, what), getattr(least, what)
            walls = [cost.wall_seconds for cost in costs]
            rows.append(
                (
                    "nothing new" if what == "idle" else f"{result.news:,} new or changed",
                    f"{result.prepared.calls:,}",
                    spread(walls, ".2f"),
                    spread([cost.cpu_seconds for cost in costs], ".2f"),
                    spread([cost.peak_mb for cost in costs], ",.0f"),
                    times(walls, [cost.wall_seconds for cost in first]),
                    times([cost.peak_mb for cost in costs], [cost.peak_mb for cost in first]),
                )
            )
    columns = ("sync of", "calls in the warehouse", "wall s", "CPU s", "peak MB", "times wall", "times peak")
    sync = Section(
        f"A small sync: three accounts, rounds: {rounds}",
        columns,
        tuple(rows),
        f"{CALLS_A_DAY:,} calls a day, of which every sync reads the last three days again; publishing "
        "included. Times are those of the smallest warehouse.",
    )
    views = Section(
        f"Reporting views, milliseconds: two threads, median of {rounds}",
        ("reporting.", *(f"{result.prepared.calls:,} calls" for result in results)),
        tuple(
            (name, *(f"{result.views[name][0]:,.0f} ({result.views[name][1]:,.0f})" for result in results))
            for name in least.views
        ),
        "Every value of the view is computed and counted, over the published copy; in brackets, with every "
        "row read into Arrow instead.",
    )
    return [sync, views]


def _shares(news: int) -> list[int]:
    """Of a number, what each provider has of it."""
    count = len(PROVIDERS)
    return [news * (place + 1) // count - news * place // count for place in range(count)]


def _check(folder: Path, rows: Mapping[str, Mapping[str, int]]) -> None:
    """See that the warehouse has every call and every child row that the providers show, and no other."""
    for provider in PROVIDERS:
        has = counted(folder / "warehouse.duckdb", tables(provider))
        if has != rows[provider]:
            raise BenchmarkError(f"{provider}: the warehouse has {has}, the provider {dict(rows[provider])}")


def _check_news(folder: Path, news: int, text: str) -> None:
    found = " + ".join(
        f"(select count(*) from {name}.{ROOTS[name]} where {TEXTS[name]} = '{text}')"  # noqa: S608 - ours
        for name in PROVIDERS
    )
    for file in ("warehouse.duckdb", "warehouse.read.duckdb"):
        arrived = answer("benchmarks.counting", str(folder / file), f"select {found} as arrived")["arrived"]
        if arrived != news:
            raise BenchmarkError(f"{file} has {arrived} of {news} new and changed calls")


def _of_earlier_days(today: datetime) -> list[Path]:
    return [path for path in KEPT.glob("????????-*") if not path.name.startswith(f"{today:%Y%m%d}-")]


def main() -> None:
    """Measure the sizes asked for and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delta", description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=SIZES, help="in the warehouse, all accounts")
    parser.add_argument("--news", type=int, default=NEWS, help="new or changed calls of a round")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--anew", action="store_true", help="fill the warehouses again")
    parser.add_argument("--test", action="store_true", help="let `callsync test` look at the result")
    chosen = parser.parse_args()
    results = []
    for calls in chosen.calls:
        ready = prepared(calls, anew=chosen.anew)
        print(f"{ready.calls:,} calls: filled in {ready.filled.wall_seconds:.0f} s", flush=True)
        results.append(measure(ready, news=chosen.news, rounds=chosen.rounds, test=chosen.test))
        for cost in results[-1].delta:
            print(f"  {cost}", flush=True)
    print(*(section.text() for section in sections(results)), sep="\n\n")


if __name__ == "__main__":
    main()
