"""Each query of sql/tests finds nothing in a sound warehouse, and finds the offender planted for it."""

from decimal import Decimal
from typing import Any

import pytest

from tests.sql.warehouse import Warehouse, sql_tests, utc

CHILDREN = {
    "vbot": ["calls__caller", "calls__callee", "calls__record_file"],
    "etelecom": ["call_logs__call_targets", "call_logs__recording_urls"],
    "voximplant": ["call_sessions__calls", "call_sessions__records", "call_sessions__other_resource_usage"],
}
ROOTS = {"vbot": "calls", "etelecom": "call_logs", "voximplant": "call_sessions"}
CALLS, LEGS, DAYS = "intermediate.calls", "intermediate.call_legs", "reporting.daily_calls"


def sound_warehouse() -> Warehouse:
    """One finished call at each provider, with two rows in every child table, and an account."""
    warehouse = Warehouse()
    warehouse.insert(
        "vbot.calls",
        account="main",
        group_id="g",
        date_create=utc("2026-03-02T01:00:00"),
        type_call="CALLIN",
        disposition="ANSWER",
        time_call=5,
        duration_call=9,
        postage=Decimal(7),
        currency="VND",
    )
    warehouse.insert(
        "etelecom.call_logs",
        account="hanoi",
        id="1",
        direction="in",
        call_state="not_answered",
        started_at=utc("2026-03-02T01:00:00"),
        ended_at=utc("2026-03-02T01:01:00"),
    )
    warehouse.insert(
        "voximplant.call_sessions",
        account="main",
        call_session_history_id=4,
        start_date=utc("2026-03-02T01:00:00"),
        duration=9,
        finish_reason="Normal termination",
    )
    keys: dict[str, dict[str, Any]] = {
        "vbot": {"account": "main", "group_id": "g"},
        "etelecom": {"account": "hanoi", "id": "1"},
        "voximplant": {"account": "main", "call_session_history_id": 4},
    }
    for provider, tables in CHILDREN.items():
        for table in tables:
            for position in (0, 1):
                warehouse.insert(f"{provider}.{table}", **keys[provider], position=position)
    warehouse.insert(
        "callsync.accounts",
        provider="vbot",
        account="main",
        name="vbot.main",
        start_date=utc("2026-03-01T00:00:00"),
        cursor=utc("2026-03-05T00:00:00"),
        finished='[["2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"]]',
    )
    return warehouse


def bend(warehouse: Warehouse, relation: str, change: str) -> None:
    """Puts a wrong relation in place of the right one: its rows with a change, or others altogether."""
    warehouse.execute(f"create table kept as select * from {relation}")
    warehouse.execute(f"create or replace view {relation} as {change}")


def replaced(column: str, value: str) -> str:
    return f"select * replace ({value} as {column}) from kept"


TWICE = "select * from kept union all select * from kept"
NONE = "select * from kept where false"

PROVIDER_PLANTS = [
    plant
    for provider, children in CHILDREN.items()
    for plant in (
        *(
            (
                f"{provider}_keys_are_unique",
                f"insert into {provider}.{table} select * from {provider}.{table} limit 1",
            )
            for table in (ROOTS[provider], *children)
        ),
        *(
            (f"{provider}_children_have_parents", f"update {provider}.{table} set account = 'gone'")
            for table in children
        ),
        *(
            (f"{provider}_positions_are_dense", f"update {provider}.{table} set position = {change}")
            for table in children
            for change in ("position + 1", "position * 2", "nullif(position, 1)")
        ),
    )
]


def test_nothing_offends_in_a_sound_warehouse() -> None:
    warehouse = sound_warehouse()
    assert {name: rows for name, query in sql_tests().items() if (rows := warehouse.rows(query))} == {}


def test_nothing_offends_in_an_empty_warehouse() -> None:
    warehouse = Warehouse()
    assert {name: rows for name, query in sql_tests().items() if (rows := warehouse.rows(query))} == {}


