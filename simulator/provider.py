"""What the three providers have in common: accounts, what tests do to records, and how a record looks now."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from itertools import groupby
from typing import Any, Final, Generic, Protocol, TypeVar

import orjson

from simulator.audio import Recordings
from simulator.clockwork import SECOND, Clockwork, microseconds
from simulator.ledger import Document, Held, Item, Key, Ledger, Selection
from simulator.stream import LONGEST_CALL_SECONDS, CallStream
from simulator.web import Reply, Request

_READ_AT_ONCE = 1000


class _Removed(Enum):
    REMOVED = "removed"


REMOVED: Final = _Removed.REMOVED
"""As the value of a field in `change` and `spoil`: the field is absent."""


class Clock:
    """The simulator's time; it stands still until advanced, so that a question has one answer."""

    def __init__(self, now: datetime) -> None:
        self.us = microseconds(now)

    def advance(self, seconds: float) -> None:
        """Let time pass: calls end, recordings and costs appear, later calls become the newest."""
        self.us += int(seconds * SECOND)


@dataclass(frozen=True)
class Setting:
    """What every provider is made from; `timer` counts seconds, `host` is host and port."""

    seed: int
    accounts: int
    clockwork: Clockwork
    clock: Clock
    timer: Callable[[], float]
    host: str
    recordings: Recordings

    @property
    def url(self) -> str:
        """The address of the simulator."""
        return f"http://{self.host}"

    def secret(self, *names: object) -> str:
        """64 hexadecimal digits that look like a key; the same for the same seed and names."""
        return hashlib.sha256(repr((self.seed, *names)).encode()).hexdigest()


class Records(Protocol):
    """The records of a stream in a provider's shape."""

    def id_number(self, index: int) -> int:
        """The number that orders the record of a stream index among those of the same time."""

    def rows(self, indexes: Sequence[int], /) -> Iterable[str]:
        """The complete records of stream indexes as JSON."""

    def document(self, index: int) -> Document:
        """The complete record of a stream index."""

    def late(self, model: int, serial: int, start: int, now: int) -> Document:
        """A record like that of stream index `model`, but number `serial`, of its own start and writing."""


R = TypeVar("R", bound=Records)


