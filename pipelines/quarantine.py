"""Records that no table could take: what is kept of them, and their replay once callsync can read them.

A replay shapes the stored payloads again. What is readable now is loaded, unless the warehouse has the call
already: a later read of the provider is newer than the quarantine. The record's row in the quarantine is
marked in the same load package. One that its provider has mended is marked when its window is read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb

from sources.account import Account
from sources.ledger import Ledger
from sources.provider import Connection, Provider
from sources.schemas import REJECTS
from sources.shaping import Rejected, Shaped, concat, shape, without_keys
from sources.shaping.fields import RecordType
from sources.units import Rejection, Unit
from sources.windows import Window


@dataclass(frozen=True)
class Quarantined:
    """A record in the quarantine; times in UTC."""

    reject_id: str
    account: str
    endpoint: str
    reason: str
    payload: str
    window: str
    seen_at: datetime
    replayed_at: datetime | None


def listed(connection: duckdb.DuckDBPyConnection, *, with_replayed: bool) -> list[Quarantined]:
    """The records in the quarantine, the newest first."""
    rows = connection.execute(
        'select reject_id, account, endpoint, reason, payload, "window", seen_at, replayed_at '
        "from callsync.rejected_records where replayed_at is null or ? order by seen_at desc, reject_id",
        [with_replayed],
    ).fetchall()
    return [Quarantined(*row) for row in rows]


@dataclass(frozen=True)
class ReadAgain:
    """A window whose content a package brings, and the ids of the records in it that no table takes."""

    account: str
    window: Window
    rejected: tuple[str, ...]


def read_again(units: Sequence[Unit]) -> list[ReadAgain]:
    """The windows that units bring, because they are new or not as they were."""
    return [
        ReadAgain(
            str(unit.account),
            read.window,
            tuple(rejection.reject_id(unit.account) for rejection in unit.rejections),
        )
        for unit in units
        for read in unit.windows
        if read.changed
    ]


def mark_mended(
    connection: duckdb.DuckDBPyConnection, provider: Provider, windows: Sequence[ReadAgain]
) -> None:
    """Mark the records of earlier reads that their window no longer holds: the provider has mended them."""
    waiting = f"select distinct account from {provider.name}.{REJECTS} where replayed_at is null"
    accounts = {account for (account,) in connection.execute(waiting).fetchall()}
    for read in (read for read in windows if read.account in accounts):
        connection.execute(
            f"""
            update {provider.name}.{REJECTS} set replayed_at = $now
            where replayed_at is null and account = $account and endpoint = $endpoint
                and try_cast(split_part("window", '/', 1) as timestamptz) >= $start
                and try_cast(split_part("window", '/', 2) as timestamptz) <= $end
                and not list_contains($rejected, reject_id)
            """,
            {
                "now": datetime.now(UTC), "account": read.account, "endpoint": provider.calls.table,
                "start": read.window.start, "end": read.window.end, "rejected": list(read.rejected),
            },
        )  # fmt: skip


def replayed(
    cursor: duckdb.DuckDBPyConnection,
    provider: Provider,
    account: Account,
    connection: Connection,
    ledger: Ledger,
) -> Unit | None:
    """What has become readable of an account's quarantine; None where nothing has.

    Args:
        cursor: the warehouse.
        provider: the account's.
        account: whose records.
        connection: the open account; nothing is asked.
        ledger: what is known of the account, which a replay does not change.
    """
    rows = cursor.execute(
        f'select endpoint, "window", reason, payload, seen_at from {provider.name}.{REJECTS} '
        "where account = ? and replayed_at is null",
        [str(account)],
    ).fetchall()
    now = datetime.now(UTC)
    readable: dict[str, list[Shaped]] = {}
    marks: list[Rejection] = []
    record_types = {kind.table: kind for kind in (*provider.record_types, connection.calls)}
    for endpoint, window, reason, payload, seen_at in rows:
        if endpoint in record_types:
            shaped = shape(
                record_types[endpoint], [payload.encode()],
                account=account.name, zone=connection.zone, constants=connection.constants,
                privacy=account.privacy,
            )  # fmt: skip
            if not shaped.rejected:
                readable.setdefault(endpoint, []).append(shaped)
                marks.append(Rejection(endpoint, window, Rejected(reason, payload.encode()), seen_at, now))
    if not marks:
        return None
    data = [
        (record_types[endpoint], _new(cursor, account, record_types[endpoint], parts))
        for endpoint, parts in readable.items()
    ]
    return Unit(account, "replay", tuple(data), (), tuple(marks), ledger)


def _new(
    cursor: duckdb.DuckDBPyConnection, account: Account, record_type: RecordType, parts: Sequence[Shaped]
) -> Shaped:
    """The records that the warehouse does not have."""
    shaped = concat(record_type, parts)
    key = record_type.key_column
    cursor.register("readable", shaped.tables[record_type.table].select([key]))
    held = cursor.sql(
        f"select held.{key} from {account.provider}.{record_type.table} as held "
        f"semi join readable on held.{key} = readable.{key} where held.account = $account",
        params={"account": account.name},
    ).to_arrow_table()
    cursor.unregister("readable")
    return replace(shaped, tables=without_keys(record_type, shaped.tables, held.column(key)))
