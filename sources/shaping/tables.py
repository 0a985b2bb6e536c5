"""From read columns to the tables of a record type: keys, positions, one row a key.

The last step of both ways of reading. A child's rows know their parent by its index until here, so that a
call sent twice in one batch keeps the children of its last sending only.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from sources.shaping.fields import Child, MadeKey, RecordType

Columns = Mapping[str, pa.Array]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Items:
    """The rows of one child: the index of each row's parent (never falling) and the columns."""

    parents: pa.Array
    columns: Columns


@dataclass(frozen=True)
class Assembled:
    """The tables, and why which records (by index) are in none of them."""

    tables: dict[str, pa.Table]
    refused: dict[int, str]


def assemble(
    record_type: RecordType,
    count: int,
    root: Columns,
    items: Sequence[Items],
    *,
    account: str,
    constants: Mapping[str, str],
    party: Callable[[str], str] | None = None,
) -> Assembled:
    """The tables of `count` records, whose children stand in the order of `record_type.children`.

    A key that has to be made is made of what `party` gives for the parties' numbers.
    """
    key = _keys(record_type, root, items, party)
    refused = _refused(record_type, count, root, key)
    kept = _kept(count, key, refused)
    fixed: dict[str, pa.Array] = {"account": pa.repeat(pa.scalar(account, pa.string()), count)}
    for name in record_type.constants:
        fixed[name] = pa.repeat(pa.scalar(constants.get(name), pa.string()), count)
    if record_type.key is not None and key is not None:
        fixed[record_type.key] = key
    schemas = record_type.schemas()
    whole = _table(schemas[record_type.table], {**root, **fixed}, count)
    tables = {record_type.table: whole if kept is None else whole.filter(kept)}
    for child, rows in zip(record_type.children, items, strict=True):
        name = record_type.child_table(child)
        tables[name] = _child_table(schemas[name], child, rows, fixed, kept)
    return Assembled(tables, refused)


def _keys(
    record_type: RecordType, root: Columns, items: Sequence[Items], party: Callable[[str], str] | None
) -> pa.Array | None:
    if record_type.key is None:
        return None
    key = root[record_type.key]
    if not key.null_count:
        return key
    key = pc.coalesce(key, *(root[name] for name in record_type.key_fallbacks))
    if not key.null_count or record_type.made_key is None:
        return key
    return _with_made_keys(record_type, record_type.made_key, key, root, items, party)


def _with_made_keys(
    record_type: RecordType,
    made: MadeKey,
    key: pa.Array,
    root: Columns,
    items: Sequence[Items],
    party: Callable[[str], str] | None,
) -> pa.Array:
    numbers: dict[int, list[str]] = {}
    by_suffix = {child.suffix: rows for child, rows in zip(record_type.children, items, strict=True)}
    for suffix, column in made.parties:
        rows = by_suffix[suffix]
        values = rows.columns[column].to_pylist()
        if party is not None:
            values = [value and party(value) for value in values]
        for parent, number in zip(rows.parents.to_pylist(), values, strict=True):
            numbers.setdefault(parent, []).append(f"{suffix}={number}")
    times = root[made.time].cast(pa.int64()).to_pylist()
    facts = [root[name].to_pylist() for name in made.columns]
    keys = key.to_pylist()
    for index, micros in enumerate(times):
        if keys[index] is None and micros is not None:
            parts = [micros, *(fact[index] for fact in facts), *sorted(numbers.get(index, ()))]
            digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()
            keys[index] = f"{_EPOCH + timedelta(microseconds=micros):%Y%m%d%H%M%S}{digest}"
    return pa.array(keys, key.type)


def _refused(record_type: RecordType, count: int, root: Columns, key: pa.Array | None) -> dict[int, str]:
    reasons: dict[int, str] = {}
    if record_type.times:
        timed = pc.is_valid(pc.coalesce(*(root[name] for name in record_type.times)))
        if timed.true_count < count:
            reason = f"no usable time ({', '.join(record_type.times)})"
            reasons.update((index, reason) for index in _false(timed))
    if key is not None and key.null_count:
        reason = f"no usable key ({', '.join((str(record_type.key), *record_type.key_fallbacks))})"
        reasons.update((index, reason) for index in _false(key.is_valid()))
    return reasons


def _false(mask: pa.Array) -> list[int]:
    return [index for index, true in enumerate(mask.to_pylist()) if not true]


def _kept(count: int, key: pa.Array | None, refused: Mapping[int, str]) -> pa.Array | None:
    """The records that become rows, one a key, the last; None where that is every record."""
    if key is not None and not refused and pc.count_distinct(key).as_py() == count:
        return None
    keys = [None] * count if key is None else key.to_pylist()
    last = {key: index for index, key in enumerate(keys) if index not in refused}
    kept = [False] * count
    for index in last.values():
        kept[index] = True
    return pa.array(kept, pa.bool_())


def _child_table(
    schema: pa.Schema, child: Child, rows: Items, fixed: Columns, kept: pa.Array | None
) -> pa.Table:
    parents, columns = rows.parents, rows.columns
    # Sorting by content keeps each parent's rows where they are among the parents.
    taken = _content_order(child, rows) if child.order == "content" else None
    if kept is not None:
        where = pc.indices_nonzero(kept.take(parents))
        taken = where if taken is None else taken.take(where)
    if taken is not None:
        parents = parents.take(taken)
        columns = {name: column.take(taken) for name, column in columns.items()}
    lead = {name: fixed[name].take(parents) for name in schema.names if name in fixed}
    return _table(schema, {**columns, **lead, "position": _positions(parents)}, len(parents))


def _content_order(child: Child, rows: Items) -> pa.Array | None:
    """The order of rows by parent, then content; None where no parent has more than one."""
    if pc.count_distinct(rows.parents).as_py() == len(rows.parents):
        return None
    names = [*child.sort_first, *(name for name in rows.columns if name not in child.sort_first)]
    numbered = {str(index): rows.columns[name] for index, name in enumerate(names)}
    keys = [("parent", "ascending"), *((name, "ascending") for name in numbered)]
    return pc.sort_indices(pa.table({"parent": rows.parents, **numbered}), sort_keys=keys)


def _positions(parents: pa.Array) -> pa.Array:
    """Each row's place among the rows of its parent, from 0."""
    if not len(parents):
        return pa.array([], pa.int64())
    runs = pc.run_end_encode(parents, run_end_type=pa.int64())
    starts = pa.concat_arrays([pa.array([0], pa.int64()), runs.run_ends[:-1]])
    start = pc.run_end_decode(pa.RunEndEncodedArray.from_arrays(runs.run_ends, starts))
    return pc.subtract(pa.arange(0, len(parents)), start)


def _table(schema: pa.Schema, columns: Columns, count: int) -> pa.Table:
    arrays = [
        columns[field.name] if field.name in columns else pa.nulls(count, field.type) for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
