"""The SQL views: every file of `sql/` becomes the view of its name, in the order its references need.

Some are made by convention and not by a file, so that a new provider's staging files are enough:
`intermediate.calls`, `call_legs`, `recordings`, `agents` and `hotlines` stack what the providers stage under
those names. `callsync.windows`, `rejected_records`, `settings` and `configured_accounts` are made here too,
and the tables that keep the rows of a view: emptied when what defines them has changed, and left to the run
to be filled anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from importlib.resources import files

import duckdb

from pipelines import layout, warehouse, wholeness
from pipelines.config import General
from pipelines.reading_sql import references
from sources.schemas import REJECTS, WINDOWS, WINDOWS_SCHEMA

LAYERS = ("staging", "intermediate", "reporting")
STACKED = ("calls", "call_legs", "recordings", "agents", "hotlines")
REPORTED_CALLS = "callsync.reported_calls"
CALLS_DEFINITION = "intermediate.calls_with_outcome"
OF_CALLERS = {
    "callsync.first_contacts": "intermediate.first_contacts",
    "callsync.repeat_callers": "intermediate.repeat_callers",
}
"""The tables that keep what follows from the calls of a caller, and their definitions (see `callers`)."""
KEPT = {REPORTED_CALLS: CALLS_DEFINITION, **OF_CALLERS}
"""The tables that keep rows, and the views that define them."""
_WINDOW_COLUMNS = ", ".join(WINDOWS_SCHEMA.names)
_REJECT_COLUMNS = 'account, endpoint, reason, payload, "window", seen_at, replayed_at, reject_id'


_CALL_HISTORY = """
with
windows as (
    select account as name, run_id, window_start, max(window_end) as window_end
    from callsync.windows group by account, run_id, window_start
),
origins as (
    select origins.*, reported.started_at, origins.provider || '.' || origins.account as name
    from callsync.call_origins as origins
    left join callsync.reported_calls as reported
        on origins.provider = reported.provider and origins.account = reported.account
        and origins.provider_call_id = reported.provider_call_id
)
select
    origins.provider || '/' || origins.account || '/' || origins.provider_call_id as call_id,
    origins.provider, origins.account, origins.provider_call_id, origins.started_at,
    origins.first_run_id, origins.first_loaded_at,
    brought.window_start as first_window_start, brought.window_end as first_window_end,
    origins.last_run_id, origins.last_loaded_at,
    changed.window_start as last_window_start, changed.window_end as last_window_end,
    origins.is_exact
from origins
left join windows as brought
    on origins.name = brought.name and origins.first_run_id = brought.run_id
    and origins.started_at >= brought.window_start and origins.started_at < brought.window_end
left join windows as changed
    on origins.name = changed.name and origins.last_run_id = changed.run_id
    and origins.started_at >= changed.window_start and origins.started_at < changed.window_end
"""
"""Which run and window brought each call and changed it last; no window where it was asked for by its id."""


@dataclass(frozen=True)
class View:
    """A view: its full name and its select statement."""

    name: str
    select: str


def refresh(connection: duckdb.DuckDBPyConnection, providers: Iterable[str], general: General) -> bool:
    """Create or replace the views where anything about them changed; True when it did."""
    kept = [View(table, f"select * from {definition}") for table, definition in KEPT.items()]
    views = [*own_views(providers, general), *sql_views(), *kept]
    fingerprint = _fingerprint(views)
    if warehouse.meta(connection, "views") == fingerprint:
        return False
    is_behind = False
    with warehouse.transaction(connection):
        for layer in LAYERS:
            connection.execute(f"drop schema if exists {layer} cascade")
            connection.execute(f"create schema {layer}")
        for view in in_order(views):
            if view not in kept:
                connection.execute(f"create or replace view {view.name} as\n{view.select}")
                continue
            made_of = _fingerprint(_read_by(view.name, views), general.reporting_timezone)
            if warehouse.meta(connection, view.name) != made_of:
                layout.create_kept(connection, view.name, view.select)
                warehouse.remember(connection, view.name, made_of)
                is_behind = True
        if is_behind and connection.execute("from callsync.windows limit 1").fetchall():
            # Made all at once the rows may not fit into memory: the run makes them as those of a broken one.
            wholeness.mark_half(connection)
        warehouse.remember(connection, "views", fingerprint)
    return True


def sql_views() -> list[View]:
    """The views of the files, and those that stack the providers."""
    found = [View(f"{layer}.{name}", select) for layer in LAYERS for name, select in selects_of(layer)]
    staged = [view.name for view in found if view.name.startswith("staging.")]
    for entity in STACKED:
        sources = [
            name for name in staged if name.startswith("staging.stg_") and name.endswith(f"__{entity}")
        ]
        if sources:
            found.append(View(f"intermediate.{entity}", stack(f"select * from {name}" for name in sources)))
    return found


def selects_of(folder: str) -> list[tuple[str, str]]:
    """Each file of a folder of `sql/`, by its name: its one select statement."""
    root = files("sql") / folder
    found = [file for file in root.iterdir() if file.name.endswith(".sql")] if root.is_dir() else []
    return sorted(
        (file.name.removesuffix(".sql"), file.read_text("utf-8").rstrip().rstrip(";")) for file in found
    )


def own_views(providers: Iterable[str], general: General) -> list[View]:
    """What callsync itself keeps of every provider, and the settings that views need."""
    names = list(providers)
    settings = {
        "reporting_timezone": warehouse.literal(general.reporting_timezone),
        "default_region": warehouse.literal(general.default_region),
        "phone_privacy": warehouse.literal(general.phone_privacy),
        "freshness_hours": str(general.freshness_hours),
        "service_level_seconds": str(general.service_level_seconds),
        "short_abandon_seconds": str(general.short_abandon_seconds),
    }
    configured = [f"select {warehouse.literal(account)} as name" for account in general.accounts]
    return [
        View(
            "callsync.configured_accounts",
            stack(configured) or "select cast(null as varchar) as name where false",
        ),
        View(
            "callsync.settings", "select " + ", ".join(f"{value} as {key}" for key, value in settings.items())
        ),
        View("callsync.windows", stack(f"select {_WINDOW_COLUMNS} from {name}.{WINDOWS}" for name in names)),
        View("callsync.call_history", _CALL_HISTORY),
        View(
            "callsync.rejected_records",
            stack(f"select {_REJECT_COLUMNS} from {name}.{REJECTS}" for name in names),
        ),
    ]


def in_order(views: list[View]) -> list[View]:
    """The views so that each comes after those it reads."""
    by_name = {view.name: view for view in views}
    needs: Mapping[str, set[str]] = {view.name: references(view.select) & by_name.keys() for view in views}
    return [by_name[name] for name in TopologicalSorter(needs).static_order()]


def _read_by(name: str, views: list[View]) -> list[View]:
    """A view or kept table and all those that it reads, directly or not; settings are not among them."""
    found = {view.name: view for view in views if view.name in KEPT or not view.name.startswith("callsync.")}
    wanted, todo = set[str](), {name}
    while todo:
        wanted |= todo
        todo = {read for each in todo for read in references(found[each].select) & found.keys()} - wanted
    return [found[each] for each in sorted(wanted)]


def _fingerprint(views: Iterable[View], *settings: str) -> str:
    content = "\0".join((*(f"{view.name}\0{view.select}" for view in views), *settings))
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def stack(selects: Iterable[str]) -> str:
    """The rows of all the selects, which have the same columns."""
    return "\nunion all\n".join(selects)
