"""How long each reporting view takes, as JSON: `python -m benchmarks.views FILE ROUNDS`, by two threads.

Of each view two medians in milliseconds: of computing every value of it, which DuckDB then only counts, and
of reading all of it into Arrow, which copies every row too.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

import duckdb

VIEWS = "select view_name from duckdb_views() where schema_name = 'reporting' order by view_name"


def milliseconds(file: str, rounds: int) -> dict[str, tuple[float, float]]:
    """By view, the milliseconds of computing it and of reading it."""
    with duckdb.connect(file, read_only=True) as connection:
        connection.execute("set timezone = 'UTC'; set threads = 2")
        names = [name for (name,) in connection.execute(VIEWS).fetchall()]
        return {
            name: (computed(connection, name, rounds), timed(connection, name, rounds)[1]) for name in names
        }


def computed(connection: duckdb.DuckDBPyConnection, name: str, rounds: int) -> float:
    """The median of the milliseconds that computing every value of a view takes."""
    counts = ", ".join(f'count("{column}")' for column in connection.table(f"reporting.{name}").columns)
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        connection.execute(f"select {counts} from reporting.{name}").fetchall()  # noqa: S608 - our own views
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def timed(connection: duckdb.DuckDBPyConnection, name: str, rounds: int) -> tuple[int, float]:
    """The rows of a view, and the median of the milliseconds that reading all of them into Arrow takes."""
    taken: list[float] = []
    table: Any = None
    for _ in range(rounds):
        began = time.perf_counter()
        table = connection.table(f"reporting.{name}").to_arrow_table()
        taken.append((time.perf_counter() - began) * 1000)
    return table.num_rows, statistics.median(taken)


if __name__ == "__main__":
    print(json.dumps(milliseconds(sys.argv[1], int(sys.argv[2]))))
