"""What a worker holds of a window until it is known whether it is as it was, and what it passes on before.

    read for the first time    each part is passed on when it comes
    no larger than a unit      held until its end; then all of it is passed on, or nothing
    larger                     passed on from there on; at the next reads each part is compared when it comes,
                               and passed on where its digest is new

What is wanted anew, whatever is known of it, is passed on like what is read for the first time.
"""

from __future__ import annotations

from collections.abc import Sequence

from sources.fingerprints import fingerprint_of, fingerprint_of_parts, part_of, parts_of
from sources.shaping import Shaped, Sums, concat, sums
from sources.shaping.fields import RecordType
from sources.units import Rejection, UnitSize


class WindowContent:
    """The calls of a window, as far as it was read.

    Args:
        record_type: what the calls are.
        known: the fingerprint of the last read; None where there is none, or everything is wanted.
        is_compared: whether this read or a later one is compared with another.
        most_held: what may be held.
    """

    def __init__(
        self, record_type: RecordType, known: str | None, *, is_compared: bool, most_held: UnitSize
    ) -> None:
        self._record_type = record_type
        self._is_compared = is_compared
        self._most_held = most_held
        known_parts = parts_of(known)
        self._known_parts = known_parts or frozenset()
        self._is_in_parts = known_parts is not None
        self._is_held = known is not None and known_parts is None
        self._held: list[Shaped] = []
        self._rows = self._nbytes = 0
        self._sums: Sums | None = None
        self._parts: list[str] = []

    def add(self, shaped: Shaped) -> Sequence[Shaped]:
        """Take these calls, too; what is to be passed on now."""
        self._held.append(shaped)
        self._rows += self._rows_of(shaped)
        self._nbytes += shaped.nbytes
        if self._most_held.is_reached(self._rows, self._nbytes):
            self._is_in_parts, self._is_held = True, False
        return [] if self._is_held else self._passed_on()

    def rest(self) -> Sequence[Shaped]:
        """What is still held, and has any calls."""
        return [each for each in self._let_go() if self._rows_of(each)]

    def fingerprint(self, rejections: Sequence[Rejection]) -> str | None:
        """By what the window is known again, now that all of it was added."""
        if not self._is_compared:
            return None
        if self._is_in_parts:
            return fingerprint_of_parts(self._parts, rejections)
        # What came twice counts once, as it does in the table.
        held = sums(concat(self._record_type, self._held)) if self._held else None
        return fingerprint_of(held or self._sums, rejections)

    def _let_go(self) -> Sequence[Shaped]:
        held, self._held = self._held, []
        return held

    def _passed_on(self) -> Sequence[Shaped]:
        """What is held, but for what is as it was; all of it is noted, for the fingerprint."""
        if not self._is_compared:
            return self.rest()
        fresh = []
        for shaped in self._let_go():
            these = sums(shaped)
            self._sums = these if self._sums is None else self._sums + these
            if self._rows_of(shaped):
                part = part_of(these)
                self._parts.append(part)
                if part not in self._known_parts:
                    fresh.append(shaped)
        return fresh

    def _rows_of(self, shaped: Shaped) -> int:
        return int(shaped.tables[self._record_type.table].num_rows)
