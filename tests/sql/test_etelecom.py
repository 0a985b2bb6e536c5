"""eTelecom call logs as calls, targets as legs; expected values worked out by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sql.warehouse import Warehouse, sql_tests, utc


def call_log(warehouse: Warehouse, log_id: str = "1", **changes: Any) -> None:
    """An answered inbound call log, without targets."""
    record = {
        "account": "hanoi",
        "id": log_id,
        "extension_id": "77",
        "caller": "0909123456",
        "callee": "19001234",
        "direction": "in",
        "call_state": "answered",
        "started_at": utc("2026-03-02T01:00:00"),
        "ended_at": utc("2026-03-02T01:01:40"),
        "created_at": utc("2026-03-02T01:05:00"),
        "duration": 80,
    }
    warehouse.insert("etelecom.call_logs", **record | changes)


def target(warehouse: Warehouse, position: int, log_id: str = "1", **values: Any) -> None:
    warehouse.insert(
        "etelecom.call_logs__call_targets", account="hanoi", id=log_id, position=position, **values
    )


def test_an_answered_inbound_call_with_two_targets() -> None:
    warehouse = Warehouse()
    call_log(warehouse)
    warehouse.insert("etelecom.extensions", account="hanoi", id="77", extension_number="101")
    target(
        warehouse,
        0,
        add_time=utc("2026-03-02T01:00:01"),
        ended_time=utc("2026-03-02T01:00:16"),
        ring_duration=14,
        status="not_answered",
        end_reason="timeout",
        target_number="102",
    )
    target(
        warehouse,
        1,
        ring_time=utc("2026-03-02T01:00:08"),
        answered_time=utc("2026-03-02T01:00:18"),
        ended_time=utc("2026-03-02T01:01:38"),
        ring_duration=10,
        status="answered",
        target_number="101",
    )
    for position in (0, 1):
        warehouse.insert(
            "etelecom.call_logs__recording_urls",
            account="hanoi",
            id="1",
            position=position,
            value=f"u{position}",
        )

    assert warehouse.one("reporting.calls") == {
        "call_id": "etelecom/hanoi/1",
        "provider": "etelecom",
        "account": "hanoi",
        "provider_call_id": "1",
        "started_at": utc("2026-03-02T01:00:00"),
        "answered_at": utc("2026-03-02T01:00:18"),
        "ended_at": utc("2026-03-02T01:01:40"),
        "direction": "inbound",
        "outcome": "answered",
        "is_answered": True,
        "is_missed": False,
        "from_number": "0909123456",
        "to_number": "19001234",
        "from_e164": None,
        "to_e164": None,
        "hotline_number": "19001234",
        "agent_id": "77",
        "ring_seconds": 10,
        "talk_seconds": 80,
        "total_seconds": 100,
        "cost": None,
        "currency": None,
        "leg_count": 2,
        "recording_count": 2,
    }
    assert warehouse.one("reporting.call_legs", position=0) == {
        "call_id": "etelecom/hanoi/1",
        "provider": "etelecom",
        "account": "hanoi",
        "provider_call_id": "1",
        "position": 0,
        "role": "target",
        "number": "102",
        "agent_id": None,
        "display_name": None,
        "started_at": utc("2026-03-02T01:00:01"),
        "answered_at": None,
        "ended_at": utc("2026-03-02T01:00:16"),
        "is_answered": False,
        "ring_seconds": 14,
        "talk_seconds": 0,
        "cost": None,
        "currency": None,
        "end_reason": "timeout",
    }
    answering = warehouse.one("reporting.call_legs", "agent_id", "started_at", "talk_seconds", position=1)
    assert answering == {"agent_id": "77", "started_at": utc("2026-03-02T01:00:08"), "talk_seconds": 80}
    assert warehouse.rows(
        "select position, recording_id, url from reporting.recordings order by position"
    ) == [
        {"position": 0, "recording_id": None, "url": "u0"},
        {"position": 1, "recording_id": None, "url": "u1"},
    ]


def test_the_first_of_two_answering_targets_gives_the_ring_time() -> None:
    warehouse = Warehouse()
    call_log(warehouse)
    target(warehouse, 0, answered_time=utc("2026-03-02T01:00:40"), ring_duration=3)
    target(warehouse, 1, answered_time=utc("2026-03-02T01:00:12"), ring_duration=12)
    target(warehouse, 2, answered_time=utc("2026-03-02T01:00:12"), ring_duration=99)
    expected = {"answered_at": utc("2026-03-02T01:00:12"), "ring_seconds": 12, "leg_count": 3}
    assert warehouse.one("reporting.calls", *expected) == expected


def test_a_target_that_says_so_has_answered_even_without_a_time() -> None:
    warehouse = Warehouse()
    call_log(warehouse)
    target(warehouse, 0, ring_duration=30, status="not_answered")
    target(warehouse, 1, ring_duration=7, status="Answered ")
    target(warehouse, 2, ring_duration=9, status="answered")
    assert warehouse.one("reporting.calls", "ring_seconds") == {"ring_seconds": 7}
    answered = "select ring_seconds from reporting.call_legs where is_answered order by position"
    assert warehouse.rows(answered) == [{"ring_seconds": 7}, {"ring_seconds": 9}]


def test_a_call_of_which_only_the_end_can_be_read_is_of_that_day() -> None:
    warehouse = Warehouse()
    call_log(warehouse, started_at=None, created_at=None)
    warehouse.insert(
        "etelecom.call_logs__recording_urls", account="hanoi", id="1", position=0, value="https://r.example/1"
    )
    expected = {"started_at": utc("2026-03-02T01:01:40"), "total_seconds": None, "ring_seconds": None}
    assert warehouse.one("reporting.calls", *expected) == expected
    assert warehouse.one("reporting.recordings", "started_at") == {"started_at": expected["started_at"]}


@pytest.mark.parametrize(
    ("changes", "targets", "expected"),
    [
        ({}, [], {"started_at": "01:01:40"}),
        ({"ended_at": None}, [], {"started_at": "01:05:00"}),
        ({"created_at": utc("2026-03-02T01:00:30")}, [], {"started_at": "01:00:30"}),
        ({}, [{"ring_time": "01:00:12"}, {"add_time": "01:00:09"}], {"started_at": "01:00:09"}),
        (
            {},
            [{"answered_time": "01:00:20", "ring_duration": 7}, {}],
            {"started_at": "01:00:20", "answered_at": "01:00:20", "ring_seconds": 7},
        ),
    ],
)
def test_a_call_that_tells_no_start_begins_at_the_first_moment_known_of_it(
    changes: dict[str, Any], targets: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    """Its true start is not known, so neither is its length."""
    warehouse = Warehouse()
    call_log(warehouse, started_at=None, **changes)
    call_log(warehouse, "2")
    for position, values in enumerate(targets):
        target(warehouse, position, **timed(values))
    warehouse.insert(
        "etelecom.call_logs__recording_urls", account="hanoi", id="1", position=0, value="https://r.example/1"
    )
    found = {"answered_at": None, "ring_seconds": None, "total_seconds": None} | timed(expected)
    assert warehouse.one("reporting.calls", *found, provider_call_id="1") == found
    assert warehouse.one("reporting.recordings", "started_at") == {"started_at": found["started_at"]}
    for name in ("calls_end_after_they_start", "calls_last_no_negative_time"):
        assert warehouse.rows(sql_tests()[name]) == []


def timed(values: dict[str, Any]) -> dict[str, Any]:
    """Values whose times of day are those of the day of the calls."""
    return {
        name: utc(f"2026-03-02T{value}") if isinstance(value, str) else value
        for name, value in values.items()
    }


def test_without_targets_the_ring_time_is_what_is_not_talk() -> None:
    warehouse = Warehouse()
    call_log(warehouse)
    expected = {"answered_at": utc("2026-03-02T01:00:20"), "ring_seconds": 20, "leg_count": 0}
    assert warehouse.one("reporting.calls", *expected) == expected


def test_an_unanswered_call_rang_as_long_as_its_longest_target() -> None:
    warehouse = Warehouse()
    call_log(warehouse, call_state="not_answered", duration=5)
    target(warehouse, 0, ring_duration=12, status="not_answered")
    target(warehouse, 1, ring_duration=25, status="not_answered")
    expected = {
        "outcome": "missed",
        "is_missed": True,
        "answered_at": None,
        "ring_seconds": 25,
        "talk_seconds": 5,
        "total_seconds": 100,
    }
    assert warehouse.one("reporting.calls", *expected) == expected


@pytest.mark.parametrize(
    ("direction", "call_state", "expected_direction", "outcome", "is_missed"),
    [
        ("in", "not_answered", "inbound", "missed", True),
        ("out", "not_answered", "outbound", "no_answer", False),
        ("ext", "not_answered", "internal", "no_answer", False),
        ("ext_in", "not_answered", "internal", "no_answer", False),
        ("ext_out", "Answered", "internal", "answered", False),
        ("unknown", "not_answered", "unknown", "no_answer", False),
        (None, "answered", "unknown", "answered", False),
        ("out", "unknown", "outbound", "unknown", False),
        ("in", "unknown", "inbound", "missed", True),
        ("in", None, "inbound", "missed", True),
    ],
)
def test_direction_and_state(
    direction: str | None, call_state: str | None, expected_direction: str, outcome: str, is_missed: bool
) -> None:
    warehouse = Warehouse()
    call_log(warehouse, direction=direction, call_state=call_state)
    expected = {"direction": expected_direction, "outcome": outcome, "is_missed": is_missed}
    assert warehouse.one("reporting.calls", *expected) == expected


@pytest.mark.parametrize(
    ("age", "outcome"), [(timedelta(minutes=5), "in_progress"), (timedelta(days=2), "unknown")]
)
def test_a_call_that_has_not_ended_is_in_progress_while_it_is_recent(age: timedelta, outcome: str) -> None:
    warehouse = Warehouse()
    started_at = datetime.now(UTC) - age
    call_log(warehouse, call_state="unknown", started_at=started_at, ended_at=None, duration=0)
    expected = {"outcome": outcome, "is_missed": False, "is_answered": False, "ended_at": None}
    assert warehouse.one("reporting.calls", *expected) == expected


def test_an_internal_call_stays_two_rows() -> None:
    warehouse = Warehouse()
    call_log(warehouse, "1", direction="ext_in", caller="101", callee="102", external_session_id="s")
    call_log(warehouse, "2", direction="ext_out", caller="101", callee="102", external_session_id="s-out")
    calls = warehouse.rows("select call_id, direction, hotline_number from reporting.calls order by call_id")
    assert calls == [
        {"call_id": "etelecom/hanoi/1", "direction": "internal", "hotline_number": None},
        {"call_id": "etelecom/hanoi/2", "direction": "internal", "hotline_number": None},
    ]


@pytest.mark.parametrize(
    ("direction", "caller", "callee", "hotline_number"),
    [
        ("in", "0909123456", "19001234", "19001234"),
        ("in", "0909123456", "101", None),
        ("in", "0909123456", "84240001", None),
        ("out", "02473000000", "0909123456", "02473000000"),
        ("out", "101", "0909123456", None),
        ("out", "84240001", "0909123456", None),
        ("in", "0909123456", None, None),
    ],
)
def test_the_hotline_is_the_shops_side_unless_that_is_an_extension(
    direction: str, caller: str | None, callee: str | None, hotline_number: str | None
) -> None:
    warehouse = Warehouse()
    warehouse.insert("etelecom.extensions", account="hanoi", id="8", extension_number="84240001")
    call_log(warehouse, direction=direction, caller=caller, callee=callee)
    assert warehouse.one("reporting.calls", "hotline_number") == {"hotline_number": hotline_number}


def test_a_number_of_two_extensions_names_no_agent() -> None:
    warehouse = Warehouse()
    call_log(warehouse)
    for extension_id in ("77", "78"):
        warehouse.insert("etelecom.extensions", account="hanoi", id=extension_id, extension_number="101")
    target(warehouse, 0, target_number="101")
    assert warehouse.one("reporting.call_legs", "agent_id") == {"agent_id": None}
    assert len(warehouse.rows("select * from reporting.calls")) == 1
