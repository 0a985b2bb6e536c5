"""`callsync status --call`: which run and window brought a call, and which changed it last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines import opening, warehouse
from sources.errors import WarehouseError
from sources.zones import zone_of

_QUERY = """
select
    history.started_at, history.is_exact,
    history.first_run_id, brought.command, history.first_loaded_at,
    history.first_window_start, history.first_window_end,
    history.last_run_id, changed.command, history.last_loaded_at,
    history.last_window_start, history.last_window_end
from callsync.call_history as history
left join callsync.runs as brought on history.first_run_id = brought.run_id
left join callsync.runs as changed on history.last_run_id = changed.run_id
where history.provider = ? and history.account = ? and history.provider_call_id = ?
"""


@dataclass(frozen=True)
class Step:
    """A run that loaded a call; times in UTC, no window where it asked for the call by its id."""

    run_id: str | None
    command: str | None
    loaded_at: datetime | None
    window_start: datetime | None
    window_end: datetime | None


@dataclass(frozen=True)
class Explained:
    """Where a call comes from.

    Attributes:
        is_exact: false for a call of a version that kept no origins: it was brought by the run named
            or a later one, and changed by the run named or an earlier one.
    """

    call_id: str
    started_at: datetime | None
    brought: Step
    last_changed: Step
    is_exact: bool


def read(path: Path, call_id: str) -> Explained | None:
    """What is known of a call by its id as in `reporting.calls`; None where there is no such call.

    Raises:
        WarehouseError: nothing was published yet, or an earlier version published it.
    """
    parts = call_id.split("/", 2)
    if len(parts) < 3:
        return None
    with closing(opening.reading(path)) as connection:
        try:
            rows = connection.execute(_QUERY, parts).fetchall()
        except duckdb.CatalogException:
            name = warehouse.Files(path).published.name
            raise WarehouseError(
                f"an earlier version of callsync made {name}; run callsync sync once"
            ) from None
    if not rows:
        return None
    started_at, is_exact, *steps = rows[0]
    return Explained(call_id, started_at, Step(*steps[:5]), Step(*steps[5:]), is_exact)


def as_json(explained: Explained) -> dict[str, Any]:
    """The stable form of `--json`: times are ISO 8601 in UTC."""

    def plain(value: object) -> object:
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat()
        return {name: plain(one) for name, one in vars(value).items()} if isinstance(value, Step) else value

    return {name: plain(value) for name, value in vars(explained).items()}


def lines(explained: Explained, zone: str) -> Iterator[str]:
    """It as lines for an operator, times in a zone."""

    def local(moment: datetime | None) -> str:
        return moment.astimezone(zone_of(zone)).strftime("%Y-%m-%d %H:%M:%S") if moment else "unknown"

    def told(step: Step) -> str:
        window = "asked for by its id"
        if step.window_start and step.window_end:
            window = f"window {local(step.window_start)} to {local(step.window_end)}"
        return f"{local(step.loaded_at)} by run {step.run_id} (callsync {step.command}), {window}"

    yield f"{explained.call_id}: started {local(explained.started_at)}"
    yield f"  brought       {told(explained.brought)}{'' if explained.is_exact else ', or later'}"
    yield f"  last changed  {told(explained.last_changed)}{'' if explained.is_exact else ', or earlier'}"
