"""An in-memory warehouse holding every relation of sql/ over tables a test fills row by row."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
from sqlglot import exp, parse_one

import sql

SQL = Path(sql.__file__).parent
TABLES = Path(__file__).with_name("tables.sql")
LAYERS = ("staging", "intermediate", "reporting")
UNIONS = ("calls", "call_legs", "recordings", "agents", "hotlines")

KEPT = {
    "callsync.reported_calls": "intermediate.calls_with_outcome",
    "callsync.first_contacts": "intermediate.first_contacts",
    "callsync.repeat_callers": "intermediate.repeat_callers",
}
"""The tables that keep rows, here views of what defines them."""

CONVENTIONAL = {*KEPT, *(f"intermediate.{entity}" for entity in UNIONS)}
"""The relations that are made without a file of their own."""


def relations() -> dict[str, str]:
    """Every view as `schema.name` -> its select, the unions over all providers among them."""
    files = [path for layer in LAYERS for path in sorted((SQL / layer).glob("*.sql"))]
    views = {f"{path.parent.name}.{path.stem}": path.read_text() for path in files}
    for entity in UNIONS:
        parts = [name for name in views if name.startswith("staging.stg_") and name.endswith(f"__{entity}")]
        if parts:
            views[f"intermediate.{entity}"] = " union all ".join(f"from {part}" for part in parts)
    return views | {table: f"from {definition}" for table, definition in KEPT.items()}


@cache
def definitions() -> str:
    """Statements that create every view, each after every view it reads."""
    views = relations()
    reads = {
        name: {f"{table.db}.{table.name}" for table in parse_one(query, read="duckdb").find_all(exp.Table)}
        & views.keys()
        for name, query in views.items()
    }
    order = TopologicalSorter(reads).static_order()
    return ";\n".join(f"create view {name} as {views[name]}" for name in order)


def sql_tests() -> dict[str, str]:
    """Every query of sql/tests by name; each returns offending rows."""
    return {path.stem: path.read_text() for path in sorted((SQL / "tests").glob("*.sql"))}


def utc(text: str) -> datetime:
    """An aware UTC time, as a provider table holds it."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@cache
def built() -> duckdb.DuckDBPyConnection:
    """The tables and views, made once a process because making them is what takes time."""
    connection = duckdb.connect()
    connection.execute(TABLES.read_text())
    for layer in LAYERS:
        connection.execute(f"create schema {layer}")
    connection.execute(definitions())
    connection.execute("begin")
    return connection


class Warehouse:
    """The warehouse, empty, with a session in UTC; `zone` is its reporting time zone.

    All share one database: making a new one rolls back what the one before it held.
    """

    def __init__(self, zone: str = "Asia/Ho_Chi_Minh") -> None:
        self.connection = built()
        self.connection.execute("rollback")
        self.connection.execute("set timezone = 'UTC'")
        self.connection.execute("begin")
        self.insert(
            "callsync.settings",
            reporting_timezone=zone,
            default_region="VN",
            freshness_hours=24,
            service_level_seconds=20,
            short_abandon_seconds=5,
        )

    def insert(self, table: str, **values: Any) -> None:
        """Adds one row; columns not named are NULL."""
        columns = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" for _ in values)
        statement = f"insert into {table} ({columns}) values ({marks})"
        self.connection.execute(statement, list(values.values()))

    def execute(self, statement: str) -> None:
        """Runs a statement that changes the tables."""
        self.connection.execute(statement)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query, each as column -> value."""
        cursor = self.connection.execute(query)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def one(self, relation: str, *columns: str, **key: Any) -> dict[str, Any]:
        """The single row of a relation that has these key values, cut to these columns (all when none)."""
        where = " and ".join(f'"{name}" = ?' for name in key) or "true"
        picked = ", ".join(f'"{name}"' for name in columns) or "*"
        query = f"select {picked} from {relation} where {where}"
        cursor = self.connection.execute(query, list(key.values()))
        names = [column[0] for column in cursor.description or []]
        found: Sequence[Any] = cursor.fetchall()
        assert len(found) == 1, f"{len(found)} rows of {relation} for {key}"
        return dict(zip(names, found[0], strict=True))