PLANTS_IN_TABLES = [
    *PROVIDER_PLANTS,
    ("calls_cost_no_less_than_nothing", "update vbot.calls set postage = -1"),
    ("calls_cost_no_less_than_nothing", "update vbot.calls set currency = null"),
    ("calls_end_after_they_start", "update etelecom.call_logs set ended_at = started_at - interval '1 hour'"),
    ("calls_end_after_they_start", "update vbot.calls set call_at = date_create - interval '1 second'"),
    ("calls_end_after_they_start", "update voximplant.call_sessions set start_date = null"),
    ("calls_have_unique_ids", "insert into vbot.calls select * from vbot.calls"),
    ("calls_last_no_negative_time", "update voximplant.call_sessions set duration = -1"),
    ("calls_last_no_negative_time", "update etelecom.call_logs__call_targets set ring_duration = -1"),
    ("call_legs_have_unique_keys", "update vbot.calls__callee set position = 0"),
    ("recordings_have_unique_keys", "update vbot.calls__record_file set position = 0"),
    ("call_legs_match_their_calls", "update vbot.calls__callee set account = 'gone'"),
    ("recordings_match_their_calls", "update vbot.calls__record_file set account = 'gone'"),
    ("daily_calls_match_calls", "update etelecom.call_logs set started_at = null"),
]

PLANTS_IN_VIEWS = [
    ("vbot_calls_are_reported", CALLS, NONE),
    ("vbot_calls_are_reported", CALLS, replaced("account", "'gone'")),
    ("etelecom_calls_are_reported", CALLS, NONE),
    ("etelecom_calls_are_reported", CALLS, replaced("account", "'gone'")),
    ("voximplant_calls_are_reported", CALLS, NONE),
    ("voximplant_calls_are_reported", CALLS, replaced("account", "'gone'")),
    ("calls_have_unique_ids", CALLS, replaced("provider_call_id", "null")),
    ("calls_use_known_words", CALLS, replaced("direction", "'sideways'")),
    ("calls_use_known_words", CALLS, replaced("direction", "null")),
    ("calls_use_known_words", "reporting.calls", replaced("outcome", "'gone fishing'")),
    ("calls_use_known_words", "reporting.calls", replaced("outcome", "null")),
    ("calls_are_answered_or_not", CALLS, replaced("is_answered", "cast(null as boolean)")),
    ("calls_agree_with_their_outcome", "reporting.calls", replaced("is_missed", "not is_missed")),
    ("calls_agree_with_their_outcome", "reporting.calls", replaced("direction", "'outbound'")),
    ("calls_agree_with_their_outcome", "reporting.calls", replaced("outcome", "'busy'")),
    ("calls_agree_with_their_outcome", CALLS, replaced("talk_seconds", "cast(3 as bigint)")),
    ("calls_agree_with_their_outcome", CALLS, replaced("answered_at", "started_at")),
    ("call_legs_match_their_calls", LEGS, NONE),
    ("call_legs_match_their_calls", LEGS, replaced("account", "'gone'")),
    ("call_legs_have_unique_keys", LEGS, TWICE),
    ("recordings_match_their_calls", "intermediate.recordings", NONE),
    ("recordings_have_unique_keys", "intermediate.recordings", TWICE),
    ("daily_calls_match_calls", DAYS, NONE),
    ("daily_calls_match_calls", DAYS, TWICE),
    ("daily_calls_match_calls", DAYS, replaced("answered_calls", "answered_calls + 1")),
    ("daily_calls_match_calls", DAYS, replaced("missed_calls", "missed_calls + 1")),
    ("daily_calls_match_calls", DAYS, replaced("talk_seconds", "talk_seconds + 1")),
    ("coverage_does_not_overlap", "reporting.coverage", replaced("range_end", "range_start")),
    (
        "coverage_does_not_overlap",
        "reporting.coverage",
        replaced("range_end", "range_end + interval '1 hour'"),
    ),
]


@pytest.mark.parametrize(("name", "statement"), PLANTS_IN_TABLES)
def test_a_sql_test_catches_the_offender_planted_in_a_table(name: str, statement: str) -> None:
    warehouse = sound_warehouse()
    warehouse.execute(statement)
    assert warehouse.rows(sql_tests()[name]) != []


@pytest.mark.parametrize(("name", "relation", "change"), PLANTS_IN_VIEWS)
def test_a_sql_test_catches_the_offender_planted_in_a_relation(name: str, relation: str, change: str) -> None:
    warehouse = sound_warehouse()
    bend(warehouse, relation, change)
    assert warehouse.rows(sql_tests()[name]) != []


def test_every_sql_test_has_an_offender() -> None:
    planted = {name for name, *_ in (*PLANTS_IN_TABLES, *PLANTS_IN_VIEWS)}
    assert planted == sql_tests().keys()
