"""The Voximplant Management API: call sessions by window and by id, and how their pages follow each other.

Sources: Voximplant documents, "GetCallHistory"; the dimension endpoints from the provider's published client
libraries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from sources.account import Account
from sources.errors import IncompleteRead, WindowOverflow
from sources.forms import Form
from sources.http import Api, Request
from sources.printing import printable
from sources.provider import Finding, Page
from sources.shaping import Shaped
from sources.shaping.fields import RecordType
from sources.voximplant.answers import Listed, envelope, follows, listed, refusal
from sources.voximplant.fields import ACCOUNT_INFO, APPLICATIONS, CALL_SESSIONS, USERS
from sources.voximplant.options import VoximplantOptions
from sources.voximplant.token import ServiceToken, read_credentials
from sources.windows import SECOND, Window
from sources.zones import is_zone, zone_of

T = TypeVar("T")

LARGEST_OFFSET = 10_000
"""The largest `offset` (GetCallHistory): what lies beyond needs a smaller window."""

MOST_RESTARTS = 2
"""So often a list is begun again because its sessions moved."""

NAMES_PAGE_SIZE = 100

JSON_LISTS = frozenset({"remote_number_list"})
"""Lists that travel as a JSON array; all others are joined by semicolons (GetCallHistory)."""

OLDEST = "2010-01-01 00:00:00"
"""Before the first session of any account; sent with ids, because the document requires a range."""


class _Application(msgspec.Struct):
    application_id: int | str | None = None


_APPLICATION = Form(_Application)
_OBJECT = Form(dict[str, Any])


class VoximplantConnection:
    """An open Voximplant account; opening it sends nothing."""

    calls: RecordType = CALL_SESSIONS
    walks = False
    constants: Mapping[str, str] = {}

    def __init__(self, account: Account, findings: Mapping[str, str], **seams: Any) -> None:
        options: VoximplantOptions = account.options
        self._options = options
        self.findings = dict(findings)
        self.zone = self.findings.get("zone", options.timezone)
        self._api = Api.of(options, credential(options), refusal, **seams)

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
        info = _OBJECT.glance(next(self._account_info()).records[0])
        yield Finding(
            "access",
            f"account {info.get('account_id')}, currency {info.get('currency')}"
            if info
            else "the key is accepted",
        )
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

    def _walk(self, first: Listed, wanted: Mapping[str, Any], zone: str) -> Iterator[Page]:
        """The list from its first page on, and again from there where sessions moved under the reader."""
        for is_again in (False,) + (True,) * MOST_RESTARTS:
            start = self._history(wanted, offset=0, zone=zone) if is_again else first
            if (yield from self._walk_once(start, wanted, zone)):
                return
        raise IncompleteRead("Voximplant's sessions change places while they are listed")

    def _walk_once(self, answer: Listed, wanted: Mapping[str, Any], zone: str) -> Generator[Page, None, bool]:
        """Pages that each begin with the last session of the page before; False where they do not.

        A session that vanishes moves those behind it up, and some of them to a page that was read already;
        the count does not tell where another one came at the same time.
        """
        reach = LARGEST_OFFSET + self._options.page_size
        offset, fewest, before = 0, answer.total, list[bytes]()
        while True:
            if (answer.total or 0) > reach:
                raise WindowOverflow(f"{answer.total} sessions, of which paging reaches {reach}")
            records, total = answer.records, answer.total
            if before and records and not follows(before, records[0]):
                return False
            # What came after the walk began need not be in it.
            fewest = total if fewest is None or total is None else min(fewest, total)
            is_repeated = before and records and follows(before[-1:], records[0])
            yield Page(
                records[1:] if is_repeated else records, total=fewest, zone=_known(answer.timezone or zone)
            )
            # A page may be short for reasons of its own, so only what came is counted.
            end = offset + len(records)
            if total is not None and end <= total:
                # A last page as full as any leaves a doubt in the count, as far as more can be asked for.
                is_doubtful = len(records) == self._options.page_size and offset < LARGEST_OFFSET
                is_over = end == total and not is_doubtful
            else:
                # The page behind the last one holds what it was to begin with, and nothing else.
                is_over = bool(before) and (len(records) == 1 or records == before)
            if not records or is_over:
                return True
            if offset >= LARGEST_OFFSET:
                raise WindowOverflow(f"more sessions than the {reach} that paging reaches")
            following = min(max(end - 1, offset + 1), LARGEST_OFFSET)
            before = records if following < end else []
            offset = following
            answer = self._history(wanted, offset=offset, zone=zone)

    def _history(self, wanted: Mapping[str, Any], *, offset: int, zone: str) -> Listed:
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
        return self._command("GetCallHistory", form, listed)

    def _command(
        self, name: str, form: Mapping[str, Any], parse: Callable[[bytes], T], *, attempts: int | None = None
    ) -> T:
        url = f"{self._options.base_url.rstrip('/')}/{name}"
        fields = {key: _form_text(key, value) for key, value in form.items()}
        return self._api.call(Request("POST", url, form=fields), parse, attempts=attempts)

    def _list(self, command: str, form: Mapping[str, Any]) -> Iterator[list[bytes]]:
        offset, before = 0, list[bytes]()
        while True:
            paging = {"count": NAMES_PAGE_SIZE, "offset": offset}
            answer = self._command(command, {**form, **paging}, listed, attempts=2)
            if not answer.records or answer.records == before:
                return
            yield answer.records
            offset, before = offset + len(answer.records), answer.records
            if offset == answer.total:
                return

    def _account_info(self) -> Iterator[Page]:
        yield Page([self._command("GetAccountInfo", {}, lambda raw: bytes(envelope(raw)), attempts=2)])

    def _users(self) -> Iterator[Page]:
        for applications in self._list("GetApplications", {}):
            for application in applications:
                number = _APPLICATION.read(application).application_id
                if number is None:
                    continue
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


def _known(zone: str) -> str:
    if not is_zone(zone):
        raise IncompleteRead(f"Voximplant answers in a zone nobody knows: {printable(zone)}")
    return zone


def _with(record: bytes, **fields: Any) -> bytes:
    return msgspec.json.encode({**fields, **_OBJECT.read(record)})


def _form_text(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        if key in JSON_LISTS:
            return json.dumps(list(value))
        return ";".join(str(item) for item in value)
    return json.dumps(value) if isinstance(value, Mapping) else str(value)


def _local(moment: datetime, zone: str) -> str:
    return moment.astimezone(zone_of(zone)).strftime("%Y-%m-%d %H:%M:%S")


def _doubt(moment: datetime, zone: str) -> timedelta:
    tz = zone_of(zone)
    around = timedelta(hours=3)
    offsets = {(moment + shift).astimezone(tz).utcoffset() for shift in (-around, timedelta(), around)}
    return timedelta(hours=1) if len(offsets) > 1 else timedelta()
