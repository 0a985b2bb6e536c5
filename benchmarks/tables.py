"""Where callsync and those compared with it keep calls and the lists inside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.processes import answer

PROVIDERS = ("vbot", "etelecom", "voximplant")

LISTS: Mapping[str, tuple[str, ...]] = {
    "vbot": ("caller", "callee"),
    "etelecom": ("call_targets", "recording_urls"),
    "voximplant": ("calls", "records", "other_resource_usage"),
}
ROOTS: Mapping[str, str] = {"vbot": "calls", "etelecom": "call_logs", "voximplant": "call_sessions"}

IDS: Mapping[str, str] = {"vbot": "group_id", "etelecom": "id", "voximplant": "call_session_history_id"}
TEXTS: Mapping[str, str] = {"vbot": "customer_code", "etelecom": "note", "voximplant": "custom_data"}
"""A text of a record that may be anything."""


def tables(provider: str) -> dict[str, str]:
    """By what `benchmarks.serving` counts, the table of callsync's, and of all who follow dlt's names."""
    root = f"{provider}.{ROOTS[provider]}"
    return {"root": root, **{name: f"{root}__{name}" for name in LISTS[provider]}}


def counted(file: Path, tables_by_name: Mapping[str, str]) -> dict[str, int]:
    """The rows of tables of a DuckDB file."""
    columns = ", ".join(
        f'(select count(*) from {table}) as "{name}"'  # noqa: S608 - our own tables
        for name, table in tables_by_name.items()
    )
    rows: dict[str, int] = answer("benchmarks.counting", str(file), f"select {columns}")
    return rows
