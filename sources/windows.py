"""Time windows and sets of finished time: pure planning, no clock, no I/O.

Everything is half-open and in UTC; `[` is closed, `)` is open:

    history      [start_date ------------------------------------------------ now)
    settled      [==============================)                                    never read again
    finished     [==========================================)                        read at least once
    to sync                                     [----|----|----|----|----|------)    cut at local midnights

A window is *settled* once it was read later than its end plus the lookback: calls change after the fact, so
what was read earlier is read again. Windows are cut on a fixed grid of the provider's local days, so the same
day is the same window in every run, however often the schedule fires.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pendulum

from sources.zones import zone_of

SECOND = timedelta(seconds=1)

_UNSAID = pendulum.FixedTimezone(0, name="unsaid")
"""The zone of a time that names none, while it is parsed."""

_FIRST, _LAST = datetime(1, 1, 1, 8, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
"""Beside the ends of the calendar a moment has no local time in other zones, and no neighbours."""


@dataclass(frozen=True, order=True)
class Window:
    """A half-open span of time `[start, end)`, both aware and in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse naive times and empty spans: both would lose calls silently."""
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs aware times")
        if self.start >= self.end:
            raise ValueError(f"a window must not be empty: {self}")

    def __str__(self) -> str:
        """ISO 8601 interval in UTC, seconds."""
        return f"{_iso(self.start)}/{_iso(self.end)}"

    @property
    def length(self) -> timedelta:
        """How long the window is."""
        return self.end - self.start

    def halves(self) -> tuple[Window, Window]:
        """Two windows that meet at a whole second; raises ValueError at one second or less."""
        if self.length <= SECOND:
            raise ValueError(f"{self} cannot be halved")
        middle = self.start + timedelta(seconds=max(1, int(self.length.total_seconds()) // 2))
        return Window(self.start, middle), Window(middle, self.end)


@dataclass(frozen=True)
class Intervals:
    """A set of instants as disjoint, sorted windows that do not touch."""

    windows: tuple[Window, ...] = ()

    @classmethod
    def of(cls, windows: Iterable[Window]) -> Intervals:
        """The union of any windows."""
        merged: list[Window] = []
        for window in sorted(windows):
            if merged and window.start <= merged[-1].end:
                if window.end > merged[-1].end:
                    merged[-1] = Window(merged[-1].start, window.end)
            else:
                merged.append(window)
        return cls(tuple(merged))

    def __iter__(self) -> Iterator[Window]:
        """The windows, oldest first."""
        return iter(self.windows)

    def __bool__(self) -> bool:
        """Whether any instant is in the set."""
        return bool(self.windows)

    def __or__(self, other: Intervals) -> Intervals:
        """Union."""
        return Intervals.of((*self.windows, *other.windows))

    def __and__(self, other: Intervals) -> Intervals:
        """Intersection."""
        return self - (self - other)

    def __sub__(self, other: Intervals) -> Intervals:
        """The instants of this set that are not in the other."""
        left: list[Window] = []
        for window in self.windows:
            start = window.start
            for taken in other.windows:
                if taken.end <= start or taken.start >= window.end:
                    continue
                if taken.start > start:
                    left.append(Window(start, taken.start))
                start = taken.end
            if start < window.end:
                left.append(Window(start, window.end))
        return Intervals(tuple(left))

    def holds(self, epoch_seconds: float) -> bool:
        """Whether an instant is in the set."""
        return any(
            window.start.timestamp() <= epoch_seconds < window.end.timestamp() for window in self.windows
        )

    @property
    def length(self) -> timedelta:
        """How much time the set holds."""
        return sum((window.length for window in self.windows), timedelta())

    def covered_until(self, start: datetime) -> datetime:
        """The first instant at or after `start` that is not in the set."""
        for window in self.windows:
            if window.start <= start < window.end:
                return window.end
        return start

    def to_json(self) -> list[list[str]]:
        """Pairs of ISO 8601 texts in UTC."""
        return [[_iso(window.start), _iso(window.end)] for window in self.windows]

    @classmethod
    def from_json(cls, pairs: Iterable[Iterable[str]]) -> Intervals:
        """The inverse of `to_json`."""
        return cls.of(
            Window(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in pairs
        )


def span(start: datetime, end: datetime) -> Intervals:
    """`[start, end)` as a set; empty when the end does not come after the start."""
    return Intervals((Window(start, end),)) if start < end else Intervals()


def cut(todo: Intervals, *, zone: str, days: int) -> list[Window]:
    """Cut a set into windows of at most `days` local days of `zone`, oldest first.

    Cuts fall on local midnights of a grid that does not move with the run. Days of 23 and 25 hours are days.
    """
    return [piece for window in todo for piece in _cut_one(window, zone, days)]


def instant(text: str, zone: str = "UTC") -> datetime:
    """A date or an ISO 8601 time as an aware instant in UTC; without an offset it is local time of `zone`.

    Of a local time that occurs twice it is the earlier one; one that is skipped is read with the
    offset before the jump.

    Raises:
        ValueError: the text is neither.
    """
    try:
        moment = _parsed(text.strip(), zone)
    except (TypeError, OverflowError):
        moment = None
    if moment is None or not _FIRST <= moment < _LAST:
        raise ValueError(f"{text!r} is neither a date nor an ISO 8601 time")
    return moment


def _parsed(text: str, zone: str) -> datetime | None:
    # The parser takes some words for times too.
    moment = pendulum.parse(text, tz=_UNSAID, exact=True) if text[:1].isdigit() else None
    if isinstance(moment, pendulum.DateTime):
        tz = zone_of(zone) if moment.tzinfo is _UNSAID else moment.tzinfo
        return datetime.combine(moment.date(), moment.time().replace(fold=0), tz).astimezone(UTC)
    return local_midnight(moment, zone) if isinstance(moment, date) else None


def local_midnight(day: date, zone: str) -> datetime:
    """The first instant of a local day, in UTC."""
    # Without fold, zoneinfo reads a midnight that occurs twice as the first, and a skipped one as the jump.
    return datetime.combine(day, time(), zone_of(zone)).astimezone(UTC)


def _cut_one(window: Window, zone: str, days: int) -> Iterator[Window]:
    start = window.start
    day = start.astimezone(zone_of(zone)).date()
    ordinal = day.toordinal() - day.toordinal() % days + days
    while start < window.end:
        border = min(local_midnight(date.fromordinal(ordinal), zone), window.end)
        if border > start:
            yield Window(start, border)
            start = border
        ordinal += days


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
