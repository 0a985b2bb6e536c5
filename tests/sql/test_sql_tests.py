"""Each query of sql/tests finds nothing in a sound warehouse, and finds the offender planted for it."""

import pytest

from tests.sql.planted_in_marts import PLANTS_IN_MARTS
from tests.sql.sound import CHILDREN, NONE, ROOTS, TWICE, bend, keep_reported_calls, replaced, sound_warehouse
from tests.sql.warehouse import Warehouse, sql_tests

CALLS, LEGS = "intermediate.calls", "intermediate.call_legs"
NUMBERS = "callsync.phone_numbers"

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
    keep_reported_calls(warehouse)
    assert {name: rows for name, query in sql_tests().items() if (rows := warehouse.rows(query))} == {}


def test_nothing_offends_in_an_empty_warehouse() -> None:
    warehouse = Warehouse()
    keep_reported_calls(warehouse)
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
    ("daily_calls_match_calls", "update etelecom.call_logs set started_at = null, ended_at = null"),
    ("accounts_are_fresh", "update callsync.accounts set cursor = cursor - interval '25 hours'"),
    ("accounts_are_fresh", "update callsync.accounts set cursor = null"),
    ("phone_numbers_are_read", f"delete from {NUMBERS} where number = '0909123456'"),
    ("phone_numbers_are_read", f"delete from {NUMBERS} where number = '19001234'"),
    ("phone_numbers_are_read", f"insert into {NUMBERS} select * from {NUMBERS} where kind = 'unknown'"),
    *(
        ("phone_numbers_are_read", f"update {NUMBERS} set {change}")
        for change in (
            "kind = null",
            "kind = 'short'",
            "kind = 'withheld'",
            "is_valid = not is_valid",
            "is_valid = null",
            "e164 = '84909123456' where is_valid",
            "e164 = '+84909x23456' where is_valid",
            "e164 = '+849091' where is_valid",
            "e164 = '+8490912345678901' where is_valid",
        )
    ),
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
    ("calls_agree_with_their_outcome", CALLS, replaced("answered_at", "started_at")),
    ("call_legs_match_their_calls", LEGS, NONE),
    ("call_legs_match_their_calls", LEGS, replaced("account", "'gone'")),
    ("call_legs_have_unique_keys", LEGS, TWICE),
    ("recordings_match_their_calls", "intermediate.recordings", NONE),
    ("recordings_have_unique_keys", "intermediate.recordings", TWICE),
    ("call_legs_cost_no_more_than_their_calls", LEGS, replaced("cost", "cost * 2")),
    ("call_legs_cost_no_more_than_their_calls", LEGS, replaced("currency", "'XAU'")),
    ("call_legs_cost_no_more_than_their_calls", "reporting.calls", replaced("cost", "null")),
    ("reported_calls_match_their_definition", "callsync.reported_calls", NONE),
    ("reported_calls_match_their_definition", "callsync.reported_calls", replaced("talk_seconds", "99")),
    ("first_contacts_match_their_definition", "callsync.first_contacts", NONE),
    (
        "first_contacts_match_their_definition",
        "callsync.first_contacts",
        replaced("contacted_at", "contacted_at + interval '1 hour'"),
    ),
    ("repeat_callers_match_their_definition", "callsync.repeat_callers", NONE),
    ("repeat_callers_match_their_definition", "callsync.repeat_callers", replaced("active_days", "9")),
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


@pytest.mark.parametrize(("name", "relation", "changes"), PLANTS_IN_MARTS)
def test_a_sql_test_catches_each_offender_planted_in_a_mart(
    name: str, relation: str, changes: tuple[str, ...]
) -> None:
    warehouse = sound_warehouse()
    keep_reported_calls(warehouse)
    warehouse.execute(f"create table kept as select * from {relation}")
    uncaught = []
    for change in changes:
        warehouse.execute(f"create or replace view {relation} as {change}")
        if not warehouse.rows(sql_tests()[name]):
            uncaught.append(change)
    assert uncaught == []


def test_every_sql_test_has_an_offender() -> None:
    planted = {name for name, *_ in (*PLANTS_IN_TABLES, *PLANTS_IN_VIEWS, *PLANTS_IN_MARTS)}
    assert planted == sql_tests().keys()
