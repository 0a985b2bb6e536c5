"""What the workers of an account hand over piece by piece, gathered into units."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sources.account import Account
from sources.ledger import Ledger
from sources.shaping import Shaped
from sources.shaping.fields import RecordType
from sources.units import Rejection, Unit, UnitSize, WindowRead, joined


@dataclass(frozen=True)
class Piece:
    """What a worker hands to the gatherer: records, news for the ledger or a fault."""

    data: tuple[RecordType, Shaped] | None = None
    rejections: tuple[Rejection, ...] = ()
    finished: WindowRead | None = None
    ledger: Callable[[Ledger], Ledger] | None = None
    note: str | None = None
    failure: Exception | None = None


@dataclass
class Gathered:
    """A unit in the making."""

    data: list[tuple[RecordType, Shaped]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    windows: list[WindowRead] = field(default_factory=list)
    rows: int = 0
    nbytes: int = 0
    began: float = field(default_factory=time.monotonic)

    def add(self, piece: Piece) -> None:
        """What a piece brings of data, rejected records and finished windows."""
        if piece.data is not None:
            record_type, shaped = piece.data
            self.data.append(piece.data)
            self.rows += shaped.tables[record_type.table].num_rows
            self.nbytes += shaped.nbytes
        self.rejections.extend(piece.rejections)
        if piece.finished is not None:
            self.windows.append(piece.finished)

    @property
    def has_data(self) -> bool:
        """Whether there is anything to load; a finished window alone is not."""
        return bool(self.data or self.rejections)

    def is_full(self, size: UnitSize) -> bool:
        """Whether it is time to make it a unit."""
        return self.has_data and (
            size.is_reached(self.rows, self.nbytes) or time.monotonic() - self.began >= size.seconds
        )

    def unit(self, account: Account, kind: str, ledger: Ledger) -> Unit:
        """The unit, with the ledger after it."""
        return Unit(
            account=account,
            kind=kind,
            data=joined(self.data),
            windows=tuple(self.windows),
            rejections=tuple(self.rejections),
            ledger=ledger,
        )
