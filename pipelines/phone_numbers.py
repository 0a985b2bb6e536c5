"""Raw numbers to E.164: `callsync.phone_numbers`, one row a distinct raw number, by the phonenumbers library.

Short codes, extensions and withheld numbers are recognised and never guessed into E.164.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import duckdb
import phonenumbers
import pyarrow as pa

from pipelines import warehouse

LONGEST_EXTENSION = 6
"""Digits: extensions and short codes have up to this many, subscriber numbers more."""

_WITHHELD = frozenset({"anonymous", "private", "restricted", "unavailable", "unknown", "withheld", "blocked"})
_KINDS = {
    phonenumbers.PhoneNumberType.MOBILE: "mobile",
    phonenumbers.PhoneNumberType.FIXED_LINE: "fixed_line",
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_line_or_mobile",
    phonenumbers.PhoneNumberType.TOLL_FREE: "toll_free",
    phonenumbers.PhoneNumberType.PREMIUM_RATE: "premium_rate",
    phonenumbers.PhoneNumberType.SHARED_COST: "shared_cost",
    phonenumbers.PhoneNumberType.VOIP: "voip",
    phonenumbers.PhoneNumberType.UAN: "universal_access",
}
_SCHEMA = pa.schema(
    {
        "number": pa.string(),
        "e164": pa.string(),
        "region": pa.string(),
        "kind": pa.string(),
        "is_valid": pa.bool_(),
    }
)


class PhoneNumber(NamedTuple):
    """What is known of a raw number; `e164` only where the number is valid in its region."""

    number: str
    e164: str | None
    region: str | None
    kind: str
    is_valid: bool


def read(number: str, default_region: str) -> PhoneNumber:
    """A raw number as the library understands it, in `default_region` where it names no country."""
    text = number.strip()
    if text.lower().removeprefix("sip:").split("@")[0] in _WITHHELD:
        return PhoneNumber(number, None, None, "withheld", False)
    if "@" in text or text.lower().startswith("sip:"):
        return PhoneNumber(number, None, None, "sip", False)
    digits = re.sub(r"[\s().\-]", "", text)
    if digits.isdigit() and len(digits) <= LONGEST_EXTENSION:
        return PhoneNumber(number, None, None, "short", False)
    for candidate in (text, f"+{digits}"):
        try:
            parsed = phonenumbers.parse(candidate, default_region)
        except phonenumbers.NumberParseException:
            continue
        kind = phonenumbers.number_type(parsed)
        # The library calls a number valid exactly when it knows its kind; asking both costs as much again.
        if kind != phonenumbers.PhoneNumberType.UNKNOWN:
            return PhoneNumber(
                number,
                phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164),
                phonenumbers.region_code_for_number(parsed),
                _KINDS.get(kind, "other"),
                True,
            )
    return PhoneNumber(number, None, None, "unknown", False)


def add(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[pa.ChunkedArray], default_region: str
) -> None:
    """Add the numbers of some columns that are not known yet."""
    chunks = [chunk for column in columns for chunk in column.chunks]
    numbers = pa.chunked_array(chunks, pa.string()).unique().drop_null()
    connection.register("brought_numbers", pa.table({"number": numbers}))
    _add(connection, "select number from brought_numbers", default_region)
    connection.unregister("brought_numbers")


def refresh(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[tuple[str, str]], default_region: str
) -> None:
    """Add every number of some tables' columns that is not known; under another region all are read again."""
    if warehouse.meta(connection, warehouse.REGION) != default_region:
        connection.execute("delete from callsync.phone_numbers")
        warehouse.remember(connection, warehouse.REGION, default_region)
    selects = [f"select {column} as number from {table}" for table, column in columns]
    _add(connection, " union ".join(selects), default_region)


def _add(connection: duckdb.DuckDBPyConnection, query: str, default_region: str) -> None:
    known = "select number from callsync.phone_numbers"
    rows = connection.execute(
        f"select number from ({query}) as numbers where number is not null except {known}"
    ).fetchall()
    if rows:
        found = [read(number, default_region) for (number,) in rows]
        columns = list(zip(*found, strict=True))
        fresh = pa.table(
            [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)],
            schema=_SCHEMA,
        )
        connection.register("fresh_numbers", fresh)
        connection.execute("insert into callsync.phone_numbers select * from fresh_numbers")
        connection.unregister("fresh_numbers")
