"""`python -m benchmarks.marts`: every reporting mart against a truth of its own, and how long each takes.

Three accounts are read from the simulator as a user would read them; then every row and column of every mart
is compared with what tests/pipelines/mart_truth.py counts in Python from the same records, and each view is
read into Arrow by two threads.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from benchmarks.processes import CALLSYNC, History, measured, simulator, write_project
from benchmarks.tables import PROVIDERS
from benchmarks.views import VIEWS, timed
from simulator import Simulator
from tests.pipelines.call_truth import Call, etelecom, vbot, voximplant
from tests.pipelines.mart_truth import MARTS, differences, named

DAYS = 90
SHOWN = 5
_READ_AT_ONCE = 5_000


def main() -> None:
    """Load, compare, measure, print; ends with 1 where a mart is not the truth."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.marts", description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000, help="calls a provider")
    parser.add_argument(
        "--rounds", type=int, default=5, help="readings of each view, of which the median counts"
    )
    chosen = parser.parse_args()
    history = History(chosen.calls, DAYS, page_size=1_000)
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        with simulator(history) as served:
            write_project(project, served, history, *PROVIDERS)
            cost = measured(project, [*CALLSYNC, "sync"])
        print(f"{3 * chosen.calls} calls loaded in {cost.wall_seconds:.0f} s, {cost.peak_mb:.0f} MB at most")
        with duckdb.connect(str(project / "warehouse.read.duckdb"), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'; set threads = 2")
            wrong = _compare(connection, list(_truth(history)))
            print(f"\n{'reporting.':24}{'rows':>9}{'median ms':>11}")
            for (name,) in connection.execute(VIEWS).fetchall():
                rows, milliseconds = timed(connection, name, chosen.rounds)
                print(f"{name:24}{rows:9}{milliseconds:11.1f}")
    sys.exit(bool(wrong))


def _truth(history: History) -> Iterator[Call]:
    """The calls as the simulator shows them, read in parts: all documents at once would take gigabytes."""
    now = datetime.now(UTC)
    read = {"vbot": vbot, "etelecom": lambda record: etelecom(record, now=now), "voximplant": voximplant}
    shown = Simulator(history.calls, days=history.days, until=history.until)
    for name, provider in shown.providers.items():
        for start in range(0, history.calls, _READ_AT_ONCE):
            items = list(provider.ledgers[0].items(start, start + _READ_AT_ONCE))
            yield from map(read[name], provider.read(0, items))
    shown.close()


def _compare(connection: duckdb.DuckDBPyConnection, calls: list[Call]) -> int:
    settings = named(f"{provider}.main" for provider in PROVIDERS)
    wrong = 0
    for name, mart in MARTS.items():
        answer = connection.execute(f"from reporting.{name}")
        columns = [column for column, *_ in answer.description or ()]
        expected = list(mart(calls, settings))
        found = (dict(zip(columns, row, strict=True)) for row in answer.fetchall())
        said = differences(name, expected, found)
        wrong += len(said)
        values = len(expected) * len(columns)
        print(
            f"{name}: {len(expected)} rows, {values} values, {len(said)} differences",
            *said[:SHOWN],
            sep="\n  ",
        )
    return wrong


if __name__ == "__main__":
    main()
