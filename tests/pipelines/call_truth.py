"""What `reporting.calls` must say of a call, from the provider's own document; nothing here is callsync's.

The columns are those of sql/README.md, "reporting.calls"; VBot's documents are those of v3, or of v2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

Document = Mapping[str, Any]

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
NOBODY = {"anonymous", "unknown", "private number", "0", "-1", "sip:anonymous@anonymous.invalid"}
"""Ways in which the tests' providers tell no number."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A row of `reporting.calls`, its key taken apart."""

    provider: str
    account: str
    provider_call_id: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    direction: str
    outcome: str
    is_answered: bool
    is_missed: bool
    from_number: str | None
    to_number: str | None
    hotline_number: str | None
    agent_id: str | None
    ring_seconds: int | None
    talk_seconds: int | None
    total_seconds: int | None
    cost: Decimal | None
    currency: str | None
    leg_count: int
    recording_count: int

    @property
    def call_id(self) -> str:
        return f"{self.provider}/{self.account}/{self.provider_call_id}"

    @property
    def is_finished(self) -> bool:
        return self.outcome != "in_progress"

    @property
    def contact_number(self) -> str | None:
        """The other side, one text for each customer."""
        number = {"inbound": self.from_number, "outbound": self.to_number}.get(self.direction)
        return None if number is None or number.lower() in NOBODY else e164(number) or number

    def row(self) -> dict[str, Any]:
        """The columns of `reporting.calls`."""
        return {
            "call_id": self.call_id,
            "from_e164": self.from_number and e164(self.from_number),
            "to_e164": self.to_number and e164(self.to_number),
            **{field.name: getattr(self, field.name) for field in fields(self)},
        }


@cache
def e164(number: str) -> str | None:
    """A number as the tests' providers write it, in E.164; None where it is none."""
    try:
        parsed = phonenumbers.parse(number.removeprefix("sip:").partition("@")[0], "VN")
    except phonenumbers.NumberParseException:
        return None
    is_valid = phonenumbers.is_valid_number(parsed)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if is_valid else None


_VBOT_OUTCOMES = {
    "busy": "BUSY INCALL",
    "no_answer": "NOANSWER MISSCALL MORE SOMEONEANSWERED TIME_OUT ABSENT",
    "cancelled": "CANCEL",
    "rejected": "DECLINE DONTCALL DO_NOT_CALL DO_NOT_DISTURB",
    "failed": "CONGESTION CHANUNAVAIL SERVER_ERROR OUT_OF_MONEY GONE",
}


def vbot(record: Document, account: str = "main") -> Call:
    """A record of VBot's v3."""
    caller, callee = record["caller_info"], record["callee_info"]
    started = datetime.fromtimestamp(record["create_at"] / 1000, UTC)
    return _vbot(
        account,
        record,
        started,
        direction={1: "inbound", 2: "outbound", 3: "inbound"}[record["type_call"]],
        talk=record["time_call"],
        total=record["duration"],
        call_at=datetime.fromtimestamp(record["call_at"] / 1000, UTC) if record["call_at"] else None,
        caller=(caller["number"], caller["member_no"]) if caller else None,
        callee=(callee["number"], callee["member_no"]) if callee else None,
        hotline=record["hotline"],
        cost=Decimal(str(record["postage"])),
        leg_count=bool(caller) + bool(callee),
        recording_count=int(record["is_record"]),
    )


def vbot_v2(record: Document, account: str = "main") -> Call:
    """A record of VBot's v2, whose callees all bear the disposition of the call."""
    callers, callees = (
        [(party["phone"], party["member_no"]) for party in record[side]] for side in ("caller", "callee")
    )
    local = datetime.strptime(record["date_create"], "%m/%d/%Y %H:%M:%S").replace(tzinfo=VIETNAM)
    return _vbot(
        account,
        record,
        local.astimezone(UTC),
        direction={"CALLIN": "inbound", "MISSCALL": "inbound", "CALLOUT": "outbound"}[record["type_call"]],
        talk=_clock(record["time_call"]),
        total=_clock(record["duration_call"]),
        call_at=None,
        caller=callers[0] if callers else None,
        callee=callees[0] if callees else None,
        hotline=record["hotline_number"],
        cost=max(
            (Decimal(str(party["postage"])) for party in record["caller"] + record["callee"]), default=None
        ),
        leg_count=len(callers) + len(callees),
        recording_count=len(record["record_file"]),
    )


def _vbot(
    account: str,
    record: Document,
    started: datetime,
    *,
    direction: str,
    talk: int,
    total: int,
    call_at: datetime | None,
    caller: tuple[str, str] | None,
    callee: tuple[str, str] | None,
    hotline: str,
    cost: Decimal | None,
    leg_count: int,
    recording_count: int,
) -> Call:
    word = record["disposition"].upper()
    is_answered = word in ("ANSWER", "ANSWERED")
    is_missed = direction == "inbound" and not is_answered
    unanswered = (outcome for outcome, words in _VBOT_OUTCOMES.items() if word in words.split())
    ring = total - talk if total >= talk else None
    talk_began = started + timedelta(seconds=ring) if ring is not None else None
    answering = callee if is_answered else None
    agent = answering if direction == "inbound" else caller
    return Call(
        provider="vbot",
        account=account,
        provider_call_id=record["group_id"],
        started_at=started,
        answered_at=(call_at or talk_began) if is_answered else None,
        ended_at=started + timedelta(seconds=total),
        direction=direction,
        outcome="answered" if is_answered else "missed" if is_missed else next(unanswered, "unknown"),
        is_answered=is_answered,
        is_missed=is_missed,
        from_number=(caller and caller[0]) or None,
        to_number=(callee and callee[0]) or None,
        hotline_number=hotline or None,
        agent_id=(agent and agent[1]) or None,
        ring_seconds=ring,
        talk_seconds=talk,
        total_seconds=total,
        cost=cost,
        currency="VND",
        leg_count=leg_count,
        recording_count=recording_count,
    )


