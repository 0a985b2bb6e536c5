"""The fast way: a whole batch through Arrow's JSON reader, for batches that are clean in every value.

It gives up on the first sign of anything else (an undocumented field, another type, an unreadable value, a
missing key or time), and the batch is then read the exact way.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from sources.shaping.columns import EXACT_NUMBER, NOT_CLEAN, convert
from sources.shaping.decode import canonical, decode
from sources.shaping.fields import Child, Field, Kind, RecordType, Wire
from sources.shaping.tables import Items, assemble
from sources.shaping.values import Unreadable

_WIRE_TYPES: Final[dict[Wire, pa.DataType]] = {
    "str": pa.string(),
    "int": pa.int64(),
    "float": EXACT_NUMBER,
    "bool": pa.bool_(),
    "any": pa.string(),
}


def shape_fast(
    record_type: RecordType,
    records: Sequence[bytes],
    *,
    account: str,
    zone: str,
    constants: Mapping[str, str],
    party: Callable[[str], str] | None = None,
) -> dict[str, pa.Table] | None:
    """The tables of a clean batch; None when it is not clean."""
    # One object a line, so that no broken record can borrow its neighbour's bytes.
    if not (records and all(records) and _all_are(records, 0, "{") and _all_are(records, -1, "}")):
        return None
    try:
        # A field nobody documented is mostly in every record: the first tells before all are worked on.
        _read(record_type, records[:1])
        read = _read(record_type, records)
        root = {
            field.name: convert(field, _one_chunk(read, field.wire_name), zone)
            for field in record_type.fields
        }
        items = [_items(child, _one_chunk(read, child.source), zone) for child in record_type.children]
    except NOT_CLEAN:
        return None
    done = assemble(record_type, len(records), root, items, account=account, constants=constants, party=party)
    return None if done.refused else done.tables


def _all_are(records: Sequence[bytes], index: int, sign: str) -> bool:
    return set(map(itemgetter(index), records)) == {ord(sign)}


def _read(record_type: RecordType, records: Sequence[bytes]) -> pa.Table:
    batch, quoted = b"\n".join(records), 0
    for key in _json_keys(record_type):
        batch, count = _quote_json(key, batch)
        quoted += count
    _check_utf8(batch)
    table = pj.read_json(
        pa.BufferReader(batch),
        # One block: a record never straddles two.
        read_options=pj.ReadOptions(use_threads=False, block_size=len(batch) + 1),
        parse_options=pj.ParseOptions(
            explicit_schema=_wire_schema(record_type),
            unexpected_field_behavior="error" if record_type.keeps_unknown else "ignore",
        ),
    )
    # Text that a provider sent as text must not be taken for quoted JSON.
    if table.num_rows != len(records) or quoted != _count_json(record_type, table):
        raise Unreadable
    return table


def _check_utf8(batch: bytes) -> None:
    """Arrow's reader takes what is no UTF-8 as it comes; this does not, and lets other threads go on."""
    ends = pa.py_buffer(struct.pack("qq", 0, len(batch)))
    pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(batch)]).validate(full=True)


@lru_cache(maxsize=64)
def _wire_schema(record_type: RecordType) -> pa.Schema:
    children = [(child.source, _wire_type(child)) for child in record_type.children]
    dropped = [(name, pa.string()) for name in sorted(record_type.drops) if record_type.keeps_unknown]
    return pa.schema([*_wire_fields(record_type.fields), *children, *dropped])


def _wire_fields(fields: Sequence[Field]) -> list[tuple[str, pa.DataType]]:
    return [(field.wire_name, _WIRE_TYPES[field.wire]) for field in fields]


def _wire_type(child: Child) -> pa.DataType:
    if child.is_scalar:
        return pa.list_(_WIRE_TYPES[child.fields[0].wire])
    item = pa.struct(_wire_fields(child.fields))
    return item if child.single else pa.list_(item)


def _one_chunk(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _items(child: Child, column: pa.Array, zone: str) -> Items:
    if child.single:
        present = pc.indices_nonzero(column.is_valid())
        return _objects(child, present.cast(pa.int64()), column.take(present), zone)
    parents, values = pc.list_parent_indices(column), column.flatten()
    if not child.is_scalar:
        return _objects(child, parents, values, zone)
    read = convert(child.fields[0], values, zone)
    if read.null_count:
        parents, read = parents.filter(read.is_valid()), read.drop_null()
    return Items(parents, {"value": read})


def _objects(child: Child, parents: pa.Array, objects: pa.Array, zone: str) -> Items:
    if objects.null_count:
        raise Unreadable
    arrays = objects.flatten()
    columns = {
        field.name: convert(field, array, zone) for field, array in zip(child.fields, arrays, strict=True)
    }
    return Items(parents, columns)


def _quote_json(key: bytes, batch: bytes) -> tuple[bytes, int]:
    """The records with flat objects under `key` as canonical text in quotes, and how many there were.

    Arrow's reader would split such an object into columns and lose what was sent and what was not.
    """
    pieces = batch.split(key)
    count = 0
    for index in range(1, len(pieces)):
        piece = pieces[index]
        # Every record ends with a brace, so this one lies in the same record.
        end = piece.find(b"}") + 1
        text = _as_text(piece[:end])
        # A quote after a backslash is inside a text; any other one makes this a key.
        if text is not None and not pieces[index - 1].endswith(b"\\"):
            pieces[index] = text + piece[end:]
            count += 1
    return key.join(pieces), count


@lru_cache(maxsize=64)
def _json_keys(record_type: RecordType) -> tuple[bytes, ...]:
    every = (record_type.fields, *(child.fields for child in record_type.children))
    names = {field.wire_name for fields in every for field in fields if field.kind is Kind.JSON}
    return tuple(f'"{name}"'.encode() for name in sorted(names))


@lru_cache(maxsize=4096)
def _as_text(member: bytes) -> bytes | None:
    """`: {...}` with the object as canonical text in quotes; None when it is not one whole object."""
    colon, _, value = member.partition(b":")
    if colon.strip() or not value.lstrip().startswith(b"{"):
        return None
    try:
        return b":" + msgspec.json.encode(canonical(decode(value)))
    except ValueError:
        return None


def _count_json(record_type: RecordType, table: pa.Table) -> int:
    """How many values of JSON fields a table has."""
    columns = [table.column(field.wire_name) for field in record_type.fields if field.kind is Kind.JSON]
    for child in record_type.children:
        names = [field.wire_name for field in child.fields if field.kind is Kind.JSON]
        if names:
            column = _one_chunk(table, child.source)
            objects = column if child.single else column.flatten()
            columns += [pc.struct_field(objects, name) for name in names]
    return sum(int(pc.count(column).as_py()) for column in columns)
