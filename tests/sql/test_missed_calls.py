"""reporting.missed_calls over given rows; expected values worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.sql.given import (
    FOUR_LEGS,
    ONE_LEG,
    etelecom_call,
    etelecom_missed,
    in_progress,
    numbers,
    vbot_call,
    voximplant_call,
)
from tests.sql.warehouse import Warehouse, utc

LAN, LAN_ABROAD, LAN_BARE = "0912345678", "+84912345678", "84912345678"
BINH = "0909111222"
HOTLINE, OTHER_HOTLINE = "19001234", "19005678"
MISSED_AT = "2026-03-02T01:00:00"


def lan_called(warehouse: Warehouse, log_id: str = "1", started_at: str = MISSED_AT, **changes: Any) -> None:
    etelecom_missed(warehouse, log_id, started_at, **{"caller": LAN, "callee": HOTLINE} | changes)


def called_back(warehouse: Warehouse, log_id: str, started_at: str, **changes: Any) -> None:
    record = {"direction": "out", "caller": HOTLINE, "callee": LAN}
    etelecom_call(warehouse, log_id, started_at, **record | changes)


def lan_got_through(warehouse: Warehouse, log_id: str, started_at: str, **changes: Any) -> None:
    etelecom_call(warehouse, log_id, started_at, **{"caller": LAN, "callee": HOTLINE} | changes)


def contact(warehouse: Warehouse, log_id: str = "1") -> tuple[Any, ...]:
    """Which call closed a missed call, how, after how many seconds, and whether it was answered."""
    columns = ("contact_call_id", "contact_kind", "seconds_until_contact", "is_contact_answered", "is_open")
    row = warehouse.one("reporting.missed_calls", *columns, provider_call_id=log_id)
    return tuple(row.values())


OPEN = (None, None, None, None, True)


def by_call(log_id: str, kind: str, seconds: int, is_answered: bool = True) -> tuple[Any, ...]:
    return (f"etelecom/hanoi/{log_id}", kind, seconds, is_answered, False)


def test_one_row_a_missed_call() -> None:
    warehouse = Warehouse()
    numbers(warehouse, LAN_ABROAD, LAN)
    numbers(warehouse, None, BINH, kind="unknown")
    lan_called(warehouse, "1", "2026-03-02T16:59:50")
    called_back(warehouse, "2", "2026-03-02T17:00:30")
    lan_called(warehouse, "3", "2026-03-02T17:30:00", caller=BINH)
    rows = warehouse.rows("select * from reporting.missed_calls order by started_at")
    assert rows == [
        {
            "call_id": "etelecom/hanoi/1",
            "provider": "etelecom",
            "account": "hanoi",
            "provider_call_id": "1",
            "started_at": utc("2026-03-02T16:59:50"),
            "local_date": date(2026, 3, 2),
            "hotline_number": HOTLINE,
            "hotline_name": None,
            "from_number": LAN,
            "from_e164": LAN_ABROAD,
            "contact_number": LAN_ABROAD,
            "ring_seconds": 30,
            "contact_call_id": "etelecom/hanoi/2",
            "contact_kind": "call_back",
            "contacted_at": utc("2026-03-02T17:00:30"),
            "is_contact_answered": True,
            "seconds_until_contact": 40,
            "is_reachable": True,
            "is_open": False,
        },
        {
            "call_id": "etelecom/hanoi/3",
            "provider": "etelecom",
            "account": "hanoi",
            "provider_call_id": "3",
            "started_at": utc("2026-03-02T17:30:00"),
            "local_date": date(2026, 3, 3),
            "hotline_number": HOTLINE,
            "hotline_name": None,
            "from_number": BINH,
            "from_e164": None,
            "contact_number": BINH,
            "ring_seconds": 30,
            "contact_call_id": None,
            "contact_kind": None,
            "contacted_at": None,
            "is_contact_answered": None,
            "seconds_until_contact": None,
            "is_reachable": True,
            "is_open": True,
        },
    ]


def test_only_missed_calls_are_listed() -> None:
    warehouse = Warehouse()
    lan_got_through(warehouse, "1", MISSED_AT)
    called_back(warehouse, "2", MISSED_AT, call_state="not_answered")
    etelecom_missed(warehouse, "3", MISSED_AT, direction="ext_in", caller="101", callee="102")
    voximplant_call(warehouse, 4, MISSED_AT)
    assert warehouse.rows("select * from reporting.missed_calls") == []


def test_a_call_back_closes_a_missed_call_whatever_came_of_it() -> None:
    warehouse = Warehouse()
    lan_called(warehouse)
    called_back(warehouse, "2", "2026-03-02T01:05:00", call_state="not_answered", duration=0)
    called_back(warehouse, "3", "2026-03-02T01:10:00")
    assert contact(warehouse) == by_call("2", "call_back", 300, is_answered=False)


def test_the_callers_own_later_call_closes_it_when_answered() -> None:
    warehouse = Warehouse()
    lan_called(warehouse)
    lan_got_through(warehouse, "2", "2026-03-02T01:02:00")
    called_back(warehouse, "3", "2026-03-02T01:03:00")
    assert contact(warehouse) == by_call("2", "called_again", 120)


def test_a_further_missed_call_is_no_contact_and_one_contact_closes_both() -> None:
    warehouse = Warehouse()
    lan_called(warehouse, "1")
    lan_called(warehouse, "2", "2026-03-02T01:01:00")
    called_back(warehouse, "3", "2026-03-02T01:03:00")
    lan_called(warehouse, "4", "2026-03-02T01:04:00")
    assert contact(warehouse, "1") == by_call("3", "call_back", 180)
    assert contact(warehouse, "2") == by_call("3", "call_back", 120)
    assert contact(warehouse, "4") == OPEN


def test_a_call_that_nobody_has_answered_yet_closes_nothing() -> None:
    warehouse = Warehouse()
    now = datetime.now(UTC)
    etelecom_missed(warehouse, "1", str(now - timedelta(minutes=9))[:19], caller=LAN, callee=HOTLINE)
    in_progress(warehouse, "2", now - timedelta(minutes=1), caller=LAN, callee=HOTLINE)
    assert contact(warehouse) == OPEN


def test_what_came_before_closes_nothing() -> None:
    warehouse = Warehouse()
    called_back(warehouse, "2", "2026-03-02T00:59:59")
    lan_got_through(warehouse, "3", "2026-03-02T00:30:00")
    lan_called(warehouse)
    assert contact(warehouse) == OPEN


def test_a_call_of_the_same_second_is_not_later() -> None:
    warehouse = Warehouse()
    lan_called(warehouse)
    called_back(warehouse, "0", MISSED_AT)
    called_back(warehouse, "2", MISSED_AT)
    assert contact(warehouse) == OPEN
    called_back(warehouse, "3", "2026-03-02T01:00:01")
    assert contact(warehouse) == by_call("3", "call_back", 1)


@pytest.mark.parametrize("swapped", [False, True])
def test_of_two_contacts_in_the_same_second_the_lower_id_counts(swapped: bool) -> None:
    warehouse = Warehouse()
    lan_called(warehouse)
    first, second = ("3", "2") if swapped else ("2", "3")
    called_back(warehouse, first, "2026-03-02T01:00:09", call_state="not_answered")
    lan_got_through(warehouse, second, "2026-03-02T01:00:09")
    expected = by_call("2", "called_again", 9) if swapped else by_call("2", "call_back", 9, is_answered=False)
    assert contact(warehouse) == expected


def test_parts_of_a_second_are_not_counted() -> None:
    warehouse = Warehouse()
    started_at = utc(MISSED_AT)
    lan_called(warehouse, started_at=MISSED_AT, created_at=started_at)
    etelecom_call(
        warehouse,
        "2",
        started_at + timedelta(seconds=59, microseconds=999_999),
        direction="out",
        caller=HOTLINE,
        callee=LAN,
    )
    assert contact(warehouse) == by_call("2", "call_back", 59)


def test_the_same_person_in_three_spellings_is_one() -> None:
    warehouse = Warehouse()
    numbers(warehouse, LAN_ABROAD, LAN, LAN_ABROAD, LAN_BARE)
    lan_called(warehouse, "1")
    lan_called(warehouse, "2", "2026-03-02T01:01:00", caller=LAN_ABROAD)
    called_back(warehouse, "3", "2026-03-02T01:03:00", callee=LAN_BARE)
    assert contact(warehouse, "1") == by_call("3", "call_back", 180)
    assert contact(warehouse, "2") == by_call("3", "call_back", 120)


def test_a_number_that_cannot_be_read_is_itself_and_no_other() -> None:
    warehouse = Warehouse()
    numbers(warehouse, None, "agent07", "Agent07", kind="sip")
    lan_called(warehouse, caller="agent07")
    called_back(warehouse, "2", "2026-03-02T01:01:00", callee="Agent07")
    assert contact(warehouse) == OPEN
    called_back(warehouse, "3", "2026-03-02T01:02:00", callee="agent07")
    assert contact(warehouse) == by_call("3", "call_back", 120)


def test_another_number_of_the_caller_closes_nothing() -> None:
    warehouse = Warehouse()
    lan_called(warehouse)
    called_back(warehouse, "2", "2026-03-02T01:01:00", callee=BINH)
    lan_got_through(warehouse, "3", "2026-03-02T01:02:00", caller=BINH)
    assert contact(warehouse) == OPEN


def test_another_hotline_of_the_account_closes_it() -> None:
    warehouse = Warehouse()
    lan_called(warehouse)
    called_back(warehouse, "2", "2026-03-02T01:01:00", caller=OTHER_HOTLINE)
    assert contact(warehouse) == by_call("2", "call_back", 60)


def test_another_account_or_provider_closes_nothing() -> None:
    warehouse = Warehouse()
    lan_called(warehouse)
    called_back(warehouse, "2", "2026-03-02T01:01:00", account="hue")
    vbot_call(warehouse, "3", "2026-03-02T01:02:00", account="hanoi", type_call="CALLOUT")
    warehouse.insert("vbot.calls__callee", account="hanoi", group_id="3", position=0, phone=LAN)
    assert contact(warehouse) == OPEN


def test_a_withheld_caller_cannot_be_called_back() -> None:
    warehouse = Warehouse()
    numbers(warehouse, None, "anonymous", kind="withheld")
    lan_called(warehouse, "1", caller="anonymous")
    lan_called(warehouse, "2", caller=None)
    lan_got_through(warehouse, "3", "2026-03-02T01:01:00", caller="anonymous")
    called_back(warehouse, "4", "2026-03-02T01:02:00", callee="anonymous")
    lan_got_through(warehouse, "5", "2026-03-02T01:03:00", caller=None)
    for log_id in ("1", "2"):
        assert contact(warehouse, log_id) == OPEN
        expected = {"contact_number": None, "is_reachable": False}
        assert warehouse.one("reporting.missed_calls", *expected, provider_call_id=log_id) == expected


def test_an_internal_call_in_its_two_rows_is_no_contact() -> None:
    warehouse = Warehouse()
    lan_called(warehouse, caller="102", callee=HOTLINE)
    for log_id, direction in (("2", "ext_out"), ("3", "ext_in")):
        etelecom_call(
            warehouse, log_id, "2026-03-02T01:01:00", direction=direction, caller="101", callee="102"
        )
    assert contact(warehouse) == OPEN


def test_a_call_that_a_second_agent_answered_was_not_missed() -> None:
    warehouse = Warehouse()
    caller = {"phone": LAN}
    waiting = {"member_no": "5", "disposition": "NOANSWER"}
    vbot_call(
        warehouse, "1", MISSED_AT, callers=[caller], callees=[waiting], disposition="NOANSWER", time_call=0
    )
    left_to_another = {"member_no": "5", "disposition": "SOMEONEANSWERED"}
    answered = {"member_no": "6", "disposition": "ANSWER"}
    vbot_call(warehouse, "2", "2026-03-02T01:01:00", callers=[caller], callees=[left_to_another, answered])
    columns = ("provider_call_id", "contact_call_id", "contact_kind")
    assert warehouse.one("reporting.missed_calls", *columns) == {
        "provider_call_id": "1",
        "contact_call_id": "vbot/main/2",
        "contact_kind": "called_again",
    }


def test_a_call_that_vbot_says_someone_answered_without_saying_who_is_missed() -> None:
    warehouse = Warehouse()
    vbot_call(warehouse, "1", MISSED_AT, disposition="SOMEONEANSWERED", time_call=0)
    assert warehouse.one("reporting.missed_calls", "provider_call_id") == {"provider_call_id": "1"}


def test_sessions_of_one_leg_and_of_four() -> None:
    warehouse = Warehouse()
    nobody = [FOUR_LEGS[0], FOUR_LEGS[1]]
    voximplant_call(warehouse, 1, MISSED_AT, nobody)
    voximplant_call(warehouse, 2, "2026-03-02T02:00:00", FOUR_LEGS)
    voximplant_call(warehouse, 3, "2026-03-02T03:00:00", nobody)
    voximplant_call(warehouse, 4, "2026-03-02T04:00:00", ONE_LEG)
    rows = warehouse.rows("select * from reporting.missed_calls order by started_at")
    columns = ("provider_call_id", "ring_seconds", "contact_call_id", "contact_kind")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("1", None, "voximplant/main/2", "called_again"),
        ("3", None, "voximplant/main/4", "called_again"),
    ]


def test_the_seconds_until_contact_are_those_that_passed_where_clocks_change() -> None:
    warehouse = Warehouse("America/New_York")
    warehouse.execute("set timezone = 'America/New_York'")
    # From midnight to midnight, on a day of 23 hours.
    lan_called(warehouse, "1", "2026-03-08T05:00:00")
    called_back(warehouse, "2", "2026-03-09T04:00:00")
    assert contact(warehouse, "1") == by_call("2", "call_back", 23 * 3600)
    assert warehouse.one("reporting.missed_calls", "local_date") == {"local_date": date(2026, 3, 8)}


def test_the_hotline_has_its_name() -> None:
    warehouse = Warehouse()
    warehouse.insert("vbot.hotlines", account="main", hotline_number=HOTLINE, hotline_name="Sales")
    warehouse.insert("vbot.hotlines", account="hue", hotline_number=HOTLINE, hotline_name="Elsewhere")
    vbot_call(warehouse, "1", MISSED_AT, hotline_number=HOTLINE, disposition="BUSY", time_call=0)
    assert warehouse.one("reporting.missed_calls", "hotline_name") == {"hotline_name": "Sales"}
