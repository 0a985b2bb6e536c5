"""What VBot's documents leave open, found out by asking: the number of the first page, and v2's unit of time.

What was found is remembered with the account (`findings`), so that it is asked for once.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sources.errors import RequestRefused, Transient
from sources.vbot.answers import identities, time_of
from sources.vbot.client import VbotClient
from sources.vbot.options import UNITS, VbotOptions
from sources.windows import SECOND
from sources.zones import zone_of

PROBED_CALLS = 20
"""Calls a page that are enough to tell two pages apart."""


class Probe:
    """Finds out about one account.

    Args:
        client: asks.
        options: the account's; what is configured there is not asked for.
        findings: what was found before; what is found now is added.
    """

    def __init__(self, client: VbotClient, options: VbotOptions, findings: dict[str, str]) -> None:
        self._client = client
        self._options = options
        self._findings = findings
        self._list_path = options.version.list_path
        self._phone = {"phone": options.phones[0]} if options.phones else {}
        # Another version has pages of its own, and so may another place.
        self._page_base_finding = f"page_base {options.api_version} {options.address}"
        self._looking = threading.Lock()
        self._has_looked = False

    def page_base(self) -> int:
        """The number of the first page: as configured, else found out once, else the version's."""
        if self._options.page_base is not None:
            return self._options.page_base
        # All workers need it at once, and one of them finds it out.
        with self._looking:
            if self._page_base_finding not in self._findings and not self._has_looked:
                self._has_looked = True
                if (found := self._found_page_base()) is not None:
                    self._findings[self._page_base_finding] = str(found)
        return int(self._findings.get(self._page_base_finding, self._options.version.page_base))

    def doubt_page_base(self) -> None:
        """Have the first page found out once more, because fewer calls came than there are."""
        with self._looking:
            self._has_looked = False
            self._findings.pop(self._page_base_finding, None)

    def page_base_told(self) -> str:
        """For `check`: the number, asked for again, and what to configure where another one is."""
        found, configured = self._found_page_base(), self._options.page_base
        if found is None:
            return f"{self.page_base()}; there is no call to find out by"
        return str(found) if configured in (None, found) else f"{found}; set page_base = {found}"

    def time_unit(self) -> str:
        """The unit of `from` and `to`: the version's, as configured, else found out once; else none."""
        for known in (self._options.version.time_unit, self._options.time_unit):
            if known != "auto":
                return known
        if "time_unit" not in self._findings:
            found = self._found_time_unit()
            if found is None:
                return "none"
            self._findings["time_unit"] = found
        return self._findings["time_unit"]

    def _found_page_base(self) -> int | None:
        """0 where page 0 shows other calls than page 1, and 1 where it shows none or the same.

        None where that does not tell: while the account has no call, where one page is shown whatever is
        asked for, where asking for page 0 is a fault, and where a second look shows something else.
        """
        try:
            found = self._look_for_page_base()
            return found if found is not None and found == self._look_for_page_base() else None
        except Transient:
            return None

    def _look_for_page_base(self) -> int | None:
        zeroth, first = self._shown_at(0), self._shown_at(1)
        if zeroth and not _is_same(zeroth, first):
            return 0
        return 1 if first and not _is_same(first, self._shown_at(2)) else None

    def _shown_at(self, page: int) -> set[int]:
        size = min(self._client.page_size, PROBED_CALLS)
        try:
            return set(identities(self._calls(page, size=size, attempts=2)))
        except RequestRefused:
            return set()

    def _found_time_unit(self) -> str | None:
        """The unit in which a known call is found by its time, and not found by another time.

        None while the account has no call to ask for.
        """
        zone = zone_of(self._options.timezone)
        known = self._calls(self.page_base())
        times = [at for at in (time_of(record, zone) for record in known) if at is not None]
        if not times:
            return None
        there, elsewhere = times[0], min(times) - timedelta(days=36525)
        for unit, per_second in UNITS.items():
            if self._finds(there, per_second) and not self._finds(elsewhere, per_second):
                return unit
        return "none"

    def _finds(self, at: datetime, per_second: int) -> bool:
        wanted = {
            "from": max(0, int((at - SECOND).timestamp())) * per_second,
            "to": max(1, int((at + SECOND).timestamp())) * per_second,
        }
        try:
            return bool(self._calls(self.page_base(), wanted))
        except RequestRefused:
            return False

    def _calls(self, page: int, wanted: Mapping[str, Any] | None = None, **how: Any) -> list[bytes]:
        return self._client.page(self._list_path, page, {**self._phone, **(wanted or {})}, **how)


def _is_same(page: set[int], other: set[int]) -> bool:
    """Whether two questions were answered with one page: calls that come between them move only a few."""
    return 2 * len(page & other) >= len(page)
