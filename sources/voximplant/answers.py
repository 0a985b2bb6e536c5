"""What Voximplant answers: lists and their counts, errors that hide in HTTP 200, what tells sessions apart.

Sources: Voximplant documents, "GetCallHistory"; the shape of error bodies from its published client
libraries. Their codes are not published: words decide, and codes only where they are those of HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from sources.errors import AccessDenied, ProviderError, RequestRefused, ServerFault, Throttled
from sources.forms import RECORDS, Form
from sources.printing import printable

_ACCESS = re.compile(
    r"authori[sz]|authenticat|access denied|token|jwt|signature|expired|api_key", re.IGNORECASE
)
_PACE = re.compile(r"too many|rate limit|limit exceeded|try again|throttl", re.IGNORECASE)
_FAULT = re.compile(
    r"internal (server )?error|temporar|unavailable|overload|busy|time[d -]*out|later", re.IGNORECASE
)


class _Error(msgspec.Struct):
    code: int | str | None = None
    msg: str | None = None


class _Said(msgspec.Struct, kw_only=True):
    total_count: int | str | None = None
    timezone: str | None = None
    error: _Error | None = None
    errors: list[_Error] | None = None


class _Answer(_Said, kw_only=True):
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _List(_Said, kw_only=True):
    result: list[msgspec.Raw]


class _Glance(msgspec.Struct):
    """What paging needs to know of a session."""

    call_session_history_id: int | str | None = None


_ANSWER = Form(_Answer)
_LIST = Form(_List)
_GLANCE = Form(_Glance)


@dataclass(frozen=True)
class Listed:
    """The records of an answer, and what it says of the whole list."""

    records: list[bytes]
    total: int | None
    timezone: str | None


def envelope(raw: bytes) -> msgspec.Raw:
    """The `result` of an answer, or the error that its status 200 hides."""
    return _result(_ANSWER.read(raw))


def listed(raw: bytes) -> Listed:
    """The records of an answer, or the error that its status 200 hides."""
    answer: _Said | None = _LIST.glance(raw)
    if isinstance(answer, _List):
        _refuse_errors(answer)
        records = answer.result
    else:
        answer = _ANSWER.read(raw)
        records = RECORDS.read(bytes(_result(answer)))
    try:
        total = None if answer.total_count is None else int(answer.total_count)
    except ValueError:
        total = None
    return Listed([bytes(record) for record in records], total, answer.timezone)


def refusal(status: int, body: bytes) -> ProviderError | None:
    """The error in a body whose status is not 200, where there is one."""
    answer = _ANSWER.glance(body)
    if answer is None or status == 429 or status >= 500 or not answer.error:
        return None
    error = _refused(answer.error)
    return AccessDenied(*error.args) if status == 401 else error


def follows(before: Sequence[bytes], record: bytes) -> bool:
    """Whether a page that begins with a record leaves no gap behind the page before."""
    identity = _identity(record)
    # Mostly it is the last one.
    return any(identity == _identity(earlier) for earlier in reversed(before))


def _refuse_errors(answer: _Said) -> None:
    errors = [answer.error] if answer.error else list(answer.errors or ())
    if errors:
        raise _refused(errors[0])


def _result(answer: _Answer) -> msgspec.Raw:
    _refuse_errors(answer)
    if isinstance(answer.result, msgspec.UnsetType):
        raise ServerFault("Voximplant answered neither a result nor an error")
    return answer.result


def _refused(error: _Error) -> ProviderError:
    said = error.msg or ""
    text = f"Voximplant answered error {printable(str(error.code))}: {printable(said)}"
    for pattern, kind in ((_PACE, Throttled), (_ACCESS, AccessDenied), (_FAULT, ServerFault)):
        if pattern.search(said):
            return kind(text)
    code = int(str(error.code)) if str(error.code).isdecimal() else 0
    if code == 429:
        return Throttled(text)
    return ServerFault(text) if 500 <= code < 600 else RequestRefused(text)


def _identity(record: bytes) -> int:
    glance = _GLANCE.glance(record)
    return hash((glance and glance.call_session_history_id) or record)
