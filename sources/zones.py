"""Time zones: which names there are, and their rules, the same on every machine.

The rules are those of the tzdata package. The operating system's may be years older, and what a provider
calls noon would be another hour in the reports, whose rules come with DuckDB.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NO_ZONE = "is no IANA time zone"

_FIRST_YEAR, _LAST = 2, datetime(9999, 12, 30, tzinfo=UTC)
"""Beyond, the calendar has no local times of all zones."""

_SECOND = timedelta(seconds=1)
_STEP = timedelta(hours=6)
"""No zone ever changed its clocks twice within so long."""


def is_zone(name: str) -> bool:
    """Whether the time zone database has a zone of that name.

    `ZoneInfo` opens whatever file stands under a name: a folder is an error of the system, and some files
    (`localtime`, `posixrules`, `right/…`) are zones to Python that DuckDB does not know.
    """
    return name in _names()


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone of a name.

    Raises:
        ZoneInfoNotFoundError: there is none, which is a KeyError.
    """
    if not is_zone(name):
        raise ZoneInfoNotFoundError(f"{name} {NO_ZONE}")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def first_instant(wall: datetime, name: str) -> datetime:
    """When the zone's clocks showed a time first; of a time that they skipped, when they did.

    Args:
        wall: without a zone.
        name: as `zone_of` takes it.
    """
    zone = zone_of(name)
    found = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _border(name, before.replace(microsecond=0), found.replace(microsecond=0))


def ahead_at(moment: datetime, name: str) -> timedelta:
    """How far the zone's clocks are ahead of UTC."""
    return moment.astimezone(zone_of(name)).utcoffset() or timedelta()


def changes(name: str, first: datetime, last: datetime) -> list[tuple[datetime, timedelta]]:
    """When the clocks change after `first` and until `last`, and how far they are ahead of UTC then."""
    return [
        change
        for year in range(max(first.year, _FIRST_YEAR), last.year + 1)
        for change in _changes_in(name, year)
        if first < change[0] <= last
    ]


@lru_cache(maxsize=1024)
def _changes_in(name: str, year: int) -> tuple[tuple[datetime, timedelta], ...]:
    before = datetime(year, 1, 1, tzinfo=UTC)
    end = min(datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC), _LAST)
    ahead, found = ahead_at(before - _SECOND, name), []
    while before < end:
        after = min(before + _STEP, end)
        if (then := ahead_at(after, name)) != ahead:
            found.append((_border(name, before - _SECOND, after), then))
        before, ahead = after, then
    return tuple(found)


def _border(name: str, before: datetime, after: datetime) -> datetime:
    """The first whole second after `before` at which the clocks are as far ahead as at `after`."""
    old = ahead_at(before, name)
    while after - before > _SECOND:
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        before, after = (middle, after) if ahead_at(middle, name) == old else (before, middle)
    return after


@cache
def _names() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())
