"""Reading one value of a record as what its column means: the reference for every reading of it.

A value is what `decode.py` makes of JSON: None, bool, int, Decimal, str, list or dict. Each reader returns
the column's value, None for a sentinel that means none, or raises `Unreadable`. Times are whole microseconds:
since the epoch in UTC, or on the wall clock for `LOCAL_TIME`.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any, Final

from sources.shaping.decode import canonical
from sources.shaping.fields import Field, Kind

_INT64: Final = 2**63

LONGEST_SECONDS: Final = 2**31 - 1
"""The longest duration, in either direction: what the views do with two of these stays within 64 bits."""

_DAY: Final = 86_400
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()

# Go prints its unset time as year 1; a zone's offset can move it by hours, so the whole year means none.
FIRST_TIME: Final = (date(2, 1, 1).toordinal() - _EPOCH_DAY) * _DAY * 1_000_000
# A day short of the last time Python holds, so that no zone's offset passes it. DuckDB reaches further.
LAST_TIME: Final = (date(9999, 12, 30).toordinal() - _EPOCH_DAY) * _DAY * 1_000_000

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_CLOCK = re.compile(r"(?:(\d+):([0-5]?\d)|(\d+)):([0-5]?\d)", re.ASCII)
_ISO = (
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"(?:[Tt ](?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?)?)?"
)
_RFC3339 = re.compile(_ISO + r"(?:[Zz]|(?P<sign>[+-])(?P<hours>\d\d)(?::?(?P<minutes>\d\d))?)", re.ASCII)
_LOCAL = {
    "yyyy-MM-dd HH:mm:ss": re.compile(_ISO, re.ASCII),
    "MM/dd/yyyy HH:mm:ss": re.compile(
        r"(?P<month>\d\d)/(?P<day>\d\d)/(?P<year>\d{4}) "
        r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?P<fraction>)",
        re.ASCII,
    ),
}
_TRUTH = {"true": True, "false": False, "1": True, "0": False}

_NANO: Final = Decimal("1E-9")
_MONEY_LIMIT: Final = Decimal(10**9)
_CONTEXT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])


class Unreadable(ValueError):
    """A value that is not what its column means."""


def reader(field: Field) -> Callable[[Any], Any]:
    """The function that reads one value of a field."""
    if field.kind is Kind.LOCAL_TIME:
        pattern = _LOCAL[field.time_format]
        return lambda value: _time(value, pattern)
    read = _READERS[field.kind]
    if not field.zero_is_none:
        return read

    def read_id(value: Any) -> Any:
        found = read(value)
        return None if found in ("0", 0) else found

    return read_id


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    raise Unreadable


def _integer(value: Any) -> int | None:
    if value == "":
        return None
    if isinstance(value, str) and _INTEGER.fullmatch(value) and len(value) < 40:
        value = int(value)
    if isinstance(value, Decimal) and value.copy_abs() <= _INT64 and value == value.to_integral_value():
        value = int(value)
    if type(value) is int and -_INT64 <= value < _INT64:
        return value
    raise Unreadable


def seconds(value: Any) -> int | None:
    """Whole seconds from a number, numeric text, `HH:MM:SS` or `MM:SS`."""
    clock = _CLOCK.fullmatch(value) if isinstance(value, str) and len(value) < 20 else None
    if clock is None:
        found = _integer(value)
    else:
        hours, minutes, only_minutes, rest = clock.groups()
        found = int(hours or 0) * 3600 + int(minutes or only_minutes) * 60 + int(rest)
    if found is not None and abs(found) > LONGEST_SECONDS:
        raise Unreadable
    return found


def _decimal(value: Any) -> Decimal | None:
    if value == "":
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        try:
            value = Decimal(value)
        except InvalidOperation:
            raise Unreadable from None
    if type(value) is int:
        value = Decimal(value)
    # Compared before rounding: rounding a number of a million digits would write them all out.
    if isinstance(value, Decimal) and value.copy_abs() <= _MONEY_LIMIT:
        money = value.quantize(_NANO, context=_CONTEXT)
        if abs(money) < _MONEY_LIMIT:
            return money
    raise Unreadable


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if value == "":
        return None
    truth = _TRUTH.get(value.lower()) if isinstance(value, str) else None
    if truth is None and type(value) is int and value in (0, 1):
        truth = bool(value)
    if truth is None:
        raise Unreadable
    return truth


def _epoch_ms(value: Any) -> int | None:
    found = _integer(value)
    return None if not found else _bounded(found * 1000)


def _time(value: Any, pattern: re.Pattern[str]) -> int | None:
    if value == "":
        return None
    match = pattern.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Unreadable
    part = match.groupdict()
    year = int(part["year"])
    try:
        # Year 0 is a leap year, as 400 is.
        wall = datetime(
            year or 400,
            int(part["month"]),
            int(part["day"]),
            int(part["hour"] or 0),
            int(part["minute"] or 0),
            int(part["second"] or 0),
        )
    except ValueError:
        raise Unreadable from None
    offset = 0
    if part.get("sign"):
        hours, minutes = int(part["hours"]), int(part["minutes"] or 0)
        if hours > 23 or minutes > 59:
            raise Unreadable
        offset = (hours * 3600 + minutes * 60) * (-1 if part["sign"] == "-" else 1)
    if year == 0:
        return None
    whole = (wall.toordinal() - _EPOCH_DAY) * _DAY + wall.hour * 3600 + wall.minute * 60 + wall.second
    fraction = int((part["fraction"] or "0")[:6].ljust(6, "0"))
    return _bounded((whole - offset) * 1_000_000 + fraction)


def _bounded(micros: int) -> int | None:
    if micros > LAST_TIME:
        raise Unreadable
    return None if micros < FIRST_TIME else micros


def _json(value: Any) -> str | None:
    return None if value == "" else canonical(value)


_READERS: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.SECONDS: seconds,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _boolean,
    Kind.RFC3339: lambda value: _time(value, _RFC3339),
    Kind.EPOCH_MS: _epoch_ms,
    Kind.JSON: _json,
}
