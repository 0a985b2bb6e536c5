"""Provider records (JSON objects as bytes) to typed Arrow tables, one for the root and one for each child.

    records ──▶ fast (whole batch, Arrow) ──clean──▶ tables ─────────────────────▶ privacy ──▶
                      │ anything else                                                 │
                      └──▶ exact (record by record) ──▶ tables + extra + rejected ────┘

Pure functions without I/O. Both ways give the same tables; only the speed differs.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from sources.shaping.exact import Rejected, shape_exact
from sources.shaping.fast import shape_fast
from sources.shaping.fields import RecordType
from sources.shaping.privacy import Privacy, private_payload, private_tables
from sources.zones import zone_of

__all__ = [
    "Privacy",
    "Rejected",
    "Shaped",
    "Sums",
    "childless",
    "concat",
    "digest",
    "shape",
    "sums",
    "without_keys",
]


@dataclass(frozen=True)
class Shaped:
    """Records as tables, by table name, with the schemas of `RecordType.schemas()` and one row a root key.

    `warnings` counts the values that could not be read as their column's type; they are in `extra`.
    """

    tables: dict[str, pa.Table]
    rejected: tuple[Rejected, ...] = ()
    warnings: int = 0

    @property
    def nbytes(self) -> int:
        """What the tables take in memory."""
        return sum(table.nbytes for table in self.tables.values())


def shape(
    record_type: RecordType,
    records: Sequence[bytes],
    *,
    account: str,
    zone: str,
    constants: Mapping[str, str] | None = None,
    privacy: Privacy | None = None,
) -> Shaped:
    """Shape a batch of records; of records with one key the last counts.

    Args:
        record_type: what the records are.
        records: one JSON object each.
        account: the account's name without its provider, written to every row.
        zone: IANA name of the zone in which times without an offset are read. Of a local time that occurs
            twice the earlier instant is taken, of one that is skipped the first instant after the gap.
        constants: values of `record_type.constants`.
        privacy: what is kept of persons' numbers; without it everything.

    Raises:
        KeyError: the zone is unknown.
    """
    zone_of(zone)
    fixed = constants or {}
    # A key that is made of numbers is made of what is kept of them.
    party = privacy.number if privacy else None
    tables = shape_fast(record_type, records, account=account, zone=zone, constants=fixed, party=party)
    if tables is not None:
        shaped = Shaped(tables)
    else:
        exact = shape_exact(record_type, records, account=account, zone=zone, constants=fixed, party=party)
        shaped = Shaped(exact.tables, exact.rejected, exact.warnings)
    return _private(privacy, record_type, shaped) if privacy else shaped


def concat(record_type: RecordType, parts: Sequence[Shaped]) -> Shaped:
    """The parts as one, one row a root key: the last part's, and only its children."""
    keys = [part.tables[record_type.table].column(record_type.key_column) for part in parts]
    type_ = record_type.schemas()[record_type.table].field(record_type.key_column).type
    every = pa.chunked_array([chunk for column in keys for chunk in column.chunks], type_)
    kept = [part.tables for part in parts]
    if pc.count_distinct(every).as_py() != len(every):
        later = pa.chunked_array([], type_)
        for index in reversed(range(len(parts))):
            kept[index] = without_keys(record_type, kept[index], later)
            later = pa.chunked_array([*later.chunks, *keys[index].chunks], type_)
    return Shaped(
        {
            name: pa.concat_tables([schema.empty_table(), *(tables[name] for tables in kept)])
            for name, schema in record_type.schemas().items()
        },
        tuple(rejected for part in parts for rejected in part.rejected),
        sum(part.warnings for part in parts),
    )


def without_keys(
    record_type: RecordType, tables: dict[str, pa.Table], keys: pa.Array | pa.ChunkedArray
) -> dict[str, pa.Table]:
    """The tables without the rows of some root keys."""
    old = pc.is_in(tables[record_type.table].column(record_type.key_column), value_set=keys)
    if not pc.any(old).as_py():
        return tables
    return {
        name: table.filter(pc.invert(pc.is_in(table.column(record_type.key_column), value_set=keys)))
        for name, table in tables.items()
    }


def childless(record_type: RecordType, shaped: Shaped, child_table: str) -> pa.Table:
    """`account` and key of the root rows that have no row in a child table."""
    parents = shaped.tables[record_type.table].select(record_type.row_key)
    owners = shaped.tables[child_table].column(record_type.key_column)
    return parents.filter(pc.invert(pc.is_in(parents.column(record_type.key_column), value_set=owners)))


@dataclass(frozen=True)
class Sums:
    """Of each table how many rows it has, and the sum of their hashes: whatever their order and their parts.

    The same in every process of one installation; another DuckDB version may give other ones.
    """

    by_table: Mapping[str, tuple[Sequence[str], int, int | None]]

    def __add__(self, other: Sums) -> Sums:
        """The sums of both, of which no row is in both."""
        return Sums(
            {
                name: (columns, count + other.by_table[name][1], _plus(hashes, other.by_table[name][2]))
                for name, (columns, count, hashes) in self.by_table.items()
            }
        )

    def digest(self) -> str:
        """A fingerprint of the tables' content."""
        fingerprint = hashlib.blake2b(digest_size=16)
        for name, (columns, count, hashes) in sorted(self.by_table.items()):
            fingerprint.update(repr((name, columns, [(count, hashes)])).encode())
        return fingerprint.hexdigest()


def sums(shaped: Shaped) -> Sums:
    """The sums of some tables."""
    # Asked for each table on its own, more time would go into the asking.
    selects = []
    with _hasher().cursor() as connection:
        for name, table in shaped.tables.items():
            connection.register(name, table)
            columns = ", ".join(f'"{column}"' for column in table.column_names)
            counted = f"'{name}', count(*), sum(hash({columns}))"
            selects.append(f'select {counted} from "{name}"')  # noqa: S608 - our own tables
        rows = connection.execute(" union all ".join(selects)).fetchall()
    found = {name: (count, hashes) for name, count, hashes in rows}
    return Sums({name: (table.column_names, *found[name]) for name, table in shaped.tables.items()})


def digest(shaped: Shaped) -> str:
    """A fingerprint of the tables' content, whatever the order of rows and the chunks of the tables."""
    return sums(shaped).digest()


def _plus(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else one + other


@functools.cache
def _hasher() -> duckdb.DuckDBPyConnection:
    # Starting a database takes longer than hashing a window: one a process, a cursor a thread.
    return duckdb.connect(":memory:", config={"threads": 1})


def _private(privacy: Privacy, record_type: RecordType, shaped: Shaped) -> Shaped:
    rejected = (
        replace(each, payload=private_payload(privacy, record_type, each.payload)) for each in shaped.rejected
    )
    return replace(
        shaped, tables=private_tables(privacy, record_type, shaped.tables), rejected=tuple(rejected)
    )
