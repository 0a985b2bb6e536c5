"""The tables that a provider's dlt schema holds, with their columns."""

from __future__ import annotations

import pyarrow as pa

from sources.provider import Provider

WINDOWS = "callsync_windows"
REJECTS = "callsync_rejects"
TOMBSTONE = "is_tombstone"
"""Column of child tables that is only ever set on rows which delete and are not kept."""

_UTC = pa.timestamp("us", tz="UTC")
WINDOWS_SCHEMA = pa.schema(
    {
        "account": pa.string(),
        "kind": pa.string(),
        "window_start": _UTC,
        "window_end": _UTC,
        "rows": pa.int64(),
        "provider_total": pa.int64(),
        "warnings": pa.int64(),
        "run_id": pa.string(),
        "loaded_at": _UTC,
    }
)
REJECTS_SCHEMA = pa.schema(
    {
        "reject_id": pa.string(),
        "account": pa.string(),
        "endpoint": pa.string(),
        "reason": pa.string(),
        "payload": pa.string(),
        "window": pa.string(),
        "seen_at": _UTC,
        "replayed_at": _UTC,
    }
)


def schemas_of(provider: Provider) -> dict[str, pa.Schema]:
    """Every table that the provider's schema holds, by name, with the columns it has from the start."""
    schemas = {WINDOWS: WINDOWS_SCHEMA, REJECTS: REJECTS_SCHEMA}
    for record_type in provider.record_types:
        for name, schema in record_type.schemas().items():
            schemas[name] = (
                schema if name == record_type.table else schema.append(pa.field(TOMBSTONE, pa.bool_()))
            )
    return schemas


def json_columns_of(provider: Provider) -> dict[str, tuple[str, ...]]:
    """The columns of each table whose text is JSON."""
    columns: dict[str, tuple[str, ...]] = {REJECTS: ("payload",)}
    for record_type in provider.record_types:
        columns |= record_type.json_columns()
    return columns
