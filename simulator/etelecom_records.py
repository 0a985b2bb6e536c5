"""How eTelecom writes a call log (ListCallLogs in eTelecom's documents)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from simulator.clockwork import SECOND
from simulator.instants import VIETNAM_SECONDS, iso
from simulator.ledger import Document
from simulator.people import AGENTS, HOTLINES, Spelling, customer_number
from simulator.stream import CallStream, Direction, Outcome, Shape

NO_TIME = "0001-01-01T00:00:00Z"
"""What Go writes for a time nobody set."""
NO_ID = "0"
"""Likewise for an id."""
RECORDING_SECONDS = 240
"""How long after its end the recording of a call appears."""

_SPELLINGS = (Spelling.NATIONAL, Spelling.INTERNATIONAL, Spelling.WITH_PLUS)
_WITHHELD = "anonymous"
_ID_EPOCH_US = 915_308_954_180_000
"""1999-01-02T20:29:14.18Z, from which an id counts ticks of 10 ms in its upper bits."""
_TICK_US = 10_000
_INDEX_BITS = 24
_INDEX_MASK = (1 << _INDEX_BITS) - 1
_EXTENSION_IDS = 1_172_000_000_000_000_000
_USER_IDS = 1_171_000_000_000_000_000
_DEPARTMENT_IDS = 1_168_000_000_000_000_000
_HOTLINE_IDS = 1_170_000_000_000_000_000
_ENDINGS = {
    Outcome.ANSWERED: ("NORMAL_CLEARING", 0),
    Outcome.NO_ANSWER: ("NO_ANSWER", 480),
    Outcome.BUSY: ("USER_BUSY", 486),
    Outcome.CANCELLED: ("ORIGINATOR_CANCEL", 487),
    Outcome.REJECTED: ("CALL_REJECTED", 603),
}
_DIRECTIONS = {
    Direction.INBOUND: ("in", "in"),
    Direction.OUTBOUND: ("out", "out"),
    Direction.INTERNAL: ("ext_in", "ext_out"),
}


def extension_id(agent: int) -> str:
    """The id of an agent's extension."""
    return str(_EXTENSION_IDS + agent * 7919)


def user_id(agent: int) -> str:
    """The id of an agent's user."""
    return str(_USER_IDS + agent * 104_729)


def department_id(agent: int) -> str:
    """The id of the department an agent works in."""
    return str(_DEPARTMENT_IDS + agent % 2)


def hotline_id(hotline: int) -> str:
    """The id of a hotline."""
    return str(_HOTLINE_IDS + hotline * 1299)


def index_bits(record_id: int) -> int:
    """The stream index, or the serial of an added call, that an id ends with."""
    return record_id & _INDEX_MASK


def make_id(moment: int, index: int) -> int:
    """The id of a row: about ordered by time, the lower bits tell rows of one moment apart."""
    return (moment - _ID_EPOCH_US) // _TICK_US << _INDEX_BITS | index


@dataclass(frozen=True, slots=True)
class _Target:
    """What call_targets say of one number in all calls of a shape; `number` is None for the customer's."""

    answered: bool
    ringing: str
    number: str | None
    trunk: str


@dataclass(frozen=True, slots=True)
class _Template:
    """What rows of a shape share, as JSON; a number is None where the customer's stands."""

    suffix: str
    owner: str
    caller: str | None
    callee: str | None
    state: str
    duration: str
    recordings_url: str | None
    targets: tuple[_Target, ...]


