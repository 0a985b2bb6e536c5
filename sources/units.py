"""What travels from a reader to the loader: units of data, the windows they finish, and news of progress."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sources.account import Account
from sources.ledger import Ledger
from sources.shaping import Rejected, Shaped, concat
from sources.shaping.fields import RecordType
from sources.windows import Intervals, Window


@dataclass(frozen=True)
class UnitSize:
    """When gathered windows become a unit: whichever comes first.

    Attributes:
        rows: as many are always enough.
        bytes: as much in memory is always enough, however few rows that is.
        seconds: as long is always enough.
    """

    rows: int = 40_960
    bytes: int = 32 * 2**20
    seconds: float = 20.0

    def is_reached(self, rows: int, nbytes: int) -> bool:
        """Whether so many rows, which take so much memory, are enough."""
        return rows >= self.rows or nbytes >= self.bytes


@dataclass(frozen=True)
class Span:
    """What a run wants of an account: a `sync` or a `backfill` of `[start, end)`, or of what is `within`."""

    kind: str
    start: datetime
    end: datetime
    force: bool = False
    within: Intervals | None = None


@dataclass(frozen=True)
class Planned:
    """Progress: so many windows will be read."""

    windows: int


@dataclass(frozen=True)
class WindowRead:
    """Progress: a window was read whole.

    Attributes:
        rows: distinct calls, rejected ones included.
        provider_total: the provider's own count, where it gives one.
        warnings: values that could not be read as their column's type.
        changed: whether its content differs from the last read.
    """

    window: Window
    rows: int
    provider_total: int | None
    warnings: int
    rejected: int
    changed: bool


@dataclass(frozen=True)
class Noted:
    """Progress: something an operator should know that stops nothing."""

    text: str


Observer = Callable[[Account, Planned | WindowRead | Noted], None]


@dataclass(frozen=True)
class Rejection:
    """A record that has no usable key or time, with where it was seen.

    `seen_at` is when that was, where it was not just now; `replayed_at` is when it became readable.
    """

    endpoint: str
    window: str
    rejected: Rejected
    seen_at: datetime | None = None
    replayed_at: datetime | None = None

    def reject_id(self, account: Account) -> str:
        """The record's key in the quarantine: the same whenever the account sends it."""
        place = f"{account}\0{self.endpoint}\0".encode()
        return hashlib.blake2b(place + self.rejected.payload, digest_size=16).hexdigest()


@dataclass(frozen=True)
class Unit:
    """What a load package brings of one account: data, finished windows and the ledger after them."""

    account: Account
    kind: str
    data: tuple[tuple[RecordType, Shaped], ...]
    windows: tuple[WindowRead, ...]
    rejections: tuple[Rejection, ...]
    ledger: Ledger

    @property
    def rows(self) -> int:
        """Root rows in the unit: calls, and names of hotlines, members, users."""
        return sum(shaped.tables[kind.table].num_rows for kind, shaped in self.data)

    @property
    def nbytes(self) -> int:
        """What the data takes in memory."""
        return sum(shaped.nbytes for _, shaped in self.data)


def together(units: Sequence[Unit]) -> list[Unit]:
    """The units as at most one of each account and kind; of a call in two of them the later one counts."""
    joined: dict[tuple[str, str], Unit] = {}
    for unit in units:
        key = (str(unit.account), unit.kind)
        joined[key] = _joined(joined[key], unit) if key in joined else unit
    return list(joined.values())


def joined(data: Iterable[tuple[RecordType, Shaped]]) -> tuple[tuple[RecordType, Shaped], ...]:
    """The data as one part of each table; of a record in two parts the later one counts."""
    parts: dict[str, tuple[RecordType, list[Shaped]]] = {}
    for record_type, shaped in data:
        parts.setdefault(record_type.table, (record_type, []))[1].append(shaped)
    return tuple((record_type, concat(record_type, some)) for record_type, some in parts.values())


def _joined(first: Unit, then: Unit) -> Unit:
    return replace(
        then,
        data=joined((*first.data, *then.data)),
        windows=first.windows + then.windows,
        rejections=first.rejections + then.rejections,
    )
