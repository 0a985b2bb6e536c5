"""The tables that a warehouse has: callsync's own, and those of every provider with every column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa

OWN_TABLES = """
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
    provider varchar, account varchar, provider_call_id varchar, content ubigint,
    first_run_id varchar, first_loaded_at timestamptz, last_run_id varchar, last_loaded_at timestamptz,
    is_exact boolean
);
create table if not exists callsync.phone_numbers (
    number varchar, e164 varchar, region varchar, kind varchar, is_valid boolean
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


def create_tables(
    connection: duckdb.DuckDBPyConnection,
    schemas: Mapping[str, Mapping[str, pa.Schema]],
    json_columns: Mapping[str, Mapping[str, Sequence[str]]],
) -> None:
    """Create what is missing: callsync's own tables, and every table of every provider with every column."""
    connection.execute(OWN_TABLES)
    existing = set(
        connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
        ).fetchall()
    )
    for schema_name, tables in schemas.items():
        connection.execute(f"create schema if not exists {schema_name}")
        for name, schema in tables.items():
            if (f"{schema_name}.{name}",) not in existing:
                columns = ", ".join(
                    f'"{field.name}" {_sql_type(field, json_columns[schema_name].get(name, ()))}'
                    for field in schema
                )
                connection.execute(f"create table if not exists {schema_name}.{name} ({columns})")


def _sql_type(field: pa.Field, json_columns: Sequence[str]) -> str:
    if field.name in json_columns:
        return "json"
    if pa.types.is_decimal(field.type):
        return f"decimal({field.type.precision}, {field.type.scale})"
    return _ARROW_TO_SQL[field.type]
