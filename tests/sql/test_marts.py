"""daily_calls, freshness and coverage over given rows; expected values worked out by hand."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.sql.given import etelecom_call
from tests.sql.warehouse import Warehouse, utc


def vbot_call(warehouse: Warehouse, group_id: str, cost: str | None, currency: str | None = "VND") -> None:
    warehouse.insert(
        "vbot.calls",
        account="main",
        group_id=group_id,
        create_at=utc("2026-03-02T05:00:00"),
        type_call="2",
        disposition="ANSWER",
        postage=None if cost is None else Decimal(cost),
        currency=currency,
    )


def account(
    warehouse: Warehouse, cursor: datetime | None, *finished: tuple[str, str], name: str = "hanoi"
) -> None:
    warehouse.insert(
        "callsync.accounts",
        provider="etelecom",
        account=name,
        name=f"etelecom.{name}",
        start_date=utc("2026-01-01T00:00:00"),
        cursor=cursor,
        finished=json.dumps([list(interval) for interval in finished]),
    )


def ranges(warehouse: Warehouse, name: str = "hanoi") -> list[tuple[str, datetime, datetime]]:
    rows = warehouse.rows("select * from reporting.coverage order by range_start")
    return [(row["state"], row["range_start"], row["range_end"]) for row in rows if row["account"] == name]


def test_one_row_a_local_day_account_and_direction() -> None:
    warehouse = Warehouse()
    noon = utc("2026-03-02T05:00:00")
    etelecom_call(warehouse, "1", noon)
    etelecom_call(warehouse, "2", noon, duration=20)
    etelecom_call(warehouse, "3", noon, call_state="not_answered", duration=0)
    etelecom_call(warehouse, "4", noon, direction="out", duration=60)
    etelecom_call(warehouse, "5", noon, account="hue", duration=10)
    rows = warehouse.rows("select * from reporting.daily_calls order by account, direction")
    common = {"local_date": date(2026, 3, 2), "provider": "etelecom", "cost": None, "currency": None}
    assert rows == [
        common
        | {
            "account": "hanoi",
            "direction": "inbound",
            "calls": 3,
            "finished_calls": 3,
            "answered_calls": 2,
            "missed_calls": 1,
            "answer_rate": pytest.approx(2 / 3),
            "ring_seconds": 200,
            "talk_seconds": 100,
            "total_seconds": 300,
        },
        common
        | {
            "account": "hanoi",
            "direction": "outbound",
            "calls": 1,
            "finished_calls": 1,
            "answered_calls": 1,
            "missed_calls": 0,
            "answer_rate": 1.0,
            "ring_seconds": 40,
            "talk_seconds": 60,
            "total_seconds": 100,
        },
        common
        | {
            "account": "hue",
            "direction": "inbound",
            "calls": 1,
            "finished_calls": 1,
            "answered_calls": 1,
            "missed_calls": 0,
            "answer_rate": 1.0,
            "ring_seconds": 90,
            "talk_seconds": 10,
            "total_seconds": 100,
        },
    ]


@pytest.mark.parametrize(
    ("zone", "started_at", "local_date"),
    [
        ("Asia/Ho_Chi_Minh", "2026-03-02T16:59:59", date(2026, 3, 2)),
        ("Asia/Ho_Chi_Minh", "2026-03-02T17:00:00", date(2026, 3, 3)),
        ("UTC", "2026-03-02T17:00:00", date(2026, 3, 2)),
        # New York left standard time (-5) for daylight time (-4) on 8 March 2026, and returns on 1 November.
        ("America/New_York", "2026-03-08T04:59:59", date(2026, 3, 7)),
        ("America/New_York", "2026-03-08T05:00:00", date(2026, 3, 8)),
        ("America/New_York", "2026-03-09T03:59:59", date(2026, 3, 8)),
        ("America/New_York", "2026-03-09T04:00:00", date(2026, 3, 9)),
        ("America/New_York", "2026-11-01T04:00:00", date(2026, 11, 1)),
        ("America/New_York", "2026-11-02T04:59:59", date(2026, 11, 1)),
        ("America/New_York", "2026-11-02T05:00:00", date(2026, 11, 2)),
    ],
)
def test_a_call_belongs_to_the_day_it_starts_in_the_reporting_zone(
    zone: str, started_at: str, local_date: date
) -> None:
    warehouse = Warehouse(zone)
    etelecom_call(warehouse, "1", utc(started_at))
    assert warehouse.one("reporting.daily_calls", "local_date") == {"local_date": local_date}


def test_the_zone_of_the_reader_changes_no_date() -> None:
    warehouse = Warehouse()
    etelecom_call(warehouse, "1", utc("2026-03-02T17:00:00"))
    warehouse.execute("set timezone = 'America/New_York'")
    assert warehouse.one("reporting.daily_calls", "local_date") == {"local_date": date(2026, 3, 3)}


def test_the_answer_rate_over_no_finished_call_is_null() -> None:
    warehouse = Warehouse()
    started_at = datetime.now(UTC) - timedelta(minutes=1)
    etelecom_call(warehouse, "1", started_at, call_state="unknown", ended_at=None, duration=None)
    expected = {"calls": 1, "finished_calls": 0, "answered_calls": 0, "missed_calls": 0, "answer_rate": None}
    assert warehouse.one("reporting.daily_calls", *expected) == expected


def test_costs_are_summed_in_the_currency_of_the_account() -> None:
    warehouse = Warehouse()
    vbot_call(warehouse, "1", "86.72")
    vbot_call(warehouse, "2", "13.28")
    vbot_call(warehouse, "3", None)
    assert warehouse.one("reporting.daily_calls", "cost", "currency") == {
        "cost": Decimal(100),
        "currency": "VND",
    }


def test_costs_of_two_currencies_have_no_sum() -> None:
    warehouse = Warehouse()
    vbot_call(warehouse, "1", "86.72")
    vbot_call(warehouse, "2", "1.5", "USD")
    assert warehouse.one("reporting.daily_calls", "calls", "cost", "currency") == {
        "calls": 2,
        "cost": None,
        "currency": None,
    }


def test_freshness_of_an_account() -> None:
    warehouse = Warehouse()
    now = datetime.now(UTC)
    account(warehouse, now - timedelta(minutes=90, seconds=30))
    etelecom_call(warehouse, "1", utc("2026-03-02T05:00:00"))
    etelecom_call(warehouse, "2", utc("2026-03-03T05:00:00"))
    for run_id, status, minutes in (("r1", "ok", 300), ("r2", "ok", 89), ("r3", "failed", 5)):
        finished_at = now - timedelta(minutes=minutes, seconds=30)
        warehouse.insert(
            "callsync.run_accounts",
            run_id=run_id,
            account="etelecom.hanoi",
            status=status,
            finished_at=finished_at,
        )
    assert warehouse.one("reporting.freshness") == {
        "provider": "etelecom",
        "account": "hanoi",
        "name": "etelecom.hanoi",
        "cursor": now - timedelta(minutes=90, seconds=30),
        "newest_call_at": utc("2026-03-03T05:00:00"),
        "last_success_at": now - timedelta(minutes=89, seconds=30),
        "minutes_behind": 90,
        "minutes_since_success": 89,
        "is_stale": False,
    }


def test_minutes_are_those_that_passed_whatever_the_clocks_of_the_reader() -> None:
    warehouse = Warehouse()
    now = datetime.now(UTC)
    days = range(30, 361, 30)
    for number in days:
        account(warehouse, now - timedelta(days=number, seconds=1), name=str(number))
    warehouse.execute("set timezone = 'America/New_York'")
    rows = warehouse.rows("select account, minutes_behind from reporting.freshness")
    assert {row["account"]: row["minutes_behind"] for row in rows} == {
        str(number): number * 24 * 60 for number in days
    }


@pytest.mark.parametrize(("hours", "is_stale"), [(23, False), (25, True), (None, True)])
def test_an_account_is_stale_when_its_cursor_is_older_than_allowed(hours: int | None, is_stale: bool) -> None:
    warehouse = Warehouse()
    account(warehouse, None if hours is None else datetime.now(UTC) - timedelta(hours=hours))
    assert warehouse.one("reporting.freshness", "is_stale") == {"is_stale": is_stale}


def test_no_account_is_stale_where_any_age_is_allowed() -> None:
    warehouse = Warehouse()
    warehouse.execute("update callsync.settings set freshness_hours = 1e300")
    account(warehouse, datetime.now(UTC) - timedelta(days=9999))
    assert warehouse.one("reporting.freshness", "is_stale") == {"is_stale": False}


def test_coverage_shows_finished_ranges_and_the_gaps_up_to_the_cursor() -> None:
    warehouse = Warehouse()
    account(
        warehouse,
        utc("2026-01-10T00:00:00"),
        ("2026-01-02T00:00:00+00:00", "2026-01-04T00:00:00+00:00"),
        ("2026-01-06T07:00:00+07:00", "2026-01-08T00:00:00Z"),
    )
    assert ranges(warehouse) == [
        ("missing", utc("2026-01-01T00:00:00"), utc("2026-01-02T00:00:00")),
        ("covered", utc("2026-01-02T00:00:00"), utc("2026-01-04T00:00:00")),
        ("missing", utc("2026-01-04T00:00:00"), utc("2026-01-06T00:00:00")),
        ("covered", utc("2026-01-06T00:00:00"), utc("2026-01-08T00:00:00")),
        ("missing", utc("2026-01-08T00:00:00"), utc("2026-01-10T00:00:00")),
    ]


def test_ranges_that_overlap_or_touch_are_one_and_inner_ones_close_nothing_early() -> None:
    warehouse = Warehouse()
    account(
        warehouse,
        utc("2026-01-09T00:00:00"),
        ("2026-01-07T00:00:00Z", "2026-01-09T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"),
        ("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"),
        ("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"),
    )
    assert ranges(warehouse) == [
        ("covered", utc("2026-01-01T00:00:00"), utc("2026-01-06T00:00:00")),
        ("missing", utc("2026-01-06T00:00:00"), utc("2026-01-07T00:00:00")),
        ("covered", utc("2026-01-07T00:00:00"), utc("2026-01-09T00:00:00")),
    ]


def test_a_backfill_before_the_first_day_is_covered_and_leaves_no_gap_before_it() -> None:
    warehouse = Warehouse()
    account(
        warehouse,
        utc("2026-01-03T00:00:00"),
        ("2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z"),
        ("2025-12-31T00:00:00Z", "2026-01-03T00:00:00Z"),
    )
    assert ranges(warehouse) == [
        ("covered", utc("2025-06-01T00:00:00"), utc("2025-07-01T00:00:00")),
        ("covered", utc("2025-12-31T00:00:00"), utc("2026-01-03T00:00:00")),
    ]


def test_an_account_never_synced_misses_everything_until_now() -> None:
    warehouse = Warehouse()
    account(warehouse, None)
    account(
        warehouse, utc("2026-01-02T00:00:00"), ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), name="hue"
    )
    [(state, range_start, range_end)] = ranges(warehouse)
    assert (state, range_start) == ("missing", utc("2026-01-01T00:00:00"))
    assert abs(datetime.now(UTC) - range_end) < timedelta(minutes=1)
    assert [state for state, *_ in ranges(warehouse, "hue")] == ["covered"]
