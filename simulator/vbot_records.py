"""How VBot writes a call: the v3 (m-cdr) record, and the v1 and v2 records made from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from simulator.clockwork import SECOND
from simulator.instants import VIETNAM_SECONDS, american, writer
from simulator.ledger import Document
from simulator.people import AGENTS, HOTLINES, Spelling, customer_number
from simulator.stream import CallStream, Direction, Outcome, Shape

RECORDING_SECONDS = 120
"""How long after its end a call has its recording and its postage."""

VND_PER_SECOND = 10.84
INBOUND, OUTBOUND, MISSED = 1, 2, 3
"""v3's type_call."""

_SPELLINGS = (Spelling.NATIONAL, Spelling.INTERNATIONAL, Spelling.WITH_PLUS)
_WITHHELD = "unknown"
_INDEX_DIGITS = 8
_DISPOSITIONS = {
    Outcome.NO_ANSWER: ("NOANSWER", 480),
    Outcome.BUSY: ("BUSY", 486),
    Outcome.CANCELLED: ("CANCEL", 487),
    Outcome.REJECTED: ("DECLINE", 603),
}
SIP_CODES = {"ANSWER": 200, "ANSWERED": 200} | dict(_DISPOSITIONS.values())
_LEGACY_TYPES = {INBOUND: "CALLIN", OUTBOUND: "CALLOUT", MISSED: "MISSCALL"}
_SAMPLE_TYPES = _LEGACY_TYPES | {INBOUND: "INCALL", OUTBOUND: "OUTCALL"}
_SOURCES = ("App_SDK", "Phone", "SIP")
_MEMBERS = {agent.member_no for agent in AGENTS}
_compact = writer("%d%m%Y")


def make_group_id(start: int, number: int) -> str:
    """The call's time as ddMMyyyyHHmmss in Vietnam, then its number."""
    return f"{_compact(start // SECOND + VIETNAM_SECONDS).replace(':', '')}{number:0{_INDEX_DIGITS}d}"


def index_of(group_id: str) -> int | None:
    """The stream index a group_id or a trans_id may end with."""
    digits = group_id[14 : 14 + _INDEX_DIGITS]
    return int(digits) if group_id.isdigit() and len(digits) == _INDEX_DIGITS else None


class Calls:
    """The calls of one account's stream, in the shape of v3."""

    def __init__(self, stream: CallStream) -> None:
        self.stream = stream
        self._templates: dict[int, str] = {}

    def id_number(self, index: int) -> int:
        """The order among calls of one time."""
        return index

    def rows(self, indexes: Sequence[int]) -> Iterator[str]:
        """The JSON of stream indexes."""
        for index, start, shape, customer in self.stream.calls(indexes):
            yield self._write(shape, customer, index, start)

    def document(self, index: int) -> Document:
        """The complete record of a stream index."""
        document: Document = orjson.loads(next(self.rows((index,))))
        return document

    def late(self, model: int, serial: int, start: int, now: int) -> Document:
        """A record like that of the stream index `model`, of its own id and time."""
        _, shape, customer = self.stream.call(model)
        document: Document = orjson.loads(self._write(shape, customer, serial, start))
        return document

    def _write(self, shape: Shape, customer: int, number: int, start: int) -> str:
        template = self._templates.get(shape.number) or self._template(shape)
        group_id = make_group_id(start, number)
        milliseconds = start // 1000
        return template % (
            group_id,
            group_id,
            milliseconds,
            milliseconds + shape.ring_seconds * 1000,
            _number(shape, customer),
            number,
        )

    def _template(self, shape: Shape) -> str:
        person = (
            '{"member_no":"","number":"%s","name":"","channel":"PSTN","type":"PHONE","telco_code":"VIETTEL"}'
        )
        agent, colleague = _member(shape.agent), _member(shape.colleague)
        if shape.direction is Direction.INBOUND:
            caller, callee = person, agent
        elif shape.direction is Direction.OUTBOUND:
            caller, callee = agent, person
        else:
            caller, callee = agent, f"{colleague}%.0s"
        internal = shape.internal
        kind = MISSED if shape.missed else INBOUND if shape.direction is Direction.INBOUND else OUTBOUND
        postage = 0.0 if internal else round(VND_PER_SECOND * shape.talk_seconds, 2)
        # A table of the documents says ANSWER, an example says ANSWERED.
        word = (
            _DISPOSITIONS[shape.outcome][0]
            if not shape.answered
            else ("ANSWER", "ANSWERED")[shape.number % 2]
        )
        text = (
            '{"trans_id":"%s01","group_id":"%s","create_at":%d,"call_at":'
            + ("%d" if shape.answered else "0%.0s")
            + f',"caller_info":{caller},"callee_info":{callee},'
            f'"hotline":"{"" if internal else HOTLINES[shape.hotline].digits}","type_call":{kind},'
            f'"end_call":"{("CALLER", "CALLEE")[shape.number % 2]}","postage":{postage},'
            f'"auto_dial_service_charge":0.0,"time_call":{shape.talk_seconds},"duration":{shape.total_seconds},'
            f'"disposition":"{word}","is_record":{"true" if shape.recorded else "false"},"customer_code":"",'
            f'"payment_channel":"","group_member_no":"{2001 + shape.hotline}","external_call_id":'
            + ('"ext%d"}' if shape.from_application else '"%.0s"}')
        )
        self._templates[shape.number] = text
        return text


