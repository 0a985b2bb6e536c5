"""VBot groups as calls, parties as legs and recordings; expected values worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from tests.sql.warehouse import Warehouse, utc


def legacy_call(warehouse: Warehouse, group_id: str = "g1", **changes: Any) -> None:
    """A legacy list record, without parties."""
    record = {
        "account": "main",
        "group_id": group_id,
        "hotline_number": "842455599940",
        "date_create": utc("2026-04-06T09:18:25"),
        "type_call": "OUTCALL",
        "time_call": 8,
        "duration_call": 14,
        "disposition": "ANSWER",
        "currency": "VND",
    }
    warehouse.insert("vbot.calls", **record | changes)


def v3_call(warehouse: Warehouse, group_id: str = "g3", **changes: Any) -> None:
    """An m-cdr record, without parties."""
    record = {
        "account": "main",
        "group_id": group_id,
        "trans_id": "t3",
        "hotline": "19001000",
        "create_at": utc("2026-04-06T04:54:11"),
        "call_at": utc("2026-04-06T04:54:18"),
        "type_call": "2",
        "time_call": 15,
        "duration": 21,
        "disposition": "ANSWERED",
        "postage": Decimal("162.6"),
        "auto_dial_service_charge": Decimal("50"),
        "is_record": True,
        "currency": "VND",
    }
    warehouse.insert("vbot.calls", **record | changes)


def party(warehouse: Warehouse, role: str, group_id: str, position: int = 0, **values: Any) -> None:
    warehouse.insert(f"vbot.calls__{role}", account="main", group_id=group_id, position=position, **values)


def test_a_legacy_outbound_call_with_the_same_postage_on_both_sides() -> None:
    warehouse = Warehouse()
    legacy_call(warehouse)
    party(warehouse, "caller", "g1", member_no="104", postage=Decimal("86.72"), time_call=8, duration_call=14)
    party(
        warehouse,
        "callee",
        "g1",
        phone="0364307520",
        disposition="ANSWER",
        postage=Decimal("86.72"),
        time_call=8,
        duration_call=0,
    )
    warehouse.insert(
        "vbot.calls__record_file",
        account="main",
        group_id="g1",
        position=0,
        value="https://v.vn/record/g1?x=1",
    )

    assert warehouse.one("reporting.calls") == {
        "call_id": "vbot/main/g1",
        "provider": "vbot",
        "account": "main",
        "provider_call_id": "g1",
        "started_at": utc("2026-04-06T09:18:25"),
        "answered_at": utc("2026-04-06T09:18:31"),
        "ended_at": utc("2026-04-06T09:18:39"),
        "direction": "outbound",
        "outcome": "answered",
        "is_answered": True,
        "is_missed": False,
        "from_number": None,
        "to_number": "0364307520",
        "from_e164": None,
        "to_e164": None,
        "hotline_number": "842455599940",
        "agent_id": "104",
        "ring_seconds": 6,
        "talk_seconds": 8,
        "total_seconds": 14,
        "cost": Decimal("86.72"),
        "currency": "VND",
        "leg_count": 2,
        "recording_count": 1,
    }
    assert warehouse.one("reporting.recordings", "position", "recording_id", "url", "started_at") == {
        "position": 0,
        "recording_id": "g1",
        "url": "https://v.vn/record/g1?x=1",
        "started_at": utc("2026-04-06T09:18:25"),
    }


def test_the_legs_of_a_legacy_call() -> None:
    warehouse = Warehouse()
    legacy_call(warehouse)
    warehouse.insert("vbot.members", account="main", member_no="104", member_name="Lan")
    party(warehouse, "caller", "g1", member_no="104", postage=Decimal("86.72"), time_call=8, duration_call=14)
    party(warehouse, "callee", "g1", phone="0364307520", disposition="ANSWER", time_call=8, duration_call=0)

    common = {
        "call_id": "vbot/main/g1",
        "provider": "vbot",
        "account": "main",
        "provider_call_id": "g1",
        "position": 0,
        "started_at": utc("2026-04-06T09:18:25"),
        "answered_at": utc("2026-04-06T09:18:31"),
        "ended_at": utc("2026-04-06T09:18:39"),
        "is_answered": True,
        "ring_seconds": 6,
        "talk_seconds": 8,
        "cost": None,
        "currency": "VND",
        "end_reason": "ANSWER",
    }
    assert warehouse.one("reporting.call_legs", role="caller") == common | {
        "role": "caller",
        "number": None,
        "agent_id": "104",
        "display_name": "Lan",
    }
    assert warehouse.one("reporting.call_legs", role="callee") == common | {
        "role": "callee",
        "number": "0364307520",
        "agent_id": None,
        "display_name": None,
    }


def test_a_v3_call_and_its_recording_asked_for_by_trans_id() -> None:
    warehouse = Warehouse()
    v3_call(warehouse)
    party(warehouse, "caller", "g3", number="1001", member_no="MEM_001", name="Thành")
    party(warehouse, "callee", "g3", number="0364307520", name="Anh Đạt", telco_code="VTL")

    call = warehouse.one("reporting.calls")
    assert call["started_at"] == utc("2026-04-06T04:54:11")
    assert call["answered_at"] == utc("2026-04-06T04:54:18")
    assert call["ended_at"] == utc("2026-04-06T04:54:32")
    assert (call["direction"], call["outcome"], call["agent_id"]) == ("outbound", "answered", "MEM_001")
    assert (call["ring_seconds"], call["talk_seconds"], call["total_seconds"]) == (6, 15, 21)
    assert (call["cost"], call["currency"]) == (Decimal("162.6"), "VND")
    assert (call["from_number"], call["to_number"]) == ("1001", "0364307520")
    assert (call["hotline_number"], call["leg_count"], call["recording_count"]) == ("19001000", 2, 1)
    assert warehouse.one("reporting.recordings", "recording_id", "url", "position") == {
        "recording_id": "t3",
        "url": None,
        "position": 0,
    }
    callee = warehouse.one("reporting.call_legs", role="callee")
    assert (callee["display_name"], callee["is_answered"], callee["talk_seconds"]) == ("Anh Đạt", True, 15)


@pytest.mark.parametrize(
    ("type_call", "direction"),
    [
        ("CALLIN", "inbound"),
        ("INCALL", "inbound"),
        ("misscall", "inbound"),
        ("1", "inbound"),
        ("3", "inbound"),
        ("CALLOUT", "outbound"),
        ("outcall", "outbound"),
        ("2", "outbound"),
        ("4", "unknown"),
        (None, "unknown"),
    ],
)
def test_direction_is_the_type_of_call(type_call: str | None, direction: str) -> None:
    warehouse = Warehouse()
    legacy_call(warehouse, type_call=type_call)
    assert warehouse.one("reporting.calls", "direction") == {"direction": direction}


def test_a_call_between_two_members_is_internal_only_where_no_type_says_otherwise() -> None:
    warehouse = Warehouse()
    for group_id, type_call in (("untyped", None), ("typed", "1")):
        v3_call(warehouse, group_id, type_call=type_call, hotline=None)
        party(warehouse, "caller", group_id, member_no="101")
        party(warehouse, "callee", group_id, member_no="102")
    untyped = warehouse.one("reporting.calls", "direction", "agent_id", provider_call_id="untyped")
    typed = warehouse.one("reporting.calls", "direction", "agent_id", provider_call_id="typed")
    assert untyped == {"direction": "internal", "agent_id": "101"}
    assert typed == {"direction": "inbound", "agent_id": "102"}


@pytest.mark.parametrize(
    ("outcome", "dispositions"),
    [
        ("answered", ["ANSWER", "answered"]),
        ("busy", ["busy", "INCALL"]),
        ("no_answer", ["noanswer", "MISSCALL", "more", "SOMEONEANSWERED", "TIME_OUT", "ABSENT"]),
        ("cancelled", ["cancel"]),
        ("rejected", ["DECLINE", "dontcall", "DO_NOT_CALL", "DO_NOT_DISTURB"]),
        (
            "failed",
            [
                "congestion",
                "chanunavail",
                "torture",
                "invalidargs",
                "logout",
                "NORMAL_CLEARING",
                "BAD_REQUEST",
                "UNAUTHORIZED",
                "OUT_OF_MONEY",
                "NOT_FOUND",
                "CALL_INTERVAL_NOT_ALLOWED",
                "MEMBER_NOT_ACTIVATED",
                "MEMBER_NOT_IN_PROJECT",
                "GONE",
                "PACKAGE_EXPIRED",
                "HOTLINE_NOT_SUPPORT_TELCO",
                "TELCO_NOT_FOUND",
                "INVALID_PARAMETER",
                "PROJECT_EXPIRED",
                "SERVER_ERROR",
                "BAD_GATEWAY",
            ],
        ),
        ("unknown", ["botivr", "NEVER_DOCUMENTED", None]),
    ],
)
def test_every_documented_disposition_of_an_outbound_call(
    outcome: str, dispositions: list[str | None]
) -> None:
    warehouse = Warehouse()
    for number, disposition in enumerate(dispositions):
        legacy_call(warehouse, f"g{number}", disposition=disposition)
    found = warehouse.rows("select outcome, is_answered, is_missed, talk_seconds from reporting.calls")
    answered = outcome == "answered"
    expected = {
        "outcome": outcome,
        "is_answered": answered,
        "is_missed": False,
        "talk_seconds": 8,
    }
    assert found == [expected] * len(dispositions)


@pytest.mark.parametrize(
    "disposition", ["NOANSWER", "BUSY", "CANCEL", "MORE", "SOMEONEANSWERED", "CONGESTION", "NEVER_DOCUMENTED"]
)
def test_an_inbound_call_that_ended_unanswered_is_missed(disposition: str) -> None:
    warehouse = Warehouse()
    legacy_call(warehouse, type_call="CALLIN", disposition=disposition, time_call=0)
    party(warehouse, "callee", "g1", member_no="102", phone="102")
    expected = {"outcome": "missed", "is_missed": True, "ring_seconds": 14, "agent_id": None}
    assert warehouse.one("reporting.calls", *expected) == expected


def test_without_a_disposition_only_a_missed_type_says_missed() -> None:
    warehouse = Warehouse()
    legacy_call(warehouse, "typed", type_call="3", disposition=None, time_call=0)
    legacy_call(warehouse, "untyped", type_call="1", disposition=None, time_call=0)
    typed = warehouse.one("reporting.calls", "outcome", "is_missed", provider_call_id="typed")
    untyped = warehouse.one("reporting.calls", "outcome", "is_missed", provider_call_id="untyped")
    assert typed == {"outcome": "missed", "is_missed": True}
    assert untyped == {"outcome": "unknown", "is_missed": False}


def test_the_agent_of_an_inbound_call_is_the_callee_that_answered() -> None:
    warehouse = Warehouse()
    legacy_call(warehouse, type_call="INCALL")
    party(warehouse, "caller", "g1", phone="0364307520", postage=Decimal("0"))
    party(warehouse, "callee", "g1", 0, member_no="101", phone="101", disposition="NOANSWER")
    party(
        warehouse, "callee", "g1", 1, member_no="102", phone="102", disposition="answer", postage=Decimal("5")
    )
    party(warehouse, "callee", "g1", 2, member_no="103", phone="103", disposition="SOMEONEANSWERED")
    expected = {
        "agent_id": "102",
        "to_number": "102",
        "from_number": "0364307520",
        "cost": Decimal("5"),
        "leg_count": 4,
    }
    assert warehouse.one("reporting.calls", *expected) == expected
    legs = warehouse.rows(
        "select is_answered, talk_seconds from reporting.call_legs where role = 'callee' order by position"
    )
    assert legs == [
        {"is_answered": False, "talk_seconds": 0},
        {"is_answered": True, "talk_seconds": 8},
        {"is_answered": False, "talk_seconds": 0},
    ]


def test_an_end_reason_has_one_spelling_whoever_tells_it() -> None:
    warehouse = Warehouse()
    legacy_call(warehouse, type_call="CALLIN", disposition="noanswer", time_call=0)
    party(warehouse, "caller", "g1", phone="0364307520")
    party(warehouse, "callee", "g1", 0, member_no="101", disposition=" noAnswer ")
    party(warehouse, "callee", "g1", 1, member_no="102", disposition="NOANSWER")
    reasons = warehouse.rows("select distinct end_reason from reporting.call_legs")
    assert reasons == [{"end_reason": "NOANSWER"}]


def test_of_several_callees_without_dispositions_none_is_taken_for_the_agent() -> None:
    warehouse = Warehouse()
    legacy_call(warehouse, type_call="INCALL")
    for position in (0, 1):
        party(warehouse, "callee", "g1", position, member_no=f"10{position}", phone=f"10{position}")
    assert warehouse.one("reporting.calls", "agent_id", "to_number") == {"agent_id": None, "to_number": "100"}
    legs = warehouse.rows("select is_answered from reporting.call_legs")
    assert legs == [{"is_answered": False}] * 2


def test_times_are_null_where_the_total_is_unknown() -> None:
    warehouse = Warehouse()
    legacy_call(warehouse, duration_call=None)
    expected = {
        "answered_at": None,
        "ended_at": None,
        "ring_seconds": None,
        "total_seconds": None,
        "cost": None,
    }
    assert warehouse.one("reporting.calls", *expected) == expected
    assert warehouse.one("reporting.calls", "talk_seconds", "leg_count") == {
        "talk_seconds": 8,
        "leg_count": 0,
    }


def test_a_total_shorter_than_the_talk_gives_no_ring_time() -> None:
    warehouse = Warehouse()
    legacy_call(warehouse, duration_call=5)
    assert warehouse.one("reporting.calls", "ring_seconds", "answered_at") == {
        "ring_seconds": None,
        "answered_at": None,
    }


def test_a_v3_call_whose_begin_cannot_be_read_is_of_the_day_when_it_was_answered() -> None:
    warehouse = Warehouse()
    v3_call(warehouse, create_at=None)
    party(warehouse, "caller", "g3", number="0364307520")
    times = {
        "started_at": utc("2026-04-06T04:54:18"),
        "answered_at": utc("2026-04-06T04:54:18"),
        "ended_at": utc("2026-04-06T04:54:33"),
    }
    assert warehouse.one("reporting.calls", *times) == times
    for report in ("call_legs", "recordings"):
        assert warehouse.one(f"reporting.{report}", "started_at") == {"started_at": times["started_at"]}


@pytest.mark.parametrize(
    ("talk", "total", "ring"), [(30, 40, 10), (0, 40, 40), (None, 40, 40), (50, 40, None)]
)
def test_a_call_that_only_a_bot_took_rang_for_what_is_not_talk(
    talk: int | None, total: int, ring: int | None
) -> None:
    warehouse = Warehouse()
    legacy_call(warehouse, disposition="BOTIVR", time_call=talk, duration_call=total)
    expected = {"is_answered": False, "ring_seconds": ring, "talk_seconds": talk or 0, "total_seconds": total}
    assert warehouse.one("reporting.calls", *expected) == expected
