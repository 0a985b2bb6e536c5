"""Calls as the providers tell them, for tests that are about reports and not about a provider."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.sql.warehouse import Warehouse, utc

Values = Mapping[str, Any]


def etelecom_call(warehouse: Warehouse, log_id: str, started_at: str | datetime, **changes: Any) -> None:
    """An answered inbound eTelecom call of 100 s, 80 s of them talk."""
    start = utc(started_at) if isinstance(started_at, str) else started_at
    record = {
        "account": "hanoi",
        "id": log_id,
        "direction": "in",
        "call_state": "answered",
        "started_at": start,
        "ended_at": start + timedelta(seconds=100),
        "duration": 80,
    }
    warehouse.insert("etelecom.call_logs", **record | changes)


def etelecom_rang(
    warehouse: Warehouse, log_id: str, started_at: str, ring_seconds: int, **changes: Any
) -> None:
    """An answered inbound eTelecom call that rang so long, and lasted 60 s more."""
    length = timedelta(seconds=ring_seconds + 60)
    etelecom_call(
        warehouse, log_id, started_at, **{"ended_at": utc(started_at) + length, "duration": 60} | changes
    )


def etelecom_missed(warehouse: Warehouse, log_id: str, started_at: str, **changes: Any) -> None:
    """An inbound eTelecom call that rang 30 s and nobody answered."""
    end = utc(started_at) + timedelta(seconds=30)
    record = {"call_state": "not_answered", "ended_at": end, "duration": 0}
    etelecom_call(warehouse, log_id, started_at, **record | changes)


def in_progress(warehouse: Warehouse, log_id: str, started_at: datetime, **changes: Any) -> None:
    """An inbound eTelecom call that nothing has been told of but its start."""
    record = {"call_state": "unknown", "ended_at": None, "duration": None}
    etelecom_call(warehouse, log_id, started_at, **record | changes)


def vbot_call(
    warehouse: Warehouse,
    group_id: str,
    started_at: str,
    callers: Sequence[Values] = (),
    callees: Sequence[Values] = (),
    **changes: Any,
) -> None:
    """An answered inbound VBot call of 40 s, 30 s of them talk, as the legacy API tells it."""
    record = {
        "account": "main",
        "group_id": group_id,
        "date_create": utc(started_at),
        "type_call": "CALLIN",
        "disposition": "ANSWER",
        "time_call": 30,
        "duration_call": 40,
        "currency": "VND",
    }
    warehouse.insert("vbot.calls", **record | changes)
    for side, parties in (("caller", callers), ("callee", callees)):
        for position, party in enumerate(parties):
            warehouse.insert(
                f"vbot.calls__{side}", account="main", group_id=group_id, position=position, **party
            )


def voximplant_call(
    warehouse: Warehouse, session_id: int, started_at: str, legs: Sequence[Values] = (), **changes: Any
) -> None:
    """A finished session of 95 s; its legs begin a second after each other."""
    record = {
        "account": "main",
        "call_session_history_id": session_id,
        "start_date": utc(started_at),
        "duration": 95,
        "finish_reason": "Normal termination",
    }
    warehouse.insert("voximplant.call_sessions", **record | changes)
    for position, leg in enumerate(legs):
        warehouse.insert(
            "voximplant.call_sessions__calls",
            account="main",
            call_session_history_id=session_id,
            position=position,
            call_id=100 * session_id + position,
            start_time=utc(started_at) + timedelta(seconds=position),
            **leg,
        )


ONE_LEG: Sequence[Values] = (
    {
        "incoming": True,
        "successful": True,
        "duration": 45,
        "local_number": "18001000",
        "remote_number": "0909123456",
        "cost": Decimal("0.01"),
    },
)
"""An inbound call that a bot or an IVR took."""

FOUR_LEGS: Sequence[Values] = (
    {**ONE_LEG[0], "duration": 90},
    {"incoming": False, "successful": False, "duration": 20, "cost": Decimal(0)},
    {"incoming": False, "successful": True, "duration": 25, "cost": Decimal("0.02")},
    {"incoming": False, "successful": True, "duration": 40, "cost": Decimal("0.03")},
)
"""An inbound call that one agent let ring and two answered, one after the other."""


def numbers(warehouse: Warehouse, e164: str | None, *written: str, kind: str = "mobile") -> None:
    """What `callsync.phone_numbers` says of a number in all the ways it is written."""
    for number in written:
        warehouse.insert(
            "callsync.phone_numbers", number=number, e164=e164, kind=kind, is_valid=e164 is not None
        )
