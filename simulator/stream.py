"""Any number of calls as a pure function of a seed and an index, in order of time, held nowhere.

The index of a call is its place in time, so a window of time is a range of indexes found by arithmetic:

    hours    |  08h  |    09h    |  10h  | 11h |      more calls in office hours of Vietnam, fewer at weekends
    indexes  0 . . . 4 . . . . . 11 . . .15 . .18     `_first[h]` is the first index of hour h
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from functools import cached_property, lru_cache
from itertools import accumulate

from simulator.people import AGENTS, HOTLINES

SECOND = 1_000_000
"""Microseconds in a second: every instant of the simulator is an integer of microseconds since 1970 UTC."""
HOUR = 3600 * SECOND
DAY = 24 * HOUR

LONGEST_CALL_SECONDS = 1800
"""No call, ringing included, lasts longer: what reaches into a window began at most this much before it."""

_VIETNAM_HOURS = 7
_WEIGHT_BY_HOUR = (2, 1, 1, 1, 1, 3, 8, 25, 80, 100, 95, 75, 45, 60, 90, 95, 85, 60, 35, 28, 22, 14, 8, 4)
_WEEKEND_PERCENT = 35
_MASK = (1 << 64) - 1
_SHAPES = 1024
_INTERNAL_SHAPES = 64
_INTERNAL_PER_256 = 12
_CALL_BACK_TRIES = 3
_JITTER_STEPS = 256


class Outcome(Enum):
    """How a call ended, in nobody's vocabulary."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class Direction(Enum):
    """Who called whom, seen from the company."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


@dataclass(frozen=True)
class Ringing:
    """One agent whose telephone rang, and for how long."""

    agent: int
    ring_seconds: int
    answered: bool


@dataclass(frozen=True)
class Shape:
    """Everything of a call but its time and its customer; many calls share a shape."""

    number: int
    direction: Direction
    outcome: Outcome
    hotline: int
    agent: int
    colleague: int
    ring_seconds: int
    talk_seconds: int
    ringings: tuple[Ringing, ...]
    recorded: bool
    calls_back: bool
    from_application: bool
    delay_us: int

    @property
    def answered(self) -> bool:
        """Whether somebody talked."""
        return self.outcome is Outcome.ANSWERED

    @cached_property
    def missed(self) -> bool:
        """An inbound call that nobody answered."""
        return self.direction is Direction.INBOUND and not self.answered

    @cached_property
    def internal(self) -> bool:
        """Whether colleagues talk to each other; such a call stands at two indexes."""
        return self.direction is Direction.INTERNAL

    @cached_property
    def total_seconds(self) -> int:
        """Ringing and talk together."""
        return self.ring_seconds + self.talk_seconds


def mix(value: int) -> int:
    """64 well-spread bits of an integer (the finaliser of splitmix64)."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)


def microseconds(moment: datetime) -> int:
    """An aware moment as microseconds since 1970 UTC."""
    return int(moment.timestamp()) * SECOND + moment.microsecond


