"""The eTelecom HTTP API: what is asked, how pages follow each other, what a refusal means.

Sources: eTelecom documents, "Get call history" (ListCallLogs), and the provider's published behaviour of
2022 where the documents are silent: `limit` is clamped to 100 without an error, `next` is filled on every
page that is not empty, and `date_from`/`date_to` are inclusive and filter the time a row was created on the
server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from sources.account import Account
from sources.credentials import ApiKey
from sources.errors import (
    AccessDenied,
    IncompleteRead,
    NotThere,
    ProviderError,
    RequestRefused,
    ServerFault,
    Throttled,
    UnreadableBody,
)
from sources.etelecom.fields import CALL_LOGS, EXTENSIONS
from sources.etelecom.options import PAGE_SIZE, EtelecomOptions
from sources.forms import Form
from sources.http import Api, Request, refusal_by_status
from sources.printing import printable
from sources.provider import Finding, Page
from sources.shaping.fields import RecordType
from sources.windows import SECOND, Window

MOST_PAGES = 20_000
"""An end to a list whose cursor never repeats and never ends: two million call logs in one window."""

_KINDS: Mapping[str, type[ProviderError]] = {
    "unauthenticated": AccessDenied,
    "permission_denied": AccessDenied,
    "resource_exhausted": Throttled,
    "aborted": ServerFault,
    "canceled": ServerFault,
    "data_loss": ServerFault,
    "deadline_exceeded": ServerFault,
    "internal": ServerFault,
    "unavailable": ServerFault,
    "unknown": ServerFault,
    "already_exists": RequestRefused,
    "bad_route": RequestRefused,
    "failed_precondition": RequestRefused,
    "invalid_argument": RequestRefused,
    "malformed": RequestRefused,
    "not_found": NotThere,
    "out_of_range": RequestRefused,
    "unimplemented": RequestRefused,
}
"""What Twirp's error codes mean ("eTelecom documents, Usage")."""


class _Paging(msgspec.Struct):
    next: str | int | None = None


class _Answer(msgspec.Struct):
    call_logs: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    extensions: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    paging: _Paging | msgspec.UnsetType | None = msgspec.UNSET
    code: str | int | None = None
    msg: str | None = None


class _Glance(msgspec.Struct):
    """What paging needs to know of a record."""

    id: str | int | None = None


_ANSWER = Form(_Answer)
_GLANCE = Form(_Glance)


