"""The VBot HTTP API in its three versions: how calls are listed, and how pages end.

Sources: VBot documents, "Call History Management" v1 and v2 (deprecated, still served), and the v3 pages of
VBot's public documentation (`/m-cdr/api/call`, epoch milliseconds, pages from 0). What they leave open is
settled here: a page shorter than asked does not end a list (its size may be capped), an empty page or one
without a new call does; the number of the first page and v2's unit of `from`/`to` are found out (`probing`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from sources.account import Account
from sources.errors import IncompleteRead
from sources.provider import Finding, Page
from sources.shaping.fields import RecordType
from sources.vbot.answers import identities, time_of
from sources.vbot.client import VbotClient
from sources.vbot.fields import HOTLINES, MEMBERS
from sources.vbot.options import UNITS, VbotOptions
from sources.vbot.probing import Probe
from sources.windows import Window
from sources.zones import zone_of

MOST_PAGES = 100_000
"""An end to a list that always shows a call not seen before."""

NEW_CALLS_IN_A_WALK = 10_000
"""How many calls may be added while a list is walked, before it counts as one without an end."""


class VbotConnection:
    """An open VBot account; opening it sends nothing."""

    def __init__(self, account: Account, findings: Mapping[str, str], **seams: Any) -> None:
        options: VbotOptions = account.options
        self._phones = options.phones
        self._list_path = options.version.list_path
        self._tz = zone_of(options.timezone)
        self._longest_page = 0
        self.calls: RecordType = options.version.record_type
        self.zone = options.timezone
        self.constants: Mapping[str, str] = {"currency": options.currency}
        self.findings = dict(findings)
        self._client = VbotClient(options, **seams)
        self._probe = Probe(self._client, options, self.findings)

    @property
    def walks(self) -> bool:
        """Whether `from`/`to` are not understood; v2 is asked once, and the answer remembered."""
        return self._probe.time_unit() == "none"

    def pages(self, window: Window) -> Iterator[Page]:
        """The calls of a window; several numbers are as many walks."""
        unit = self._probe.time_unit()
        for phone in self._phones or (None,):
            if unit == "none":
                yield from self._walk_newest_first(window, phone)
            else:
                yield from self._walk_range(window, phone, UNITS[unit])

    def pages_of(self, ids: Sequence[str]) -> Iterator[Page]:
        """Calls are complete when VBot lists them."""
        raise NotImplementedError

    def names(self) -> Iterator[tuple[RecordType, Iterator[Page]]]:
        """Hotlines and members."""
        hotlines, members = "/api/hotline/getAll", "/api/member/getAll"
        yield HOTLINES, (Page(self._client.records(path, {}, attempts=2)) for path in (hotlines,))
        yield MEMBERS, (Page(records) for records, _ in self._paged(members, {}, attempts=2))

    def check(self) -> Iterator[Finding]:
        """Count the calls, then find out what the documents leave open."""
        total = self._client.count({})
        if total is None:
            # Not every account counts. One whose list is refused as well is none, or somewhere else.
            self._client.page(self._list_path, self._probe.page_base(), {})
        yield Finding(
            "access", "the key is accepted" if total is None else f"the provider counts {total} calls"
        )
        yield Finding("page base", self._probe.page_base_told())
        yield Finding("time unit of from/to", self._probe.time_unit())

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _walk_range(self, window: Window, phone: str | None, per_second: int) -> Iterator[Page]:
        # Whether the borders are inclusive is not documented: a second more is asked.
        wanted = {
            "from": max(0, int(window.start.timestamp()) - 1) * per_second,
            "to": int(window.end.timestamp()) * per_second,
            **({"phone": phone} if phone else {}),
        }
        total = self._client.count(wanted)
        # A call between two of the phones is in both walks: only each walk by itself can be compared.
        shown_total = None if self._phones else total
        distinct = 0
        for records, so_far in self._paged(self._list_path, wanted, total=total):
            yield Page(records, total=shown_total, zone=self.zone)
            distinct = so_far
            _refuse_endless(distinct, total)
        if total is not None and distinct < total:
            # Where the first page was found out under a fault it may be another: the next read looks again.
            self._probe.doubt_page_base()
        if not distinct:
            yield Page([], total=shown_total, zone=self.zone)
        if self._phones and total is not None and distinct < total:
            raise IncompleteRead(
                f"{distinct} calls of one of the phones came of {total} that the provider counts"
            )

    def _walk_newest_first(self, window: Window, phone: str | None) -> Iterator[Page]:
        """Walk from the newest call to the first page that is wholly older than the window.

        The order within a page is not documented, so one old call ends nothing.
        """
        wanted = {"phone": phone} if phone else {}
        total = self._client.count(wanted)
        distinct = 0
        for records, so_far in self._paged(self._list_path, wanted):
            distinct = so_far
            times = [time_of(record, self._tz) for record in records]
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
        left = None if total is None else self._client.count(wanted)
        if left is not None and total is not None and left < total:
            raise IncompleteRead(f"{total} calls became {left} while they were listed")

    def _paged(
        self, path: str, wanted: Mapping[str, Any], *, total: int | None = None, attempts: int | None = None
    ) -> Iterator[tuple[list[bytes], int]]:
        """Pages with a call not seen before, each with the number of distinct records so far."""
        seen, base = set[int](), self._probe.page_base()
        for page in count(base):
            if page - base > MOST_PAGES:
                raise IncompleteRead(f"{path} did not end after {MOST_PAGES} pages")
            records = self._client.page(path, page, wanted, attempts=attempts)
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


def _refuse_endless(distinct: int, total: int | None) -> None:
    if total is not None and distinct > total + NEW_CALLS_IN_A_WALK:
        raise IncompleteRead(f"{distinct} calls came and more follow, but the provider counts {total}")
