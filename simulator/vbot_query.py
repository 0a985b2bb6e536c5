"""What VBot's requests ask for: parameters, filters, and the error object of those that are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simulator.ledger import Document
from simulator.provider import field_in, whole
from simulator.web import Request

DEFAULT_SIZE = 20


class VbotError(Exception):
    """An error in VBot's envelope."""

    def __init__(self, code: int, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def body(request: Request) -> Mapping[str, Any]:
    """The parameters in the JSON body of a GET."""
    try:
        asked = request.json()
    except ValueError:
        raise VbotError(-1, "Body is no JSON") from None
    return asked if isinstance(asked, dict) else {}


def number(asked: Mapping[str, Any], name: str, default: int) -> int:
    """A parameter as an integer; empty is the default."""
    text = asked.get(name)
    if text in (None, ""):
        return default
    found = whole(text)
    if found is None:
        raise VbotError(-1, f"{name} is invalid")
    return found


def part(rows: list[Document], asked: Mapping[str, Any]) -> list[Document]:
    """The page of a short list that is asked for, counted from 1."""
    size = max(1, number(asked, "size", DEFAULT_SIZE))
    page = max(0, number(asked, "page", 1) - 1)
    return rows[page * size : (page + 1) * size]


def numbers(shown: Document) -> set[str]:
    """The numbers of both parties of a v3 record."""
    return {str((shown.get(side) or {}).get("number")) for side in ("caller_info", "callee_info")}


def _members_of(shown: Document) -> set[str]:
    return {str((shown.get(side) or {}).get("member_no")) for side in ("caller_info", "callee_info")}


def tests(asked: Mapping[str, str]) -> Iterator[Callable[[Document], bool]]:
    """What a record must fulfil, one test a filter that filters."""
    hotlines = asked.get("has_hotline") or "-1"
    if hotlines in ("-1", "0"):
        # Blank means only calls with a hotline, although 1 would be the natural name for that.
        yield lambda shown: bool(shown.get("hotline")) == (hotlines == "-1")
    elif hotlines != "1":
        raise VbotError(-1, "has_hotline is invalid")
    if (kind := number(asked, "type_call", -1)) != -1:
        yield lambda shown: shown.get("type_call") == kind
    for name in ("hotline", "disposition", "customer_code", "group_member_no"):
        if value := asked.get(name):
            yield field_in(name, (value,))
    if key := asked.get("key_search"):
        yield lambda shown: any(key in digits for digits in numbers(shown))
    if member := asked.get("member_no"):
        yield lambda shown: member in _members_of(shown)
    if (least := number(asked, "min_postage", -1)) != -1:
        yield lambda shown: float(shown.get("postage") or 0) >= least
    if (most := number(asked, "max_postage", -1)) != -1:
        yield lambda shown: float(shown.get("postage") or 0) <= most
