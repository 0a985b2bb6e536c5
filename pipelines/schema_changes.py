"""What providers send otherwise than their documents say, as the warehouse's own rows show it.

    extra            a name no document knows ──▶ undocumented; a documented one ──▶ unreadable
    words            one that no document knows ──▶ unknown_word
    newest calls     a column that they all lack and earlier ones had ──▶ vanished

Nothing is counted while data is loaded, so no count is lost or doubled by a run that ends early: the rows are
asked. Those without an `extra` cost nothing, and of the others DuckDB reads some million a second.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from sources.printing import printable
from sources.provider import Provider
from sources.registry import PROVIDERS
from sources.shaping.fields import Field, Kind, RecordType
from sources.zones import zone_of

NEWEST = 5_000
"""Calls of an account in which a column is looked for."""

CERTAIN = 100.0
"""How unlikely it has to be that calls lack a column by chance, as its negative logarithm.

Twenty calls are enough for a column that all had before, a hundred for one that six in ten had. It is much,
because calls resemble their neighbours: at night nobody answers any.
"""

MOST_NAMED = 50
"""Findings of one kind in one table and account: a provider may make up names by the thousand."""

_MEANINGS: Mapping[Kind, str] = {
    Kind.TEXT: "text",
    Kind.INTEGER: "a whole number",
    Kind.SECONDS: "a number of seconds",
    Kind.DECIMAL: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.RFC3339: "a time",
    Kind.LOCAL_TIME: "a time",
    Kind.EPOCH_MS: "a time",
}


@dataclass(frozen=True)
class SchemaChange:
    """One thing that the records of an account have otherwise than documented.

    Attributes:
        table: where it is seen, without the provider's schema.
        field: its name on the wire.
        kind: what it is.
        calls: calls that have it, or names; of a vanished field, the newest rows that lack it.
        since: when the first of the calls started, where that is known.
        value: the word that is not known.
        meaning: what the field should be.
        reported_unknown: of the calls with an unknown word, those with an unknown outcome or direction.
    """

    table: str
    field: str
    kind: Literal["undocumented", "unreadable", "unknown_word", "vanished"]
    calls: int
    since: datetime | None
    value: str | None = None
    meaning: str | None = None
    reported_unknown: int = 0

    def text(self, zone: str) -> str:
        """It as a line for an operator, days in a zone."""
        calls = f"{self.calls:,} {'call' if self.calls == 1 else 'calls'}"
        if self.since:
            calls += f" since {self.since.astimezone(zone_of(zone)):%Y-%m-%d}"
        field = f"`{printable(self.field)}` of {self.table}"
        match self.kind:
            case "undocumented":
                return f"{calls} carry an undocumented field {field} (kept in extra)"
            case "unreadable":
                return f"{field} could not be read as {self.meaning} in {calls} (kept in extra)"
            case "unknown_word":
                counted = f", {self.reported_unknown:,} reported as unknown" if self.reported_unknown else ""
                return f"{field} is `{printable(self.value or '')}`, a word not known, in {calls}{counted}"
            case "vanished":
                return f"{field} no longer comes: the last {self.calls:,} lack it, and earlier ones had it"


@dataclass(frozen=True)
class _Form:
    """One form of an account's records: several may fill the same table, each with its own times."""

    provider: str
    record_type: RecordType
    account: str

    @property
    def at(self) -> str:
        """When a call started; NULL for names."""
        times = [f'root."{name}"' for name in self.record_type.times]
        return (
            f"coalesce({', '.join(times)})" if len(times) > 1 else times[0] if times else "null::timestamptz"
        )

    @property
    def root(self) -> str:
        """What follows `from`: the rows of this form in their table."""
        of_this_form = f" and {self.at} is not null" if self.record_type.times else ""
        return f"{self.provider}.{self.record_type.table} as root where root.account = $account{of_this_form}"

    @property
    def key(self) -> str:
        """The column that names a row."""
        return self.record_type.key_column


def found(connection: duckdb.DuckDBPyConnection, selector: str) -> list[SchemaChange]:
    """Everything of an account, `provider.account`, that is otherwise than documented."""
    name, account = selector.split(".", 1)
    provider = PROVIDERS.get(name)
    return list(_of_account(connection, provider, account)) if provider else []


def _of_account(
    connection: duckdb.DuckDBPyConnection, provider: Provider, account: str
) -> Iterator[SchemaChange]:
    for record_type in provider.record_types:
        form = _Form(provider.name, record_type, account)
        if record_type.keeps_unknown:
            yield from _in_extra(connection, form)
        yield from _unknown_words(connection, form)
        if record_type.times:
            yield from _vanished(connection, form)


def _in_extra(connection: duckdb.DuckDBPyConnection, form: _Form) -> Iterator[SchemaChange]:
    record_type, values = form.record_type, {"account": form.account}
    meanings = {field.wire_name: _MEANINGS.get(field.kind, "JSON") for field in record_type.fields}
    lists = {child.source: "one object" if child.single else "a list" for child in record_type.children}
    rows = connection.execute(
        f"""
        select name, count(*) as calls, min(began) as since
        from (
            select unnest(json_keys(root.extra)) as name, {form.at} as began
            from {form.root} and extra is not null
        )
        group by name order by calls desc, name limit {MOST_NAMED}
        """,
        values,
    ).fetchall()
    for change in _named(record_type.table, rows, meanings | lists):
        # Names of hotlines, members and users are documented in part only, and no count depends on them.
        if record_type.times or change.kind == "unreadable":
            yield change
    for child in record_type.children:
        if child.is_scalar:
            continue
        table = record_type.child_table(child)
        rows = connection.execute(
            f"""
            select item.name, count(distinct item.call) as calls, min({form.at}) as since
            from (
                select {form.key} as call, unnest(json_keys(extra)) as name
                from {form.provider}.{table} where account = $account and extra is not null
            ) as item, {form.root} and root.{form.key} = item.call
            group by item.name order by calls desc, item.name limit {MOST_NAMED}
            """,
            values,
        ).fetchall()
        yield from _named(
            table, rows, {field.wire_name: _MEANINGS.get(field.kind, "JSON") for field in child.fields}
        )


