"""What is wanted and what is held, by the published copy and the journal together."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from pipelines import opening
from pipelines.recordings import aligning, questions
from pipelines.recordings.bookkeeping import table_of
from pipelines.recordings.outcome import COLUMNS, Outcome, Status
from pipelines.warehouse import has_table
from sources.account import Account
from sources.recordings import NO_ADDRESS, Recording

_AT_ONCE = 500

_LISTED = ("call_id", "position", "provider", "account", "recording_id", "url", "started_at")


@dataclass(frozen=True)
class Selection:
    """Which recordings a run is about; times in UTC, ranges are of the call's start.

    Attributes:
        accounts: whose.
        is_everyone: files of accounts that are no longer configured are past their retention too.
        start: only those from then on.
        end: only those before.
        kept_from: earlier ones are past their retention.
        limit: how many at most.
        retry_gone: also what the provider had no more.
    """

    accounts: tuple[Account, ...]
    is_everyone: bool = False
    start: datetime | None = None
    end: datetime | None = None
    kept_from: datetime | None = None
    limit: int | None = None
    retry_gone: bool = False


class File(NamedTuple):
    """A file of a call's recordings, and whether the provider still lists what it is of."""

    position: int
    path: str
    bytes: int
    sha256: str
    is_listed: bool


@dataclass(frozen=True)
class Wanted:
    """A recording to fetch.

    Attributes:
        source: what it is told from others by.
        before: what became of it before.
        files: what is held of the same call.
    """

    recording: Recording
    source: str
    before: Outcome | None = None
    files: tuple[File, ...] = ()


class Listing:
    """The recordings of a warehouse as they are when it is opened; may be used by several threads.

    Attributes:
        moved: rows that stand under another position than in the warehouse, and the positions they left.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, selection: Selection) -> None:
        self._connection = connection
        self._selection = selection
        self._lock = threading.Lock()
        self._wanted: Iterator[Wanted] | None = None
        self.moved = self._align()

    def counts(self) -> dict[str, int]:
        """How many are wanted of each account."""
        count = "select provider || '.' || account as name, count(*) from chosen group by 1"
        found = dict(self._connection.execute(f"{self._query()} {count}", self._parameters()).fetchall())
        return {str(account): found.get(str(account), 0) for account in self._selection.accounts}

    def next(self) -> Wanted | None:
        """The next one: accounts by turns, the least tried first, and of those the oldest.

        A provider deletes the oldest first, and what fails again and again must not keep others waiting.
        """
        with self._lock:
            if self._wanted is None:
                self._wanted = self._read()
            return next(self._wanted, None)

    def expired(self) -> list[Outcome]:
        """Files that are past their retention."""
        if self._selection.kept_from is None:
            return []
        query = questions.EXPIRED.format(kept=", ".join(COLUMNS))
        parameters = {key: self._parameters()[key] for key in ("accounts", "kept_from")}
        parameters["is_everyone"] = self._selection.is_everyone
        rows = self._connection.execute(query, parameters).fetchall()
        return [_outcome(row) for row in rows]

    def _read(self) -> Iterator[Wanted]:
        every = """
            select chosen.*, files.files from chosen left join files on chosen.call_id = files.call_id
            order by chosen.turn, chosen.provider, chosen.account
        """
        cursor = self._connection.execute(f"{self._query()} {every}", self._parameters())
        while rows := cursor.fetchmany(_AT_ONCE):
            for row in rows:
                listed, (source, *kept) = row[: len(_LISTED)], row[len(_LISTED) : -2]
                before = _outcome(kept) if kept[0] is not None else None
                yield Wanted(Recording(*listed), source, before, tuple(File(*file) for file in row[-1] or ()))

    def _align(self) -> list[Outcome]:
        """Put what is kept under the positions that its recordings are listed under now."""
        accounts = {"accounts": [str(account) for account in self._selection.accounts]}
        self._connection.execute(questions.KNOWN_BY_ADDRESS, accounts)
        self._connection.execute(questions.SHIFTED, accounts)
        listed: defaultdict[str, dict[int, str]] = defaultdict(dict)
        for call_id, position, source in self._connection.execute(questions.OF_SHIFTED, accounts).fetchall():
            listed[call_id][position] = source
        query = questions.ROWS_OF_SHIFTED.format(columns=", ".join(COLUMNS))
        rows = map(_outcome, self._connection.execute(query).fetchall())
        moved = [
            row
            for call_id, known in groupby(rows, key=lambda row: row.call_id)
            for row in aligning.moved(listed[call_id], list(known))
        ]
        self._connection.register("moved", table_of(moved))
        self._connection.execute(
            "delete from kept using moved "
            "where kept.call_id = moved.call_id and kept.position = moved.position"
        )
        self._connection.execute(f"insert into kept by name from moved where status <> '{Status.MOVED}'")
        return moved

    def _query(self) -> str:
        listed = ", ".join(f"listed.{name}" for name in _LISTED)
        kept = ", ".join(f"kept.{name} as kept_{name}" for name in COLUMNS)
        most = self._selection.limit
        return questions.WANTED.format(
            listed=listed, kept=kept, limit="" if most is None else f"limit {most:d}"
        )

    def _parameters(self) -> dict[str, Any]:
        chosen = self._selection
        return {
            "accounts": [str(account) for account in chosen.accounts],
            "start": chosen.start,
            "end": chosen.end,
            "kept_from": chosen.kept_from,
            "retry_gone": chosen.retry_gone,
            "no_address": NO_ADDRESS,
        }


@contextmanager
def opened(path: Path, journal: Sequence[Outcome], selection: Selection) -> Iterator[Listing]:
    """The recordings of the published copy, and what the journal knows better.

    Raises:
        WarehouseError: nothing was published yet, or it cannot be opened.
    """
    with closing(opening.reading(path)) as connection:
        connection.register("outcomes", table_of(journal))
        # A copy of an earlier version has no such table yet.
        is_kept = has_table(connection, "callsync", "recording_files")
        files = "callsync.recording_files" if is_kept else "outcomes"
        connection.execute(questions.KEPT.format(columns=", ".join(COLUMNS), files=files))
        connection.execute(questions.SOURCE)
        yield Listing(connection, selection)


def _outcome(row: Sequence[Any]) -> Outcome:
    known = dict(zip(COLUMNS, row, strict=True))
    return Outcome(**{**known, "status": Status(known["status"])})
