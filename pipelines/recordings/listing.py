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
from pipelines.recordings import aligning
from pipelines.recordings.bookkeeping import table_of
from pipelines.recordings.outcome import COLUMNS, Outcome, Status
from pipelines.warehouse import has_table
from sources.account import Account
from sources.recordings import NO_ADDRESS, Recording

_AT_ONCE = 500

_LISTED = ("call_id", "position", "provider", "account", "recording_id", "url", "started_at")

_KEPT = f"""
create temp table kept as
select * from outcomes
where status <> '{Status.MOVED}'
union all by name
select {{columns}} from {{files}} as files
where not exists (
    select 1 from outcomes
    where outcomes.call_id = files.call_id and outcomes.position = files.position
)
"""

_SIGNATURES = (
    "x-(amz|goog|oss|cos|ms)-.*|q-(sign-.*|ak|key-time|header-list|url-param-list)|awsaccesskeyid|googleaccessid"
    "|ossaccesskeyid|signature|sign|sig|hmac|expires?|expiry|exp|key-pair-id|policy|(access_?)?token|timestamp"
    "|nonce|s[eprtv]|spr|sip|skoid|sktid|skt|ske|sks|skv"
)
"""What storage and its gateways sign addresses with: another one each time, for the same recording."""

_SOURCE = f"""
create temp macro address_of(url) as split_part(url, '?', 1);
create temp macro query_of(url) as array_to_string(
    list_sort([
        part for part in string_split(split_part(substr(url, length(address_of(url)) + 2), '#', 1), '&')
        if not regexp_full_match(split_part(part, '=', 1), '{_SIGNATURES}|', 'i')
    ]),
    '&'
);
create temp macro source_of(recording_id, url) as coalesce(
    nullif(recording_id, ''),
    address_of(url) || if(query_of(url) = '', '', '?' || left(sha256(query_of(url)), 16)),
    ''
)
"""
"""What tells recordings of a call apart. A query may name a person, or hold a secret: its hash is enough."""

_ALL = """
listed as (
    select
        *,
        source_of(recording_id, url) as source,
        coalesce(nullif(recording_id, ''), address_of(url), '') as address
    from reporting.recordings
    where provider || '.' || account in (select unnest($accounts))
)
"""

_SHIFTED = f"""
create temp table shifted as
with
{_ALL}
select distinct listed.call_id from listed
inner join kept on listed.call_id = kept.call_id
where
    (listed.position = kept.position and listed.source <> kept.source)
    or (listed.position <> kept.position and listed.source = kept.source)
"""

_KNOWN_BY_ADDRESS = f"""
with
{_ALL},

earlier as (
    select distinct listed.call_id from listed
    inner join kept on listed.call_id = kept.call_id and listed.address = kept.source
    where listed.source <> kept.source
),

once as (
    select
        call_id,
        address,
        any_value(source) as source
    from listed
    where call_id in (select call_id from earlier)
    group by call_id, address
    having count(*) = 1
)

update kept set source = once.source from once
where kept.call_id = once.call_id and kept.source = once.address
"""
"""Earlier versions kept nothing of a query: where one recording of a call has that address, it is that."""

_OF_SHIFTED = f"""
with
{_ALL}
select call_id, position, source from listed
where call_id in (select call_id from shifted)
"""

_ROWS_OF_SHIFTED = """
select {columns} from kept
where call_id in (select call_id from shifted)
order by call_id, position
"""

_WANTED = f"""
with
{_ALL},

wanted as (
    select
        {{listed}},
        listed.source,
        {{kept}},
        row_number() over (
            partition by listed.provider, listed.account
            order by coalesce(kept.attempts, 0), listed.started_at, listed.call_id, listed.position
        ) as turn
    from listed
    left join kept on listed.call_id = kept.call_id and listed.position = kept.position
    where
        (
            kept.status is null or kept.status = 'failed'
            or (kept.status = 'gone' and $retry_gone)
            or (kept.status = 'gone' and kept.error = $no_address and listed.url <> '')
            or (kept.status in ('held', 'gone') and kept.source <> listed.source)
        )
        and ($kept_from is null or listed.started_at is null or listed.started_at >= $kept_from)
        and ($start is null or listed.started_at >= $start)
        and ($end is null or listed.started_at < $end)
),

chosen as (select * from wanted order by turn, provider, account {{limit}}),

files as (
    select
        kept.call_id,
        list(row(kept.position, kept.path, kept.bytes, kept.sha256, listed.call_id is not null)) as files
    from kept
    left join listed on kept.call_id = listed.call_id and kept.position = listed.position
    where kept.path is not null and kept.call_id in (select call_id from chosen)
    group by kept.call_id
)
"""

_EXPIRED = """
select {kept} from kept
where
    path is not null and started_at < $kept_from
    and ($is_everyone or provider || '.' || account in (select unnest($accounts)))
order by started_at, call_id, position
"""


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
        query = _EXPIRED.format(kept=", ".join(COLUMNS))
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
        self._connection.execute(_KNOWN_BY_ADDRESS, accounts)
        self._connection.execute(_SHIFTED, accounts)
        listed: defaultdict[str, dict[int, str]] = defaultdict(dict)
        for call_id, position, source in self._connection.execute(_OF_SHIFTED, accounts).fetchall():
            listed[call_id][position] = source
        query = _ROWS_OF_SHIFTED.format(columns=", ".join(COLUMNS))
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
        return _WANTED.format(listed=listed, kept=kept, limit="" if most is None else f"limit {most:d}")

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
        connection.execute(_KEPT.format(columns=", ".join(COLUMNS), files=files))
        connection.execute(_SOURCE)
        yield Listing(connection, selection)


def _outcome(row: Sequence[Any]) -> Outcome:
    known = dict(zip(COLUMNS, row, strict=True))
    return Outcome(**{**known, "status": Status(known["status"])})