def etelecom(record: Document, account: str = "main", *, now: datetime) -> Call:
    """A call log; one that has not ended is in progress for a day before `now`."""
    targets = record["call_targets"]
    given, ended = _rfc3339(record["started_at"]), _rfc3339(record["ended_at"])
    began = [
        _rfc3339(target[name]) for target in targets for name in ("add_time", "ring_time", "answered_time")
    ]
    moments = [_rfc3339(record["created_at"]), ended, *began]
    # How long a call lasted whose start is not told, nobody knows.
    started = given or min(moment for moment in moments if moment)
    state = record["call_state"]
    is_answered = state == "answered"
    direction = {"in": "inbound", "out": "outbound"}.get(record["direction"], "internal")
    is_over = state in ("answered", "not_answered") or ended is not None
    is_missed = direction == "inbound" and is_over and not is_answered
    total = None if ended is None or given is None else (ended - given) // timedelta(seconds=1)
    talk = record["duration"]
    answering = [
        target for target in targets if _rfc3339(target["answered_time"]) or target["status"] == "answered"
    ]
    # An answered call of which no target tells that it answered rang for what it did not talk.
    rings = [target["ring_duration"] for target in (answering[:1] if is_answered else targets)]
    rest = total - talk if total is not None and total >= talk else None
    answered_times = [time for target in targets if (time := _rfc3339(target["answered_time"]))]
    guess = started + timedelta(seconds=rest) if rest is not None else None
    shop = {"inbound": record["callee"], "outbound": record["caller"]}.get(direction)
    if is_answered:
        outcome = "answered"
    elif is_missed:
        outcome = "missed"
    elif state == "not_answered":
        outcome = "no_answer"
    else:
        outcome = "in_progress" if not is_over and now - started < timedelta(days=1) else "unknown"
    return Call(
        provider="etelecom",
        account=account,
        provider_call_id=record["id"],
        started_at=started,
        answered_at=min(answered_times, default=guess) if is_answered else None,
        ended_at=ended,
        direction=direction,
        outcome=outcome,
        is_answered=is_answered,
        is_missed=is_missed,
        from_number=record["caller"] or None,
        to_number=record["callee"] or None,
        hotline_number=shop if shop and len(shop) > 6 else None,
        agent_id=record["extension_id"] if record["extension_id"] != "0" else None,
        ring_seconds=max(rings) if rings else rest,
        talk_seconds=talk,
        total_seconds=total,
        cost=None,
        currency=None,
        leg_count=len(targets),
        recording_count=len(record["recording_urls"]),
    )


def voximplant(record: Document, account: str = "main") -> Call:
    """A call session of an account in US dollars."""
    legs = sorted(record["calls"], key=lambda leg: (leg["start_time"], leg["call_id"]))
    started = datetime.strptime(record["start_date"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    duration, reason = record.get("duration"), record.get("finish_reason")
    first = legs[0] if legs else None
    answering = [leg for leg in legs[1:] if leg["successful"]]
    is_answered = bool(first and first["successful"] and (answering or len(legs) == 1))
    direction = "unknown"
    numbers: tuple[str | None, str | None] = (None, None)
    if first:
        direction = "inbound" if first["incoming"] else "outbound"
        sides = (first["remote_number"] or None, first["local_number"] or None)
        numbers = sides if first["incoming"] else (sides[1], sides[0])
    is_over = reason is not None or duration is not None
    is_missed = direction == "inbound" and is_over and not is_answered
    if is_answered:
        outcome = "answered"
    elif is_missed:
        outcome = "missed"
    elif not is_over:
        outcome = "in_progress"
    elif reason in (None, "Normal termination"):
        outcome = "no_answer" if legs else "unknown"
    else:
        outcome = "failed"
    talked = answering if len(legs) > 1 else legs
    parts = [*legs, *record["records"], *record["other_resource_usage"]]
    costs = [Decimal(str(part["cost"])) for part in parts if part.get("cost") is not None]
    return Call(
        provider="voximplant",
        account=account,
        provider_call_id=str(record["call_session_history_id"]),
        started_at=started,
        answered_at=None,
        ended_at=None if duration is None else started + timedelta(seconds=duration),
        direction=direction,
        outcome=outcome,
        is_answered=is_answered,
        is_missed=is_missed,
        from_number=numbers[0],
        to_number=numbers[1],
        hotline_number=numbers[1] if direction == "inbound" else None,
        agent_id=str(record["user_id"]) if "user_id" in record else None,
        ring_seconds=None,
        talk_seconds=max(leg["duration"] for leg in talked) if is_answered else 0,
        total_seconds=duration,
        cost=sum(costs, Decimal()) if costs else None,
        currency="USD",
        leg_count=len(legs),
        recording_count=len(record["records"]),
    )


def _rfc3339(text: str) -> datetime | None:
    return None if text.startswith("0001-") else datetime.fromisoformat(text).astimezone(UTC)


def _clock(value: str | int) -> int:
    hours, minutes, seconds = map(int, f"0:0:{value}".split(":")[-3:])
    return hours * 3600 + minutes * 60 + seconds
