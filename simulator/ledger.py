"""An account's records in order of time: the stream's calls with what was changed since laid over them.

A record has a position, counted from 0 at the oldest. Queries select positions; a page is part of those.
Nothing is materialised but changed records and the list of stretches between them:

    stream     0 1 2 3 4 5 6 7 8 9 …
    replaced         ^ 3         ^ 8        (changed, moved or forgotten)
    added                ^ late record, by its time between 5 and 6
    stretches  [0 1 2] [4 5] (late) [6 7] (8 as it is now) [9 …]
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, TypeAlias

from simulator.stream import CallStream

_SELECTIONS_KEPT = 16

Document: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[int, int]
"""Where a record stands: its time in microseconds UTC, then its id as a number."""


@dataclass(order=True)
class Held:
    """A record that no longer is, or never was, what the stream says."""

    key: Key
    id: str = field(compare=False)
    document: Document = field(compare=False)
    spoilt: Document = field(compare=False, default_factory=dict)
    """Fields to be sent as they stand here, whatever the document says."""
    pinned: set[str] = field(compare=False, default_factory=set)
    """Fields that show what was set however young the call is."""


Item: TypeAlias = int | Held
"""An index of the stream, or a held record."""


@dataclass(frozen=True)
class Stretch:
    """Consecutive positions: indexes [start, start + length) of the stream, or one held record."""

    start: int
    length: int
    held: Held | None = None


class Selection:
    """The positions a query selects, as ascending half-open runs."""

    def __init__(self, runs: Iterable[tuple[int, int]]) -> None:
        self.runs = [(low, high) for low, high in runs if low < high]
        self._sizes = [0, *accumulate(high - low for low, high in self.runs)]

    @classmethod
    def of_positions(cls, positions: Iterable[int]) -> Selection:
        """Join single ascending positions into runs."""
        runs: list[tuple[int, int]] = []
        low = high = -1
        for position in positions:
            if position != high:
                if low >= 0:
                    runs.append((low, high))
                low = position
            high = position + 1
        if low >= 0:
            runs.append((low, high))
        return cls(runs)

    def __len__(self) -> int:
        return self._sizes[-1]

    def rank(self, position: int) -> int:
        """How many selected positions are lower."""
        run = bisect_right(self.runs, (position, position)) - 1
        if run < 0:
            return 0
        low, high = self.runs[run]
        return self._sizes[run] + min(position, high) - low

    def slice(self, start: int, stop: int) -> list[tuple[int, int]]:
        """The runs of the selected positions number start to stop (not included)."""
        start, stop = max(0, start), min(stop, len(self))
        found = []
        run = bisect_right(self._sizes, start) - 1
        while start < stop:
            low = self.runs[run][0] + start - self._sizes[run]
            taken = min(stop, self._sizes[run + 1]) - start
            found.append((low, low + taken))
            start += taken
            run += 1
        return found


class Ledger:
    """The records of one account.

    Args:
        stream: the calls as they began.
        id_number: the id of a stream index as a number, the second half of its key.
    """

    def __init__(self, stream: CallStream, id_number: Callable[[int], int]) -> None:
        self.stream = stream
        self._id_number = id_number
        self._replaced: list[int] = []
        self._held: list[Held] = []
        self._by_id: dict[str, Held] = {}
        self._stretches: list[Stretch] | None = None
        self._sizes: list[int] = []
        self._selections: dict[object, Selection] = {}

    def __len__(self) -> int:
        return len(self.stream) - len(self._replaced) + len(self._held)

    def key(self, item: Item) -> Key:
        """Where an item stands."""
        if isinstance(item, Held):
            return item.key
        return self.stream.clockwork.time(item), self._id_number(item)

    def find(self, record_id: str, index: int | None) -> Item | None:
        """The record of an id, given the stream index the id stands for if it stands for any."""
        if (held := self._by_id.get(record_id)) is not None:
            return held
        return index if index is not None and not self._is_replaced(index) else None

    def hold(self, item: Item | None, held: Held) -> None:
        """Put a held record in the place of an item, or in addition."""
        self.forget(item)
        insort(self._held, held)
        self._by_id[held.id] = held
        self.changed()

    def forget(self, item: Item | None) -> None:
        """Leave an item out from now on."""
        if isinstance(item, Held):
            place = bisect_left(self._held, item)
            while self._held[place] is not item:
                place += 1
            del self._held[place]
            del self._by_id[item.id]
        elif item is not None:
            insort(self._replaced, item)
        self.changed()

    def position(self, key: Key) -> int:
        """How many records stand before the key."""
        index = self._index_before(key)
        return (
            index
            - bisect_left(self._replaced, index)
            + bisect_left(self._held, key, key=lambda held: held.key)
        )

    def at(self, moment: int) -> int:
        """How many records start before the moment (microseconds UTC)."""
        return self.position((moment, -1))

    def items(self, low: int = 0, high: int | None = None) -> Iterator[Item]:
        """The records at positions low to high (not included), oldest first."""
        stretches = self._stretched()
        high = len(self) if high is None else min(high, len(self))
        number = bisect_right(self._sizes, low) - 1
        while low < high:
            stretch = stretches[number]
            if stretch.held is not None:
                yield stretch.held
                low += 1
            else:
                skip = low - self._sizes[number]
                taken = min(stretch.length - skip, high - low)
                yield from range(stretch.start + skip, stretch.start + skip + taken)
                low += taken
            number += 1

    def held_positions(self) -> Iterator[tuple[int, Held]]:
        """The positions of the held records, ascending."""
        stretches = self._stretched()
        for position, stretch in zip(self._sizes, stretches, strict=False):
            if stretch.held is not None:
                yield position, stretch.held

    def page(self, selection: Selection, start: int, stop: int, newest_first: bool) -> list[Item]:
        """The selected records number start to stop (not included), counted from the newest or the oldest."""
        if newest_first:
            start, stop = len(selection) - stop, len(selection) - start
        found = [item for low, high in selection.slice(start, stop) for item in self.items(low, high)]
        return found[::-1] if newest_first else found

    def select(self, query: object, find: Callable[[], Selection]) -> Selection:
        """The selection of a query, found once as long as nothing changes."""
        if query not in self._selections:
            if len(self._selections) >= _SELECTIONS_KEPT:
                self._selections.clear()
            self._selections[query] = find()
        return self._selections[query]

    def _is_replaced(self, index: int) -> bool:
        place = bisect_left(self._replaced, index)
        return place < len(self._replaced) and self._replaced[place] == index

    def changed(self) -> None:
        """Forget what was found, because records look otherwise now."""
        self._stretches = None
        self._selections.clear()

    def _stretched(self) -> list[Stretch]:
        if self._stretches is None:
            self._stretches = [stretch for stretch in self._walk() if stretch.length]
            self._sizes = [0, *accumulate(stretch.length for stretch in self._stretches)]
        return self._stretches

    def _walk(self) -> Iterator[Stretch]:
        reached = 0
        held = iter(self._held)
        waiting = next(held, None)
        for gone in [*self._replaced, len(self.stream)]:
            while waiting is not None and (index := self._index_before(waiting.key)) <= gone:
                yield Stretch(reached, index - reached)
                yield Stretch(0, 1, waiting)
                reached, waiting = index, next(held, None)
            yield Stretch(reached, gone - reached)
            reached = gone + 1

    def _index_before(self, key: Key) -> int:
        index = self.stream.clockwork.before(key[0])
        while index < len(self.stream) and self.key(index) < key:
            index += 1
        return index