class CallLogs:
    """The call logs of one account's stream; recordings are found below `recordings_url`."""

    def __init__(self, stream: CallStream, recordings_url: str) -> None:
        self.stream = stream
        self._recordings_url = recordings_url
        self._templates: dict[int, _Template] = {}

    def created(self, index: int) -> int:
        """When the server inserted the row: after the call began, by up to some minutes after its end."""
        start, shape, _ = self.stream.call(index)
        return min(start + shape.delay_us, self.stream.clockwork.end - 1)

    def id_number(self, index: int) -> int:
        """The id of a stream index."""
        return make_id(self.stream.clockwork.time(index), index)

    def rows(self, indexes: Sequence[int], turn: int = 0) -> Iterator[str]:
        """The JSON of stream indexes; `turn` turns call_targets, which come in no order of their own."""
        return self._write(self.stream.calls(indexes), turn)

    def document(self, index: int) -> Document:
        """The complete row of a stream index."""
        document: Document = orjson.loads(next(self.rows((index,))))
        return document

    def late(self, model: int, serial: int, start: int, now: int) -> Document:
        """A row like that of the stream index `model`, but begun at `start` and inserted now."""
        _, shape, customer = self.stream.call(model)
        document: Document = orjson.loads(next(self._write([(serial, start, shape, customer)], 0, now)))
        return document

    def _write(
        self, calls: Iterable[tuple[int, int, Shape, int]], turn: int, inserted: int | None = None
    ) -> Iterator[str]:
        templates, last = self._templates, self.stream.clockwork.end - 1
        for number, start, shape, customer in calls:
            created = inserted or start + shape.delay_us
            if created > last and not inserted:
                created = last
            # The start, not the insert: it is the same in all accounts, and so are the ids.
            dated = inserted or start
            row_id = session = str(make_id(dated, number))
            place = shape.number
            if shape.internal:
                # Two rows of one call: the even one as it came in, the odd one as it went out.
                session = str(make_id(dated, number & ~1))
                place = place * 2 + (number & 1)
            template = templates.get(place) or self._template(place, shape, number & 1)
            second = start // SECOND
            end = second + shape.total_seconds
            created_second = created // SECOND
            fraction = f"{created - created_second * SECOND:06d}+07:00"
            begun, answered, ended = iso(second), iso(second + shape.ring_seconds), iso(end)
            inserted_at = iso(created_second + VIETNAM_SECONDS)
            updated_at = iso((created_second if created_second > end else end) + VIETNAM_SECONDS + 2)
            person = _number(shape, customer)
            targets = [
                f'{{"add_time":"{begun}Z","ring_time":"{begun}Z",'
                f'"answered_time":"{answered + "Z" if target.answered else NO_TIME}","ended_time":"{ended}Z",'
                f'{target.ringing}"target_number":"{target.number or person}","trunk_name":"{target.trunk}"}}'
                for target in template.targets
            ]
            if len(targets) > 1:
                cut = (turn + number) % len(targets)
                targets = targets[cut:] + targets[:cut]
            recording = f'"{template.recordings_url}/{row_id}.wav"' if template.recordings_url else ""
            yield (
                f'{{"id":"{row_id}","external_id":"pbx-{row_id}","external_session_id":"{session}{template.suffix}",'
                f'{template.owner}"caller":"{template.caller or person}",'
                f'"callee":"{template.callee or person}",{template.state}'
                f'"started_at":"{begun}.{start - second * SECOND:06d}Z","ended_at":"{ended}Z",'
                f'{template.duration}"recording_urls":[{recording}],"note":"","call_targets":[{",".join(targets)}],'
                f'"created_at":"{inserted_at}.{fraction}","updated_at":"{updated_at}.{fraction}"}}'
            )

    def _template(self, place: int, shape: Shape, outgoing: int) -> _Template:
        direction = _DIRECTIONS[shape.direction][outgoing]
        owner = _owner(shape, outgoing)
        user, extension = (NO_ID, NO_ID) if owner is None else (user_id(owner), extension_id(owner))
        state, status = ("answered", "P") if shape.answered else ("not_answered", "NS")
        agent, colleague = AGENTS[shape.agent].extension, AGENTS[shape.colleague].extension
        caller, callee = {
            Direction.INBOUND: (None, HOTLINES[shape.hotline].digits),
            Direction.OUTBOUND: (agent, None),
            Direction.INTERNAL: (agent, colleague),
        }[shape.direction]
        template = self._templates[place] = _Template(
            suffix="-out" if direction == "ext_out" else "",
            owner=f'"user_id":"{user}","extension_id":"{extension}","contact_id":"{NO_ID}",',
            caller=caller,
            callee=callee,
            state=f'"direction":"{direction}","call_state":"{state}","call_status":"{status}",',
            duration=f'"duration":{shape.talk_seconds},',
            recordings_url=self._recordings_url if shape.recorded else None,
            targets=tuple(_targets(shape)),
        )
        return template


def _number(shape: Shape, customer: int) -> str:
    return _WITHHELD if shape.withheld else customer_number(customer, _SPELLINGS[shape.spelling])


def _owner(shape: Shape, outgoing: int) -> int | None:
    """The agent whose row it is; a missed call is nobody's."""
    if shape.internal and not outgoing:
        return shape.colleague
    return None if shape.missed else shape.agent


def _targets(shape: Shape) -> Iterator[_Target]:
    rung: list[tuple[str | None, int, bool]] = [
        (AGENTS[ringing.agent].extension, ringing.ring_seconds, ringing.answered)
        for ringing in shape.ringings
    ]
    if shape.direction is Direction.OUTBOUND:
        rung = [(None, shape.ring_seconds, shape.answered)]
    for number, ring_seconds, answered in rung:
        reason, code = _ENDINGS[shape.outcome] if answered or not shape.answered else ("LOSE_RACE", 502)
        state = "answered" if answered else "not_answered"
        ringing = (
            f'"ring_duration":{ring_seconds},"fail_code":{code},"end_reason":"{reason}","status":"{state}",'
        )
        trunk = "" if shape.internal else HOTLINES[shape.hotline].digits
        yield _Target(answered, ringing, number, trunk)
