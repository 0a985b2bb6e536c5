"""The exact way: every record decoded by itself, every column read for what it holds, nothing lost.

What does not fit its column stays in the row's `extra`, beside fields nobody documented; a record that cannot
be a row at all is rejected with its payload.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from sources.shaping.columns import read
from sources.shaping.decode import as_json, canonical, decode
from sources.shaping.fields import Field, RecordType
from sources.shaping.tables import Columns, Items, assemble

# Rows are few objects at a time: more would set off Python's garbage collector, a third of the time.
_RECENT_ROWS: Final = 128

_WITHHELD: Final = b'"(withheld: not JSON, may hold a secret)"'


@dataclass(frozen=True)
class Rejected:
    """A record that became no row: why, without any of its values, and its payload as valid JSON."""

    reason: str
    payload: bytes


@dataclass(frozen=True)
class Exact:
    """What a batch became."""

    tables: dict[str, pa.Table]
    rejected: tuple[Rejected, ...]
    warnings: int


class _Rows:
    """The objects of one table, taken apart as they come, so that a batch never holds them all."""

    def __init__(self, fields: Sequence[Field], others: Iterable[str]) -> None:
        self._fields = fields
        self._names = [field.wire_name for field in fields]
        self._known = frozenset((*self._names, *others))
        self._recent: list[tuple[Any, ...]] = []
        self._columns: list[list[Any]] = [[] for _ in fields]
        self._rest: dict[int, dict[str, Any]] = {}
        self.parents: list[int] = []

    def add(self, parent: int, value: dict[str, Any]) -> None:
        """One object, of the record with the index `parent`."""
        if not self._known.issuperset(value):
            unknown = {name: value[name] for name in value if name not in self._known}
            self._rest[len(self.parents)] = unknown
        self._recent.append(tuple(map(value.get, self._names)))
        self.parents.append(parent)
        if len(self._recent) == _RECENT_ROWS:
            self._turn()

    def _turn(self) -> None:
        if self._recent:
            for column, values in zip(self._columns, zip(*self._recent, strict=True), strict=True):
                column.extend(values)
            self._recent.clear()

    def keep(self, row: int, name: str, value: Any) -> None:
        """A value that no column holds, for the row's `extra`."""
        self._rest.setdefault(row, {})[name] = value

    def columns(self, zone: str, warnings: Counter[int], drops: frozenset[str]) -> Columns:
        """The columns with `extra`; each unreadable value is counted for its record."""
        self._turn()
        columns = {}
        for one, values in zip(self._fields, self._columns, strict=True):
            columns[one.name], unreadable = read(one, values, zone)
            for row in unreadable:
                self.keep(row, one.wire_name, values[row])
                warnings[self.parents[row]] += 1
        extra: list[str | None] = [None] * len(self.parents)
        for row, rest in self._rest.items():
            extra[row] = canonical(_without(rest, drops) if drops else rest)
        return {**columns, "extra": pa.array(extra, pa.string())}


def shape_exact(
    record_type: RecordType,
    records: Sequence[bytes],
    *,
    account: str,
    zone: str,
    constants: Mapping[str, str],
    party: Callable[[str], str] | None = None,
) -> Exact:
    """The tables of any batch, the records that are in none of them, and how many values were unreadable."""
    rejected: list[tuple[int, str]] = []
    sources: list[int] = []
    warnings: Counter[int] = Counter()
    drops = record_type.drops
    root = _Rows(record_type.fields, (*drops, *(child.source for child in record_type.children)))
    lists = [(child, child.is_scalar, _Rows(child.fields, drops)) for child in record_type.children]
    for index, record in enumerate(records):
        try:
            value = decode(record)
        except ValueError:
            rejected.append((index, "not valid JSON"))
            continue
        if not isinstance(value, dict):
            rejected.append((index, "not a JSON object"))
            continue
        row = len(sources)
        sources.append(index)
        root.add(row, value)
        for child, is_scalar, rows in lists:
            sent = value.get(child.source)
            strange = () if sent is None else _add_items(rows, row, sent, is_scalar)
            if strange:
                root.keep(row, child.source, strange if isinstance(sent, list) else sent)
                warnings[row] += len(strange)

    items = [
        Items(pa.array(rows.parents, pa.int64()), rows.columns(zone, warnings, drops)) for _, _, rows in lists
    ]
    columns = root.columns(zone, warnings, drops)
    done = assemble(
        record_type, len(sources), columns, items, account=account, constants=constants, party=party
    )
    rejected += [(sources[row], reason) for row, reason in done.refused.items()]
    return Exact(
        done.tables,
        tuple(Rejected(reason, _payload(record_type, records[index])) for index, reason in sorted(rejected)),
        sum(count for row, count in warnings.items() if row not in done.refused),
    )


def _add_items(rows: _Rows, parent: int, sent: Any, is_scalar: bool) -> list[Any]:
    """Add the items of a list, or of the one object sent in its place; what cannot be an item is returned."""
    strange = []
    for item in sent if isinstance(sent, list) else [sent]:
        # null and empty text say that there is nothing.
        if item is None or item == "":
            continue
        if is_scalar and not isinstance(item, dict | list):
            rows.add(parent, {"value": item})
        elif not is_scalar and isinstance(item, dict):
            rows.add(parent, item)
        else:
            strange.append(item)
    return strange


def _payload(record_type: RecordType, record: bytes) -> bytes:
    """A rejected record to be kept: without secrets, and the same however its provider shuffles its lists."""
    try:
        sent = decode(record)
    except ValueError:
        return _WITHHELD if record_type.drops else as_json(record)
    kept = _without(sent, record_type.drops)
    lists = _shuffled(record_type, kept)
    if kept == sent and not lists:
        return as_json(record)
    return canonical({**kept, **lists} if lists else kept).encode()


def _shuffled(record_type: RecordType, value: Any) -> dict[str, list[Any]]:
    """The lists that may come in another order, in the order of their content."""
    names = (child.source for child in record_type.children if child.order == "content")
    lists = {name: value.get(name) for name in names} if isinstance(value, dict) else {}
    return {
        name: sorted(items, key=canonical)
        for name, items in lists.items()
        if isinstance(items, list) and len(items) > 1
    }


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    if isinstance(value, dict):
        return {name: _without(item, names) for name, item in value.items() if name not in names}
    return value
