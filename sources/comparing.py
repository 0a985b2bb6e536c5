"""What a worker holds of a window until it is known whether it is as it was, and what it passes on before.

compared with nothing     each part is passed on when it comes
no more than a unit       held until its end; then all of it is passed on, or nothing
more than that            passed on from there on, each part with its digest; at the next reads nothing is
held, and only parts are passed on whose digest is new
"""

from __future__ import annotations

from collections.abc import Sequence

from sources.fingerprints import fingerprint_of, fingerprint_of_parts, part_of, parts_of
from sources.shaping import Shaped, concat
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
        self._parts: list[str] = []
        self._held: list[Shaped] = []
        self._rows = self._nbytes = 0

    def add(self, shaped: Shaped) -> Sequence[Shaped]:
        """Take these calls, too; what is to be passed on now."""
        self._held.append(shaped)
        self._rows += self._rows_of(shaped)
        self._nbytes += shaped.nbytes
        if not self._is_compared:
            return self.let_go()
        if self._is_in_parts or self._most_held.is_reached(self._rows, self._nbytes):
            self._is_in_parts = True
            return [each for each in self.let_go() if self._is_new(each)]
        return []

    def let_go(self) -> Sequence[Shaped]:
        """What is held, and no longer."""
        held, self._held = self._held, []
        self._rows = self._nbytes = 0
        return [each for each in held if self._rows_of(each)]

    def fingerprint(self, rejections: Sequence[Rejection]) -> str | None:
        """By what the window is known again, now that all of it was added."""
        if not self._is_compared:
            return None
        if self._is_in_parts:
            return fingerprint_of_parts(self._parts, rejections)
        return fingerprint_of(concat(self._record_type, self._held) if self._held else None, rejections)

    def _is_new(self, shaped: Shaped) -> bool:
        part = part_of(shaped)
        self._parts.append(part)
        return part not in self._known_parts

    def _rows_of(self, shaped: Shaped) -> int:
        return int(shaped.tables[self._record_type.table].num_rows)
