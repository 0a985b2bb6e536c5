"""reporting.agent_calls over given rows; expected values worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.sql.given import (
    FOUR_LEGS,
    ONE_LEG,
    etelecom_call,
    etelecom_missed,
    in_progress,
    vbot_call,
    voximplant_call,
)
from tests.sql.warehouse import Warehouse

NOON = "2026-03-02T05:00:00"


def agents(warehouse: Warehouse) -> dict[str, Any]:
    """The names of the agents that had calls."""
    rows = warehouse.rows("select agent_id, agent_name from reporting.agent_calls")
    return {row["agent_id"]: row["agent_name"] for row in rows}


def test_one_row_a_local_day_and_agent() -> None:
    warehouse = Warehouse()
    warehouse.insert("etelecom.extensions", account="hanoi", id="77", extension_number="101")
    etelecom_call(warehouse, "1", NOON, extension_id="77")
    etelecom_call(warehouse, "2", NOON, extension_id="77", direction="out", duration=30)
    etelecom_call(
        warehouse, "3", NOON, extension_id="77", direction="out", call_state="not_answered", duration=0
    )
    etelecom_call(warehouse, "4", NOON, extension_id="77", direction="ext_in", duration=10)
    etelecom_missed(warehouse, "5", NOON, extension_id="77")
    etelecom_call(warehouse, "6", NOON, extension_id="77", direction="sideways")
    etelecom_call(warehouse, "7", "2026-03-02T17:00:00", extension_id="77")
    etelecom_call(warehouse, "8", NOON, extension_id="88")
    etelecom_call(warehouse, "9", NOON)
    rows = warehouse.rows("select * from reporting.agent_calls order by agent_id, local_date")
    one_call = {
        "local_date": date(2026, 3, 2),
        "provider": "etelecom",
        "account": "hanoi",
        "agent_id": "77",
        "agent_name": "101",
        "calls": 1,
        "inbound_calls": 1,
        "outbound_calls": 0,
        "internal_calls": 0,
        "finished_calls": 1,
        "answered_calls": 1,
        "missed_calls": 0,
        "answer_rate": 1.0,
        "ring_seconds": 20,
        "talk_seconds": 80,
        "total_seconds": 100,
        "talked_calls": 1,
        "answered_talk_seconds": 80,
        "average_talk_seconds": 80.0,
    }
    assert rows == [
        one_call
        | {
            "calls": 6,
            "inbound_calls": 2,
            "outbound_calls": 2,
            "internal_calls": 1,
            "finished_calls": 6,
            "answered_calls": 4,
            "missed_calls": 1,
            "answer_rate": pytest.approx(4 / 6),
            "ring_seconds": 20 + 70 + 100 + 90 + 30 + 20,
            "talk_seconds": 80 + 30 + 0 + 10 + 0 + 80,
            "total_seconds": 100 + 100 + 100 + 100 + 30 + 100,
            "talked_calls": 4,
            "answered_talk_seconds": 200,
            "average_talk_seconds": 50.0,
        },
        one_call | {"local_date": date(2026, 3, 3)},
        one_call | {"agent_id": "88", "agent_name": None},
    ]


def test_an_internal_etelecom_call_is_one_call_of_each_of_its_two_agents() -> None:
    warehouse = Warehouse()
    talk = {"caller": "101", "callee": "102", "external_session_id": "s"}
    etelecom_call(warehouse, "1", NOON, direction="ext_out", extension_id="77", **talk)
    etelecom_call(warehouse, "2", NOON, direction="ext_in", extension_id="78", **talk)
    rows = warehouse.rows(
        "select agent_id, calls, internal_calls, talk_seconds from reporting.agent_calls order by agent_id"
    )
    assert rows == [
        {"agent_id": "77", "calls": 1, "internal_calls": 1, "talk_seconds": 80},
        {"agent_id": "78", "calls": 1, "internal_calls": 1, "talk_seconds": 80},
    ]


def test_a_call_that_a_second_agent_answers_is_that_agents_call() -> None:
    warehouse = Warehouse()
    callees = [
        {"member_no": "5", "disposition": "SOMEONEANSWERED"},
        {"member_no": "6", "disposition": "ANSWER"},
    ]
    vbot_call(warehouse, "1", NOON, callees=callees)
    expected = {"agent_id": "6", "calls": 1, "answered_calls": 1, "missed_calls": 0, "talk_seconds": 30}
    assert warehouse.one("reporting.agent_calls", *expected) == expected


def test_a_vbot_call_that_nobody_answers_is_no_agents_call() -> None:
    warehouse = Warehouse()
    callees = [{"member_no": "5", "disposition": "NOANSWER"}, {"member_no": "6", "disposition": "BUSY"}]
    vbot_call(warehouse, "1", NOON, callees=callees, disposition="NOANSWER", time_call=0)
    assert agents(warehouse) == {}


def test_voximplant_sessions_of_one_leg_and_of_four() -> None:
    warehouse = Warehouse()
    voximplant_call(warehouse, 1, NOON, ONE_LEG, user_id=31)
    voximplant_call(warehouse, 2, NOON, FOUR_LEGS, user_id=31)
    expected = {
        "agent_id": "31",
        "calls": 2,
        "answered_calls": 2,
        "ring_seconds": None,
        "talk_seconds": 85,
        "total_seconds": 190,
        "average_talk_seconds": 42.5,
    }
    assert warehouse.one("reporting.agent_calls", *expected) == expected


def test_agents_have_the_names_that_their_provider_knows() -> None:
    warehouse = Warehouse()
    warehouse.insert("vbot.members", account="main", member_no="5", member_name=" Lan ")
    warehouse.insert("vbot.members", account="main", member_no="6", member_name=" ")
    for member in ("5", "6", "7"):
        vbot_call(warehouse, member, NOON, callees=[{"member_no": member, "disposition": "ANSWER"}])
    warehouse.insert("etelecom.extensions", account="hanoi", id="77", extension_number="101")
    warehouse.insert("etelecom.extensions", account="hue", id="78", extension_number="102")
    etelecom_call(warehouse, "77", NOON, extension_id="77")
    etelecom_call(warehouse, "78", NOON, extension_id="78")
    warehouse.insert(
        "voximplant.users", account="main", user_id=31, user_name="binh", user_display_name="Bình"
    )
    warehouse.insert("voximplant.users", account="main", user_id=32, user_name="chi", user_display_name="")
    for user_id in (31, 32, 33):
        voximplant_call(warehouse, user_id, NOON, ONE_LEG, user_id=user_id)
    assert agents(warehouse) == {
        "5": "Lan",
        "6": None,
        "7": None,
        "77": "101",
        "78": None,  # the extension of that id belongs to another account
        "31": "Bình",
        "32": "chi",
        "33": None,
    }


def test_an_agent_listed_twice_has_one_name_and_each_call_once() -> None:
    warehouse = Warehouse()
    for name in ("Lan", "Mai"):
        warehouse.insert("vbot.members", account="main", member_no="5", member_name=name)
    vbot_call(warehouse, "1", NOON, callees=[{"member_no": "5", "disposition": "ANSWER"}])
    assert warehouse.one("reporting.agent_calls", "agent_name", "calls") == {"agent_name": "Mai", "calls": 1}


def test_nothing_to_divide_by_gives_no_rate_and_no_average() -> None:
    warehouse = Warehouse()
    in_progress(warehouse, "1", datetime.now(UTC) - timedelta(minutes=1), extension_id="77")
    expected = {
        "calls": 1,
        "finished_calls": 0,
        "answer_rate": None,
        "talked_calls": 0,
        "answered_talk_seconds": None,
        "average_talk_seconds": None,
    }
    assert warehouse.one("reporting.agent_calls", *expected) == expected


def test_the_average_is_over_answered_calls_whose_talk_is_known() -> None:
    warehouse = Warehouse()
    etelecom_call(warehouse, "1", NOON, extension_id="77", duration=60)
    etelecom_call(warehouse, "2", NOON, extension_id="77", duration=None)
    # A provider can give a duration to a call that nobody answered.
    etelecom_missed(warehouse, "3", NOON, extension_id="77", duration=7)
    expected = {
        "answered_calls": 2,
        "talk_seconds": 67,
        "talked_calls": 1,
        "answered_talk_seconds": 60,
        "average_talk_seconds": 60.0,
    }
    assert warehouse.one("reporting.agent_calls", *expected) == expected
