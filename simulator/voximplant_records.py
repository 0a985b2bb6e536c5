"""How Voximplant writes a call session (CallSessionInfoType and the types below it), times in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from simulator.clockwork import SECOND
from simulator.instants import Zone, sql
from simulator.ledger import Document
from simulator.people import AGENTS, HOTLINES, Spelling, customer_number, international
from simulator.stream import CallStream, Direction, Shape

FIRST_SESSION_ID = 4_202_753_936
FORM = "%Y-%m-%d %H:%M:%S"

_SPELLINGS = (Spelling.INTERNATIONAL, Spelling.WITH_PLUS, Spelling.NATIONAL)
_WITHHELD = "Anonymous"
_PSTN_IN_USD, _PSTN_OUT_USD, _RECORD_USD, _SESSION_USD, _ASR_USD = 0.004, 0.0215, 0.0005, 0.0002, 0.005
_APPLICATION_IDS = 10_500_100
_USER_IDS = 3_100_500


@dataclass(frozen=True)
class Application:
    """A Voximplant application with its one routing rule."""

    number: int
    name: str
    rule: str
    secure: bool

    @property
    def id(self) -> int:
        """The id of the application."""
        return _APPLICATION_IDS + self.number


INCOMING = Application(0, "hotline.example.voximplant.com", "incoming", secure=True)
OUTGOING = Application(1, "dialer.example.voximplant.com", "outgoing", secure=False)
APPLICATIONS = (INCOMING, OUTGOING)


def user_number(agent: int) -> int:
    """The id of an agent's user."""
    return _USER_IDS + agent


@dataclass(frozen=True)
class Parts:
    """Which lists of a session are asked for."""

    calls: bool
    records: bool
    resources: bool

    @property
    def absent(self) -> tuple[str, ...]:
        """The fields of the lists not asked for."""
        asked = {"calls": self.calls, "records": self.records, "other_resource_usage": self.resources}
        return tuple(name for name, wanted in asked.items() if not wanted)


ALL_PARTS = Parts(calls=True, records=True, resources=True)
UTC_ZONE = Zone("Etc/GMT")


class Sessions:
    """The sessions of one account's stream."""

    def __init__(self, stream: CallStream, url: str, account_id: int) -> None:
        self.stream = stream
        self._url = url
        self._account_id = account_id
        self._templates: dict[tuple[int, Parts], str] = {}

    def id_number(self, index: int) -> int:
        """The id of a stream index."""
        return FIRST_SESSION_ID + index

    def rows(self, indexes: Sequence[int], parts: Parts = ALL_PARTS, zone: Zone = UTC_ZONE) -> Iterator[str]:
        """The JSON of stream indexes in a zone."""
        for index, start, shape, customer in self.stream.calls(indexes):
            yield self._write(shape, customer, index, start, parts, zone)

    def document(self, index: int) -> Document:
        """The complete session of a stream index, its times in UTC."""
        document: Document = orjson.loads(next(self.rows((index,))))
        return document

    def late(self, model: int, serial: int, start: int, now: int) -> Document:
        """A session like that of the stream index `model`, of its own id and time."""
        _, shape, customer = self.stream.call(model)
        document: Document = orjson.loads(self._write(shape, customer, serial, start, ALL_PARTS, UTC_ZONE))
        return document

    def _write(self, shape: Shape, customer: int, number: int, start: int, parts: Parts, zone: Zone) -> str:
        template = self._templates.get((shape.number, parts)) or self._template(shape, parts)
        second = start // SECOND + zone.offset_seconds(start)
        return template % {
            "id": FIRST_SESSION_ID + number,
            "begun": sql(second),
            "joined": sql(second + 1),
            "talking": sql(second + shape.ring_seconds),
            "customer": _number(shape, customer),
        }

    def _template(self, shape: Shape, parts: Parts) -> str:
        application = INCOMING if shape.direction is Direction.INBOUND else OUTGOING
        session: Document = {
            "call_session_history_id": _Raw("%(id)d"),
            "account_id": self._account_id,
            "application_id": application.id,
            "application_name": application.name,
            "rule_name": application.rule,
            "start_date": "%(begun)s",
            "duration": shape.total_seconds + 1,
            "initiator_address": "203.0.113.7",
            "media_server_address": "198.51.100.21",
            "log_file_url": f"{self._url}/logs/%(id)d",
            "finish_reason": "Normal termination",
        }
        if shape.number % 3 == 0:
            session |= {"user_id": user_number(shape.agent), "audio_quality": "Standard"}
        if shape.number % 5 == 0:
            session["custom_data"] = f"campaign-{shape.number % 7}"
        if parts.calls:
            session["calls"] = _legs(shape, self._record_url(shape, application) if shape.recorded else None)
        if parts.records:
            session["records"] = (
                [_record(shape, self._record_url(shape, application))] if shape.recorded else []
            )
        if parts.resources:
            session["other_resource_usage"] = _resources(shape)
        text = self._templates[shape.number, parts] = _template_text(session)
        return text

    def _record_url(self, shape: Shape, application: Application) -> str:
        return f"{self._url}/{'secure' if application.secure else 'records'}/%(id)d.wav"


