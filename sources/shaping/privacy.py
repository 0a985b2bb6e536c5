"""Numbers of persons taken out of shaped records, before anything else sees them.

What is kept in the place of a number is decided elsewhere (`Privacy`); here is where numbers stand:

    a number's own column   the whole value                           callee, target_number
    any other text          digits that are a number of the record,   note, name, recording addresses
                            or read as one by themselves (`spelled`)
    JSON                    both, by the names of its members         extra, payloads of rejected records
    ids, own hotlines       nothing                                   (`Field.holds` is "own")

What a record becomes is decided by the record alone: which others are shaped together with it depends on
windows, on what was asked for and on what had to be read again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache, partial
from typing import Any, Final, Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from sources.shaping.decode import canonical, decode
from sources.shaping.fields import Holding, RecordType
from sources.shaping.spelled import FEWEST_DIGITS, STARS, replaced

HASHED: Final = re.compile(r"#([A-Z]{2}|001|):([a-z_]+):[a-p]{24}")
"""What is kept of a number as a hash: region and kind as they were read, and the hash in letters."""

_ENOUGH_DIGITS = rf"(?:\p{{Nd}}\P{{Nd}}*){{{FEWEST_DIGITS}}}"
"""Whether a text has the digits of a number at all, for Arrow: most have not, and are not looked at."""

_NAMES = re.compile(r"phone|mobile|msisdn|(?:^|_)tel|caller|callee|number|diversion", re.IGNORECASE)
"""Names of members whose value is a number, where no document says what they are."""
_IDS = re.compile(r"(?:^|_)(?:ids?|uuid|code|key|ref)$|[a-z]I[dD]s?$", re.IGNORECASE)
"""Names of what tells records apart, in which digits that stand alone are no number."""

Reading = Literal["number", "text", "id"]
"""How a value is read: as a number, as a text that may hold some, or as what tells records apart."""


class Privacy(Protocol):
    """What is kept of numbers. Both leave as they are what they gave before."""

    def number(self, text: str) -> str:
        """What is kept of a text that stands where a number does."""

    def is_number(self, digits: str, stands_alone: bool) -> bool:
        """Whether digits found inside a text, a plus before them or not, are a number beyond doubt."""

    def spellings(self, text: str) -> Iterable[str]:
        """The digits by which a text may repeat a number."""


def is_cut(text: str) -> bool:
    """Whether a text held a number of which not all was kept."""
    return STARS in text or HASHED.search(text) is not None


def private_tables(
    privacy: Privacy, record_type: RecordType, tables: Mapping[str, pa.Table]
) -> dict[str, pa.Table]:
    """The tables of some records of one account without the numbers of persons."""
    once = _Once(privacy)
    known = _known_by_key(once, record_type, tables)
    names = _Names(record_type)
    holds, json_columns = record_type.holdings(), record_type.json_columns()
    private = {}
    for name, table in tables.items():
        keys = table.column(record_type.key_column)
        for column, holding in holds[name].items():
            if holding == "own":
                continue
            index, values = table.column_names.index(column), table.column(column)
            if column in json_columns[name]:
                kept = _each(values, keys, lambda key, text: _private_json(text, known(key), names))
            elif holding == "text":
                kept = _each(values, keys, partial(_private_text, known, is_id=bool(_IDS.search(column))))
            else:
                kept = _each(values, keys, lambda _, text: once.number(text))
            table = table.set_column(index, table.schema.field(index), kept)
        private[name] = table
    return private


def private_payload(privacy: Privacy, record_type: RecordType, payload: bytes) -> bytes:
    """A rejected record's payload (JSON) without the numbers of persons."""
    value = decode(payload)
    known = _Known(_Once(privacy), is_strict=not isinstance(value, dict | list))
    names = _Names(record_type)
    known.learn(_numbers_in(value, names, is_number=False))
    found = _walked(value, known, names)
    return payload if found == value else canonical(found).encode()


class _Once:
    """What is kept of numbers, each looked at once for all records that are shaped together."""

    def __init__(self, privacy: Privacy) -> None:
        self.number = cache(privacy.number)
        self.is_number = cache(privacy.is_number)
        self.spellings = cache(lambda text: tuple(privacy.spellings(text)))


def _known_by_key(
    once: _Once, record_type: RecordType, tables: Mapping[str, pa.Table]
) -> Callable[[object], _Known]:
    """For the key of a record, the numbers in its row and in its children."""

    @cache
    def numbers() -> Mapping[object, Sequence[str]]:
        found = defaultdict(list)
        for name, columns in record_type.holdings().items():
            for column in (column for column, holding in columns.items() if holding == "number"):
                table = tables[name].select([record_type.key_column, column])
                table = table.filter(pc.match_substring_regex(table.column(1), _ENOUGH_DIGITS))
                for key, text in zip(*(each.to_pylist() for each in table.columns), strict=True):
                    found[key].append(text)
        return found

    @cache
    def known(key: object) -> _Known:
        of_record = _Known(once)
        of_record.learn(numbers().get(key, ()))
        return of_record

    return known