class Provider(ABC, Generic[R]):
    """One provider's accounts and its HTTP API."""

    name: str
    ripens_seconds: int
    """How long after its end a call is as complete as it will be."""

    def __init__(self, setting: Setting, records: Callable[[CallStream], R]) -> None:
        self.setting = setting
        # Accounts share times and ids; what the calls are about differs.
        streams = [
            CallStream(setting.clockwork, _stream_seed(setting.seed, self.name, account))
            for account in range(setting.accounts)
        ]
        self.records = [records(stream) for stream in streams]
        self.ledgers = [
            Ledger(stream, written.id_number) for stream, written in zip(streams, self.records, strict=True)
        ]
        self._added = 0

    # What a provider answers.

    @abstractmethod
    def endpoint(self, request: Request) -> str:
        """The name of what is asked, for faults and for the log."""

    @abstractmethod
    def account(self, request: Request) -> int | None:
        """Whose credentials a request carries, valid ones only."""

    @abstractmethod
    def handle(self, request: Request) -> Reply:
        """Answer a request."""

    @abstractmethod
    def describe(self, account: int) -> dict[str, Any]:
        """The base addresses and the credentials of an account."""

    @abstractmethod
    def error_reply(self) -> Reply:
        """The provider's own error object, with HTTP 200."""

    def refuse_tokens(self) -> None:
        """Stop accepting every token made so far."""

    # What a record is.

    @abstractmethod
    def _index(self, account: int, record_id: str) -> int | None:
        """The stream index an id stands for, if it stands for any."""

    @abstractmethod
    def _id_of(self, document: Document) -> str:
        """The id of a record."""

    @abstractmethod
    def _key_of(self, document: Document) -> Key:
        """Where a record stands; raises KeyError, TypeError or ValueError when its time cannot be read."""

    @abstractmethod
    def _unripe(self, document: Document, age_us: int) -> Document:
        """The fields that look otherwise while a call is young: its age is counted from its end."""

    @abstractmethod
    def _end(self, document: Document) -> int:
        """When the call of a record ends; KeyError, TypeError or ValueError when it names no end."""

    def _touch(self) -> Document:
        """The fields a provider sets itself when a record changes."""
        return {}

    @abstractmethod
    def _legless(self, document: Document, keep: int) -> Document:
        """The fields of a record that lost its targets, calls or parties but the first `keep`."""

    # What tests do to records.

    def truth(self, account: int = 0, version: str | None = None) -> list[Document]:
        """Every record as the provider (or a version of its API) shows it now, oldest first."""
        return self.read(account, list(self.ledgers[account].items()))

    def change(self, record_id: str, account: int = 0, **fields: Any) -> None:
        """Change fields of a record; a changed time moves it."""
        item, held = self._take(account, record_id)
        held.document.update(fields)
        self._put(account, item, held, fields)

    def drop_legs(self, record_id: str, account: int = 0, keep: int = 0) -> None:
        """Leave a record only the first `keep` of its targets, calls or parties."""
        item, held = self._take(account, record_id)
        fields = self._legless(held.document, keep)
        held.document.update(fields)
        self._put(account, item, held, fields)

    def spoil(self, record_id: str, account: int = 0, **fields: Any) -> None:
        """Send a record with any raw field set, or REMOVED; its place, and its id for these methods, stay."""
        item, held = self._take(account, record_id)
        held.spoilt.update(fields)
        self.ledgers[account].hold(item, held)

    def hide(self, record_id: str, account: int = 0) -> None:
        """Forget a record."""
        self.ledgers[account].forget(self._find(account, record_id))

    def add_late(self, when: datetime, account: int = 0, **fields: Any) -> str:
        """Show a new record from now on that started at `when`; returns its id."""
        ledger = self.ledgers[account]
        serial = len(ledger.stream) + self._added
        self._added += 1
        model = serial % max(1, len(ledger.stream))
        document = (
            self.records[account].late(model, serial, microseconds(when), self.setting.clock.us) | fields
        )
        held = Held(self._key_of(document), self._id_of(document), document, pinned=set(fields))
        ledger.hold(None, held)
        return held.id

    # What a record looks like now.

    def shown(self, account: int, item: Item) -> Document:
        """A record as it would be sent now."""
        if isinstance(item, Held):
            fields = self._young(item.document)
            fields = {name: value for name, value in fields.items() if name not in item.pinned}
            shown = item.document | fields | item.spoilt
        else:
            document = self.records[account].document(item)
            shown = document | self._young(document)
        return self.without_removed(shown)

    @staticmethod
    def without_removed(document: Document) -> Document:
        """A record without the fields that are REMOVED."""
        return {name: value for name, value in document.items() if value is not REMOVED}

    def read(self, account: int, items: Sequence[Item]) -> list[Document]:
        """Records as they would be sent now."""
        text = self.written(items, self.records[account].rows, lambda item: self.shown(account, item))
        documents: list[Document] = orjson.loads(f"[{text}]")
        return documents

    def narrowed(
        self, account: int, selection: Selection, tests: Sequence[Callable[[Document], bool]]
    ) -> Selection:
        """Of a selection, the records that fulfil all tests as they are beneath what is spoilt."""
        if not tests:
            return selection
        return Selection.of_positions(
            position
            for low, high in selection.runs
            for start in range(low, high, _READ_AT_ONCE)
            for items in [self.ledgers[account].items(start, min(start + _READ_AT_ONCE, high))]
            for position, document in enumerate(self.read(account, list(map(unspoilt, items))), start)
            if all(test(document) for test in tests)
        )

    def written(
        self,
        items: Sequence[Item],
        fast: Callable[[Sequence[int]], Iterable[str]],
        slow: Callable[[Item], Document],
    ) -> str:
        """Records as JSON with commas between: untouched ripe calls from templates, the others one by one."""
        horizon = self.setting.clock.us - (self.ripens_seconds + LONGEST_CALL_SECONDS) * SECOND
        ripe = self.setting.clockwork.before(horizon)
        texts: list[str] = []
        for quick, run in groupby(items, lambda item: isinstance(item, int) and item < ripe):
            if quick:
                texts.extend(fast([item for item in run if isinstance(item, int)]))
            else:
                texts.extend(orjson.dumps(slow(item)).decode() for item in run)
        return ",".join(texts)

    def _young(self, document: Document) -> Document:
        document = self.without_removed(document)
        try:
            age = self.setting.clock.us - self._end(document)
        except (KeyError, TypeError, ValueError):
            # Somebody changed the call so that it never ends: it looks as it was changed.
            return {}
        return self._unripe(document, age) if age < self.ripens_seconds * SECOND else {}

    def _find(self, account: int, record_id: str) -> Item:
        item = self.ledgers[account].find(record_id, self._index(account, record_id))
        if item is None:
            raise KeyError(f"{self.name} shows no record {record_id}")
        return item

    def _take(self, account: int, record_id: str) -> tuple[Item, Held]:
        item = self._find(account, record_id)
        if isinstance(item, Held):
            document, spoilt, pinned = dict(item.document), dict(item.spoilt), set(item.pinned)
        else:
            document, spoilt, pinned = self.records[account].document(item), {}, set()
        return item, Held(self.ledgers[account].key(item), record_id, document, spoilt, pinned)

    def _put(self, account: int, item: Item, held: Held, changed: Collection[str]) -> None:
        held.document.update({name: value for name, value in self._touch().items() if name not in changed})
        held.pinned.update(changed)
        held.key = self._key_of(
            {name: value for name, value in held.document.items() if value is not REMOVED}
        )
        self.ledgers[account].hold(item, held)


def unspoilt(item: Item) -> Item:
    """A record as it would be sent had nobody spoilt it."""
    return replace(item, spoilt={}) if isinstance(item, Held) else item


def encoded(document: Document) -> str:
    """A record as JSON text."""
    return orjson.dumps(document).decode()


def field_in(name: str, values: Container[str]) -> Callable[[Document], bool]:
    """The test whether a field, as text, is one of some values."""
    return lambda document: str(document.get(name)) in values


def whole(text: object) -> int | None:
    """A parameter as an integer, or None where it is none."""
    try:
        return int(str(text))
    except ValueError:
        return None


def _stream_seed(seed: int, name: str, account: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}/{account}".encode()).digest()[:8])
