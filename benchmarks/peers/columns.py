"""Answers of a provider as Arrow tables with callsync's columns, by Arrow's own reader and kernels alone."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from sources.shaping.fields import ARROW_TYPES, MONEY, TIMESTAMP, Child, Field, Kind, RecordType

_WIRE: Mapping[str, pa.DataType] = {
    "str": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "any": pa.struct({"code": pa.int64(), "description": pa.string()}),
}
_FIRST_TIME = pa.scalar(0, pa.int64()).cast(TIMESTAMP)
"""Go's unset times are in the year 1."""
ACCOUNT = "main"


def read(record_type: RecordType, listed: str, answers: bytes) -> pa.StructArray:
    """The records in answers of one line each."""
    fields = [(field.wire_name, _wire(field)) for field in record_type.fields]
    fields += [(child.source, _wire_child(child)) for child in record_type.children]
    schema = pa.schema({listed: pa.list_(pa.struct(fields))})
    table = pyarrow.json.read_json(
        pa.py_buffer(answers),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(answers) + 1),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )
    return table.column(listed).combine_chunks().flatten()


def tables_of(
    record_type: RecordType, records: pa.StructArray, constants: Mapping[str, str]
) -> dict[str, pa.Table]:
    """The root table and those of the lists inside its records."""
    schemas = record_type.schemas()
    root = {field.name: _column(field, records.field(field.wire_name)) for field in record_type.fields}
    root |= {name: pa.repeat(text, len(records)) for name, text in constants.items()}
    tables = {record_type.table: _table(schemas[record_type.table], root, len(records))}
    key = record_type.key_column
    for child in record_type.children:
        name = record_type.child_table(child)
        inner = records.field(child.source)
        if child.single:
            items, parents = inner, pa.array(range(len(inner)), pa.int64())
            items, parents = items.filter(inner.is_valid()), parents.filter(inner.is_valid())
            positions = pa.repeat(pa.scalar(0, pa.int64()), len(items))
        else:
            items, parents = inner.flatten(), pc.list_parent_indices(inner)
            firsts = inner.offsets.take(parents)
            positions = pc.subtract(pa.array(range(len(items)), pa.int64()), firsts.cast(pa.int64()))
        columns = {
            field.name: _column(field, items if child.is_scalar else items.field(field.wire_name))
            for field in child.fields
        }
        columns |= {key: root[key].take(parents), "position": positions}
        tables[name] = _table(schemas[name], columns, len(items))
    return tables


def _table(schema: pa.Schema, columns: Mapping[str, pa.Array], rows: int) -> pa.Table:
    """The columns in their order; those that nothing fills are NULL."""
    known = {"account": pa.repeat(ACCOUNT, rows), **columns}
    return pa.table({field.name: known.get(field.name, pa.nulls(rows, field.type)) for field in schema})


def _wire(field: Field) -> pa.DataType:
    return _WIRE[field.wire]


def _wire_child(child: Child) -> pa.DataType:
    if child.is_scalar:
        return pa.list_(_wire(child.fields[0]))
    item = pa.struct([(field.wire_name, _wire(field)) for field in child.fields])
    return item if child.single else pa.list_(item)


def _column(field: Field, values: pa.Array) -> pa.Array:
    match field.kind:
        case Kind.JSON:
            # DuckDB writes the text of it when it inserts.
            return values
        case Kind.TEXT if values.type == pa.string():
            unset = pc.equal(values, "")
            return _null(pc.or_(unset, pc.equal(values, "0")) if field.zero_is_none else unset, values)
        case Kind.RFC3339:
            times = pc.if_else(pc.equal(values, ""), None, values).cast(TIMESTAMP)
            return _null(pc.less(times, _FIRST_TIME), times)
        case Kind.LOCAL_TIME:
            return values.cast(pa.timestamp("us")).cast(TIMESTAMP)
        case Kind.EPOCH_MS:
            return _null(pc.equal(values, 0), pc.multiply(values, 1000)).cast(TIMESTAMP)
        case Kind.DECIMAL:
            return pc.round(values, 9).cast(MONEY)
    return values.cast(ARROW_TYPES[field.kind])


def _null(unset: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(unset, pa.scalar(None, values.type), values)
