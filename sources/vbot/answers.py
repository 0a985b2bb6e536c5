"""What VBot answers: its envelope, the errors in it, and what tells records apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

import msgspec

from sources.errors import (
    AccessDenied,
    NotThere,
    ProviderError,
    RequestRefused,
    ServerFault,
    Throttled,
    UnreadableBody,
)
from sources.forms import RECORDS, Form
from sources.printing import printable


class _Said(msgspec.Struct, kw_only=True):
    error: int | str | None = None
    status: int | str | None = None
    message: str | None = None


class _Envelope(_Said, kw_only=True):
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _List(_Said, kw_only=True):
    data: list[msgspec.Raw]


class _Glance(msgspec.Struct, gc=False):
    """What paging needs to know of a call."""

    group_id: str | None = None
    date_create: str | None = None


_SUCCESSES = ("1", "200")
"""What `status` is when all is well (v1: 1)."""

_ENVELOPE = Form(_Envelope)
_LIST = Form(_List)
_GLANCE = Form(_Glance)

_DATE_CREATE = "%m/%d/%Y %H:%M:%S"


def envelope(raw: bytes, *, is_v1: bool) -> bytes:
    """The `data` of an answer, empty where there is none, or the error that its status 200 hides.

    `error` is 0 when all is well (v2, v3). In v1 `status` says so, 1 for success, and its own sample shows a
    success beside an `error` that is not 0: there a list of calls counts as the success that `status` claims.
    Without any data, one of the two has to say that all is well: a fault must not pass for an empty list.
    """
    answer = _ENVELOPE.read(raw)
    data = b"" if isinstance(answer.data, msgspec.UnsetType) else bytes(answer.data).strip()
    data = b"" if data == b"null" else data
    _refuse_errors(answer, may_err=is_v1 and data[:1] == b"[")
    if not data and str(answer.error) != "0" and str(answer.status) not in _SUCCESSES:
        raise UnreadableBody("the answer has neither data nor a word that all is well")
    return data


def _refuse_errors(answer: _Said, *, may_err: bool) -> None:
    error, status = (str(said or 0) for said in (answer.error, answer.status))
    has_failed = answer.status not in (None, "") and status not in _SUCCESSES
    if has_failed or (error != "0" and not (may_err and status in _SUCCESSES)):
        raise refusal_by_code(error if error != "0" else status, answer.message or "")


def refusal(status: int, body: bytes) -> ProviderError | None:
    """The error in the body of an answer whose status is not 2xx, where there is one."""
    answer = _ENVELOPE.glance(body)
    if answer is None or status == 429 or status >= 500 or str(answer.error or 0) == "0":
        return None
    error = refusal_by_code(str(answer.error), answer.message or "")
    return AccessDenied(*error.args) if status == 401 else error


def refusal_by_code(code: str, message: str) -> ProviderError:
    """The error codes of VBot's envelope; on m-cdr 409 is a wrong key (v3, call-transaction)."""
    text = f"VBot answered error {printable(code)}: {printable(message)}"
    if code in ("401", "403", "409"):
        return AccessDenied(text)
    if code in ("404", "410"):
        return NotThere(text)
    if code == "429":
        return Throttled(text)
    if code.startswith("5") and len(code) == 3:
        return ServerFault(text)
    if code == "-1":
        return RequestRefused(f"{text}; is it a v1 or v2 account without vbot_id and project_code?")
    return RequestRefused(text)


def records_of(raw: bytes, *, is_v1: bool) -> list[bytes]:
    """The records of a list; none where `data` is null."""
    answer = _LIST.glance(raw)
    if answer is not None:
        _refuse_errors(answer, may_err=is_v1)
        return [bytes(record) for record in answer.data]
    data = envelope(raw, is_v1=is_v1)
    return [bytes(record) for record in RECORDS.read(data)] if data else []


def number_of(raw: bytes) -> int | None:
    """The number of a count, where it is one."""
    data = envelope(raw, is_v1=False)
    try:
        return int(msgspec.json.decode(data)) if data else None
    except (TypeError, ValueError, msgspec.DecodeError):
        return None


def identities(records: Sequence[bytes]) -> list[int]:
    """What tells records of one list apart: the group id, or the whole record where there is none.

    Records without an id that are alike to the letter are as many calls as one page shows of them.
    """
    group_ids = [glance and glance.group_id for glance in _GLANCE.glances(records)]
    alike = Counter[bytes]()
    found = []
    for group_id, record in zip(group_ids, records, strict=True):
        if group_id:
            found.append(hash(group_id))
        else:
            found.append(hash((record, alike[record])))
            alike[record] += 1
    return found


def time_of(record: bytes, zone: tzinfo) -> datetime | None:
    """When a call was, in UTC, where it says so in local time as v1 and v2 do."""
    try:
        said = _GLANCE.read(record).date_create or ""
        return datetime.strptime(said, _DATE_CREATE).replace(tzinfo=zone).astimezone(UTC)
    except (UnreadableBody, ValueError):
        return None
