"""The SQL views: every file of `sql/` becomes the view of its name, in the order its references need.

Some are made by convention and not by a file, so that a new provider's staging files are enough:
`intermediate.calls`, `call_legs`, `recordings`, `agents` and `hotlines` stack what the providers stage under
those names. `callsync.windows`, `callsync.rejected_records` and `callsync.settings` are made here too, and
`callsync.reported_calls`, the one table that keeps the rows of a view.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from importlib.resources import files
from importlib.resources.abc import Traversable

import duckdb

from pipelines import warehouse
from pipelines.config import General
from sources.loading import REJECTS, WINDOWS

LAYERS = ("staging", "intermediate", "reporting")
STACKED = ("calls", "call_legs", "recordings", "agents", "hotlines")
REPORTED_CALLS = "callsync.reported_calls"
"""The table that keeps the rows of CALLS_DEFINITION (see `pipelines.reported_calls`)."""
CALLS_DEFINITION = "intermediate.calls_with_outcome"
_REJECT_COLUMNS = 'account, endpoint, reason, payload, "window", seen_at, replayed_at, reject_id'


@dataclass(frozen=True)
class View:
    """A view: its full name and its select statement."""

    name: str
    select: str


_REPORTED_CALLS = View(REPORTED_CALLS, f"select * from {CALLS_DEFINITION}")


def refresh(connection: duckdb.DuckDBPyConnection, providers: Iterable[str], general: General) -> bool:
    """Create or replace the views where anything about them changed; True when it did."""
    views = [*own_views(providers, general), *sql_views(), _REPORTED_CALLS]
    content = "\0".join(f"{view.name}\0{view.select}" for view in views)
    fingerprint = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
    if warehouse.meta(connection, "views") == fingerprint:
        return False
    with warehouse.transaction(connection):
        for layer in LAYERS:
            connection.execute(f"drop schema if exists {layer} cascade")
            connection.execute(f"create schema {layer}")
        for view in in_order(views):
            kind = "table" if view is _REPORTED_CALLS else "view"
            connection.execute(f"create or replace {kind} {view.name} as\n{view.select}")
        warehouse.remember(connection, "views", fingerprint)
    return True


def sql_views() -> list[View]:
    """The views of the files, and those that stack the providers."""
    root = files("sql")
    found = [
        View(f"{layer}.{file.name.removesuffix('.sql')}", file.read_text("utf-8").rstrip().rstrip(";"))
        for layer in LAYERS
        for file in _sql_files(root / layer)
    ]
    staged = [view.name for view in found if view.name.startswith("staging.")]
    for entity in STACKED:
        sources = [
            name for name in staged if name.startswith("staging.stg_") and name.endswith(f"__{entity}")
        ]
        if sources:
            found.append(View(f"intermediate.{entity}", _stack(f"select * from {name}" for name in sources)))
    return found


def data_tests() -> list[View]:
    """The queries of `sql/tests/`: each returns the rows that offend it."""
    return [
        View(file.name.removesuffix(".sql"), file.read_text("utf-8").rstrip().rstrip(";"))
        for file in _sql_files(files("sql") / "tests")
    ]


def own_views(providers: Iterable[str], general: General) -> list[View]:
    """What callsync itself keeps of every provider, and the settings that views need."""
    names = list(providers)
    settings = {
        "reporting_timezone": _literal(general.reporting_timezone),
        "default_region": _literal(general.default_region),
        "freshness_hours": str(general.freshness_hours),
        "service_level_seconds": str(general.service_level_seconds),
        "short_abandon_seconds": str(general.short_abandon_seconds),
    }
    return [
        View(
            "callsync.settings", "select " + ", ".join(f"{value} as {key}" for key, value in settings.items())
        ),
        View("callsync.windows", _stack(f"select * from {name}.{WINDOWS}" for name in names)),
        View(
            "callsync.rejected_records",
            _stack(f"select {_REJECT_COLUMNS} from {name}.{REJECTS}" for name in names),
        ),
    ]


def in_order(views: list[View]) -> list[View]:
    """The views so that each comes after those it reads."""
    by_name = {view.name: view for view in views}
    needs: Mapping[str, set[str]] = {view.name: references(view.select) & by_name.keys() for view in views}
    return [by_name[name] for name in TopologicalSorter(needs).static_order()]


def references(select: str) -> set[str]:
    """The full names of the tables and views that a select reads."""
    # Reading SQL takes a moment to import and is needed only when a view has changed.
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(select, dialect="duckdb")
    return {f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db}


def _sql_files(folder: Traversable) -> list[Traversable]:
    if not folder.is_dir():
        return []
    return sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name
    )


def _stack(selects: Iterable[str]) -> str:
    return "\nunion all\n".join(selects)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