def _named(
    table: str, rows: Sequence[tuple[str, int, datetime | None]], meanings: Mapping[str, str]
) -> Iterator[SchemaChange]:
    for name, calls, since in rows:
        if name in meanings:
            yield SchemaChange(table, name, "unreadable", calls, since, meaning=meanings[name])
        else:
            yield SchemaChange(table, name, "undocumented", calls, since)


def _unknown_words(connection: duckdb.DuckDBPyConnection, form: _Form) -> Iterator[SchemaChange]:
    for field in form.record_type.fields:
        if not field.words:
            continue
        word = f'root."{field.name}"'
        rows = connection.execute(
            f"""
            with words as (
                select {word} as word, {form.at} as began, cast(root.{form.key} as varchar) as call
                from {form.root} and upper(trim({word})) not in (select unnest($words))
            ),
            reported as (
                select provider_call_id, outcome = 'unknown' or direction = 'unknown' as is_unknown
                from callsync.reported_calls
                where provider = $provider and account = $account
                    and (outcome = 'unknown' or direction = 'unknown')
            )
            select word, count(*) as calls, min(began) as since, count(is_unknown) as unknown
            from words left join reported on words.call = reported.provider_call_id
            group by word order by calls desc, word limit {MOST_NAMED}
            """,
            {
                "account": form.account,
                "provider": form.provider,
                "words": [known.upper() for known in field.words],
            },
        ).fetchall()
        for value, calls, since, unknown in rows:
            yield SchemaChange(
                form.record_type.table, field.wire_name, "unknown_word", calls, since,
                value=value, reported_unknown=unknown,
            )  # fmt: skip


def _vanished(connection: duckdb.DuckDBPyConnection, form: _Form) -> Iterator[SchemaChange]:
    """Fields of calls, their lists, and fields of those, that the newest calls lack and earlier ones had."""
    record_type, values = form.record_type, {"account": form.account}
    fields = [field for field in record_type.fields if field.name not in record_type.fading]
    newest = connection.sql(
        f"select root.{form.key} as call, {form.at} as began, {_quoted(field.name for field in fields)} "
        f"from {form.root} order by began desc limit {NEWEST}",
        params=values,
    ).to_arrow_table()
    if not newest.num_rows:
        return
    yield from _lacking(connection, form, newest, fields, record_type.table, form.root)
    numbered = newest.select(["call"]).append_column("nth", pa.array(range(newest.num_rows)))
    for child in record_type.children:
        table = record_type.child_table(child)
        rows = f"{form.provider}.{table} as child"
        connection.register("newest_calls", numbered)
        items = connection.sql(
            f"select nth, {_quoted(field.name for field in child.fields)} from {rows} "
            f"inner join newest_calls on child.{form.key} = newest_calls.call "
            "where child.account = $account order by nth",
            params=values,
        ).to_arrow_table()
        connection.unregister("newest_calls")
        yield from _lacking(
            connection, form, items, child.fields, table, f"{rows} where child.account = $account"
        )
        first = items.column("nth")[0].as_py() if items.num_rows else newest.num_rows
        if _may_be_certain(first):
            ((calls, total),) = connection.execute(
                f"select count(distinct {form.key}), (select count(*) from {form.root}) "
                f"from {rows} where child.account = $account",
                values,
            ).fetchall()
            if _is_certain(first, calls, total):
                yield SchemaChange(record_type.table, child.source, "vanished", first, None)


def _lacking(
    connection: duckdb.DuckDBPyConnection,
    form: _Form,
    newest: pa.Table,
    fields: Sequence[Field],
    table: str,
    rows: str,
) -> Iterator[SchemaChange]:
    """The fields that lead with NULLs in the newest rows, and were common in all."""
    lacking = {field: _leading_nulls(newest.column(field.name)) for field in fields}
    suspects = {field: count for field, count in lacking.items() if _may_be_certain(count)}
    if suspects:
        counts = ", ".join(f'count("{field.name}")' for field in suspects)
        ((total, *had),) = connection.execute(
            f"select count(*), {counts} from {rows}", {"account": form.account}
        ).fetchall()
        for (field, count), calls in zip(suspects.items(), had, strict=True):
            if _is_certain(count, calls, total):
                yield SchemaChange(table, field.wire_name, "vanished", count, None)


def _leading_nulls(column: pa.ChunkedArray) -> int:
    first = pc.index(column.is_valid(), True).as_py()
    return len(column) if first < 0 else int(first)


def _may_be_certain(lacking: int) -> bool:
    return _is_certain(lacking, 1, lacking + 1)


def _is_certain(lacking: int, had: int, total: int) -> bool:
    """Whether so many in a row lack by no chance what others of all had."""
    before = total - lacking
    share = had / before if before > 0 else 0.0
    return -math.log(1.005 - min(share, 1.0)) * lacking >= CERTAIN


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