def legs(document: Document) -> list[Document]:
    """The legs of a call as get-detail lists them."""
    parties = [document.get("caller_info"), document.get("callee_info")]
    code = SIP_CODES.get(str(document.get("disposition")), 500)
    return [
        document
        | {
            "trans_id": f"{document.get('group_id')}{number:02d}",
            "hangup_cause": "NORMAL_CLEARING" if code == 200 else document.get("disposition"),
            "sip_code": str(code),
            "conference_id": "",
        }
        for number, party in enumerate(parties, 1)
        if party
    ]


@dataclass(frozen=True)
class Legacy:
    """How an account's v1 and v2 records are written."""

    record_url: str
    vbot_id: str
    sample_types: bool = False
    """INCALL and OUTCALL, as in some samples, instead of the documented CALLIN and CALLOUT."""

    def v2(self, document: Document) -> Document:
        """The record of v2."""
        group_id = str(document.get("group_id"))
        turn = index_of(group_id) or 0
        types = _SAMPLE_TYPES if self.sample_types else _LEGACY_TYPES
        disposition = str(document.get("disposition"))
        word = disposition.lower() if turn % 2 else disposition
        callees = [document.get("callee_info")]
        if document.get("type_call") == MISSED and turn % 4 == 0:
            callees.append(orjson.loads(_member(turn % len(AGENTS))))
        return {
            "hotline_number": document.get("hotline"),
            "date_create": _date_create(document.get("create_at")),
            "caller": [
                self._party(document, info, word, turn, 0) for info in (document.get("caller_info"),) if info
            ],
            "callee": [
                self._party(document, info, word, turn, number)
                for number, info in enumerate(callees, 1)
                if info and callees[0]
            ],
            "time_call": _duration(document.get("time_call"), turn),
            "duration_call": _duration(document.get("duration"), turn),
            "type_call": types.get(document.get("type_call", 0), ""),
            "group_id": group_id,
            "disposition": word,
            "record_file": [f"{self.record_url}/{group_id}"] if document.get("is_record") else [],
            "external_call_id": document.get("external_call_id"),
        }

    def v1(self, document: Document) -> Document:
        """The record of v1, which has no id."""
        shown = self.v2(document)
        for name in ("group_id", "external_call_id", "duration_call"):
            del shown[name]
        for party in [*shown["caller"], *shown["callee"]]:
            del party["duration_call"]
        return shown | {"time_call": str(shown["time_call"])}

    def _party(self, document: Document, info: Document, word: str, turn: int, number: int) -> Document:
        talked = document.get("time_call") if number < 2 else 0
        return {
            "phone": info.get("number"),
            "vbot_id": self.vbot_id if info.get("member_no") else "",
            "date_create": _date_create(document.get("create_at")),
            "disposition": word,
            "time_call": str(talked),
            # The same on both sides: it is the price of the call, not of the party.
            "postage": document.get("postage"),
            "duration_call": document.get("duration") if number == 0 else talked,
            "source": _SOURCES[turn % 3] if info.get("member_no") in _MEMBERS else "Phone",
            "member_no": info.get("member_no"),
        }


def _number(shape: Shape, customer: int) -> str:
    return _WITHHELD if shape.withheld else customer_number(customer, _SPELLINGS[shape.spelling])


def _member(agent: int) -> str:
    person = AGENTS[agent]
    return (
        f'{{"member_no":"{person.member_no}","number":"{person.extension}","name":"{person.name}",'
        '"channel":"SIP","type":"MEMBER","telco_code":""}'
    )


def _date_create(milliseconds: Any) -> str:
    return american(int(milliseconds) // 1000 + VIETNAM_SECONDS)


def _duration(seconds: Any, turn: int) -> str | int:
    """HH:MM:SS, digits or a number: all three are seen."""
    number = int(seconds)
    clock = f"{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}"
    return (clock, str(number), number)[turn % 3]
