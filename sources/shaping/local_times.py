"""What a clock on the wall showed, as instants."""

from datetime import UTC, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from sources.shaping.fields import TIMESTAMP
from sources.zones import ahead_at, changes, first_instant

_FAR: Final = timedelta(hours=26)
"""No clock is further from UTC, and none was ever set by more at once."""

_LONG: Final = timedelta(days=366)
"""Between times that lie further apart it takes longer to look for changes than to look at each time."""


def in_utc(wall: pa.Array, zone: str) -> pa.Array:
    """Local times in UTC: of a time that came twice the first, of one that was skipped the end of the gap.

    Args:
        wall: timestamps in microseconds, without a zone.
        zone: an IANA name.
    """
    limits = pc.min_max(wall).as_py()
    if limits["min"] is None:
        return wall.cast(TIMESTAMP)
    if limits["max"] - limits["min"] > _LONG:
        distinct = wall.dictionary_encode()
        instants = [first_instant(time, zone) for time in distinct.dictionary.to_pylist()]
        return pa.array(instants, TIMESTAMP).take(distinct.indices)
    first, last = (limits[end].replace(tzinfo=UTC) + far for end, far in (("min", -_FAR), ("max", _FAR)))
    found = _behind(wall, ahead_at(first, zone))
    for change, ahead in changes(zone, first, last):
        at = pa.scalar(change, TIMESTAMP)
        # By the old clock not before the change: the new clock counts, which shows nothing before it either.
        later = _behind(wall, ahead)
        later = pc.if_else(pc.less(later, at), at, later)
        found = pc.if_else(pc.less(found, at), found, later)
    return found


def _behind(wall: pa.Array, ahead: timedelta) -> pa.Array:
    return pc.subtract(wall, pa.scalar(ahead, pa.duration("us"))).cast(TIMESTAMP)
