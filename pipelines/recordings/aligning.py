"""Which recording of a call each row is of: providers insert and delete recordings, and positions shift.

held       0: a   1: b               what is held stays held, wherever the provider lists it now
listed     0: c   1: a               or whether it lists it at all
aligned           1: a   2: b        c is another recording, and is to be fetched
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

from pipelines.recordings.outcome import Outcome, Status


def moved(listed: Mapping[int, str], rows: Sequence[Outcome]) -> list[Outcome]:
    """The rows of a call that belong under another position, there; `Status.MOVED` where they left none.

    What has a file, or had one until its retention ended, and is listed no more, goes to where nothing is
    listed; of anything else there is nothing to keep.

    Args:
        listed: the source of each position that the provider lists.
        rows: what is known of the call's recordings.
    """
    left = {row.position: row for row in rows}
    aligned: dict[int, Outcome] = {}
    for position, source in listed.items():
        if position in left and left[position].source == source:
            aligned[position] = left.pop(position)
    for position, source in listed.items():
        same = [row for row in left.values() if row.source == source]
        if position not in aligned and same:
            # The same address may be listed twice: the one that is held is taken first.
            found = min(same, key=lambda row: (row.status is not Status.HELD, row.position))
            aligned[position] = left.pop(found.position)
    unlisted = [
        row for _, row in sorted(left.items()) if row.path is not None or row.status is Status.EXPIRED
    ]
    staying = {row.position: row for row in unlisted if row.position not in listed}
    free = (position for position in count() if position not in listed and position not in staying)
    displaced = {next(free): row for row in unlisted if row.position in listed}
    after = staying | displaced | aligned
    moved = [replace(row, position=position) for position, row in after.items() if row.position != position]
    vacated = {row.position for row in after.values()} - after.keys()
    return moved + [replace(row, status=Status.MOVED, path=None) for row in rows if row.position in vacated]
