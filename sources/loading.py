"""Units into dlt: one resource that yields Arrow tables with their hints, and saves the ledgers beside them.

Root tables are merged by account and key. A child table is merged by its parent's key, so that dlt deletes
a parent's rows before it inserts the new ones; a parent that has no child now sends one tombstone, which
deletes and is not kept. Data, window rows and ledgers of a unit are one load package.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource, DltSource

from sources.account import Account, options_of
from sources.ledger import Ledger
from sources.provider import Provider
from sources.reading import AccountReader
from sources.schemas import REJECTS, REJECTS_SCHEMA, TOMBSTONE, WINDOWS, WINDOWS_SCHEMA
from sources.shaping import Shaped, childless, without_keys
from sources.shaping.fields import RecordType
from sources.units import Span, Unit
from sources.windows import instant


def resource(
    provider: Provider,
    units: Callable[[Mapping[str, Any]], Iterable[Unit]],
    *,
    run_id: str,
    once: bool = False,
) -> DltResource:
    """The dlt resource of a provider's calls and names, over units that are read while dlt extracts.

    Args:
        provider: whose tables are filled.
        units: given the saved state (account name → ledger as JSON), the units to load.
        run_id: written to the window rows.
        once: set where several units of an account are one package: a call that is shown in two of them
            counts once, the first time.
    """

    @dlt.resource(name=provider.calls.table, table_name=provider.calls.table)
    def calls() -> Iterator[Any]:
        ledgers = dlt.current.resource_state().setdefault("accounts", {})
        seen = _Seen() if once else None
        deletes = _deletes()
        for unit in units(ledgers):
            yield from _items(unit, run_id, seen, deletes=deletes)
            ledgers[unit.account.name] = unit.ledger.to_json()

    return calls


def source(provider: Provider, units: Iterable[Unit], *, run_id: str) -> DltSource:
    """The dlt source of units that were read already: at most one of each account.

    It lets go of each when it is extracted: dlt's objects outlive their package, until Python looks for
    garbage.
    """
    left = deque(units)

    def handed_over(_: Mapping[str, Any]) -> Iterator[Unit]:
        while left:
            yield left.popleft()

    @dlt.source(name=provider.name, section=provider.name)
    def calls() -> DltResource:
        return resource(provider, handed_over, run_id=run_id)

    return calls()


def sync_source(provider: Provider, arguments: Mapping[str, Any]) -> DltResource:
    """What a user's own pipeline runs: read an account from where the pipeline's state says it is.

    Args:
        provider: whose API is read.
        arguments: the provider's options by name, `account`, `start_date` and `end_date` as text. Without
            `end_date` it is a sync from `start_date` to now; with it a backfill of `[start_date, end_date)`.

    Raises:
        ConfigError: arguments that cannot work.
    """
    account = Account(provider.name, arguments["account"], options_of(provider.options, arguments))
    end_date = instant(arguments["end_date"]) if arguments["end_date"] else None
    run_id = uuid.uuid4().hex

    def units(ledgers: Mapping[str, Any]) -> Iterator[Unit]:
        now = datetime.now(UTC).replace(microsecond=0)
        ledger = Ledger.from_json(ledgers.get(account.name))
        start: datetime = account.options.start_date
        wanted = Span("backfill", start, min(end_date, now)) if end_date else Span("sync", start, now)
        connection = provider.connect(account, ledger.findings)
        try:
            yield from AccountReader(provider, account, connection, ledger, now=now).units(wanted)
        finally:
            connection.close()

    return resource(provider, units, run_id=run_id, once=True)


class _Seen:
    """Keys that earlier units of the package brought."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], list[pa.Array]] = {}

    def fresh(self, account: str, record_type: RecordType, shaped: Shaped) -> Shaped:
        """The records not brought before, with their children."""
        keys = shaped.tables[record_type.table].column(record_type.key_column).combine_chunks()
        earlier = self._keys.setdefault((account, record_type.table), [])
        if not earlier:
            earlier.append(keys)
            return shaped
        brought = pa.concat_arrays(earlier)
        self._keys[account, record_type.table] = [brought, keys]
        return replace(shaped, tables=without_keys(record_type, shaped.tables, brought))


