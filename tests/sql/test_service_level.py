"""reporting.service_level over given rows; expected values worked out by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.sql.given import (
    FOUR_LEGS,
    ONE_LEG,
    etelecom_call,
    etelecom_missed,
    etelecom_rang,
    in_progress,
    vbot_call,
    voximplant_call,
)
from tests.sql.warehouse import Warehouse, utc

NOON = "2026-03-02T05:00:00"
HOTLINE = "19001234"


def gave_up_after(warehouse: Warehouse, log_id: str, seconds: int, **changes: object) -> None:
    """A missed call that rang so long."""
    record = {"ended_at": utc(NOON) + timedelta(seconds=seconds), "callee": HOTLINE}
    etelecom_missed(warehouse, log_id, NOON, **record | changes)


def test_answered_within_so_many_seconds_of_those_offered() -> None:
    warehouse = Warehouse()
    for log_id, ring_seconds in (("1", 0), ("2", 20), ("3", 21), ("4", 59)):
        etelecom_rang(warehouse, log_id, NOON, ring_seconds, callee=HOTLINE)
    etelecom_call(warehouse, "5", NOON, duration=None, callee=HOTLINE)
    for log_id, seconds in (("6", 0), ("7", 4), ("8", 5), ("9", 30)):
        gave_up_after(warehouse, log_id, seconds)
    # None of these was offered to anyone, or is over.
    etelecom_call(warehouse, "10", NOON, caller=HOTLINE, direction="out")
    etelecom_call(warehouse, "11", NOON, direction="ext_in")
    assert warehouse.rows("select * from reporting.service_level") == [
        {
            "local_date": date(2026, 3, 2),
            "provider": "etelecom",
            "account": "hanoi",
            "hotline_number": HOTLINE,
            "hotline_name": None,
            "service_level_seconds": 20,
            "short_abandon_seconds": 5,
            "offered_calls": 7,
            "answered_calls": 5,
            "abandoned_calls": 2,
            "short_abandoned_calls": 2,
            "abandon_rate": pytest.approx(2 / 7),
            "unmeasured_calls": 1,
            "measured_calls": 6,
            "answered_in_time_calls": 2,
            "service_level": pytest.approx(2 / 6),
            "measured_answered_calls": 4,
            "answered_ring_seconds": 100,
            "average_answer_seconds": 25.0,
        }
    ]


def test_a_hotline_has_its_name() -> None:
    warehouse = Warehouse()
    warehouse.insert("vbot.hotlines", account="main", hotline_number=HOTLINE, hotline_name="Sales")
    vbot_call(warehouse, "a", NOON, hotline_number=HOTLINE)
    expected = {"hotline_name": "Sales", "answered_calls": 1}
    assert warehouse.one("reporting.service_level", *expected) == expected


def test_the_limits_are_those_of_the_configuration() -> None:
    warehouse = Warehouse()
    warehouse.execute("update callsync.settings set service_level_seconds = 10, short_abandon_seconds = 30.5")
    for log_id, ring_seconds in (("1", 10), ("2", 20)):
        etelecom_rang(warehouse, log_id, NOON, ring_seconds, callee=HOTLINE)
    for log_id, seconds in (("3", 30), ("4", 31)):
        gave_up_after(warehouse, log_id, seconds)
    expected = {
        "service_level_seconds": 10,
        "short_abandon_seconds": 30.5,
        "offered_calls": 3,
        "short_abandoned_calls": 1,
        "abandoned_calls": 1,
        "answered_in_time_calls": 1,
        "service_level": pytest.approx(1 / 3),
    }
    assert warehouse.one("reporting.service_level", *expected) == expected


def test_callers_who_all_gave_up_at_once_were_not_offered() -> None:
    warehouse = Warehouse()
    gave_up_after(warehouse, "1", 2)
    expected = {
        "offered_calls": 0,
        "short_abandoned_calls": 1,
        "abandon_rate": None,
        "measured_calls": 0,
        "service_level": None,
        "measured_answered_calls": 0,
        "answered_ring_seconds": None,
        "average_answer_seconds": None,
    }
    assert warehouse.one("reporting.service_level", *expected) == expected


def test_a_provider_without_ring_times_has_no_service_level() -> None:
    warehouse = Warehouse()
    voximplant_call(warehouse, 1, NOON, ONE_LEG)
    voximplant_call(warehouse, 2, NOON, FOUR_LEGS)
    voximplant_call(warehouse, 3, NOON, [{**ONE_LEG[0], "successful": False}])
    expected = {
        "hotline_number": "18001000",
        "offered_calls": 3,
        "answered_calls": 2,
        "abandoned_calls": 1,
        "short_abandoned_calls": 0,
        "abandon_rate": pytest.approx(1 / 3),
        "unmeasured_calls": 3,
        "measured_calls": 0,
        "service_level": None,
        "average_answer_seconds": None,
    }
    assert warehouse.one("reporting.service_level", *expected) == expected


def test_calls_through_no_known_hotline_have_a_row_of_their_own() -> None:
    warehouse = Warehouse()
    etelecom_rang(warehouse, "1", NOON, 4, callee="101")
    etelecom_rang(warehouse, "2", NOON, 4, callee=HOTLINE)
    rows = warehouse.rows("select hotline_number, offered_calls from reporting.service_level")
    assert {row["hotline_number"]: row["offered_calls"] for row in rows} == {None: 1, HOTLINE: 1}


def test_a_call_in_progress_is_not_offered_yet() -> None:
    warehouse = Warehouse()
    in_progress(warehouse, "1", datetime.now(UTC) - timedelta(minutes=1), callee=HOTLINE)
    assert warehouse.rows("select * from reporting.service_level") == []
