"""Rows of eTelecom's tables, as JSON: those the simulator has, or those of a DuckDB file.

`python -m benchmarks.counting truth CALLS DAYS UNTIL` or `python -m benchmarks.counting loaded FILE SCHEMA`.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime

ROOT_TABLE = "call_logs"
LISTS = ("call_targets", "recording_urls")


def truth(calls: str, days: str, until: str) -> dict[str, int]:
    """Rows of each table that a complete load has."""
    from simulator import Simulator

    simulator = Simulator(calls=int(calls), days=float(days), until=datetime.fromisoformat(until))
    try:
        documents = simulator.truth("etelecom")
    finally:
        simulator.close()
    children = {f"{ROOT_TABLE}__{name}": sum(len(one.get(name) or ()) for one in documents) for name in LISTS}
    return {ROOT_TABLE: len(documents), **children}


def loaded(warehouse: str, schema: str) -> dict[str, int]:
    """Rows of each table that a DuckDB file has."""
    import duckdb

    with duckdb.connect(warehouse, read_only=True) as connection:
        tables = [ROOT_TABLE, *(f"{ROOT_TABLE}__{name}" for name in LISTS)]
        return {table: len(connection.table(f"{schema}.{table}")) for table in tables}


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    print(json.dumps(truth(*arguments) if what == "truth" else loaded(*arguments)))