def _deletes() -> bool:
    """Whether the destination of the running pipeline deletes what a merge replaces: to files dlt appends."""
    destination = dlt.current.pipeline().destination
    if destination is None:
        return True
    return "delete-insert" in (destination.capabilities().supported_merge_strategies or ())


def _items(unit: Unit, run_id: str, seen: _Seen | None, *, deletes: bool) -> Iterator[Any]:
    for record_type, shaped in unit.data:
        fresh = seen.fresh(unit.account.name, record_type, shaped) if seen else shaped
        json_columns = record_type.json_columns()
        for name, table in fresh.tables.items():
            if name == record_type.table:
                yield _marked(table, name, json_columns[name], primary_key=record_type.row_key)
            else:
                rows = _with_tombstones(table, childless(record_type, fresh, name)) if deletes else table
                yield _marked(rows, name, json_columns[name], merge_key=record_type.row_key)
    now = datetime.now(UTC)
    if unit.windows:
        key = ["run_id", "account", "window_start", "window_end"]
        yield _marked(_window_rows(unit, run_id, now), WINDOWS, primary_key=key)
    if unit.rejections:
        yield _marked(_reject_rows(unit, now), REJECTS, ("payload",), primary_key=["reject_id"])


def _marked(
    table: pa.Table,
    name: str,
    json_columns: tuple[str, ...] = (),
    *,
    primary_key: list[str] | None = None,
    merge_key: list[str] | None = None,
) -> Any:
    columns: dict[str, Any] = {column: {"name": column, "data_type": "json"} for column in json_columns}
    if TOMBSTONE in table.column_names:
        columns[TOMBSTONE] = {"name": TOMBSTONE, "hard_delete": True}
    hints = dlt.mark.make_hints(
        table_name=name,
        write_disposition={"disposition": "merge", "strategy": "delete-insert", "deduplicated": True},
        columns=columns,
        primary_key=primary_key,
        merge_key=merge_key,
    )
    return dlt.mark.with_hints(table, hints, create_table_variant=True)


def _with_tombstones(children: pa.Table, parents: pa.Table) -> pa.Table:
    """The children, and one row that only deletes for each parent without any."""
    kept = children.append_column(TOMBSTONE, pa.nulls(children.num_rows, pa.bool_()))
    gone = parents.append_column(TOMBSTONE, pa.repeat(True, parents.num_rows))
    return pa.concat_tables([kept, gone], promote_options="default")


def _window_rows(unit: Unit, run_id: str, now: datetime) -> pa.Table:
    rows = [
        {
            "account": str(unit.account),
            "kind": unit.kind,
            "window_start": read.window.start,
            "window_end": read.window.end,
            "rows": read.rows,
            "provider_total": read.provider_total,
            "warnings": read.warnings,
            "run_id": run_id,
            "loaded_at": now,
        }
        for read in unit.windows
    ]
    return pa.Table.from_pylist(rows, schema=WINDOWS_SCHEMA)


def _reject_rows(unit: Unit, now: datetime) -> pa.Table:
    rows = {}
    for rejection in unit.rejections:
        reject_id = rejection.reject_id(unit.account)
        rows[reject_id] = {
            "reject_id": reject_id,
            "account": str(unit.account),
            "endpoint": rejection.endpoint,
            "reason": rejection.rejected.reason,
            "payload": rejection.rejected.payload.decode(),
            "window": rejection.window,
            "seen_at": rejection.seen_at or now,
            "replayed_at": rejection.replayed_at,
        }
    return pa.Table.from_pylist(list(rows.values()), schema=REJECTS_SCHEMA)
