"""Data tests that follow from what a provider's tables are, so that a new provider has them by itself.

Each is a select that returns offending rows, as the files of `sql/tests/` are.
"""

from __future__ import annotations

from pipelines.views import View, stack
from sources.provider import Provider


def of(provider: Provider) -> list[View]:
    """The tests of a provider's calls and of the lists inside them."""
    calls, *lists = provider.calls.schemas()
    key = provider.calls.key_column
    return [
        View(f"{provider.name}_keys_are_unique", _keys_are_unique(provider.name, calls, lists, key)),
        View(
            f"{provider.name}_children_have_parents", _children_have_parents(provider.name, calls, lists, key)
        ),
        View(f"{provider.name}_positions_are_dense", _positions_are_dense(provider.name, lists, key)),
        View(f"{provider.name}_calls_are_reported", _calls_are_reported(provider.name, calls, key)),
    ]


def _keys_are_unique(schema: str, calls: str, lists: list[str], key: str) -> str:
    """A call, or a child with its position, that is there more than once."""
    return stack(
        f"select '{table}' as table_name, account, cast({key} as varchar) as provider_call_id, "
        f"{position} as position, count(*) as row_count "
        f"from {schema}.{table} group by account, {key}, {position} having count(*) > 1"
        for table, position in [(calls, "cast(null as bigint)"), *((table, "position") for table in lists)]
    )


def _children_have_parents(schema: str, calls: str, lists: list[str], key: str) -> str:
    """A child that outlived its call."""
    return stack(
        f"select '{table}' as table_name, account, cast({key} as varchar) as provider_call_id, position "
        f"from {schema}.{table} anti join {schema}.{calls} using (account, {key})"
        for table in lists
    )


def _positions_are_dense(schema: str, lists: list[str], key: str) -> str:
    """The children of a call that are not numbered 0, 1, 2, … without a hole."""
    return stack(
        f"select '{table}' as table_name, account, cast({key} as varchar) as provider_call_id, "
        "count(*) as row_count, min(position) as lowest_position, max(position) as highest_position "
        f"from {schema}.{table} group by account, {key} "
        "having min(position) <> 0 or max(position) <> count(*) - 1 or count(position) <> count(*)"
        for table in lists
    )


def _calls_are_reported(schema: str, calls: str, key: str) -> str:
    """A call that is no row of reporting.calls, and a row that is no call."""
    stored = f"select account, cast({key} as varchar) as provider_call_id from {schema}.{calls}"
    reported = f"select account, provider_call_id from reporting.calls where provider = '{schema}'"
    return f"({stored} except {reported}) union all ({reported} except {stored})"
