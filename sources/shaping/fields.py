"""The vocabulary of field tables: what a provider sends, and the columns it becomes.

A provider describes its records as data (see `sources.<provider>.fields`); `sources.shaping.shape` reads
them by that description alone. All of it is immutable and hashable.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal

import pyarrow as pa


class Kind(Enum):
    """What a column means, which decides its type and how each wire form is read."""

    TEXT = "text"
    INTEGER = "integer"
    SECONDS = "seconds"
    """Whole seconds, from a number, numeric text, `HH:MM:SS` or `MM:SS`."""
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    RFC3339 = "rfc3339"
    LOCAL_TIME = "local_time"
    """Wall-clock text without an offset, read in the zone given to `shape`."""
    EPOCH_MS = "epoch_ms"
    """Milliseconds since 1970-01-01 UTC; 0 means unset."""
    JSON = "json"
    """Any JSON value, kept as canonical JSON text."""


TIMESTAMP: Final = pa.timestamp("us", tz="UTC")
MONEY: Final = pa.decimal128(18, 9)

ARROW_TYPES: Final[dict[Kind, pa.DataType]] = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.SECONDS: pa.int64(),
    Kind.DECIMAL: MONEY,
    Kind.BOOLEAN: pa.bool_(),
    Kind.RFC3339: TIMESTAMP,
    Kind.LOCAL_TIME: TIMESTAMP,
    Kind.EPOCH_MS: TIMESTAMP,
    Kind.JSON: pa.string(),
}

Wire = Literal["str", "int", "float", "bool", "any"]
TimeFormat = Literal["yyyy-MM-dd HH:mm:ss", "MM/dd/yyyy HH:mm:ss"]
Holding = Literal["number", "text", "own"]
"""Of persons' numbers: is one, may hold some, or holds none (an id, or the company's own)."""
Columns = tuple[tuple[str, Kind], ...]


@dataclass(frozen=True)
class Field:
    """One documented field and the column it fills.

    `wire` is the JSON type the provider normally sends; any other readable form is accepted too, more slowly.
    """

    name: str
    kind: Kind = Kind.TEXT
    wire: Wire = "str"
    zero_is_none: bool = False
    """Zero (`0`, `"0"`) stands for none."""
    time_format: TimeFormat = "yyyy-MM-dd HH:mm:ss"
    """Only for `LOCAL_TIME`."""
    source: str = ""
    """The name on the wire, where it differs from the column's."""
    is_phone_number: bool = False
    """Whether it names a side of the call: a number, an extension, a short code."""
    holds: Holding = "text"
    """What of persons' numbers it holds, where it is no side of the call."""

    words: tuple[str, ...] = ()
    """The words that its documents name, in any case, where the reports tell calls apart by them."""
    is_unique: bool = False
    """Whether hardly any two have the same: another id of the call, or an address of its own."""

    @property
    def wire_name(self) -> str:
        """The field's name in the provider's JSON."""
        return self.source or self.name

    @property
    def holding(self) -> Holding:
        """What of persons' numbers it holds."""
        return "number" if self.is_phone_number else self.holds


@dataclass(frozen=True)
class Child:
    """A list inside a record (or one object, `single`) that becomes a table of its own.

    A list of plain texts has exactly one field, named `value`.
    """

    source: str
    """The list's name on the wire."""
    suffix: str
    """The table is `<root table>__<suffix>`."""
    fields: tuple[Field, ...]
    order: Literal["provider", "content"] = "provider"
    """`content` numbers rows by their content, for lists a provider shuffles."""
    sort_first: tuple[str, ...] = ()
    """The columns that lead the content order; all others follow."""
    single: bool = False
    """The provider sends one object instead of a list."""
    columns: Columns = ()
    """The table's columns, where they are more than `fields` fill."""

    @property
    def is_scalar(self) -> bool:
        """Whether the items are plain values rather than objects."""
        return len(self.fields) == 1 and self.fields[0].name == "value"


@dataclass(frozen=True)
class MadeKey:
    """A stable key for records that carry none, made of what cannot change about a call.

    `yyyymmddHHMMSS` in UTC and a short hash, so that keys follow time.
    """

    time: str
    """The root column that leads the key."""
    columns: tuple[str, ...]
    """Root columns that go into the hash."""
    parties: tuple[tuple[str, str], ...]
    """(child suffix, its column) pairs that go into the hash, whatever the order of their rows."""


