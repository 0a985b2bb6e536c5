"""The Voximplant Management API: call sessions by window and by id, errors inside HTTP 200.

Sources: Voximplant documents, "GetCallHistory"; the shape of error bodies and of the dimension endpoints from
the published client libraries of the provider.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from sources.account import Account
from sources.errors import (
    AccessDenied,
    IncompleteRead,
    ProviderError,
    RequestRefused,
    ServerFault,
    Throttled,
    WindowOverflow,
)
from sources.http import Api, Request, parse_json, printable
from sources.provider import Finding, Page
from sources.shaping import Shaped
from sources.shaping.fields import RecordType
from sources.voximplant.fields import ACCOUNT_INFO, APPLICATIONS, CALL_SESSIONS, USERS
from sources.voximplant.options import VoximplantOptions
from sources.voximplant.token import ServiceToken, read_credentials
from sources.windows import SECOND, Window

LARGEST_OFFSET = 10_000
"""The largest `offset` (GetCallHistory): what lies beyond needs a smaller window."""

NAMES_PAGE_SIZE = 100

JSON_LISTS = frozenset({"remote_number_list"})
"""Lists that travel as a JSON array; all others are joined by semicolons (GetCallHistory)."""

OLDEST = "2010-01-01 00:00:00"
"""Before the first session of any account; sent with ids, because the document requires a range."""

_ACCESS = re.compile(
    r"authori[sz]|authenticat|access denied|token|jwt|signature|expired|api_key", re.IGNORECASE
)
_PACE = re.compile(r"too many|rate limit|limit exceeded|try again|throttl", re.IGNORECASE)
_FAULT = re.compile(r"internal (server )?error|temporar|unavailable", re.IGNORECASE)


class _Error(msgspec.Struct):
    code: int | None = None
    msg: str = ""


class _Answer(msgspec.Struct):
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    total_count: int | None = None
    count: int | None = None
    timezone: str | None = None
    error: _Error | None = None
    errors: list[_Error] | None = None


class _Application(msgspec.Struct):
    application_id: int


class VoximplantConnection:
    """An open Voximplant account."""

    calls: RecordType = CALL_SESSIONS
    walks = False
    constants: Mapping[str, str] = {}

    def __init__(self, account: Account, findings: Mapping[str, str], **seams: Any) -> None:
        options: VoximplantOptions = account.options
        self._options = options
        self.findings = dict(findings)
        self.zone = self.findings.get("zone", options.timezone)
        self._api = Api(
            credential(options),
            timeout_seconds=options.timeout_seconds,
            max_attempts=options.max_attempts,
            requests_per_second=options.requests_per_second,
            connections=options.concurrency,
            refusal=refusal,
            **seams,
        )

    def pages(self, window: Window) -> Iterator[Page]:
        """The sessions that start in the window, oldest first.

        Whether the provider's borders are inclusive is not documented, so a window asks one second more at
        its start; a window of one second asks for itself alone, because it cannot be split further.
        """
        start = window.start if window.length <= SECOND else window.start - SECOND
        zone = self.zone
        first = self._history(self._range(start, window.end, zone), offset=0, zone=zone)
        if first.timezone not in (None, zone):
            zone = self._use_zone(str(first.timezone))
            first = self._history(self._range(start, window.end, zone), offset=0, zone=zone)
        for page in self._walk(first, self._range(start, window.end, zone), zone):
            if page.zone != zone:
                raise IncompleteRead(f"Voximplant answers in {page.zone} although it was asked in its {zone}")
            yield page

    def pages_of(self, ids: Sequence[str]) -> Iterator[Page]:
        """Sessions by id, at most 1000."""
        until = _local(datetime.now(UTC) + timedelta(days=1), self.zone)
        wanted = {"from_date": OLDEST, "to_date": until, "call_session_history_id": ";".join(ids)}
        yield from self._walk(self._history(wanted, offset=0, zone=self.zone), wanted, self.zone)

    def names(self) -> Iterator[tuple[RecordType, Iterator[Page]]]:
        """The account itself, its applications and their users."""
        yield ACCOUNT_INFO, self._account_info()
        yield APPLICATIONS, (Page(records) for records in self._list("GetApplications", {}))
        yield USERS, self._users()

    def check(self) -> Iterator[Finding]:
        """Ask who we are, then in which zone times come."""
        info = msgspec.json.decode(next(self._account_info()).records[0])
        yield Finding("access", f"account {info.get('account_id')}, currency {info.get('currency')}")
        now = datetime.now(UTC).replace(microsecond=0)
        answer = self._history(
            self._range(now - timedelta(hours=1), now, self.zone), offset=0, zone=self.zone
        )
        said = answer.timezone or self.zone
        note = "as asked" if said == self.zone else f"asked for {self.zone}, so it is converted"
        yield Finding("time zone", f"{said}, {note}")

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _walk(self, first: _Answer, wanted: Mapping[str, Any], zone: str) -> Iterator[Page]:
        size, offset, answer = self._options.page_size, 0, first
        reach = LARGEST_OFFSET // size * size + size
        total = first.total_count
        while True:
            if (answer.total_count or 0) > reach:
                raise WindowOverflow(f"{answer.total_count} sessions, of which paging reaches {reach}")
            if offset and total is not None and (answer.total_count or total) < total:
                # A session vanished, and those behind it moved up: some may now stand before this page.
                offset = max(0, offset - (total - (answer.total_count or 0)))
                total = answer.total_count
                answer = self._history(wanted, offset=offset, zone=zone)
                continue
            total = answer.total_count
            records = _records(answer)
            yield Page(records, total=total, zone=_known(answer.timezone or zone))
            # A page may be short for reasons of its own, so only what came is counted.
            offset += len(records)
            if not records or (total is not None and offset >= total):
                return
            if offset > LARGEST_OFFSET:
                raise WindowOverflow(f"more sessions than the {reach} that paging reaches")
            answer = self._history(wanted, offset=offset, zone=zone)

    def _history(self, wanted: Mapping[str, Any], *, offset: int, zone: str) -> _Answer:
        form = {
            **self._options.filter,
            **wanted,
            "timezone": zone,
            "with_calls": True,
            "with_records": True,
            "with_other_resources": True,
            "with_total_count": True,
            "desc_order": False,
            "count": self._options.page_size,
            "offset": offset,
        }
        return self._command("GetCallHistory", form)

    def _command(self, name: str, form: Mapping[str, Any], *, attempts: int | None = None) -> _Answer:
        url = f"{self._options.base_url.rstrip('/')}/{name}"
        fields = {key: _form_text(key, value) for key, value in form.items()}
        return self._api.call(Request("POST", url, form=fields), envelope, attempts=attempts)

    def _list(self, command: str, form: Mapping[str, Any]) -> Iterator[list[bytes]]:
        offset = 0
        while True:
            paging = {"count": NAMES_PAGE_SIZE, "offset": offset}
            answer = self._command(command, {**form, **paging}, attempts=2)
            records = _records(answer)
            yield records
            offset += NAMES_PAGE_SIZE
            if len(records) < NAMES_PAGE_SIZE or offset >= (answer.total_count or 0):
                return

    def _account_info(self) -> Iterator[Page]:
        answer = self._command("GetAccountInfo", {}, attempts=2)
        yield Page([bytes(answer.result)] if not isinstance(answer.result, msgspec.UnsetType) else [])

    def _users(self) -> Iterator[Page]:
        for applications in self._list("GetApplications", {}):
            for application in applications:
                number = msgspec.json.decode(application, type=_Application).application_id
                for records in self._list("GetUsers", {"application_id": number}):
                    yield Page([_with(record, application_id=number) for record in records])

    def _range(self, start: datetime, end: datetime, zone: str) -> dict[str, Any]:
        # A border in an hour that the zone's clocks run through twice is ambiguous: ask an hour more.
        return {
            "from_date": _local(start - _doubt(start, zone), zone),
            "to_date": _local(end + _doubt(end, zone), zone),
        }

    def _use_zone(self, said: str) -> str:
        """Ask in the zone that the provider answers in: then its borders and its times mean the same."""
        self.zone = _known(said)
        self.findings = {**self.findings, "zone": said}
        return said


def credential(options: VoximplantOptions) -> ServiceToken:
    """What proves who we are: tokens of the service account."""
    return ServiceToken(read_credentials(options.credentials))


def connect(account: Account, findings: Mapping[str, str], **seams: Any) -> VoximplantConnection:
    """Open a Voximplant account; nothing is sent yet."""
    return VoximplantConnection(account, findings, **seams)


def unfinished(shaped: Shaped) -> Mapping[str, int]:
    """Sessions the provider completes later: without a finish reason, or that lasted and cost nothing yet."""
    sessions = shaped.tables["call_sessions"]
    if not sessions.num_rows:
        return {}
    ids = sessions.column("call_session_history_id")
    billed = pa.chunked_array(
        [
            chunk
            for name, table in shaped.tables.items()
            if "cost" in table.column_names
            for chunk in table.filter(pc.is_valid(table.column("cost")))
            .column("call_session_history_id")
            .chunks
        ],
        ids.type,
    )
    lasted = pc.fill_null(pc.greater(sessions.column("duration"), 0), False)
    unbilled = pc.and_(lasted, pc.invert(pc.is_in(ids, value_set=billed.combine_chunks())))
    open_ = sessions.filter(pc.or_(pc.is_null(sessions.column("finish_reason")), unbilled))
    starts = (
        pc.floor_temporal(open_.column("start_date"), unit="second")
        .cast(pa.timestamp("s", "UTC"))
        .cast(pa.int64())
    )
    return dict(
        zip(
            (str(key) for key in open_.column("call_session_history_id").to_pylist()),
            starts.to_pylist(),
            strict=True,
        )
    )


def envelope(raw: bytes) -> _Answer:
    """An answer, or the error that its status 200 hides."""
    answer = parse_json(raw, _Answer)
    errors = [answer.error] if answer.error else list(answer.errors or ())
    if errors:
        raise _refused(errors[0])
    if isinstance(answer.result, msgspec.UnsetType):
        raise ServerFault("Voximplant answered neither a result nor an error")
    return answer


def refusal(status: int, body: bytes) -> ProviderError | None:
    """The error in a body whose status is not 200, where there is one."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if status == 429 or status >= 500 or not answer.error:
        return None
    error = _refused(answer.error)
    return AccessDenied(*error.args) if status == 401 else error


