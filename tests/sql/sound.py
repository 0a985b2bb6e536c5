"""A small warehouse in which nothing is wrong, and ways to put something wrong in it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.sql.warehouse import Warehouse, utc

CHILDREN = {
    "vbot": ["calls__caller", "calls__callee", "calls__record_file"],
    "etelecom": ["call_logs__call_targets", "call_logs__recording_urls"],
    "voximplant": ["call_sessions__calls", "call_sessions__records", "call_sessions__other_resource_usage"],
}
ROOTS = {"vbot": "calls", "etelecom": "call_logs", "voximplant": "call_sessions"}

TWICE = "select * from kept union all select * from kept"
NONE = "select * from kept where false"


def replaced(column: str, value: str) -> str:
    """Every row of what was kept, with another value in one column."""
    return f"select * replace ({value} as {column}) from kept"


def bend(warehouse: Warehouse, relation: str, change: str) -> None:
    """Puts a wrong relation in place of the right one: its rows with a change, or others altogether."""
    warehouse.execute(f"create table kept as select * from {relation}")
    warehouse.execute(f"create or replace view {relation} as {change}")


def keep_reported_calls(warehouse: Warehouse) -> None:
    """Puts the rows of the calls in place of their definition, which makes what reads them quick."""
    warehouse.execute("create table callsync.kept_calls as select * from callsync.reported_calls")
    warehouse.execute("create or replace view callsync.reported_calls as select * from callsync.kept_calls")


def sound_warehouse() -> Warehouse:
    """One finished call at each provider, with two rows in every child table, and an account.

    The eTelecom call was missed; its caller was missed again, and then called back.
    """
    warehouse = Warehouse()
    _vbot_call(warehouse)
    _etelecom_call(warehouse, "1", "2026-03-02T01:00:00", caller="0909123456", callee="19001234")
    _voximplant_call(warehouse)
    keys: dict[str, dict[str, Any]] = {
        "vbot": {"account": "main", "group_id": "g"},
        "etelecom": {"account": "hanoi", "id": "1"},
        "voximplant": {"account": "main", "call_session_history_id": 4},
    }
    for provider, tables in CHILDREN.items():
        for table in tables:
            for position in (0, 1):
                warehouse.insert(f"{provider}.{table}", **keys[provider], position=position)
    warehouse.execute(
        "update vbot.calls__callee set member_no = '5', disposition = 'ANSWER' where position = 0"
    )
    warehouse.execute("update voximplant.call_sessions__calls set cost = 0.01 where position = 0")

    _etelecom_call(warehouse, "2", "2026-03-02T01:30:00", caller="+84909123456", callee="19001234")
    _etelecom_call(
        warehouse,
        "3",
        "2026-03-02T02:00:00",
        caller="19001234",
        callee="84909123456",
        direction="out",
        call_state="answered",
        duration=40,
    )
    warehouse.insert("etelecom.extensions", account="hanoi", id="77", extension_number="101")
    for number in ("0909123456", "+84909123456", "84909123456"):
        _number(warehouse, number, e164="+84909123456", kind="mobile", is_valid=True)
    _number(warehouse, "19001234", e164=None, kind="unknown", is_valid=False)
    warehouse.insert("callsync.configured_accounts", name="vbot.main")
    warehouse.insert(
        "callsync.accounts",
        provider="vbot",
        account="main",
        name="vbot.main",
        start_date=utc("2026-03-01T00:00:00"),
        cursor=datetime.now(UTC),
        finished='[["2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"]]',
    )
    return warehouse


def _vbot_call(warehouse: Warehouse) -> None:
    warehouse.insert(
        "vbot.calls",
        account="main",
        group_id="g",
        hotline_number="19001900",
        date_create=utc("2026-03-02T01:00:00"),
        type_call="CALLIN",
        disposition="ANSWER",
        time_call=5,
        duration_call=9,
        postage=Decimal(7),
        currency="VND",
    )
    warehouse.insert("vbot.members", account="main", member_no="5", member_name="Lan")
    warehouse.insert("vbot.hotlines", account="main", hotline_number="19001900", hotline_name="Sales")


def _etelecom_call(warehouse: Warehouse, log_id: str, started_at: str, **changes: Any) -> None:
    record = {
        "account": "hanoi",
        "id": log_id,
        "extension_id": "77",
        "direction": "in",
        "call_state": "not_answered",
        "started_at": utc(started_at),
        "ended_at": utc(f"{started_at[:-2]}50"),
        "duration": 0,
    }
    warehouse.insert("etelecom.call_logs", **record | changes)


def _voximplant_call(warehouse: Warehouse) -> None:
    warehouse.insert("voximplant.account_info", account="main", currency="USD")
    warehouse.insert(
        "voximplant.call_sessions",
        account="main",
        call_session_history_id=4,
        start_date=utc("2026-03-02T01:00:00"),
        duration=9,
        finish_reason="Normal termination",
    )


def _number(warehouse: Warehouse, number: str, **values: Any) -> None:
    warehouse.insert("callsync.phone_numbers", number=number, **values)
