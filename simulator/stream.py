"""What the calls of an account are about, as a pure function of a seed and an index, held nowhere."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property, lru_cache

from simulator.clockwork import DAY, SECOND, Clockwork, mix
from simulator.people import AGENTS, HOTLINES

LONGEST_CALL_SECONDS = 1800
"""No call, ringing included, lasts longer: what reaches into a window began at most this much before it."""

_SHAPES = 1024
_INTERNAL_SHAPES = 64
_FOLLOW_UP_TRIES = 3


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
    follows_up: bool
    """Whether it is about a recent missed call: a call back, or the customer's next try."""
    from_application: bool
    delay_us: int
    spelling: int = 0
    """Which of the provider's ways to write the customer's number; 0 is the usual one."""
    withheld: bool = False
    """Whether the customer's number is told to nobody."""

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


class CallStream:
    """What the calls of one account are about, on a clockwork it may share with other accounts."""

    def __init__(self, clockwork: Clockwork, seed: int) -> None:
        self.clockwork = clockwork
        self._salt = mix(seed ^ 0x5EED) & 0xFFFFFFFF
        self.shapes = _all_shapes()
        self._customers = max(40, clockwork.calls // 6)
        days = max(1, (clockwork.end - clockwork.start) // DAY)
        # A follow-up is about one of the missed calls of about the last three working hours.
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
            if shape.follows_up:
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
        """The bits of a recent missed call, if a few looks find one, so that its customer is met again."""
        for turn in range(_FOLLOW_UP_TRIES):
            earlier = index - 1 - (bits >> 5 * turn & 0xFFF) * self._recent // 0x1000
            if earlier >= 0 and not self.clockwork.paired(earlier):
                missed = self._bits(earlier)
                shape = self.shapes[missed % _SHAPES]
                # Whose call a follow-up is, its own bits do not tell.
                if shape.missed and not shape.withheld and not shape.follows_up:
                    return missed
        return bits


@lru_cache(maxsize=1)
def _all_shapes() -> tuple[Shape, ...]:
    """The shapes of every stream; the seed of a stream says which calls have which."""
    chance = random.Random(1)  # noqa: S311 - reproducible data, no secret
    shapes = [_customers_side(chance, _shape(chance, number)) for number in range(_SHAPES)]
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
        follows_up=chance.random() < (0.12 if inbound else 0.4),
        from_application=from_application,
        delay_us=0,
    )
    return replace(shape, delay_us=_delay(chance, shape))


def _customers_side(chance: random.Random, shape: Shape) -> Shape:
    """The shape with what the customer's network makes of the number: most carriers write it in one way."""
    withheld = shape.direction is Direction.INBOUND and not shape.follows_up and chance.random() < 0.03
    return replace(shape, spelling=chance.choices((0, 1, 2), (80, 12, 8))[0], withheld=withheld)


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
        follows_up=False,
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
