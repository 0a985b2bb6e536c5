"""Numbers as people write them inside a text, found without taking dates, amounts and ids for some.

    call (+84) 912.345.678 on 31/01/2026 08:00
          └─┬┘ └┬┘ └┬┘ └┬┘    └───┬────┘ └─┬─┘
         groups of a chain     a figure   a time

Groups of digits, of any script, that little stands between are a chain. A number is some of its groups, one
after the other: first those that are known to be one, then, where no figure begins, those that read as one,
the longest first. A text is gone through once, and each group begins few candidates: a megabyte of digits and
blanks takes seconds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final

FEWEST_DIGITS: Final = 7
"""Subscriber numbers have at least so many; what has fewer is a short code or an extension."""

MOST_DIGITS: Final = 15
"""E.164 has no longer ones."""

MOST_GROUPS: Final = 10
"""A number that is spelled digit by digit has so many."""

STARS: Final = "*" * 6
"""What stands for the digits of a number that is kept in part."""

_TOKEN = re.compile(
    # Long hexadecimal words are ids and sums; what stands in them reads as a number by chance alone.
    r"(?<![0-9A-Za-z-])(?:[0-9A-Fa-f]{20,}+|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"
    r"(?![0-9A-Za-z])"
    # An address writes a plus as %2B and a space as %20: digits of those belong to no number.
    r"|%[0-9A-Fa-f]{2}"
    r"|(?<!\d)\+?\d{1,2}:\d\d(?::\d\d)?(?!\d)"
    r"|(?:\+\d{1,3})?\*{6}\d{0,2}"
    r"|(?P<group>[+\uff0b]?\d++)"
)
"""What a text is taken apart into: groups of digits, and what holds digits that belong to no number."""

_JOINT = re.compile(
    # Blanks, marks that nobody sees, points, commas, strokes and dashes, also of other scripts.
    r"[)\]\uff09]?"
    r"(?:[^\S\r\n]|[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]"
    r"|[-./_,\u00b7\uff0c\uff0e\uff0f]|[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]){0,3}"
    r"[(\[\uff08]?"
)
"""What may stand between two groups of a number; three signs, because a dash may have blanks around it."""

_OPENING: Final = "([\uff08"
_CLOSING: Final = ")]\uff09"

_YEAR = r"(?:19[7-9]\d|20\d\d)"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = re.compile(
    rf"{_YEAR}(?P<a>[-./]){_MONTH}(?P=a){_DAY}(?!\d)"
    rf"|{_DAY}(?P<b>[-./]){_DAY}(?P=b){_YEAR}(?!\d)"
    # With a year of two digits only where the date is all there is: 09.12.34.56.78 is a number.
    rf"|(?<![-./]){_DAY}(?P<c>[-./]){_DAY}(?P=c)\d\d(?!\d|(?P=c)\d)"
    rf"|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"
    rf"|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2]){_YEAR}(?!\d)"
)
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_INTERNET_ADDRESS = re.compile(rf"(?<!\.){_BYTE}(?:\.{_BYTE}){{3}}(?!\d|\.\d)")
_AMOUNT = re.compile(r"(?<![.,])[1-9]\d{0,2}(?P<by>[.,])\d{3}(?:(?P=by)\d{3})*(?:[.,]\d{1,2})?(?!\d|[.,]\d)")
_DECIMAL = re.compile(r"(?<![.,])(?P<whole>0|[1-9]\d*)[.,]\d+(?!\d|[.,]\d)")
_BEFORE = re.compile(r"(?<![\w#/.%-])")
_AFTER = re.compile(r"(?![\w%]|[-/.,]\w)")
"""Around digits that stand alone: what is part of a word, a path or a longer figure does not."""

Known = Callable[[str], str | None]
"""What is kept of digits that are known to be a number; None where they are not."""

Read = Callable[[str, Callable[[], bool]], str | None]
"""What is kept of digits that read as a number, a plus before them or not; told whether they stand alone."""

Group = re.Match[str]
Candidates = Sequence[tuple[int, str]]
"""The last group and the digits of what may be a number, the longest first."""


def replaced(text: str, known: Known, read: Read) -> str:
    """A text with what is kept in the place of each number."""
    long_enough = (chain for chain in _chains(text) if sum(len(group[0]) for group in chain) >= FEWEST_DIGITS)
    return _exchanged(text, (place for chain in long_enough for place in _numbers(text, chain, known, read)))


def without_digits(text: str, instead: str, fewest: int) -> str:
    """A text without groups of so many digits, which at most one sign is between, whatever they are.

    Dates, times, addresses of the internet and groups that are longer than a number stay.
    """
    numbers = (
        groups
        for chain in _chains(text)
        for groups in _apart(text, chain)
        if sum(len(group[0].lstrip("+\uff0b")) for group in groups) >= fewest
    )
    return _exchanged(
        text,
        ((*_with_brackets(text, groups[0].start(), groups[-1].end()), instead) for groups in numbers),
    )


def _exchanged(text: str, places: Iterable[tuple[int, int, str]]) -> str:
    """A text with something else from each start to each end."""
    kept, done = list[str](), 0
    for start, end, instead in places:
        kept += text[done:start], instead
        done = end
    return "".join((*kept, text[done:]))


def _apart(text: str, chain: Sequence[Group]) -> Iterator[Sequence[Group]]:
    """The groups of a chain between figures and longer separations."""
    groups, ends = list[Group](), 0
    for group in chain:
        start = group.start()
        figure = _DATE.match(text, start) or _INTERNET_ADDRESS.match(text, start)
        ends = max(ends, figure.end() if figure else 0)
        is_figure = start < ends or len(group[0]) > MOST_DIGITS + 1
        if groups and (is_figure or len(text[groups[-1].end() : start].strip(_OPENING + _CLOSING)) > 1):
            yield groups
            groups = []
        if not is_figure:
            groups.append(group)
    if groups:
        yield groups


def _chains(text: str) -> Iterator[Sequence[Group]]:
    """The groups of digits of which some may be a number together."""
    chain = list[Group]()
    for token in _TOKEN.finditer(text):
        group = token["group"]
        is_next = chain and group and group[0].isdecimal()
        if not (is_next and _JOINT.fullmatch(text, chain[-1].end(), token.start())):
            yield chain
            chain = []
        if group:
            chain.append(token)
    yield chain


def _numbers(text: str, chain: Sequence[Group], known: Known, read: Read) -> Iterator[tuple[int, int, str]]:
    """Where each number of a chain begins and ends, and what is kept of it."""
    digits = [_in_ascii(group[0]) for group in chain]
    first = 0
    while first < len(chain):
        passed, found = 1, None
        if candidates := _candidates(digits, first):
            found = _first_known(candidates, known)
            passed = _groups_of_figure(text, chain, first, read) if found is None else 0
            if not passed:
                found = found or _first_read(text, chain, candidates, first, read)
                passed = 1
        if found is not None:
            last, instead = found
            yield *_with_brackets(text, chain[first].start(), chain[last].end()), instead
            passed = last - first + 1
        first += passed


def _first_known(candidates: Candidates, known: Known) -> tuple[int, str] | None:
    for last, digits in candidates:
        if kept := known(digits.removeprefix("+")):
            return last, kept
    return None


def _first_read(
    text: str, chain: Sequence[Group], candidates: Candidates, first: int, read: Read
) -> tuple[int, str] | None:
    for last, digits in candidates:
        kept = read(digits, partial(_stands_alone, text, chain, first, last))
        # No number goes on into a date.
        if kept and not any(_DATE.match(text, group.start()) for group in chain[first + 1 : last + 1]):
            return last, kept
    return None


def _candidates(digits: Sequence[str], first: int) -> Candidates:
    """What may be a number from a group on."""
    found, joined = list[tuple[int, str]](), ""
    for last in range(first, min(first + MOST_GROUPS, len(digits))):
        joined += digits[last]
        count = len(joined) - joined.startswith("+")
        if count > MOST_DIGITS:
            break
        if count >= FEWEST_DIGITS:
            found.append((last, joined))
    return found[::-1]


def _groups_of_figure(text: str, chain: Sequence[Group], first: int, read: Read) -> int:
    """How many groups are a date, an amount or an address of the internet; 0 where none begins."""
    start = chain[first].start()
    if found := _DATE.match(text, start) or _INTERNET_ADDRESS.match(text, start):
        return _count(chain, first, found)
    if found := _AMOUNT.match(text, start):
        # What begins with the country's code and is valid is no amount.
        return 0 if _reads(found[0], read) else _count(chain, first, found)
    if found := _DECIMAL.match(text, start):
        # What stands behind the point may be a number by itself.
        return 0 if found["whole"] != "0" and _reads(found[0], read) else 1
    return 0


def _reads(figure: str, read: Read) -> bool:
    digits = _in_ascii("".join(filter(str.isdecimal, figure)))
    return FEWEST_DIGITS <= len(digits) <= MOST_DIGITS and read(digits, _never) is not None


def _never() -> bool:
    return False


def _count(chain: Sequence[Group], first: int, found: re.Match[str]) -> int:
    count = 1
    while first + count < len(chain) and chain[first + count].start() < found.end():
        count += 1
    return count


def _stands_alone(text: str, chain: Sequence[Group], first: int, last: int) -> bool:
    start, end = _with_brackets(text, chain[first].start(), chain[last].end())
    return _BEFORE.match(text, start) is not None and _AFTER.match(text, end) is not None


def _with_brackets(text: str, start: int, end: int) -> tuple[int, int]:
    """Where a number begins with the bracket before it, where that is closed within."""
    is_open = start > 0 and text[start - 1] in _OPENING and any(sign in text[start:end] for sign in _CLOSING)
    return start - is_open, end


def _in_ascii(group: str) -> str:
    if group.isascii():
        return group
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else "+" for sign in group)
