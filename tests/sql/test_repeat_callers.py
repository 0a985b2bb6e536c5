"""reporting.repeat_callers over given rows; expected values worked out by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sql.given import etelecom_call, etelecom_missed, in_progress, numbers
from tests.sql.warehouse import Warehouse, utc

LAN, LAN_ABROAD, LAN_BARE = "0912345678", "+84912345678", "84912345678"


def callers(warehouse: Warehouse) -> dict[str, int]:
    """How often each repeat caller called."""
    rows = warehouse.rows("select contact_number, calls from reporting.repeat_callers")
    return {row["contact_number"]: row["calls"] for row in rows}


def lan_called(warehouse: Warehouse, *times: str, **changes: Any) -> None:
    for number, started_at in enumerate(times):
        etelecom_call(warehouse, f"{started_at}#{number}", started_at, **{"caller": LAN} | changes)


def test_one_row_a_number_that_called_an_account_more_than_once() -> None:
    warehouse = Warehouse()
    numbers(warehouse, LAN_ABROAD, LAN, LAN_ABROAD, LAN_BARE)
    # In Vietnam: 2 March twice, 3 March, and 5 March.
    etelecom_call(warehouse, "1", "2026-03-02T16:00:00", caller=LAN)
    etelecom_missed(warehouse, "2", "2026-03-02T16:59:59", caller=LAN_ABROAD)
    etelecom_call(warehouse, "3", "2026-03-02T17:00:00", caller=LAN_BARE)
    etelecom_missed(warehouse, "4", "2026-03-05T02:00:00", caller=LAN)
    # What is not an inbound call of that number is not counted.
    etelecom_call(warehouse, "5", "2026-03-02T18:00:00", direction="out", callee=LAN)
    etelecom_call(warehouse, "6", "2026-03-02T18:00:00", caller="0909111222")
    assert warehouse.rows("select * from reporting.repeat_callers") == [
        {
            "provider": "etelecom",
            "account": "hanoi",
            "contact_number": LAN_ABROAD,
            "calls": 4,
            "answered_calls": 2,
            "missed_calls": 2,
            "answer_rate": 0.5,
            "repeat_calls": 3,
            "repeats_within_day_calls": 2,
            "active_days": 3,
            "spellings": 3,
            "first_call_at": utc("2026-03-02T16:00:00"),
            "last_call_at": utc("2026-03-05T02:00:00"),
        }
    ]


@pytest.mark.parametrize(
    ("times", "repeats"),
    [
        (["2026-03-02T01:00:00", "2026-03-03T01:00:00"], 1),
        (["2026-03-02T01:00:00", "2026-03-03T01:00:01"], 0),
        (["2026-03-02T01:00:00", "2026-03-02T01:00:00"], 1),
        (["2026-03-02T01:00:00", "2026-03-02T01:00:00", "2026-03-02T01:00:00"], 2),
        # Each call is held against the one before it, not the first.
        (["2026-03-02T01:00:00", "2026-03-03T00:00:00", "2026-03-03T23:00:00", "2026-03-05T01:00:00"], 2),
    ],
)
def test_a_repeat_within_a_day_comes_24_hours_or_less_after_the_call_before(
    times: list[str], repeats: int
) -> None:
    warehouse = Warehouse()
    lan_called(warehouse, *times)
    expected = {"calls": len(times), "repeats_within_day_calls": repeats}
    assert warehouse.one("reporting.repeat_callers", *expected) == expected


@pytest.mark.parametrize(
    ("times", "repeats"),
    [
        # From 22:00 to 22:00, a day of 23 hours; from 22:00 to 21:00 and to 22:00, a day of 25.
        (["2026-03-08T03:00:00", "2026-03-09T02:00:00"], 1),
        (["2026-11-01T02:00:00", "2026-11-02T02:00:00"], 1),
        (["2026-11-01T02:00:00", "2026-11-02T03:00:00"], 0),
    ],
)
def test_24_hours_are_24_hours_where_clocks_change(times: list[str], repeats: int) -> None:
    warehouse = Warehouse("America/New_York")
    warehouse.execute("set timezone = 'America/New_York'")
    lan_called(warehouse, *times)
    expected = {"active_days": 2, "repeats_within_day_calls": repeats}
    assert warehouse.one("reporting.repeat_callers", *expected) == expected


def test_one_call_is_no_repeat() -> None:
    warehouse = Warehouse()
    lan_called(warehouse, "2026-03-02T01:00:00")
    assert callers(warehouse) == {}


def test_calls_to_two_accounts_are_one_each() -> None:
    warehouse = Warehouse()
    lan_called(warehouse, "2026-03-02T01:00:00")
    lan_called(warehouse, "2026-03-02T02:00:00", account="hue")
    assert callers(warehouse) == {}
    lan_called(warehouse, "2026-03-05T01:00:00")
    lan_called(warehouse, "2026-03-05T02:00:00", account="hue")
    rows = warehouse.rows("select calls, repeats_within_day_calls, active_days from reporting.repeat_callers")
    assert rows == [{"calls": 2, "repeats_within_day_calls": 0, "active_days": 2}] * 2


def test_callers_without_a_number_are_nobody() -> None:
    warehouse = Warehouse()
    numbers(warehouse, None, "anonymous", kind="withheld")
    lan_called(warehouse, "2026-03-02T01:00:00", "2026-03-02T02:00:00", caller="anonymous")
    lan_called(warehouse, "2026-03-02T03:00:00", "2026-03-02T04:00:00", caller=None)
    assert callers(warehouse) == {}


def test_spellings_that_nobody_can_read_stay_apart() -> None:
    warehouse = Warehouse()
    lan_called(warehouse, "2026-03-02T01:00:00", "2026-03-02T02:00:00")
    lan_called(warehouse, "2026-03-02T03:00:00", caller=LAN_BARE)
    assert callers(warehouse) == {LAN: 2}


def test_a_call_counts_once_it_has_finished() -> None:
    warehouse = Warehouse()
    lan_called(warehouse, "2026-03-02T01:00:00")
    now = datetime.now(UTC)
    in_progress(warehouse, "2", now - timedelta(minutes=1), caller=LAN)
    assert callers(warehouse) == {}
    in_progress(warehouse, "3", now - timedelta(days=2), caller=LAN)
    expected = {
        "calls": 2,
        "answered_calls": 1,
        "missed_calls": 0,
        "answer_rate": 0.5,
        "repeats_within_day_calls": 0,
        "active_days": 2,
    }
    assert warehouse.one("reporting.repeat_callers", *expected) == expected
