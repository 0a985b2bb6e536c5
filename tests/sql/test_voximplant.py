"""Voximplant call sessions as calls; expected values worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from tests.sql.warehouse import Warehouse, utc

SESSION = 4202753936


def session(warehouse: Warehouse, session_id: int = SESSION, **changes: Any) -> None:
    """A finished session, without legs, in an account that pays in USD."""
    record = {
        "account": "main",
        "call_session_history_id": session_id,
        "start_date": utc("2026-02-25T08:00:00"),
        "duration": 95,
        "finish_reason": "Normal termination",
        "user_id": 31,
    }
    warehouse.insert("voximplant.call_sessions", **record | changes)


def leg(warehouse: Warehouse, position: int, second: int = 0, **values: Any) -> None:
    record = {
        "account": "main",
        "call_session_history_id": SESSION,
        "position": position,
        "call_id": 900 + position,
        "start_time": utc(f"2026-02-25T08:00:{second:02}"),
    }
    warehouse.insert("voximplant.call_sessions__calls", **record | values)


def cost(warehouse: Warehouse, table: str, position: int, amount: str | None) -> None:
    warehouse.insert(
        f"voximplant.call_sessions__{table}",
        account="main",
        call_session_history_id=SESSION,
        position=position,
        cost=None if amount is None else Decimal(amount),
    )


def test_an_inbound_session_with_four_legs_stored_out_of_order() -> None:
    warehouse = Warehouse()
    warehouse.insert("voximplant.account_info", account="main", currency="USD")
    session(warehouse)
    leg(warehouse, 0, 9, incoming=False, successful=True, duration=40, cost=Decimal("0.02"))
    leg(warehouse, 1, 5, incoming=False, successful=False, duration=70, remote_number="agent1")
    leg(
        warehouse,
        2,
        0,
        incoming=True,
        successful=True,
        duration=90,
        cost=Decimal("0.01"),
        local_number="18001000",
        remote_number="0909123456",
    )
    leg(warehouse, 3, 20, incoming=False, successful=True, duration=60)
    cost(warehouse, "records", 0, "0.003")
    cost(warehouse, "records", 1, "0.004")
    cost(warehouse, "other_resource_usage", 0, "0.1")
    cost(warehouse, "other_resource_usage", 1, None)

    assert warehouse.one("reporting.calls") == {
        "call_id": f"voximplant/main/{SESSION}",
        "provider": "voximplant",
        "account": "main",
        "provider_call_id": str(SESSION),
        "started_at": utc("2026-02-25T08:00:00"),
        "answered_at": None,
        "ended_at": utc("2026-02-25T08:01:35"),
        "direction": "inbound",
        "outcome": "answered",
        "is_answered": True,
        "is_missed": False,
        "from_number": "0909123456",
        "to_number": "18001000",
        "from_e164": None,
        "to_e164": None,
        "hotline_number": "18001000",
        "agent_id": "31",
        "ring_seconds": None,
        "talk_seconds": 60,
        "total_seconds": 95,
        "cost": Decimal("0.137"),
        "currency": "USD",
        "leg_count": 4,
        "recording_count": 2,
    }


def test_a_session_with_one_leg_talks_its_own_duration() -> None:
    warehouse = Warehouse()
    session(warehouse, user_id=None)
    leg(
        warehouse,
        0,
        incoming=False,
        successful=True,
        duration=33,
        local_number="842400",
        remote_number="0909",
    )
    expected = {
        "direction": "outbound",
        "outcome": "answered",
        "from_number": "842400",
        "to_number": "0909",
        "hotline_number": None,
        "agent_id": None,
        "talk_seconds": 33,
        "cost": None,
        "leg_count": 1,
        "recording_count": 0,
    }
    assert warehouse.one("reporting.calls", *expected) == expected


@pytest.mark.parametrize(
    ("successes", "is_answered", "talk_seconds"),
    [
        ([True], True, 50),
        ([False], False, 0),
        ([None], False, 0),
        ([True, True], True, 51),
        ([True, False], False, 0),
        ([False, True], False, 0),
        ([True, False, True], True, 52),
        ([True, True, True, False], True, 52),
    ],
)
def test_answered_needs_the_earliest_leg_and_another_if_there_are_others(
    successes: list[bool | None], is_answered: bool, talk_seconds: int
) -> None:
    warehouse = Warehouse()
    session(warehouse)
    for position, successful in enumerate(successes):
        leg(warehouse, position, position, incoming=True, successful=successful, duration=50 + position)
    expected = {"is_answered": is_answered, "talk_seconds": talk_seconds, "is_missed": not is_answered}
    assert warehouse.one("reporting.calls", *expected) == expected


def test_legs_of_the_same_second_are_ordered_by_id_then_position() -> None:
    warehouse = Warehouse()
    session(warehouse)
    leg(warehouse, 0, call_id=8, incoming=False, remote_number="later id")
    leg(warehouse, 1, call_id=7, incoming=True, remote_number="second position")
    leg(warehouse, 2, call_id=7, incoming=False, remote_number="third position")
    leg(warehouse, 3, call_id=1, start_time=None, incoming=False, remote_number="no time")
    assert warehouse.one("reporting.calls", "direction", "from_number") == {
        "direction": "inbound",
        "from_number": "second position",
    }


@pytest.mark.parametrize(
    ("finish_reason", "duration", "without_legs", "unanswered_outbound"),
    [
        ("Normal termination", 10, "unknown", "no_answer"),
        ("Insufficient funds", 10, "failed", "failed"),
        ("Internal error (billing timeout)", 10, "failed", "failed"),
        ("Terminated administratively", 10, "failed", "failed"),
        ("JS session error", 10, "failed", "failed"),
        ("Timeout", 10, "failed", "failed"),
        ("Never documented", 10, "unknown", "unknown"),
        (None, None, "in_progress", "in_progress"),
        (None, 10, "unknown", "no_answer"),
    ],
)
def test_outcome_by_finish_reason(
    finish_reason: str | None, duration: int | None, without_legs: str, unanswered_outbound: str
) -> None:
    warehouse = Warehouse()
    session(warehouse, 1, finish_reason=finish_reason, duration=duration)
    session(warehouse, finish_reason=finish_reason, duration=duration)
    leg(warehouse, 0, incoming=False, successful=False)
    bare = warehouse.one("reporting.calls", "direction", "outcome", "leg_count", provider_call_id="1")
    assert bare == {"direction": "unknown", "outcome": without_legs, "leg_count": 0}
    dialled = warehouse.one("reporting.calls", "direction", "outcome", provider_call_id=str(SESSION))
    assert dialled == {"direction": "outbound", "outcome": unanswered_outbound}


@pytest.mark.parametrize(("successful", "outcome"), [(True, "answered"), (False, "in_progress")])
def test_a_running_inbound_session_is_never_missed(successful: bool, outcome: str) -> None:
    warehouse = Warehouse()
    session(warehouse, finish_reason=None, duration=None)
    leg(warehouse, 0, incoming=True, successful=successful)
    expected = {"outcome": outcome, "is_missed": False, "ended_at": None, "total_seconds": None}
    assert warehouse.one("reporting.calls", *expected) == expected


def test_a_leg_and_a_record() -> None:
    warehouse = Warehouse()
    warehouse.insert("voximplant.account_info", account="main", currency="USD")
    session(warehouse)
    leg(
        warehouse,
        0,
        incoming=True,
        successful=True,
        duration=33,
        remote_number="0909123456",
        cost=Decimal("0.01"),
        end_reason='{"code": 200}',
    )
    leg(warehouse, 1, 4, incoming=False, successful=None, duration=12)
    warehouse.insert(
        "voximplant.call_sessions__records",
        account="main",
        call_session_history_id=SESSION,
        position=0,
        record_id=5,
        record_url="https://r/5",
        start_time=utc("2026-02-25T08:00:02"),
        duration=30,
    )
    call = {"call_id": f"voximplant/main/{SESSION}", "provider": "voximplant", "account": "main"}
    call["provider_call_id"] = str(SESSION)
    assert warehouse.one("reporting.call_legs", position=0) == call | {
        "position": 0,
        "role": "leg",
        "number": "0909123456",
        "agent_id": None,
        "display_name": None,
        "started_at": utc("2026-02-25T08:00:00"),
        "answered_at": None,
        "ended_at": utc("2026-02-25T08:00:33"),
        "is_answered": True,
        "ring_seconds": None,
        "talk_seconds": 33,
        "cost": Decimal("0.01"),
        "currency": "USD",
        "end_reason": '{"code": 200}',
    }
    failed = warehouse.one("reporting.call_legs", "is_answered", "talk_seconds", position=1)
    assert failed == {"is_answered": False, "talk_seconds": 0}
    assert warehouse.one("reporting.recordings") == call | {
        "position": 0,
        "recording_id": "5",
        "url": "https://r/5",
        "started_at": utc("2026-02-25T08:00:02"),
        "duration_seconds": 30,
    }
