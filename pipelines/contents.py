"""The contents of calls as tables that can be compared: `shown` by a provider, `held` by the warehouse.

Both are temporary tables of one connection, one row a call: its id, the first and last of its times, and a
hash over its row and those of its children. DuckDB keeps what does not fit into memory on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

import duckdb
import pyarrow as pa

from sources.provider import Provider
from sources.windows import Window

PART = "part_"
"""What the names of tables begin with that are in memory."""


class Difference(NamedTuple):
    """A call that is `missing`, `changed` or `gone`, with the first and the last of its times."""

    kind: str
    call_id: str
    first_at: datetime
    last_at: datetime


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget what was compared before."""
    for name in ("shown", "held"):
        connection.execute(
            f"create or replace temp table {name} "
            "(id varchar, first_at timestamptz, last_at timestamptz, content ubigint)"
        )


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table]) -> Iterator[None]:
    """Tables in memory as `part_` and their names."""
    for name, table in tables.items():
        connection.register(PART + name, table)
    try:
        yield
    finally:
        for name in tables:
            connection.unregister(PART + name)


def add_shown(
    connection: duckdb.DuckDBPyConnection, provider: Provider, tables: Mapping[str, pa.Table]
) -> None:
    """Add calls as they were read and shaped; of a call that two windows show the later read counts."""
    calls = provider.calls
    with registered(connection, tables):
        connection.execute(
            f"delete from shown using {PART}{calls.table} as part "
            f"where shown.id = cast(part.{calls.key_column} as varchar)"
        )
        connection.execute(f"insert into shown {select(provider, PART, 'true')}")


def leave_out_of_shown(connection: duckdb.DuckDBPyConnection, windows: Sequence[Window]) -> None:
    """Forget the calls that were shown and have no time in these windows."""
    inside = " or ".join("(last_at >= ? and first_at < ?)" for _ in windows)
    borders = [border for window in windows for border in (window.start, window.end)]
    connection.execute(f"delete from shown where not ({inside})", borders)


def add_held(
    connection: duckdb.DuckDBPyConnection, provider: Provider, account: str, windows: Sequence[Window]
) -> None:
    """Add the warehouse's calls: those that were shown, and those whose times lie in the windows.

    A call that it has more than once has no content, and so differs.
    """
    connection.execute(
        "create or replace temp table windows (window_start timestamptz, window_end timestamptz)"
    )
    if windows:
        connection.executemany(
            "insert into windows values (?, ?)", [(window.start, window.end) for window in windows]
        )
    connection.execute(
        f"""
        insert into held
        select id, min(first_at), max(last_at), case when count(*) = 1 then max(content) end
        from ({select(provider, f"{provider.name}.", "account = $account")}) as contents
        where id in (select id from shown) or (
            exists (select 1 from windows where first_at >= window_start and first_at < window_end)
            and exists (select 1 from windows where last_at >= window_start and last_at < window_end)
        )
        group by id
        """,
        {"account": account},
    )


def counts(connection: duckdb.DuckDBPyConnection) -> dict[datetime, tuple[int, int]]:
    """By start of window: how many calls are shown and held with their first time in it."""
    rows = connection.execute(
        """
        with calls as (
            select id, first_at, 1 as shown, 0 as held from shown
            union all
            select id, first_at, 0 as shown, 1 as held from held
        )
        select window_start, sum(shown), sum(held)
        from windows inner join calls on first_at >= window_start and first_at < window_end
        group by window_start
        """
    ).fetchall()
    return {start: (int(shown), int(held)) for start, shown, held in rows}


def differences(connection: duckdb.DuckDBPyConnection) -> list[Difference]:
    """The calls of which the provider and the warehouse have not the same, in the order of time."""
    rows = connection.execute(
        """
        select
            case
                when held.id is null then 'missing'
                when shown.id is null then 'gone'
                else 'changed'
            end as kind,
            coalesce(shown.id, held.id),
            coalesce(shown.first_at, held.first_at) as first_at,
            coalesce(shown.last_at, held.last_at)
        from shown full outer join held on shown.id = held.id
        where shown.content is distinct from held.content
        order by first_at, 2
        """
    ).fetchall()
    return [Difference(*row) for row in rows]


def select(provider: Provider, prefix: str, where: str) -> str:
    """The select that gives one row a call from tables whose names begin with a prefix.

    Its columns are `id`, `first_at`, `last_at` and `content`.
    """
    calls = provider.calls
    # A table may hold several forms of a call, each with times of its own.
    forms = [form for form in provider.record_types if form.table == calls.table]
    key, times = calls.key_column, ", ".join(dict.fromkeys(time for form in forms for time in form.times))
    json_columns = calls.json_columns()

    def content(name: str, schema: pa.Schema) -> str:
        columns = [
            f'cast("{column}" as varchar)' if column in json_columns[name] else f'"{column}"'
            for column in schema.names
            if column not in calls.fading
        ]
        return f"hash({', '.join(columns)})"

    schemas = calls.schemas()
    parts, joins = [], []
    for number, (name, schema) in enumerate(schemas.items()):
        if name != calls.table:
            parts.append(f"child_{number}.content")
            joins.append(
                f"left join (select {key}, sum({content(name, schema)}) as content from {prefix}{name} "
                f"where {where} group by {key}) as child_{number} on child_{number}.{key} = root.{key}"
            )
    whole = ", ".join(["root.content", *parts])
    return f"""
        select cast(root.{key} as varchar) as id, first_at, last_at, hash({whole}) as content
        from (
            select {key}, least({times}) as first_at, greatest({times}) as last_at,
                {content(calls.table, schemas[calls.table])} as content
            from {prefix}{calls.table} where {where}
        ) as root
        {" ".join(joins)}
    """
