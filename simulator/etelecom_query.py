"""What eTelecom's requests ask for: filters, windows and cursors, and the error of those that are wrong."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from simulator.clockwork import microseconds
from simulator.etelecom_records import department_id, hotline_id, user_id
from simulator.ledger import Document, Key
from simulator.people import AGENTS, HOTLINES
from simulator.provider import field_in, whole
from simulator.web import Reply, Request, reply_json

_STATUS = {
    "invalid_argument": 400,
    "malformed": 400,
    "unauthenticated": 401,
    "permission_denied": 403,
    "bad_route": 404,
    "not_found": 404,
    "internal": 500,
}
_TIME_TAG, _ID_TAG = 3, 1
_CURSOR = struct.Struct("<bqbq")
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "less_than_or_equal_to": lambda left, right: left <= right,
    "less_than": lambda left, right: left < right,
    "greater_than_or_equal_to": lambda left, right: left >= right,
    "greater_than": lambda left, right: left > right,
    "equal_to": lambda left, right: left == right,
}


class TwirpError(Exception):
    """An error reply: a code of eTelecom's table and a message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    def reply(self) -> Reply:
        """The error as HTTP."""
        return reply_json({"code": self.code, "msg": self.message}, _STATUS[self.code])


@dataclass(frozen=True)
class Cursor:
    """A place in the list: a keyset on (started_at, id), with the order it was made for."""

    key: Key
    descending: bool

    def text(self) -> str:
        """18 reversed bytes in base64url; the first tag is negative for descending order."""
        tag = -_TIME_TAG if self.descending else _TIME_TAG
        return base64.urlsafe_b64encode(_CURSOR.pack(tag, self.key[0], _ID_TAG, self.key[1])[::-1]).decode()

    @classmethod
    def read(cls, text: str) -> Cursor:
        """The inverse of `text`.

        Raises:
            TwirpError: it is no cursor.
        """
        try:
            tag, moment, id_tag, number = _CURSOR.unpack(base64.urlsafe_b64decode(text)[::-1])
        except (ValueError, struct.error):
            raise TwirpError("invalid_argument", "cursor is invalid") from None
        if abs(tag) != _TIME_TAG or id_tag != _ID_TAG:
            raise TwirpError("invalid_argument", "cursor is invalid")
        return cls((moment, number), tag < 0)


def body(request: Request) -> Mapping[str, Any]:
    """The JSON object of a request."""
    try:
        asked = request.json()
    except orjson.JSONDecodeError:
        raise TwirpError("malformed", "the json request could not be decoded") from None
    if not isinstance(asked, dict):
        raise TwirpError("malformed", "the json request could not be decoded")
    return asked


def table(asked: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object inside it, empty when absent."""
    table = asked.get(name) or {}
    if not isinstance(table, dict):
        raise TwirpError("malformed", f"{name} is no object")
    return table


def cursor_of(paging: Mapping[str, Any], name: str) -> Cursor | None:
    """The cursor of a request; a dot means from the start, as nothing does."""
    text = paging.get(name) or ""
    return None if text in ("", ".") else Cursor.read(str(text))


def just_after(key: Key) -> Key:
    """The least key behind a key."""
    return key[0], key[1] + 1


def instant(text: Any) -> int:
    """An RFC 3339 text as microseconds UTC; raises ValueError or TypeError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return microseconds(moment)


def created_at(document: Document) -> int:
    """When a row was inserted."""
    return instant(document["created_at"])


def window_of(wanted: Mapping[str, Any]) -> tuple[int, int] | None:
    """The first and the last instant of date_from and date_to, both included."""
    bounds = [wanted.get(name) or None for name in ("date_from", "date_to")]
    if bounds == [None, None]:
        return None
    if None in bounds:
        raise TwirpError("invalid_argument", "date_from and date_to must be provided together")
    try:
        first, last = (instant(bound) for bound in bounds)
    except (TypeError, ValueError):
        raise TwirpError("malformed", "date_from and date_to must be RFC 3339") from None
    if last < first:
        raise TwirpError("invalid_argument", "date_to must not be before date_from")
    return first, last


def tests(wanted: Mapping[str, Any]) -> Iterator[Callable[[Document], bool]]:
    """What a row must fulfil, one test a filter that filters."""
    if number := wanted.get("call_number"):
        yield lambda row: number in (row.get("caller"), row.get("callee"))
    state = wanted.get("call_state") or "unknown"
    if state not in ("unknown", "answered", "not_answered"):
        raise TwirpError("malformed", f"unknown call_state {state}")
    if state != "unknown":
        yield lambda row: row.get("call_state") == state
    direction = wanted.get("direction") or "unknown"
    if direction not in ("unknown", "in", "out", "ext", "ext_in", "ext_out"):
        raise TwirpError("malformed", f"unknown direction {direction}")
    if direction.startswith("ext"):
        yield lambda row: str(row.get("direction")).startswith("ext")
    elif direction != "unknown":
        yield lambda row: row.get("direction") == direction
    if extensions := wanted.get("extension_ids"):
        yield lambda row: row.get("extension_id") in extensions
    if hotlines := wanted.get("hotline_ids"):
        numbers = {hotline.digits for hotline in HOTLINES if hotline_id(hotline.number) in hotlines}
        yield lambda row: not numbers.isdisjoint(_hotlines(row))
    for name in ("user_id", "external_id", "external_session_id"):
        if value := wanted.get(name):
            yield field_in(name, (str(value),))
    if department := wanted.get("department_id"):
        members = {user_id(agent.number) for agent in AGENTS if department_id(agent.number) == department}
        yield lambda row: row.get("user_id") in members
    comparison = (wanted.get("duration") or {}).get("comparison", "unknow")
    if comparison in _COMPARISONS:
        value = whole(wanted["duration"].get("value")) or 0
        yield lambda row: _COMPARISONS[comparison](whole(row.get("duration")) or 0, value)
    elif comparison != "unknow":
        raise TwirpError("malformed", f"unknown comparison {comparison}")


def _hotlines(row: Document) -> set[str]:
    """The numbers a row went through: no field of it names its hotline."""
    return {
        str(row.get("callee")),
        *(str(target.get("trunk_name")) for target in row.get("call_targets") or ()),
    }
