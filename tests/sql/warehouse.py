"""An in-memory warehouse with the product's tables and views, which a test fills row by row."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import duckdb

from pipelines import data_tests, layout, views
from pipelines.config import General
from sources.registry import PROVIDERS

CONFIGURATION = {
    "callsync.settings": "reporting_timezone varchar, default_region varchar, phone_privacy varchar, "
    "freshness_hours double, service_level_seconds double, short_abandon_seconds double",
    "callsync.configured_accounts": "name varchar",
}
"""Views of what the configuration says, here tables that a test fills."""


@cache
def relations() -> dict[str, str]:
    """Every view as `schema.name` -> its select, the tables that keep rows among them."""
    kept = {table: f"from {definition}" for table, definition in views.KEPT.items()}
    return {view.name: view.select for view in views.sql_views()} | kept


@cache
def sql_tests() -> dict[str, str]:
    """Every data test by name; each returns offending rows."""
    return {test.name: test.select for test in data_tests.all_tests()}


def utc(text: str) -> datetime:
    """An aware UTC time, as a provider table holds it."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@cache
def built() -> duckdb.DuckDBPyConnection:
    """The tables and views, made once a process because making them is what takes time."""
    connection = duckdb.connect()
    layout.create_tables(connection, PROVIDERS.values())
    for layer in views.LAYERS:
        connection.execute(f"create schema {layer}")
    own = views.own_views(PROVIDERS, General())
    for view in views.in_order([*own, *(views.View(*relation) for relation in relations().items())]):
        if view.name in CONFIGURATION:
            connection.execute(f"create table {view.name} ({CONFIGURATION[view.name]})")
        else:
            connection.execute(f"create view {view.name} as {view.select}")
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