class _Known:
    """The numbers of a record, which are recognised wherever else in it they stand.

    Args:
        privacy: what is kept of them.
        is_strict: takes every run of digits for a number, where nothing tells what is what.
    """

    def __init__(self, privacy: _Once, *, is_strict: bool = False) -> None:
        self._privacy = privacy
        self._is_strict = is_strict
        self._numbers: dict[str, str] = {}

    def learn(self, texts: Iterable[str]) -> None:
        """Remember how numbers may be spelled."""
        for text in texts:
            self._numbers.update(dict.fromkeys(self._privacy.spellings(text), text))

    def number(self, text: str) -> str:
        """What is kept of a text that stands where a number does, unless there is none in it."""
        digits = sum(map(str.isdecimal, text))
        return self._privacy.number(text) if digits >= FEWEST_DIGITS else self.text(text)

    def text(self, text: str, *, is_id: bool = False) -> str:
        """A text with what is kept in the place of each number."""
        if sum(map(str.isdecimal, text)) < FEWEST_DIGITS:
            return text

        def read(digits: str, stands_alone: Callable[[], bool]) -> str | None:
            is_number = (
                self._is_strict
                or self._privacy.is_number(digits, False)
                or (not is_id and self._privacy.is_number(digits, True) and stands_alone())
            )
            return self._privacy.number(digits) if is_number else None

        return replaced(text, self._known, read)

    def _known(self, digits: str) -> str | None:
        whole = self._numbers.get(digits)
        return None if whole is None else self._privacy.number(whole)


class _Names:
    """What the members of a record hold, by their names on the wire."""

    def __init__(self, record_type: RecordType) -> None:
        fields = [*record_type.fields, *(field for child in record_type.children for field in child.fields)]
        self._known = {field.wire_name: field.holding for field in fields}
        self._known |= dict.fromkeys((str(record_type.key), *record_type.key_fallbacks), "own")

    def of(self, name: str) -> Holding:
        return self._known.get(name) or ("number" if _NAMES.search(name) else "text")

    def below(self, name: str, reading: Reading) -> Reading | None:
        """How a member's value is read, given how the whole is; None where it holds no number."""
        holding = self.of(name)
        if holding == "own":
            return None
        if "number" in (reading, holding):
            return "number"
        return "id" if _IDS.search(name) else reading


def _each(
    column: pa.ChunkedArray, keys: pa.ChunkedArray, keep: Callable[[object, str], str]
) -> pa.ChunkedArray:
    """A column with what is kept of each text, given the key of its record."""
    has_enough = pc.fill_null(pc.match_substring_regex(column, _ENOUGH_DIGITS), False).combine_chunks()
    rows = pc.indices_nonzero(has_enough)
    if not len(rows):
        return column
    kept = list(map(keep, keys.take(rows).to_pylist(), column.take(rows).to_pylist()))
    return pc.replace_with_mask(column, has_enough, pa.array(kept, pa.string()))


def _private_text(known: Callable[[object], _Known], key: object, text: str, *, is_id: bool) -> str:
    return known(key).text(text, is_id=is_id)


def _private_json(text: str, known: _Known, names: _Names) -> str:
    value = decode(text.encode())
    found = _walked(value, known, names)
    return text if found == value else canonical(found)


def _walked(value: Any, known: _Known, names: _Names, reading: Reading = "text") -> Any:
    if isinstance(value, dict):
        found = {}
        for name, item in value.items():
            below = names.below(name, reading)
            found[known.text(name)] = item if below is None else _walked(item, known, names, below)
        return found
    if isinstance(value, list):
        return [_walked(item, known, names, reading) for item in value]
    if isinstance(value, str):
        return known.number(value) if reading == "number" else known.text(value, is_id=reading == "id")
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        text = format(value, "f").removesuffix(".0") if isinstance(value, Decimal) else str(value)
        kept = known.number(text) if reading == "number" else _private_figure(text, known)
        return value if kept == text else kept
    return value


def _private_figure(text: str, known: _Known) -> str:
    """A JSON number: with a fraction it is none of a person, and most others are ids and times."""
    return text if "." in text else known.text(text, is_id=True)


def _numbers_in(value: Any, names: _Names, *, is_number: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _numbers_in(item, names, is_number=is_number or names.of(name) == "number")
    elif isinstance(value, list):
        for item in value:
            yield from _numbers_in(item, names, is_number=is_number)
    elif is_number and isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)
