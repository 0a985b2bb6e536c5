"""How each command ended last, of which the runs of single accounts say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines import notes, opening, warehouse

_LAST = """
with
ended as (
    select run_id, command, started_at, finished_at, status, exit_code, error,
        row_number() over (
            partition by split_part(command, ' ', 1)
            order by coalesce(finished_at, started_at) desc
        ) as nth
    from callsync.runs
)
select run_id, command, started_at, finished_at, status, exit_code, error from ended where nth = 1
"""


@dataclass(frozen=True)
class LastRun:
    """The last run of a command; times in UTC. One without `finished_at` was ended without a word."""

    run_id: str
    command: str
    started_at: datetime
    finished_at: datetime | None
    status: str
    exit_code: int | None
    error: str | None

    @property
    def kind(self) -> str:
        """The command without its arguments."""
        words = self.command.split()
        return " ".join(words[: 2 if words[:1] == ["rejects"] else 1])

    @property
    def ended_at(self) -> datetime:
        """When it ended, or began, where nothing else is known."""
        return self.finished_at or self.started_at


def read(path: Path) -> list[LastRun]:
    """The last run of each command, the newest first; what waits to be entered is among them.

    Raises:
        WarehouseError: the published copy cannot be opened.
    """
    runs: dict[str, LastRun] = {}
    if warehouse.Files(path).published.exists():
        with closing(opening.reading(path)) as connection:
            runs = {row[0]: LastRun(*row) for row in connection.execute(_LAST).fetchall()}
    for note in notes.waiting(path):
        runs[note.run_id] = LastRun(
            note.run_id,
            note.command,
            note.started_at,
            note.finished_at,
            note.status,
            note.exit_code,
            note.error,
        )
    last = {run.kind: run for run in sorted(runs.values(), key=lambda run: run.ended_at)}
    return sorted(last.values(), key=lambda run: run.ended_at, reverse=True)


def as_json(runs: Sequence[LastRun]) -> list[dict[str, Any]]:
    """The stable form of `--json`: times are ISO 8601 in UTC."""
    return [
        {
            "command": run.command,
            "run_id": run.run_id,
            "started_at": run.started_at.astimezone(UTC).isoformat(),
            "finished_at": run.finished_at.astimezone(UTC).isoformat() if run.finished_at else None,
            "status": run.status,
            "exit_code": run.exit_code,
            "error": run.error,
        }
        for run in runs
    ]
