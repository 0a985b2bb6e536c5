"""reporting.hotline_calls over given rows; expected values worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

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
from tests.sql.warehouse import Warehouse

NOON = "2026-03-02T05:00:00"
HOTLINE = "19001234"


def test_one_row_a_local_day_and_hotline() -> None:
    warehouse = Warehouse()
    etelecom_rang(warehouse, "1", NOON, 4, callee=HOTLINE)
    etelecom_rang(warehouse, "2", NOON, 10, callee=HOTLINE)
    etelecom_missed(warehouse, "3", NOON, callee=HOTLINE)
    etelecom_call(warehouse, "4", NOON, caller=HOTLINE, direction="out", duration=None)
    etelecom_rang(warehouse, "5", "2026-03-02T17:00:00", 4, callee=HOTLINE)
    etelecom_rang(warehouse, "6", NOON, 4, callee="19005678")
    etelecom_rang(warehouse, "7", NOON, 4, callee=HOTLINE, account="hue")
    etelecom_rang(warehouse, "8", NOON, 4, callee="101")
    rows = warehouse.rows(
        "select * from reporting.hotline_calls order by account, hotline_number, local_date"
    )
    one_call = {
        "local_date": date(2026, 3, 2),
        "provider": "etelecom",
        "account": "hanoi",
        "hotline_number": HOTLINE,
        "hotline_name": None,
        "calls": 1,
        "inbound_calls": 1,
        "outbound_calls": 0,
        "finished_calls": 1,
        "answered_calls": 1,
        "missed_calls": 0,
        "answer_rate": 1.0,
        "rung_calls": 1,
        "ring_seconds": 4,
        "average_ring_seconds": 4.0,
        "longest_ring_seconds": 4,
        "talk_seconds": 60,
        "cost": None,
        "currency": None,
    }
    assert rows == [
        one_call
        | {
            "calls": 4,
            "inbound_calls": 3,
            "outbound_calls": 1,
            "finished_calls": 4,
            "answered_calls": 3,
            "missed_calls": 1,
            "answer_rate": 0.75,
            "rung_calls": 3,
            "ring_seconds": 4 + 10 + 30,
            "average_ring_seconds": pytest.approx(44 / 3),
            "longest_ring_seconds": 30,
            "talk_seconds": 120,
        },
        one_call | {"local_date": date(2026, 3, 3)},
        one_call | {"hotline_number": "19005678"},
        one_call | {"account": "hue"},
    ]


def test_vbot_hotlines_have_names_and_costs() -> None:
    warehouse = Warehouse()
    warehouse.insert("vbot.hotlines", account="main", hotline_number="1", hotline_name=" Sales ")
    warehouse.insert("vbot.hotlines", account="main", hotline_number="2", hotline_name="")
    warehouse.insert("vbot.hotlines", account="hue", hotline_number="3", hotline_name="Elsewhere")
    side = {"postage": Decimal("86.72")}
    vbot_call(warehouse, "a", NOON, hotline_number="1", callers=[side], callees=[side])
    vbot_call(warehouse, "b", NOON, hotline_number="1", postage=Decimal("13.28"))
    vbot_call(warehouse, "c", NOON, hotline_number="2", postage=Decimal(1))
    vbot_call(warehouse, "d", NOON, hotline_number="2", postage=Decimal(1), currency="USD")
    vbot_call(warehouse, "e", NOON, hotline_number="3")
    columns = "hotline_number, hotline_name, calls, cost, currency"
    rows = warehouse.rows(f"select {columns} from reporting.hotline_calls order by hotline_number")
    assert [tuple(row.values()) for row in rows] == [
        ("1", "Sales", 2, Decimal(100), "VND"),
        ("2", None, 2, None, None),
        ("3", None, 1, None, "VND"),
    ]


def test_a_hotline_listed_twice_has_one_name_and_each_call_once() -> None:
    warehouse = Warehouse()
    for name in ("Sales", "Support"):
        warehouse.insert("vbot.hotlines", account="main", hotline_number="1", hotline_name=name)
    vbot_call(warehouse, "a", NOON, hotline_number="1")
    expected = {"hotline_name": "Support", "calls": 1}
    assert warehouse.one("reporting.hotline_calls", *expected) == expected


def test_voximplant_tells_no_ring_times() -> None:
    warehouse = Warehouse()
    voximplant_call(warehouse, 1, NOON, ONE_LEG)
    voximplant_call(warehouse, 2, NOON, FOUR_LEGS)
    expected = {
        "hotline_number": "18001000",
        "calls": 2,
        "answered_calls": 2,
        "rung_calls": 0,
        "ring_seconds": None,
        "average_ring_seconds": None,
        "longest_ring_seconds": None,
        "talk_seconds": 85,
    }
    assert warehouse.one("reporting.hotline_calls", *expected) == expected


def test_the_answer_rate_over_no_finished_call_is_null() -> None:
    warehouse = Warehouse()
    in_progress(warehouse, "1", datetime.now(UTC) - timedelta(minutes=1), callee=HOTLINE)
    expected = {"calls": 1, "inbound_calls": 1, "finished_calls": 0, "answer_rate": None}
    assert warehouse.one("reporting.hotline_calls", *expected) == expected


@pytest.mark.parametrize(
    ("started_at", "local_date"),
    [
        # The day of 23 hours, and the one of 25.
        ("2026-03-08T05:00:00", date(2026, 3, 8)),
        ("2026-03-09T03:59:59", date(2026, 3, 8)),
        ("2026-03-09T04:00:00", date(2026, 3, 9)),
        ("2026-11-01T04:00:00", date(2026, 11, 1)),
        ("2026-11-02T04:59:59", date(2026, 11, 1)),
        ("2026-11-02T05:00:00", date(2026, 11, 2)),
    ],
)
def test_days_are_as_long_as_their_clock_says(started_at: str, local_date: date) -> None:
    warehouse = Warehouse("America/New_York")
    etelecom_call(warehouse, "1", started_at, callee=HOTLINE)
    assert warehouse.one("reporting.hotline_calls", "local_date") == {"local_date": local_date}
