"""The tables that a warehouse has: callsync's own, and those of every provider with every column.

Left to itself DuckDB looks in every column of texts for those that come again, which takes most of what an
insert takes. Where hardly any does, it is told how to store them: what rows are found by as it is, because
that is searched in again and again; other ids and addresses packed.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from pipelines import call_keys
from sources.provider import Provider
from sources.schemas import json_columns_of, schemas_of

_AS_IT_IS = "using compression uncompressed"
_PACKED = "using compression zstd"

OWN_TABLES = f"""
create schema if not exists callsync;
create table if not exists callsync.runs (
    run_id varchar primary key, command varchar, started_at timestamptz, finished_at timestamptz,
    status varchar, exit_code integer, changed boolean, calls bigint, error varchar
);
create table if not exists callsync.run_accounts (
    run_id varchar, account varchar, status varchar, windows bigint, calls bigint, rejected bigint,
    warnings bigint, error varchar, finished_at timestamptz
);
create table if not exists callsync.accounts (
    provider varchar, account varchar, name varchar primary key, start_date timestamptz,
    "cursor" timestamptz, finished json, updated_at timestamptz
);
create table if not exists callsync.call_origins (
    provider varchar, account varchar, provider_call_id varchar {_AS_IT_IS}, content ubigint,
    first_run_id varchar, first_loaded_at timestamptz, last_run_id varchar, last_loaded_at timestamptz,
    is_exact boolean
);
create table if not exists callsync.phone_numbers (
    number varchar {_AS_IT_IS}, e164 varchar, region varchar, kind varchar, is_valid boolean
);
create table if not exists callsync.recording_files (
    call_id varchar, position bigint, provider varchar, account varchar, recording_id varchar, source varchar,
    started_at timestamptz, status varchar, path varchar, bytes bigint, sha256 varchar, content_type varchar,
    error varchar, attempts bigint, first_tried_at timestamptz, tried_at timestamptz, fetched_at timestamptz,
    expired_at timestamptz, primary key (call_id, position)
);
create table if not exists callsync.meta (key varchar primary key, value varchar);
"""

_ARROW_TO_SQL = {
    pa.string(): "varchar",
    pa.int64(): "bigint",
    pa.bool_(): "boolean",
    pa.timestamp("us", tz="UTC"): "timestamptz",
}


def create_tables(connection: duckdb.DuckDBPyConnection, providers: Iterable[Provider]) -> None:
    """Create what is missing: callsync's own tables, and every table of every provider with every column."""
    connection.execute(OWN_TABLES)
    existing = set(
        connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    )
    for provider in providers:
        connection.execute(f"create schema if not exists {provider.name}")
        json_columns, unique = json_columns_of(provider), provider.unique_columns()
        for name, schema in schemas_of(provider).items():
            if (f"{provider.name}.{name}",) not in existing:
                key = provider.calls.key if name in provider.calls.schemas() else None
                columns = ", ".join(
                    _column(
                        field,
                        is_json=field.name in json_columns.get(name, ()),
                        is_key=field.name == key,
                        is_unique=(name, field.name) in unique,
                    )
                    for field in schema
                )
                connection.execute(f"create table if not exists {provider.name}.{name} ({columns})")


def create_kept(connection: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
    """Create or replace an empty table that is to keep the rows of a select."""
    *_, call_id = call_keys.KEY
    columns = ", ".join(
        f'"{column}" {type_} {_AS_IT_IS if column == call_id else ""}'
        for column, type_, *_ in connection.execute(f"describe {select}").fetchall()
    )
    connection.execute(f"create or replace table {name} ({columns})")


def _column(field: pa.Field, *, is_json: bool, is_key: bool, is_unique: bool) -> str:
    if is_json:
        type_ = "json"
    elif pa.types.is_decimal(field.type):
        type_ = f"decimal({field.type.precision}, {field.type.scale})"
    else:
        type_ = _ARROW_TO_SQL[field.type]
    stored = ""
    if type_ == "varchar":
        stored = _AS_IT_IS if is_key else _PACKED if is_unique else ""
    return f'"{field.name}" {type_} {stored}'
