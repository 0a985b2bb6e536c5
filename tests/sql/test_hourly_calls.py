"""reporting.hourly_calls over given rows; expected values worked out by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.sql.given import etelecom_call, etelecom_missed, in_progress
from tests.sql.warehouse import Warehouse


def test_one_row_an_account_direction_weekday_and_hour() -> None:
    warehouse = Warehouse()
    # Mondays, 8 o'clock in Vietnam.
    etelecom_call(warehouse, "1", "2026-03-02T01:00:00")
    etelecom_call(warehouse, "2", "2026-03-02T01:59:59", duration=20)
    etelecom_missed(warehouse, "3", "2026-03-09T01:30:00")
    # A Tuesday, 8 o'clock; another direction on a Monday, 9 o'clock; another account.
    etelecom_call(warehouse, "4", "2026-03-03T01:00:00")
    etelecom_call(warehouse, "5", "2026-03-02T02:00:00", direction="out", duration=60)
    etelecom_call(warehouse, "6", "2026-03-02T01:00:00", account="hue")
    rows = warehouse.rows("select * from reporting.hourly_calls order by account, direction, weekday, hour")
    one_call = {
        "provider": "etelecom",
        "account": "hanoi",
        "direction": "inbound",
        "weekday": 1,
        "hour": 8,
        "active_days": 1,
        "calls": 1,
        "finished_calls": 1,
        "answered_calls": 1,
        "missed_calls": 0,
        "answer_rate": 1.0,
        "ring_seconds": 20,
        "talk_seconds": 80,
        "total_seconds": 100,
    }
    assert rows == [
        one_call
        | {
            "active_days": 2,
            "calls": 3,
            "finished_calls": 3,
            "answered_calls": 2,
            "missed_calls": 1,
            "answer_rate": pytest.approx(2 / 3),
            "ring_seconds": 20 + 80 + 30,
            "talk_seconds": 80 + 20,
            "total_seconds": 100 + 100 + 30,
        },
        one_call | {"weekday": 2},
        one_call | {"direction": "outbound", "hour": 9, "ring_seconds": 40, "talk_seconds": 60},
        one_call | {"account": "hue"},
    ]


@pytest.mark.parametrize(
    ("zone", "started_at", "weekday", "hour"),
    [
        ("Asia/Ho_Chi_Minh", "2026-03-01T16:59:59", 7, 23),
        ("Asia/Ho_Chi_Minh", "2026-03-01T17:00:00", 1, 0),
        ("UTC", "2026-03-01T17:00:00", 7, 17),
        # New York's clocks go from 2 to 3 on 8 March 2026: that Sunday has no hour 2.
        ("America/New_York", "2026-03-08T06:59:59", 7, 1),
        ("America/New_York", "2026-03-08T07:00:00", 7, 3),
        # Kathmandu is 5:45 ahead.
        ("Asia/Kathmandu", "2026-03-02T03:14:59", 1, 8),
        ("Asia/Kathmandu", "2026-03-02T03:15:00", 1, 9),
    ],
)
def test_the_hour_is_that_of_the_local_clock_at_the_start(
    zone: str, started_at: str, weekday: int, hour: int
) -> None:
    warehouse = Warehouse(zone)
    etelecom_call(warehouse, "1", started_at)
    expected = {"weekday": weekday, "hour": hour, "active_days": 1, "calls": 1}
    assert warehouse.one("reporting.hourly_calls", *expected) == expected


def test_an_hour_that_the_clock_shows_twice_is_one_hour_of_one_day() -> None:
    warehouse = Warehouse("America/New_York")
    etelecom_call(warehouse, "1", "2026-11-01T05:30:00")
    etelecom_call(warehouse, "2", "2026-11-01T06:30:00")
    expected = {"weekday": 7, "hour": 1, "active_days": 1, "calls": 2}
    assert warehouse.one("reporting.hourly_calls", *expected) == expected


def test_a_call_over_midnight_counts_where_it_starts() -> None:
    warehouse = Warehouse("UTC")
    etelecom_call(warehouse, "1", "2026-03-02T23:59:30")
    expected = {"weekday": 1, "hour": 23, "talk_seconds": 80}
    assert warehouse.one("reporting.hourly_calls", *expected) == expected


def test_the_answer_rate_over_no_finished_call_is_null_and_so_are_sums_of_nothing_known() -> None:
    warehouse = Warehouse()
    in_progress(warehouse, "1", datetime.now(UTC) - timedelta(minutes=1), direction="out")
    expected = {
        "calls": 1,
        "finished_calls": 0,
        "answered_calls": 0,
        "missed_calls": 0,
        "answer_rate": None,
        "ring_seconds": None,
        "total_seconds": None,
    }
    assert warehouse.one("reporting.hourly_calls", *expected) == expected
