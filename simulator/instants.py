"""Instants of the simulator (microseconds UTC) to and from the ways the providers write them, quickly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from simulator.clockwork import DAY, HOUR, SECOND

VIETNAM_SECONDS = 7 * 3600
_DAY_SECONDS = 86_400
_CLOCK = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(_DAY_SECONDS)]


class DateText(dict[int, str]):
    """Days since 1970 as text followed by a separator, made when first asked for."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._form = form

    def __missing__(self, day: int) -> str:
        text = self[day] = moment(day * DAY).strftime(self._form)
        return text


def writer(form: str) -> Callable[[int], str]:
    """A function that writes seconds since 1970 as a date in this form followed by HH:MM:SS."""
    dates = DateText(form)
    clock = _CLOCK

    def write(second: int) -> str:
        day = second // 86_400
        return dates[day] + clock[second - day * 86_400]

    return write


iso = writer("%Y-%m-%dT")
"""2026-01-31T08:00:00"""
sql = writer("%Y-%m-%d ")
"""2026-01-31 08:00:00"""
american = writer("%m/%d/%Y ")
"""01/31/2026 08:00:00"""


def moment(us: int) -> datetime:
    """An instant as an aware UTC datetime."""
    return datetime.fromtimestamp(us // SECOND, UTC).replace(microsecond=us % SECOND)


class Zone:
    """Offsets of a named time zone, one look-up an hour."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._zone = ZoneInfo(name)
        self._offsets: dict[int, int] = {}

    def offset_seconds(self, us: int) -> int:
        """How many seconds the zone is ahead of UTC then."""
        # No zone changes its offset inside a quarter of an hour.
        quarter = us // (HOUR // 4)
        if quarter not in self._offsets:
            offset = moment(us).astimezone(self._zone).utcoffset()
            self._offsets[quarter] = int(offset.total_seconds()) if offset else 0
        return self._offsets[quarter]

    def instant(self, local: datetime) -> int:
        """The instant a naive local datetime stands for."""
        return int(local.replace(tzinfo=self._zone).timestamp()) * SECOND + local.microsecond
