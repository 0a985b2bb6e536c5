"""eTelecom's shop and partner API: JSON to `{base}.{Service}/{Method}`, errors as Twirp writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simulator.clockwork import SECOND
from simulator.etelecom_query import (
    Cursor,
    TwirpError,
    body,
    created_at,
    cursor_of,
    instant,
    just_after,
    table,
    tests,
    window_of,
)
from simulator.etelecom_records import (
    NO_TIME,
    RECORDING_SECONDS,
    CallLogs,
    extension_id,
    hotline_id,
    index_bits,
    user_id,
)
from simulator.faults import FaultKind
from simulator.instants import VIETNAM_SECONDS, iso
from simulator.ledger import Document, Held, Item, Key, Selection
from simulator.people import AGENTS, HOTLINES
from simulator.provider import Provider, Setting, encoded, whole
from simulator.web import Reply, Request, reply_json

SERVICES = ("Etelecom", "Interits", "Sencloud")
"""The service's own name and those of its white labels."""

_NEWEST_FIRST = "-started_at"
_SORTS = ("-started_at", "started_at", "-created_at", "created_at", "-updated_at", "updated_at")
_LATEST_CREATED_US = 2_200 * SECOND
"""No row of the stream is inserted later than this after its call began."""


class Etelecom(Provider[CallLogs]):
    """eTelecom.

    Switches:
        max_limit: the most rows of a page.
        ripens_seconds: how long after its end a call gets its recording.
    """

    name = "etelecom"
    ripens_seconds = RECORDING_SECONDS

    def __init__(self, setting: Setting, max_limit: int = 100) -> None:
        super().__init__(setting, lambda stream: CallLogs(stream, f"{setting.url}/etelecom/recordings"))
        self.max_limit = max_limit
        self._turn = 0
        self._keys = {
            (base, key): account
            for account in range(setting.accounts)
            for base, key in zip(("shop", "partner"), self._secrets(account), strict=True)
        }
        shop_methods: dict[str, Callable[[int, Request], Reply]] = {
            "ListCallLogs": self._list_call_logs,
            "GetExtensions": self._get_extensions,
            "GetPartnerHotlineList": self._get_hotlines,
        }
        self._methods: dict[str, Callable[[int, Request], Reply]] = {
            f"{service}/{method}": answer for service in SERVICES for method, answer in shop_methods.items()
        }
        self._methods["Misc/CurrentAccount"] = self._current_account

    def describe(self, account: int) -> dict[str, Any]:
        """The base addresses and keys of a shop: its own and the one a partner holds."""
        base = f"{self.setting.url}/etelecom/v1"
        shop, partner = self._secrets(account)
        return {
            "base_url": f"{base}/shop",
            "api_key": shop,
            "partner": {"base_url": f"{base}/partner", "api_key": partner},
        }

    def endpoint(self, request: Request) -> str:
        """The method's name."""
        return "recording" if "/recordings/" in request.path else request.path.rpartition("/")[2]

    def account(self, request: Request) -> int | None:
        """Whose key it is; a shop's key is good at the shop base, a partner's at the partner base."""
        base = request.path.removeprefix("/etelecom/v1/").partition(".")[0]
        return self._keys.get((base, request.bearer))

    def error_reply(self) -> Reply:
        """An internal error with the wrong status."""
        return reply_json({"code": "internal", "msg": "internal error"})

    def handle(self, request: Request) -> Reply:
        """Answer a request."""
        if request.path.startswith("/etelecom/recordings/"):
            return self.setting.recordings.reply(request, request.path)
        try:
            return self._answer(request)
        except TwirpError as error:
            return error.reply()

    def _answer(self, request: Request) -> Reply:
        _, _, method = request.path.partition(".")
        if request.method != "POST":
            raise TwirpError("bad_route", f"unsupported method {request.method!r} (only POST is allowed)")
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise TwirpError("bad_route", "unexpected Content-Type")
        if method not in self._methods:
            raise TwirpError("bad_route", f"no handler for path {request.path!r}")
        account = self.account(request)
        if account is None or request.fault is FaultKind.EXPIRED_TOKEN:
            raise TwirpError("unauthenticated", "unauthenticated")
        return self._methods[method](account, request)

    def _list_call_logs(self, account: int, request: Request) -> Reply:
        asked = body(request)
        paging = table(asked, "paging")
        limit = whole(paging.get("limit", 0)) or 0
        limit = limit if 0 < limit <= self.max_limit else self.max_limit
        sort = paging.get("sort") or _NEWEST_FIRST
        after, before = (cursor_of(paging, name) for name in ("after", "before"))
        if sort not in _SORTS:
            raise TwirpError("invalid_argument", f"sort by {sort} is not supported")
        if after and before:
            raise TwirpError("invalid_argument", "after and before can not both be set")
        if request.fault in (FaultKind.ENDLESS, FaultKind.EMPTY_PAGE):
            after = before = None
        descending = sort.startswith("-")
        for cursor in (after, before):
            # created_at and updated_at are accepted but name no column, so a cursor never fits them.
            if cursor and (cursor.descending != descending or not sort.endswith("started_at")):
                raise TwirpError("invalid_argument", "cursor does not match sort")
        items = self._page(account, table(asked, "filter"), limit, after, before, descending)
        if request.fault is FaultKind.EMPTY_PAGE:
            items = []
        if request.fault is FaultKind.SHORT_PAGE:
            items = items[: -(-len(items) // 2)]
        following, previous = self._cursors(account, items, descending, request.fault, paging)
        self._turn += 1
        turn = self._turn
        rows = self.written(
            items,
            lambda indexes: self.records[account].rows(indexes, turn),
            lambda item: self._turned(account, item),
        )
        tail = {
            "after": paging.get("after") or "",
            "before": paging.get("before") or "",
            "limit": limit,
            "sort": sort,
            "next": following,
            "prev": previous,
        }
        return Reply(f'{{"call_logs":[{rows}],"paging":{encoded(tail)}}}'.encode())

    def _cursors(
        self,
        account: int,
        items: list[Item],
        descending: bool,
        fault: FaultKind | None,
        paging: Mapping[str, Any],
    ) -> tuple[str, str]:
        if not items:
            return "", ""
        first, last = (self.ledgers[account].key(item) for item in (items[0], items[-1]))
        following = Cursor(last, descending).text()
        if fault is FaultKind.ENDLESS:
            following = Cursor((last[0], last[1] + self._turn), descending).text()
        if fault is FaultKind.REPEATED_CURSOR:
            following = paging.get("after") or following
        return following, Cursor(first, descending).text()

    def _page(
        self,
        account: int,
        wanted: Mapping[str, Any],
        limit: int,
        after: Cursor | None,
        before: Cursor | None,
        descending: bool,
    ) -> list[Item]:
        ledger = self.ledgers[account]
        selection = ledger.select(encoded(dict(wanted)), lambda: self._select(account, wanted))
        start, stop = 0, limit
        if after:
            place = selection.rank(ledger.position(after.key))
            # The record of the cursor itself belongs to the page before.
            start = (
                len(selection) - place
                if descending
                else selection.rank(ledger.position(just_after(after.key)))
            )
            stop = start + limit
        elif before:
            above = selection.rank(ledger.position(just_after(before.key)))
            stop = len(selection) - above if descending else selection.rank(ledger.position(before.key))
            start = max(0, stop - limit)
        return ledger.page(selection, start, stop, newest_first=descending)

    def _select(self, account: int, wanted: Mapping[str, Any]) -> Selection:
        everything = Selection([(0, len(self.ledgers[account]))])
        window = window_of(wanted)
        runs = everything if window is None else self._in_window(account, *window)
        return self.narrowed(account, runs, list(tests(wanted)))

    def _in_window(self, account: int, first: int, last: int) -> Selection:
        """The rows created in [first, last], though the list is in order of started_at.

        started_at   first − latest      first          last − latest        last
                     |  look at created  |  all of them |  look at created   |   only rows added late
        """
        ledger = self.ledgers[account]
        edges = [
            ledger.at(moment)
            for moment in (first - _LATEST_CREATED_US, first, last - _LATEST_CREATED_US, last + 1)
        ]
        edges[2] = max(edges[1], edges[2])
        positions = [
            *self._created_in(account, edges[0], edges[1], first, last),
            *self._created_in(account, edges[2], edges[3], first, last),
        ]
        held = [
            (position, first <= created_at(item.document) <= last)
            for position, item in ledger.held_positions()
        ]
        sure = _without(edges[1], edges[2], [position for position, _ in held])
        chosen = set(positions) | {position for position, inside in held if inside}
        runs = sorted([*sure, *((position, position + 1) for position in chosen)])
        return Selection(_joined(runs))

    def _created_in(self, account: int, low: int, high: int, first: int, last: int) -> Iterator[int]:
        records = self.records[account]
        for position, item in enumerate(self.ledgers[account].items(low, high), low):
            if not isinstance(item, Held) and first <= records.created(item) <= last:
                yield position

    def _turned(self, account: int, item: Item) -> Document:
        shown = self.shown(account, item)
        targets = shown.get("call_targets")
        if isinstance(targets, list) and targets:
            cut = self._turn % len(targets)
            shown["call_targets"] = targets[cut:] + targets[:cut]
        return shown

    def _current_account(self, account: int, request: Request) -> Reply:
        return reply_json(
            {"id": self._account_id(account), "name": f"Cửa hàng {account + 1}", "type": "shop"}
        )

    def _get_extensions(self, account: int, request: Request) -> Reply:
        extensions = [
            {
                "id": extension_id(agent.number),
                "extension_number": agent.extension,
                "extension_password": self.setting.secret(self.name, account, agent.number)[:16],
                "user_id": user_id(agent.number),
                "account_id": self._account_id(account),
                "hotline_id": hotline_id(agent.number % len(HOTLINES)),
                "tenant_id": "1173000000000000001",
                "tenant_domain": f"shop{account + 1}.example.vn",
                "state": "P",
                "created_at": "2025-01-02T10:00:00.123456+07:00",
                "updated_at": "2025-01-02T10:00:00.123456+07:00",
                "expires_at": NO_TIME,
                "subscription_id": "0",
            }
            for agent in AGENTS
        ]
        return reply_json(
            {"extensions": extensions, "paging": {"limit": self.max_limit, "next": "", "prev": ""}}
        )

    def _get_hotlines(self, account: int, request: Request) -> Reply:
        hotlines = [
            {
                "id": hotline_id(hotline.number),
                "hotline": hotline.digits,
                "name": hotline.name,
                "network": "viettel",
                "owner_id": self._account_id(account),
                "connection_id": "0",
                "connection_method": "direct",
                "status": "P",
                "is_free_charge": False,
                "description": "",
                "created_at": "2025-01-02T10:00:00.123456+07:00",
                "updated_at": "2025-01-02T10:00:00.123456+07:00",
            }
            for hotline in HOTLINES
        ]
        return reply_json({"hotlines": hotlines, "paging": {"limit": self.max_limit, "next": "", "prev": ""}})

    def _account_id(self, account: int) -> str:
        return str(1_169_000_000_000_000_000 + self.setting.seed % 1000 * 1_000_003 + account)

    def _secrets(self, account: int) -> tuple[str, str]:
        number = self._account_id(account)
        secrets = [self.setting.secret(self.name, account, base) for base in ("shop", "partner")]
        return f"{number}:{secrets[0]}", f"shop{number}:{secrets[1]}"

    def _index(self, account: int, record_id: str) -> int | None:
        if not record_id.isdigit():
            return None
        index = index_bits(int(record_id))
        known = index < len(self.records[account].stream) and self.records[account].id_number(index) == int(
            record_id
        )
        return index if known else None

    def _id_of(self, document: Document) -> str:
        return str(document["id"])

    def _key_of(self, document: Document) -> Key:
        return instant(document["started_at"]), int(document["id"])

    def _end(self, document: Document) -> int:
        return instant(document["ended_at"])

    def _unripe(self, document: Document, age_us: int) -> Document:
        if age_us >= 0:
            return {"recording_urls": []}
        return {
            "call_state": "unknown",
            "call_status": "NS",
            "ended_at": NO_TIME,
            "duration": 0,
            "recording_urls": [],
            "call_targets": [],
            "updated_at": document["created_at"],
        }

    def _touch(self) -> Document:
        seconds, fraction = divmod(self.setting.clock.us, SECOND)
        return {"updated_at": f"{iso(seconds + VIETNAM_SECONDS)}.{fraction:06d}+07:00"}

    def _legless(self, document: Document, keep: int) -> Document:
        return {"call_targets": document["call_targets"][:keep]}


def _without(low: int, high: int, holes: list[int]) -> Iterator[tuple[int, int]]:
    for hole in holes:
        if low <= hole < high:
            yield low, hole
            low = hole + 1
    yield low, high


def _joined(runs: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Neighbouring runs as one."""
    low = high = 0
    for left, right in runs:
        if left >= right:
            continue
        if left != high:
            yield low, high
            low = left
        high = right
    yield low, high
