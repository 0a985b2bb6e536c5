"""The VBot HTTP API in its three versions: what is asked, and how pages end.

Sources: VBot documents, "Call History Management" v1 and v2 (deprecated, still served), and the v3 pages of
VBot's public documentation (`/m-cdr/api/call`, epoch milliseconds, pages from 0). What they leave open is
settled here: a page shorter than asked does not end a list (its size may be capped), an empty page or one
without a new call does; the number of the first page is found out by asking for pages 0 and 1, and v2's unit
of `from`/`to` by asking for a call that is known.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from sources.account import Account
from sources.errors import IncompleteRead, RequestRefused, Transient, UnreadableBody
from sources.http import Api, ApiKey, Credential, Request
from sources.provider import Finding, Page
from sources.shaping.fields import RecordType
from sources.vbot.answers import GLANCE, identities, number_of, records_of, refusal
from sources.vbot.fields import HOTLINES, MEMBERS
from sources.vbot.options import UNITS, VbotOptions
from sources.vbot.token import PasswordToken
from sources.windows import SECOND, Window

MOST_PAGES = 100_000
"""An end to a list that always shows a call not seen before."""

NEW_CALLS_IN_A_WALK = 10_000
"""How many calls may be added while a list is walked, before it counts as one without an end."""

PROBED_CALLS = 20
"""Calls a page that are enough to tell two pages apart."""

WITH_AND_WITHOUT_HOTLINE = 1
"""`has_hotline`: blank shows only calls with a hotline, which loses internal ones (v3, call-transaction)."""

_DATE_CREATE = "%m/%d/%Y %H:%M:%S"


class VbotConnection:
    """An open VBot account."""

    def __init__(self, account: Account, findings: Mapping[str, str], **seams: Any) -> None:
        options: VbotOptions = account.options
        self._options = options
        self._version = options.version
        self._base_url = options.address
        self._page_size = options.page_size or self._version.page_size
        self._longest_page = 0
        self._tz = ZoneInfo(options.timezone)
        self.calls: RecordType = self._version.record_type
        self.zone = options.timezone
        self.constants: Mapping[str, str] = {"currency": options.currency}
        self.findings = dict(findings)
        self._probing = threading.Lock()
        self._has_probed = False
        self._api = Api(
            credential(options),
            timeout_seconds=options.timeout_seconds,
            max_attempts=options.max_attempts,
            requests_per_second=options.requests_per_second,
            connections=options.concurrency,
            refusal=refusal,
            **seams,
        )

    @property
    def walks(self) -> bool:
        """Whether `from`/`to` are not understood; v2 is asked once, and the answer remembered."""
        return self._time_unit() == "none"

    def pages(self, window: Window) -> Iterator[Page]:
        """The calls of a window; several numbers are as many walks."""
        unit = self._time_unit()
        for phone in self._options.phones or (None,):
            if unit == "none":
                yield from self._walk_newest_first(window, phone)
            else:
                yield from self._walk_range(window, phone, UNITS[unit])

    def pages_of(self, ids: Sequence[str]) -> Iterator[Page]:
        """Calls are complete when VBot lists them."""
        raise NotImplementedError

    def names(self) -> Iterator[tuple[RecordType, Iterator[Page]]]:
        """Hotlines and members."""
        yield HOTLINES, (Page(self._list(path, {}, attempts=2)) for path in ("/api/hotline/getAll",))
        yield MEMBERS, (Page(records) for records, _ in self._paged("/api/member/getAll", {}, attempts=2))

    def check(self) -> Iterator[Finding]:
        """Count the calls, then find out what the documents leave open."""
        total = self._count({})
        if total is None:
            # Not every account counts. One whose list is refused as well is none, or somewhere else.
            self._list(self._version.list_path, self._paging(self._page_base()))
        yield Finding(
            "access", "the key is accepted" if total is None else f"the provider counts {total} calls"
        )
        yield Finding("page base", self._page_base_told())
        yield Finding("time unit of from/to", self._time_unit())

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _page_base_told(self) -> str:
        found, configured = self._probe_page_base(), self._options.page_base
        if found is None:
            return f"{self._page_base()}; there is no call to find out by"
        return str(found) if configured in (None, found) else f"{found}; set page_base = {found}"

    def _page_base(self) -> int:
        """The number of the first page: as configured, else found out once, else the version's."""
        if self._options.page_base is not None:
            return self._options.page_base
        # All workers need it at once, and one of them finds it out.
        with self._probing:
            if "page_base" not in self.findings and not self._has_probed:
                self._has_probed = True
                if (found := self._probe_page_base()) is not None:
                    self.findings["page_base"] = str(found)
        return int(self.findings.get("page_base", self._version.page_base))

    def _probe_page_base(self) -> int | None:
        """0 where page 0 shows other calls than page 1, and 1 where it shows none or the same.

        None where that does not tell: while the account has no call, where one page is shown whatever is
        asked for, where asking for page 0 is a fault, and where a second look shows something else.
        """
        try:
            found = self._looked_for_page_base()
            return found if found is not None and found == self._looked_for_page_base() else None
        except Transient:
            return None

    def _looked_for_page_base(self) -> int | None:
        zeroth, first = self._shown_at(0), self._shown_at(1)
        if zeroth and not _is_same(zeroth, first):
            return 0
        return 1 if first and not _is_same(first, self._shown_at(2)) else None

    def _shown_at(self, page: int) -> set[int]:
        phone = {"phone": self._options.phones[0]} if self._options.phones else {}
        paging = {"page": page, "size": min(self._page_size, PROBED_CALLS)}
        try:
            shown = self._list(self._version.list_path, {**phone, **paging}, attempts=2)
        except RequestRefused:
            shown = []
        return set(identities(shown))

    def _walk_range(self, window: Window, phone: str | None, per_second: int) -> Iterator[Page]:
        # Whether the borders are inclusive is not documented: a second more is asked.
        wanted = {
            "from": max(0, int(window.start.timestamp()) - 1) * per_second,
            "to": int(window.end.timestamp()) * per_second,
            **({"phone": phone} if phone else {}),
        }
        total = self._count(wanted)
        # A call between two of the phones is in both walks: only each walk by itself can be compared.
        shown_total = None if self._options.phones else total
        distinct = 0
        for records, so_far in self._paged(self._version.list_path, wanted, total=total):
            yield Page(records, total=shown_total, zone=self.zone)
            distinct = so_far
            _refuse_endless(distinct, total)
        if not distinct:
            yield Page([], total=shown_total, zone=self.zone)
        if self._options.phones and total is not None and distinct < total:
            raise IncompleteRead(
                f"{distinct} calls of one of the phones came of {total} that the provider counts"
            )

    def _walk_newest_first(self, window: Window, phone: str | None) -> Iterator[Page]:
        """Walk from the newest call to the first page that is wholly older than the window.

        The order within a page is not documented, so one old call ends nothing.
        """
        wanted = {"phone": phone} if phone else {}
        total = self._count(wanted)
        distinct = 0
        for records, so_far in self._paged(self._version.list_path, wanted):
            distinct = so_far
            times = [self._time_of(record) for record in records]
            inside = [
                record
                for record, at in zip(records, times, strict=True)
                if at is None or window.start <= at < window.end
            ]
            yield Page(inside, zone=self.zone)
            if all(at is not None and at < window.start for at in times):
                break
            _refuse_endless(distinct, total)
        else:
            if total is not None and distinct < total:
                raise IncompleteRead(f"{distinct} calls came of {total} that the provider counts")
        # A call that vanishes moves all older ones up, and one of them to a page that was read already.
        left = None if total is None else self._count(wanted)
        if left is not None and total is not None and left < total:
            raise IncompleteRead(f"{total} calls became {left} while they were listed")

    def _paged(
        self, path: str, wanted: Mapping[str, Any], *, total: int | None = None, attempts: int | None = None
    ) -> Iterator[tuple[list[bytes], int]]:
        """Pages with a call not seen before, each with the number of distinct records so far."""
        seen, base = set[int](), self._page_base()
        for page in count(base):
            if page - base > MOST_PAGES:
                raise IncompleteRead(f"{path} did not end after {MOST_PAGES} pages")
            records = self._list(path, {**wanted, **self._paging(page)}, attempts=attempts)
            before = len(seen)
            seen.update(identities(records))
            if len(seen) == before:
                # Where pages begin with 1, page 0 is empty or the same as page 1.
                if total is None and (page == 0 or (page == 1 and records)):
                    continue
                return
            yield records, len(seen)
            if total is None:
                continue
            # A count may be outdated and a page may be capped below the size asked for: only where a page
            # holds less than the server is known to give, and the count agrees, an empty page is spared.
            if len(seen) == total and len(records) < self._longest_page:
                return
            self._longest_page = max(self._longest_page, len(records))

    def _list(self, path: str, wanted: Mapping[str, Any], *, attempts: int | None = None) -> list[bytes]:
        records = partial(records_of, is_v1=self._options.api_version == "v1")
        return self._api.call(self._request(path, wanted), records, attempts=attempts)

    def _count(self, wanted: Mapping[str, Any]) -> int | None:
        """The provider's own count, or None where it does not give one."""
        try:
            return self._api.call(self._request(self._version.count_path, wanted), number_of)
        except RequestRefused:
            return None

    def _paging(self, page: int) -> dict[str, Any]:
        return {"page": page, "size": self._page_size}

    def _request(self, path: str, wanted: Mapping[str, Any]) -> Request:
        options = self._options
        parameters = dict(wanted)
        if options.api_version == "v3":
            if "m-cdr" in path:
                parameters["has_hotline"] = WITH_AND_WITHOUT_HOTLINE
        else:
            own = {"vbot_id": options.vbot_id, "project_code": options.project_code}
            parameters = {key: value for key, value in own.items() if value} | parameters
        body = parameters if self._version.has_body else None
        return Request("GET", f"{self._base_url}{path}", params=parameters, json=body)

    def _time_unit(self) -> str:
        if self._version.time_unit != "auto":
            return self._version.time_unit
        if self._options.time_unit != "auto":
            return self._options.time_unit
        if "time_unit" not in self.findings:
            found = self._probe_time_unit()
            if found is None:
                return "none"
            self.findings["time_unit"] = found
        return self.findings["time_unit"]

    def _probe_time_unit(self) -> str | None:
        """The unit in which a known call is found by its time, and not found by another time.

        None while the account has no call to ask for.
        """
        phone = {"phone": self._options.phones[0]} if self._options.phones else {}
        known = self._list(self._version.list_path, {**phone, **self._paging(self._page_base())})
        times = [at for at in map(self._time_of, known) if at is not None]
        if not times:
            return None
        there, elsewhere = times[0], min(times) - timedelta(days=36525)
        for unit, per_second in UNITS.items():
            if self._finds(there, per_second, phone) and not self._finds(elsewhere, per_second, phone):
                return unit
        return "none"

    def _finds(self, at: datetime, per_second: int, phone: Mapping[str, Any]) -> bool:
        wanted = {
            "from": max(0, int((at - SECOND).timestamp())) * per_second,
            "to": max(1, int((at + SECOND).timestamp())) * per_second,
        }
        try:
            paging = self._paging(self._page_base())
            return bool(self._list(self._version.list_path, {**phone, **wanted, **paging}))
        except RequestRefused:
            return False

    def _time_of(self, record: bytes) -> datetime | None:
        try:
            said = GLANCE.read(record).date_create or ""
            return datetime.strptime(said, _DATE_CREATE).replace(tzinfo=self._tz).astimezone(UTC)
        except (UnreadableBody, ValueError):
            return None


def _is_same(page: set[int], other: set[int]) -> bool:
    """Whether two questions were answered with one page: calls that come between them move only a few."""
    return 2 * len(page & other) >= len(page)


def _refuse_endless(distinct: int, total: int | None) -> None:
    if total is not None and distinct > total + NEW_CALLS_IN_A_WALK:
        raise IncompleteRead(f"{distinct} calls came and more follow, but the provider counts {total}")


def connect(account: Account, findings: Mapping[str, str], **seams: Any) -> VbotConnection:
    """Open a VBot account; nothing is sent yet."""
    return VbotConnection(account, findings, **seams)


def credential(options: VbotOptions) -> Credential:
    """What proves who we are: the key of v3, or the token of v1 and v2."""
    if options.api_version == "v3":
        return ApiKey("X-API-Key", options.api_key or "")
    if options.access_token:
        return ApiKey("Authorization", f"Bearer {options.access_token}")
    return PasswordToken(f"{options.address}/token", options.username or "", options.password or "")