def _number(shape: Shape, customer: int) -> str:
    return _WITHHELD if shape.withheld else customer_number(customer, _SPELLINGS[shape.spelling])


class _Raw(str):
    """A hole that stands without quotation marks."""


def _template_text(value: Any) -> str:
    """JSON in which holes may stand for numbers."""
    if isinstance(value, _Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f'"{name}":{_template_text(field)}' for name, field in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_template_text, value)) + "]"
    return orjson.dumps(value).decode()


def _legs(shape: Shape, record_url: str | None) -> list[Document]:
    company = international(HOTLINES[shape.hotline].digits)
    talked = shape.talk_seconds
    if shape.direction is Direction.INBOUND:
        # A menu may answer a call that no agent does.
        greeted = shape.answered or shape.number % 2 == 0
        first = _leg(shape, 1, "begun", shape.total_seconds, company, "%(customer)s", "pstn", True, greeted)
        others = [
            _leg(
                shape, number, "joined", talked if ringing.answered else 0, company,
                AGENTS[ringing.agent].login, "user", False, ringing.answered,
            )
            for number, ringing in enumerate(shape.ringings, 2)
        ]  # fmt: skip
    elif shape.direction is Direction.OUTBOUND:
        first = _leg(shape, 1, "begun", talked, company, "%(customer)s", "mobile", False, shape.answered)
        agent = AGENTS[shape.agent].login
        second = _leg(shape, 2, "joined", talked, company, agent, "user", False, shape.answered)
        others = [second] if shape.number % 2 else []
    else:
        caller, callee = AGENTS[shape.agent].login, AGENTS[shape.colleague].login
        first = _leg(shape, 1, "begun", shape.total_seconds, callee, caller, "user", True, True)
        others = [_leg(shape, 2, "joined", talked, caller, callee, "user", False, shape.answered)]
    if record_url:
        first["record_url"] = record_url
    return [first, *others]


def _leg(
    shape: Shape, number: int, start: str, duration: int, local: str, remote: str, kind: str, incoming: bool,
    successful: bool,
) -> Document:  # fmt: skip
    price = 0.0 if kind == "user" else _PSTN_IN_USD if incoming else _PSTN_OUT_USD
    leg: Document = {
        "call_id": _Raw(f"%(id)d{number}"),
        "start_time": f"%({start})s",
        "duration": duration,
        "local_number": local,
        "remote_number": remote,
        "remote_number_type": kind,
        "incoming": incoming,
        "successful": successful,
        "transaction_id": _Raw(f"%(id)d{number}0"),
        "media_server_address": "198.51.100.21",
        "cost": _per_minute(price, duration) if successful else 0.0,
    }
    if not successful:
        leg["end_reason"] = {
            "code": 480 if shape.number % 2 else 486,
            "description": "Temporarily unavailable",
        }
    return leg


def _record(shape: Shape, url: str) -> Document:
    return {
        "record_id": _Raw("%(id)d7"),
        "record_name": "%(id)d",
        "cost": _per_minute(_RECORD_USD, shape.talk_seconds),
        "start_time": "%(talking)s",
        "duration": shape.talk_seconds,
        "record_url": url,
        "transaction_id": _Raw("%(id)d70"),
        "file_size": shape.talk_seconds * 8000,
        "transcription_status": "Not required",
    }


def _resources(shape: Shape) -> list[Document]:
    session: Document = {
        "resource_usage_id": _Raw("%(id)d8"),
        "resource_type": "CALLSESSION",
        "cost": _per_minute(_SESSION_USD, shape.total_seconds),
        "description": "Session",
        "used_at": "%(begun)s",
        "transaction_id": _Raw("%(id)d80"),
        "resource_quantity": -(-shape.total_seconds // 60),
        "unit": "minute",
    }
    if shape.number % 11:
        return [session]
    speech = session | {
        "resource_usage_id": _Raw("%(id)d9"),
        "resource_type": "ASR",
        "cost": _ASR_USD,
        "description": "Speech recognition",
        "transaction_id": _Raw("%(id)d90"),
        "ref_call_id": _Raw("%(id)d1"),
    }
    return [session, speech]


def _per_minute(price: float, seconds: int) -> float:
    return round(price * -(-seconds // 60), 6)


_TIMES = {"start_date", "start_time", "used_at"}


def in_zone(value: Any, zone: Zone) -> Any:
    """A document with its UTC times written in a zone; what is no time stays."""
    if isinstance(value, list):
        return [in_zone(item, zone) for item in value]
    if isinstance(value, dict):
        return {
            name: _shifted(field, zone) if name in _TIMES else in_zone(field, zone)
            for name, field in value.items()
        }
    return value


def _shifted(text: Any, zone: Zone) -> Any:
    try:
        instant = UTC_ZONE.instant(datetime.strptime(text, FORM))
    except (TypeError, ValueError):
        return text
    return sql(instant // SECOND + zone.offset_seconds(instant))