def _refused(error: _Error) -> ProviderError:
    text = f"Voximplant answered error {error.code}: {printable(error.msg)}"
    for pattern, kind in ((_PACE, Throttled), (_ACCESS, AccessDenied), (_FAULT, ServerFault)):
        if pattern.search(error.msg):
            return kind(text)
    return RequestRefused(text)


def _known(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise IncompleteRead(f"Voximplant answers in a zone nobody knows: {printable(zone)}") from None
    return zone


def _records(answer: _Answer) -> list[bytes]:
    if isinstance(answer.result, msgspec.UnsetType):
        return []
    return [bytes(record) for record in parse_json(bytes(answer.result), list[msgspec.Raw])]


def _with(record: bytes, **fields: Any) -> bytes:
    return msgspec.json.encode({**fields, **msgspec.json.decode(record)})


def _form_text(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        if key in JSON_LISTS:
            return json.dumps(list(value))
        return ";".join(str(item) for item in value)
    return json.dumps(value) if isinstance(value, Mapping) else str(value)


def _local(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def _doubt(moment: datetime, zone: str) -> timedelta:
    tz = ZoneInfo(zone)
    day = timedelta(hours=3)
    offsets = {(moment + shift).astimezone(tz).utcoffset() for shift in (-day, timedelta(), day)}
    return timedelta(hours=1) if len(offsets) > 1 else timedelta()
