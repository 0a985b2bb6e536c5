"""When calls start: any number of times as a pure function of a seed and an index, held nowhere.

The index of a call is its place in time, so a window of time is a range of indexes found by arithmetic:

    hours    |  08h  |    09h    |  10h  | 11h |      more calls in office hours of Vietnam, fewer at weekends
    indexes  0 . . . 4 . . . . . 11 . . .15 . .18     `_first[h]` is the first index of hour h
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import accumulate

SECOND = 1_000_000
"""Microseconds in a second: every instant of the simulator is an integer of microseconds since 1970 UTC."""
HOUR = 3600 * SECOND
DAY = 24 * HOUR

_VIETNAM_HOURS = 7
_WEIGHT_BY_HOUR = (2, 1, 1, 1, 1, 3, 8, 25, 80, 100, 95, 75, 45, 60, 90, 95, 85, 60, 35, 28, 22, 14, 8, 4)
_WEEKEND_PERCENT = 35
_MASK = (1 << 64) - 1
_INTERNAL_PER_256 = 12
_JITTER_STEPS = 256


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


def _weight(hour_since_1970: int) -> int:
    """How busy an hour is; 1970 began on a Thursday."""
    local = hour_since_1970 + _VIETNAM_HOURS
    weekday = (local // 24 + 3) % 7
    percent = _WEEKEND_PERCENT if weekday >= 5 else 100
    return _WEIGHT_BY_HOUR[local % 24] * percent