class Clockwork:
    """The times of the calls; accounts of a provider share them, and with them their ids.

    Args:
        seed: what makes it this clockwork.
        calls: how many there are.
        start, end: microseconds UTC; every call starts in [start, end).
    """

    def __init__(self, seed: int, calls: int, start: int, end: int) -> None:
        self.calls = calls
        self.start, self.end = start, end
        self._salt = mix(seed) & 0xFFFFFFFF
        first_hour = start // HOUR
        self._edges = [start, *(hour * HOUR for hour in range(first_hour + 1, -(-end // HOUR))), end]
        weights = [
            _weight(left // HOUR) * ((right - left) // SECOND)
            for left, right in zip(self._edges, self._edges[1:], strict=False)
        ]
        whole = max(1, sum(weights))
        self._first = [calls * share // whole for share in accumulate(weights, initial=0)]

    def paired(self, index: int) -> bool:
        """Whether the call and its even or odd neighbour are an internal call, and share one time."""
        return ((index >> 1) * 2654435761 + self._salt & 0xFFFFFFFF) >> 24 < _INTERNAL_PER_256

    def times(self, indexes: Iterable[int]) -> Iterator[tuple[int, bool]]:
        """When the calls start, and whether they are internal, in pairs of an even and an odd index.

        The times never decrease with the index, and are equal only within a pair.
        """
        salt = self._salt
        first = after = left = width = steps = 0
        for index in indexes:
            paired = ((index >> 1) * 2654435761 + salt & 0xFFFFFFFF) >> 24 < _INTERNAL_PER_256
            if paired:
                # Both halves of a pair take the even one's time.
                index &= ~1
            if not first <= index < after:
                hour = bisect_right(self._first, index) - 1
                first, after = self._first[hour], self._first[hour + 1]
                left = self._edges[hour]
                width = self._edges[hour + 1] - left
                steps = (after - first) * _JITTER_STEPS
            jitter = (index * 2654435761 + salt & 0xFFFFFFFF) >> 24
            yield left + ((index - first) * _JITTER_STEPS + jitter) * width // steps, paired

    def time(self, index: int) -> int:
        """When one call starts."""
        return next(self.times((index,)))[0]

    def before(self, moment: int) -> int:
        """How many calls start before the moment: the index of the first that does not."""
        if moment <= self.start:
            return 0
        if moment >= self.end:
            return self.calls
        hour = bisect_right(self._edges, moment) - 1
        first, after = self._first[hour], self._first[hour + 1]
        left = self._edges[hour]
        index = first + (moment - left) * (after - first) // (self._edges[hour + 1] - left)
        index = min(max(index, 0), self.calls)
        while index > 0 and self.time(index - 1) >= moment:
            index -= 1
        while index < self.calls and self.time(index) < moment:
            index += 1
        return index


class CallStream:
    """What the calls of one account are about, on a clockwork it may share with other accounts."""

    def __init__(self, clockwork: Clockwork, seed: int) -> None:
        self.clockwork = clockwork
        self._salt = mix(seed ^ 0x5EED) & 0xFFFFFFFF
        self.shapes = _all_shapes()
        self._customers = max(40, clockwork.calls // 6)
        days = max(1, (clockwork.end - clockwork.start) // DAY)
        # Whoever calls back looks at the missed calls of about the last three working hours.
        self._recent = max(8, clockwork.calls // (4 * days))

    def __len__(self) -> int:
        return self.clockwork.calls

    def calls(self, indexes: Sequence[int]) -> Iterator[tuple[int, int, Shape, int]]:
        """The index, start, shape and customer of calls; both halves of an internal pair say the same."""
        shapes, customers, bits_of = self.shapes, self._customers, self._bits
        for index, (start, paired) in zip(indexes, self.clockwork.times(indexes), strict=True):
            bits = bits_of(index & ~1 if paired else index)
            if paired:
                yield index, start, shapes[_SHAPES + bits % _INTERNAL_SHAPES], 0
                continue
            shape = shapes[bits % _SHAPES]
            if shape.calls_back:
                bits = self._missed_before(index, bits)
            fraction = bits >> 12
            # Squared: a few customers call often, most rarely.
            yield index, start, shape, customers * fraction * fraction >> 40

    def call(self, index: int) -> tuple[int, Shape, int]:
        """The start, shape and customer of one call."""
        return next(self.calls((index,)))[1:]

    def _bits(self, index: int) -> int:
        """32 well-spread bits: the lower choose the shape, the upper 20 the customer."""
        bits = index * 2654435761 + self._salt & 0xFFFFFFFF
        bits = (bits ^ bits >> 15) * 0x85EBCA6B & 0xFFFFFFFF
        return bits ^ bits >> 13

    def _missed_before(self, index: int, bits: int) -> int:
        """The bits of a recent missed call, if a few looks find one, so that its customer is called back."""
        for turn in range(_CALL_BACK_TRIES):
            earlier = index - 1 - (bits >> 5 * turn & 0xFFF) * self._recent // 0x1000
            if earlier >= 0 and not self.clockwork.paired(earlier):
                missed = self._bits(earlier)
                if self.shapes[missed % _SHAPES].missed:
                    return missed
        return bits


def _weight(hour_since_1970: int) -> int:
    """How busy an hour is; 1970 began on a Thursday."""
    local = hour_since_1970 + _VIETNAM_HOURS
    weekday = (local // 24 + 3) % 7
    percent = _WEEKEND_PERCENT if weekday >= 5 else 100
    return _WEIGHT_BY_HOUR[local % 24] * percent


@lru_cache(maxsize=1)
def _all_shapes() -> tuple[Shape, ...]:
    """The shapes of every stream; the seed of a stream says which calls have which."""
    chance = random.Random(1)  # noqa: S311 - reproducible data, no secret
    shapes = [_shape(chance, number) for number in range(_SHAPES)]
    return (*shapes, *(_internal_shape(chance, _SHAPES + number) for number in range(_INTERNAL_SHAPES)))


def _shape(chance: random.Random, number: int) -> Shape:
    inbound = chance.random() < 0.62
    outcome = _outcome(chance, answered=0.75 if inbound else 0.68)
    hotline = chance.choices(range(len(HOTLINES)), (45, 30, 18, 7))[0]
    agent, colleague = chance.sample(range(len(AGENTS)), 2)
    ring = _ring_seconds(chance, outcome)
    talk = _talk_seconds(chance, ring) if outcome is Outcome.ANSWERED else 0
    ringings = _ringings(chance, outcome, agent, ring) if inbound else ()
    from_application = chance.random() < 0.6
    shape = Shape(
        number=number,
        direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
        outcome=outcome,
        hotline=hotline,
        agent=agent,
        colleague=colleague,
        ring_seconds=ring,
        talk_seconds=talk,
        ringings=ringings,
        recorded=talk > 0 and chance.random() < 0.93,
        calls_back=not inbound and chance.random() < 0.4,
        from_application=from_application,
        delay_us=0,
    )
    return replace(shape, delay_us=_delay(chance, shape))


def _internal_shape(chance: random.Random, number: int) -> Shape:
    outcome = _outcome(chance, answered=0.8)
    agent, colleague = chance.sample(range(len(AGENTS)), 2)
    ring = _ring_seconds(chance, outcome)
    talk = _talk_seconds(chance, ring) // 3 + 1 if outcome is Outcome.ANSWERED else 0
    shape = Shape(
        number=number,
        direction=Direction.INTERNAL,
        outcome=outcome,
        hotline=0,
        agent=agent,
        colleague=colleague,
        ring_seconds=ring,
        talk_seconds=talk,
        ringings=(Ringing(colleague, ring, outcome is Outcome.ANSWERED),),
        recorded=talk > 0 and chance.random() < 0.5,
        calls_back=False,
        from_application=chance.random() < 0.6,
        delay_us=0,
    )
    return replace(shape, delay_us=_delay(chance, shape))


def _outcome(chance: random.Random, answered: float) -> Outcome:
    if chance.random() < answered:
        return Outcome.ANSWERED
    unanswered = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.CANCELLED, Outcome.REJECTED)
    return chance.choices(unanswered, (50, 20, 22, 8))[0]


def _ring_seconds(chance: random.Random, outcome: Outcome) -> int:
    if outcome in (Outcome.BUSY, Outcome.REJECTED):
        return chance.randint(1, 6)
    return chance.randint(20, 55) if outcome is Outcome.NO_ANSWER else chance.randint(3, 28)


def _talk_seconds(chance: random.Random, ring: int) -> int:
    return min(max(4, int(chance.lognormvariate(4.5, 0.9))), LONGEST_CALL_SECONDS - ring)


def _ringings(chance: random.Random, outcome: Outcome, agent: int, ring: int) -> tuple[Ringing, ...]:
    """Who was rung; a caller who gives up in the menu reaches nobody."""
    answered = outcome is Outcome.ANSWERED
    if not answered and chance.random() < 0.15:
        return ()
    others = chance.sample([number for number in range(len(AGENTS)) if number != agent], 2)
    rung = [agent, *others[: chance.choices((0, 1, 2), (62, 25, 13))[0]]]
    return tuple(Ringing(who, ring, answered and who == agent) for who in rung)


def _delay(chance: random.Random, shape: Shape) -> int:
    """Microseconds from the start of a call to the provider's row of it.

    An application writes its row at once; the others wait for the next poll of the exchange.
    """
    if shape.from_application:
        return chance.randint(150_000, 3 * SECOND)
    return (shape.total_seconds + chance.randint(5, 300)) * SECOND + chance.randint(0, SECOND - 1)
