"""A query of one row over a DuckDB file, answered as JSON: `python -m benchmarks.counting FILE QUERY`."""

from __future__ import annotations

import json
import sys

import duckdb


def one_row(file: str, query: str) -> dict[str, int]:
    """The row by its columns' names."""
    with duckdb.connect(file, read_only=True) as connection:
        answer = connection.execute(query)
        names = [name for name, *_ in answer.description or ()]
        (row,) = answer.fetchall()
    return dict(zip(names, row, strict=True))


if __name__ == "__main__":
    print(json.dumps(one_row(*sys.argv[1:])))