class EtelecomConnection:
    """An open eTelecom account; opening it sends nothing."""

    calls: RecordType = CALL_LOGS
    zone = "UTC"
    walks = False
    constants: Mapping[str, str] = {}

    def __init__(self, account: Account, findings: Mapping[str, str], **seams: Any) -> None:
        options: EtelecomOptions = account.options
        self._options = options
        self.findings = findings
        self._api = Api.of(options, credential(options), refusal, **seams)

    def pages(self, window: Window) -> Iterator[Page]:
        """The call logs whose creation (or start) falls into the window, newest first.

        Whether both ends are inclusive is not documented, so a window asks one second more at its start; a
        call on a border is read twice and kept once.
        """
        wanted = {
            **self._options.filter,
            "date_from": _rfc3339(window.start - SECOND),
            "date_to": _rfc3339(window.end),
        }
        return self._walk(f"{self._options.service}/ListCallLogs", {"filter": wanted}, "call_logs")

    def pages_of(self, ids: Sequence[str]) -> Iterator[Page]:
        """The provider cannot be asked by id."""
        raise NotImplementedError

    def names(self) -> Iterator[tuple[RecordType, Iterator[Page]]]:
        """The extensions; their passwords are dropped when they are shaped."""
        method = f"{self._options.service}/GetExtensions"
        yield EXTENSIONS, self._walk(method, {}, "extensions", attempts=2)

    def check(self) -> Iterator[Finding]:
        """Ask who we are, then whether a longer page is clamped."""
        self._api.call(Request("POST", self._url("Misc/CurrentAccount"), json={}), envelope)
        yield Finding("access", "the key is accepted")
        body = {"paging": {"limit": 2 * PAGE_SIZE}}
        method = f"{self._options.service}/ListCallLogs"
        request = Request("POST", self._url(method), json=body)
        served, _ = self._api.call(request, lambda raw: _page(raw, "call_logs"))
        yield Finding("page size", f"asked for {2 * PAGE_SIZE} call logs, got {len(served)}")

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _walk(
        self, method: str, body: Mapping[str, Any], items: str, *, attempts: int | None = None
    ) -> Iterator[Page]:
        """Follow the cursor to an empty page or an empty cursor.

        Nothing counts the list, so an empty page where more was to be expected is asked for twice.
        """
        after, seen, is_more_expected = "", set[int](), True
        for _ in range(MOST_PAGES):
            paging = {"limit": self._options.page_size, **({"after": after} if after else {})}
            request = Request("POST", self._url(method), json={**body, "paging": paging})
            records, following = self._api.call(request, lambda raw: _page(raw, items), attempts=attempts)
            if not records and is_more_expected:
                records, following = self._api.call(request, lambda raw: _page(raw, items), attempts=attempts)
            if not records:
                return
            shown = {_identity(records[0]), _identity(records[-1])}
            if shown <= seen:
                raise IncompleteRead(f"{method} shows the records of earlier pages again")
            seen |= shown
            yield Page(records)
            if not following:
                return
            if following == after:
                raise IncompleteRead(f"{method} repeats the cursor of the page before")
            after, is_more_expected = following, len(records) >= min(self._options.page_size, PAGE_SIZE)
        raise IncompleteRead(f"{method} did not end after {MOST_PAGES} pages; try a smaller window_days")

    def _url(self, method: str) -> str:
        # The dot belongs to the address: it is `{base}.Service/Method`, not a path below the base.
        return f"{self._options.base_url.rstrip('/')}.{method}"


def credential(options: EtelecomOptions) -> ApiKey:
    """What proves who we are: the key of the shop, or of the partner."""
    return ApiKey("Authorization", f"Bearer {options.api_key}")


def envelope(raw: bytes) -> _Answer:
    """An answer, or the error that its status 200 hides."""
    answer = _ANSWER.read(raw)
    if answer.code:
        code, message = str(answer.code), answer.msg or ""
        raise refusal_by_code(code, message) or RequestRefused(_text(code, message))
    return answer


def refusal(status: int, body: bytes) -> ProviderError | None:
    """The error in a Twirp body, where its code says more than the HTTP status does."""
    said = _ANSWER.glance(body)
    return refusal_by_code(str(said.code), said.msg or "") if said and said.code else None


def refusal_by_code(code: str, message: str) -> ProviderError | None:
    """The error of a Twirp code; None where the code alone does not say."""
    kind = _KINDS.get(code)
    if kind is None and code.isdecimal() and len(code) == 3:
        # Not Twirp's: a gateway's, with the number of an HTTP status.
        return refusal_by_status(int(code), "eTelecom", printable(message))
    return kind(_text(code, message)) if kind else None


def _text(code: str, message: str) -> str:
    return f"eTelecom answered {printable(code)}: {printable(message)}"


def _page(raw: bytes, items: str) -> tuple[list[bytes], str]:
    """The records of a page and the cursor of the next."""
    answer = envelope(raw)
    records = getattr(answer, items)
    if records is msgspec.UNSET and answer.paging is msgspec.UNSET:
        raise UnreadableBody(f"eTelecom answered with neither {items} nor paging")
    if records and items == "call_logs" and not isinstance(answer.paging, _Paging):
        raise UnreadableBody("eTelecom answered call logs without paging, so their end is not known")
    following = answer.paging.next if isinstance(answer.paging, _Paging) else None
    found = [] if records is msgspec.UNSET else [bytes(record) for record in records or ()]
    return found, str(following or "")


def _identity(record: bytes) -> int:
    glance = _GLANCE.glance(record)
    return hash((glance and glance.id) or record)


def _rfc3339(moment: Any) -> str:
    return str(moment.isoformat().replace("+00:00", "Z"))
