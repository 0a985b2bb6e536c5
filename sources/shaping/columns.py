"""Reading one field of many records into one typed Arrow column.

Clean columns, where every value has one JSON type and says what the column means, are converted whole by
Arrow; any other column is read value by value (`values.py`), which is the reference. Both give the same.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from sources.shaping.fields import ARROW_TYPES, MONEY, TIMESTAMP, Field, Kind
from sources.shaping.local_times import in_utc
from sources.shaping.values import FIRST_TIME, LAST_TIME, LONGEST_SECONDS, Unreadable, reader, seconds

EXACT_NUMBER: Final = pa.decimal128(38, 18)
"""The type that holds money as it was written, before it is rounded to the column's nine decimals."""

NOT_CLEAN: Final = (pa.ArrowInvalid, pa.ArrowNotImplementedError, OverflowError, Unreadable)
"""What `convert` raises for a column that must be read value by value."""

_WALL: Final = pa.timestamp("us")
_FIRST: Final = {type_: pa.scalar(FIRST_TIME, pa.int64()).cast(type_) for type_ in (_WALL, TIMESTAMP)}
_LAST: Final = {type_: pa.scalar(LAST_TIME, pa.int64()).cast(type_) for type_ in (_WALL, TIMESTAMP)}
_MONTH_FIRST: Final = r"^(\d{2})/(\d{2})/(\d{4}) (\d{2}:\d{2}:\d{2})$"


def read(field: Field, values: Sequence[Any], zone: str) -> tuple[pa.Array, Sequence[int]]:
    """One field's values as its column, and the indices of the unreadable ones (NULL in the column)."""
    if field.kind is Kind.JSON:
        return read_each(field, values, zone)
    try:
        return convert(field, _typed(field, values), zone), ()
    except NOT_CLEAN:
        return read_each(field, values, zone)


def read_each(field: Field, values: Sequence[Any], zone: str) -> tuple[pa.Array, list[int]]:
    """As `read`, value by value."""
    read_one = reader(field)
    unreadable = []
    found = []
    for index, value in enumerate(values):
        try:
            found.append(None if value is None else read_one(value))
        except Unreadable:
            found.append(None)
            unreadable.append(index)
    if field.kind is Kind.LOCAL_TIME:
        return in_utc(pa.array(found, pa.int64()).cast(_WALL), zone), unreadable
    if ARROW_TYPES[field.kind] == TIMESTAMP:
        return pa.array(found, pa.int64()).cast(TIMESTAMP), unreadable
    return pa.array(found, ARROW_TYPES[field.kind]), unreadable


def convert(field: Field, array: pa.Array, zone: str) -> pa.Array:
    """A column of one JSON type as the field's column. Raises one of `NOT_CLEAN` unless all is clean."""
    if pa.types.is_null(array.type):
        return array.cast(ARROW_TYPES[field.kind])
    match field.kind:
        case Kind.TEXT if array.type == pa.int64():
            return _without(_zero(field), array.cast(pa.string()))
        case Kind.TEXT if array.type == pa.string():
            return _without(_zero(field), _without("", array))
        case Kind.INTEGER if array.type in (pa.int64(), EXACT_NUMBER):
            return _without(_zero(field), array.cast(pa.int64()))
        case Kind.SECONDS if array.type in (pa.int64(), EXACT_NUMBER):
            return _without(_zero(field), _possible_seconds(array.cast(pa.int64())))
        case Kind.SECONDS if array.type == pa.string():
            return _distinct_seconds(array)
        case Kind.DECIMAL if array.type == EXACT_NUMBER:
            return _money(array)
        case Kind.BOOLEAN if array.type == pa.bool_():
            return array
        case Kind.RFC3339 if array.type == pa.string():
            return _bounded(_without("", array).cast(TIMESTAMP))
        case Kind.LOCAL_TIME if array.type == pa.string():
            return in_utc(_bounded(_wall(field, _without("", array))), zone)
        case Kind.EPOCH_MS if array.type == pa.int64():
            return _bounded(pc.multiply_checked(_without(0, array), 1000).cast(TIMESTAMP))
        case Kind.JSON if array.type == pa.string():  # canonical text already
            return array
    raise Unreadable


def _zero(field: Field) -> str | int | None:
    if not field.zero_is_none:
        return None
    return "0" if field.kind is Kind.TEXT else 0


def _without(sentinel: str | int | None, array: pa.Array) -> pa.Array:
    if sentinel is None:
        return array
    found = pc.equal(array, pa.scalar(sentinel, array.type))
    if not pc.any(found).as_py():
        return array
    return pc.if_else(found, pa.scalar(None, array.type), array)


def _possible_seconds(array: pa.Array) -> pa.Array:
    limits = pc.min_max(array).as_py()
    if limits["max"] is not None and max(limits["max"], -limits["min"]) > LONGEST_SECONDS:
        raise Unreadable
    return array


def _distinct_seconds(array: pa.Array) -> pa.Array:
    encoded = array.dictionary_encode()
    read = [seconds(text) for text in encoded.dictionary.to_pylist()]
    return pa.array(read, pa.int64()).take(encoded.indices)


def _money(array: pa.Array) -> pa.Array:
    try:
        return array.cast(MONEY)
    except pa.ArrowInvalid:
        return pc.round(array, ndigits=9, round_mode="half_to_even").cast(MONEY)


def _wall(field: Field, array: pa.Array) -> pa.Array:
    if field.time_format == "MM/dd/yyyy HH:mm:ss":
        if pc.any(pc.match_substring(array, "-")).as_py():
            raise Unreadable
        array = pc.replace_substring_regex(array, _MONTH_FIRST, r"\3-\1-\2 \4")
    return array.cast(_WALL)


def _bounded(times: pa.Array) -> pa.Array:
    limits = pc.min_max(times)
    if not limits["max"].is_valid:
        return times
    if pc.greater(limits["max"], _LAST[times.type]).as_py():
        raise Unreadable
    if pc.less(limits["min"], _FIRST[times.type]).as_py():
        return pc.if_else(pc.less(times, _FIRST[times.type]), pa.scalar(None, times.type), times)
    return times


def _typed(field: Field, values: Sequence[Any]) -> pa.Array:
    """Values of one JSON type as an Arrow array of it."""
    types = set(map(type, values)) - {type(None)}
    if not types:
        return pa.nulls(len(values))
    if types == {str}:
        return pa.array(values, pa.string())
    if types == {bool}:
        return pa.array(values, pa.bool_())
    if types == {int} and field.kind is not Kind.DECIMAL:
        return pa.array(values, pa.int64())
    if types <= {int, Decimal}:
        return pa.array(values, EXACT_NUMBER)
    raise Unreadable
