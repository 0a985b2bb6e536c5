"""reporting.monthly_costs over given rows; expected values worked out by hand."""

from datetime import date
from decimal import Decimal

import pytest

from tests.sql.given import FOUR_LEGS, ONE_LEG, etelecom_call, vbot_call, voximplant_call
from tests.sql.warehouse import Warehouse

NOON = "2026-03-02T05:00:00"


def test_one_row_a_month_account_direction_and_currency() -> None:
    warehouse = Warehouse()
    vbot_call(warehouse, "1", NOON, postage=Decimal("86.72"), time_call=30)
    vbot_call(warehouse, "2", "2026-03-31T05:00:00", postage=Decimal("13.28"), time_call=20)
    vbot_call(warehouse, "3", NOON, time_call=600, duration_call=600)
    vbot_call(warehouse, "4", NOON, postage=Decimal("1.5"), currency="USD", time_call=60)
    vbot_call(warehouse, "5", NOON, postage=Decimal(8), time_call=60, type_call="CALLOUT")
    etelecom_call(warehouse, "6", NOON)
    rows = warehouse.rows("select * from reporting.monthly_costs order by provider, direction, currency")
    march = {"local_month": date(2026, 3, 1), "provider": "vbot", "account": "main", "direction": "inbound"}
    assert rows == [
        march
        | {
            "provider": "etelecom",
            "account": "hanoi",
            "currency": None,
            "calls": 1,
            "costed_calls": 0,
            "cost": None,
            "costed_talk_seconds": None,
            "cost_per_minute": None,
        },
        march
        | {
            "currency": "USD",
            "calls": 1,
            "costed_calls": 1,
            "cost": Decimal("1.5"),
            "costed_talk_seconds": 60,
            "cost_per_minute": 1.5,
        },
        march
        | {
            "currency": "VND",
            "calls": 3,
            "costed_calls": 2,
            "cost": Decimal(100),
            "costed_talk_seconds": 50,
            "cost_per_minute": 120.0,
        },
        march
        | {
            "direction": "outbound",
            "currency": "VND",
            "calls": 1,
            "costed_calls": 1,
            "cost": Decimal(8),
            "costed_talk_seconds": 60,
            "cost_per_minute": 8.0,
        },
    ]


@pytest.mark.parametrize(
    ("zone", "started_at", "local_month"),
    [
        ("Asia/Ho_Chi_Minh", "2026-01-31T16:59:59", date(2026, 1, 1)),
        ("Asia/Ho_Chi_Minh", "2026-01-31T17:00:00", date(2026, 2, 1)),
        ("UTC", "2026-01-31T17:00:00", date(2026, 1, 1)),
        ("Asia/Ho_Chi_Minh", "2028-02-29T16:59:59", date(2028, 2, 1)),
        ("Asia/Ho_Chi_Minh", "2025-12-31T17:00:00", date(2026, 1, 1)),
        # New York is back at -5 by the end of November, still at -4 at the end of October.
        ("America/New_York", "2026-11-01T03:59:59", date(2026, 10, 1)),
        ("America/New_York", "2026-11-01T04:00:00", date(2026, 11, 1)),
        ("America/New_York", "2026-12-01T04:59:59", date(2026, 11, 1)),
    ],
)
def test_a_call_belongs_to_the_month_it_starts_in(zone: str, started_at: str, local_month: date) -> None:
    warehouse = Warehouse(zone)
    etelecom_call(warehouse, "1", started_at)
    assert warehouse.one("reporting.monthly_costs", "local_month") == {"local_month": local_month}


def test_a_postage_that_stands_on_both_sides_is_paid_once() -> None:
    warehouse = Warehouse()
    side = {"phone": "0909123456", "postage": Decimal("86.72")}
    vbot_call(warehouse, "1", NOON, callers=[side], callees=[side])
    expected = {"costed_calls": 1, "cost": Decimal("86.72"), "costed_talk_seconds": 30}
    assert warehouse.one("reporting.monthly_costs", *expected) == expected


def test_sessions_cost_what_their_legs_cost() -> None:
    warehouse = Warehouse()
    warehouse.insert("voximplant.account_info", account="main", currency="USD")
    voximplant_call(warehouse, 1, NOON, ONE_LEG)
    voximplant_call(warehouse, 2, NOON, FOUR_LEGS)
    expected = {
        "currency": "USD",
        "calls": 2,
        "costed_calls": 2,
        "cost": Decimal("0.07"),
        # 45 s with the bot, and the longer of the two agents' 40 s.
        "costed_talk_seconds": 85,
        "cost_per_minute": pytest.approx(0.07 * 60 / 85),
    }
    assert warehouse.one("reporting.monthly_costs", *expected) == expected


def test_a_cost_without_talk_has_no_price_a_minute() -> None:
    warehouse = Warehouse()
    vbot_call(warehouse, "1", NOON, postage=Decimal(5), disposition="BUSY", time_call=0)
    expected = {"cost": Decimal(5), "costed_talk_seconds": 0, "cost_per_minute": None}
    assert warehouse.one("reporting.monthly_costs", *expected) == expected


def test_calls_that_cost_nothing_are_not_calls_of_unknown_cost() -> None:
    warehouse = Warehouse()
    vbot_call(warehouse, "1", NOON, postage=Decimal(0))
    expected = {"costed_calls": 1, "cost": Decimal(0), "cost_per_minute": 0.0}
    assert warehouse.one("reporting.monthly_costs", *expected) == expected