@dataclass(frozen=True)
class RecordType:
    """One kind of record of a provider: its table, key, times, fields and children."""

    table: str
    fields: tuple[Field, ...]
    key: str | None = None
    """The key column; None for the one record an account has."""
    key_fallbacks: tuple[str, ...] = ()
    """Columns that stand in, in this order, for a missing key."""
    made_key: MadeKey | None = None
    times: tuple[str, ...] = ()
    """Columns of which at least one must be readable; none for dimensions."""
    children: tuple[Child, ...] = ()
    keeps_unknown: bool = True
    """Whether undocumented fields are kept in `extra`; without, the tables have no such column."""
    fading: tuple[str, ...] = ()
    """Columns of the root that the provider empties after a time; the value it gave last is the true one."""
    drops: frozenset[str] = field(default_factory=frozenset)
    """Wire names of secrets, never kept anywhere."""
    constants: tuple[str, ...] = ()
    """Text columns that an account sets, not the record."""
    columns: Columns = ()
    """The root table's columns, where they are more than `fields` and `constants` fill."""

    @property
    def key_column(self) -> str:
        """The column that, beside `account`, names a row; `account` itself where an account has one."""
        return self.key or "account"

    @property
    def row_key(self) -> list[str]:
        """The columns that together name a row of the root table."""
        return ["account"] if self.key is None else ["account", self.key]

    def child_table(self, child: Child) -> str:
        """The name of a child's table."""
        return f"{self.table}__{child.suffix}"

    def schemas(self) -> dict[str, pa.Schema]:
        """Column order and Arrow types of every table of this record type, the root first."""
        layout = self.columns or (
            *((f.name, f.kind) for f in self.fields),
            *((name, Kind.TEXT) for name in self.constants),
        )
        schemas = {self.table: self._schema([("account", pa.string())], layout)}
        kinds = dict(layout)
        for child in self.children:
            key = [] if self.key is None else [(self.key, ARROW_TYPES[kinds[self.key]])]
            lead = [("account", pa.string()), *key, ("position", pa.int64())]
            columns = child.columns or tuple((f.name, f.kind) for f in child.fields)
            schemas[self.child_table(child)] = self._schema(lead, columns, scalar=child.is_scalar)
        return schemas

    def phone_columns(self) -> dict[str, tuple[str, ...]]:
        """The columns of each table that name a side of a call, where it has any."""
        return self._columns(lambda known: known.is_phone_number)

    def unique_columns(self) -> dict[str, tuple[str, ...]]:
        """The columns of each table, its key aside, in which hardly any two rows have the same."""
        return self._columns(lambda known: known.is_unique)

    def holdings(self) -> dict[str, dict[str, Holding]]:
        """What of persons' numbers the text columns of each table hold; ids and constants hold none."""
        ids = (self.key, *self.key_fallbacks)
        known: dict[str, dict[str, Holding]] = {
            table: {"extra": "text", **{f.name: f.holding for f in some if f.name not in ids}}
            for table, some in self._fields().items()
        }
        return {
            table: {
                column.name: known[table].get(column.name, "own")
                for column in schema
                if column.type == ARROW_TYPES[Kind.TEXT]
            }
            for table, schema in self.schemas().items()
        }

    def json_columns(self) -> dict[str, tuple[str, ...]]:
        """The columns of each table whose text is JSON."""
        json = {
            table: {"extra", *(f.name for f in some if f.kind is Kind.JSON)}
            for table, some in self._fields().items()
        }
        return {
            table: tuple(name for name in schema.names if name in json[table])
            for table, schema in self.schemas().items()
        }

    def _columns(self, are_meant: Callable[[Field], bool]) -> dict[str, tuple[str, ...]]:
        columns = {
            table: tuple(f.name for f in some if are_meant(f)) for table, some in self._fields().items()
        }
        return {table: names for table, names in columns.items() if names}

    def _fields(self) -> dict[str, tuple[Field, ...]]:
        """What is documented of each table, the root first."""
        children = {self.child_table(child): child.fields for child in self.children}
        return {self.table: self.fields, **children}

    def _schema(
        self, lead: list[tuple[str, pa.DataType]], columns: Columns, *, scalar: bool = False
    ) -> pa.Schema:
        typed = [(name, ARROW_TYPES[kind]) for name, kind in columns]
        extra = [("extra", pa.string())] if self.keeps_unknown and not scalar else []
        return pa.schema([*lead, *typed, *extra])
