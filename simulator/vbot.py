"""VBot's API: v3 with a key (m-cdr), v2 and v1 with tokens that expire; all three show the same calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

from simulator.clockwork import SECOND
from simulator.faults import FaultKind
from simulator.journal import Journal
from simulator.ledger import Document, Held, Item, Key, Selection
from simulator.people import AGENTS, HOTLINES
from simulator.provider import Provider, Setting, unspoilt
from simulator.vbot_query import DEFAULT_SIZE, VbotError, body, number, numbers, part, tests
from simulator.vbot_records import RECORDING_SECONDS, Calls, Legacy, index_of, legs
from simulator.web import Reply, Request, reply_json

_VERSIONS = ("v3", "v2", "v1")


@dataclass(frozen=True)
class _Token:
    account: int
    expires_at: float
    refreshes: bool


class Vbot(Provider[Calls]):
    """VBot.

    Switches:
        max_size: the most records of a page, whatever size is asked for.
        expires_in: seconds an access token of v1 and v2 is good for.
        time_unit: the unit of v2's from and to; "none" ignores them.
        repeats_last_page: v1 and v2 answer a page behind the end with the last one.
        sample_types: v1 and v2 say INCALL and OUTCALL.
    """

    name = "vbot"
    ripens_seconds = RECORDING_SECONDS

    def __init__(self, setting: Setting, journal: Journal) -> None:
        super().__init__(setting, Calls)
        self.max_size = 100
        self.expires_in = 899.0
        self.time_unit: Literal["s", "ms", "none"] = "s"
        self.repeats_last_page = False
        self.sample_types = False
        self._journal = journal
        self._minted = count()
        self._tokens: dict[str, _Token] = {}
        self._keys = {self._key(account): account for account in range(setting.accounts)}
        self._members = {self._member(account): account for account in range(setting.accounts)}

    def describe(self, account: int) -> dict[str, Any]:
        """The base address and key of v3, and what each version takes."""
        user, password = self._member(account)
        legacy = {"username": user, "password": password} | self._group(account)
        versions: dict[str, Any] = {
            version: {"base_url": f"{self.setting.url}/vbot/{version}.0"}
            | ({} if version == "v3" else legacy)
            for version in _VERSIONS
        }
        versions["v3"]["api_key"] = self._key(account)
        return {**versions["v3"], "versions": versions}

    def endpoint(self, request: Request) -> str:
        """The last two parts of the path, or the last where that says enough."""
        parts = request.path.split("/")[3:]
        if "record" in parts:
            return "record"
        return "/".join(parts[-2:])

    def account(self, request: Request) -> int | None:
        """Whose key or living token it is."""
        if request.path.startswith("/vbot/v3.0/"):
            return self._keys.get(request.headers.get("x-api-key", ""))
        token = self._tokens.get(request.bearer)
        return (
            token.account
            if token and not token.refreshes and token.expires_at > self.setting.timer()
            else None
        )

    def refuse_tokens(self) -> None:
        """Let every access token be expired; refresh tokens stay good."""
        self._tokens = {text: token for text, token in self._tokens.items() if token.refreshes}

    def error_reply(self) -> Reply:
        """An error in the envelope."""
        return reply_json({"error": 500, "message": "Internal server error", "data": None})

    def truth(self, account: int = 0, version: str | None = None) -> list[Document]:
        """Every record as a version shows it now, oldest first."""
        return self._read_as(account, list(self.ledgers[account].items()), version or "v3")

    def handle(self, request: Request) -> Reply:
        """Answer a request."""
        _, _, base, path = [*request.path.split("/", 3), "", ""][:4]
        version = base.removesuffix(".0")
        try:
            if version not in _VERSIONS:
                raise VbotError(404, "Not found", 404)
            if path == "token" and version != "v3":
                return self._token(request)
            return self._answer(request, version, path)
        except VbotError as error:
            envelope = {"error": error.code, "message": error.message, "data": None}
            return reply_json({"status": 0} | envelope if version == "v1" else envelope, error.status)

    def _answer(self, request: Request, version: str, path: str) -> Reply:
        account = self.account(request)
        if account is None or request.fault is FaultKind.EXPIRED_TOKEN:
            # m-cdr answers 409 for a bad key.
            raise VbotError(409, "Invalid key") if version == "v3" else VbotError(401, "Unauthorized", 401)
        if request.method != "GET":
            raise VbotError(404, "Not found", 404)
        # v1 documents its parameters as the JSON body of the GET.
        asked = body(request) if version == "v1" else request.query
        if "/record" in f"/{path}":
            return self._recording(account, request, path)
        if path.startswith("m-cdr/") and version == "v3":
            return self._m_cdr(account, request, path.removeprefix("m-cdr/api/call/"))
        if version != "v3":
            self._check_group(account, asked)
        answers: dict[str, Callable[[], object]] = {
            "api/crm/historycall/getAll": lambda: self._history(account, asked, version, request.fault),
            "api/crm/historycall/countAll": lambda: len(self._legacy_selection(account, asked, version)),
            "api/hotline/getAll": self._hotlines,
            "api/member/getAll": lambda: part(self._all_members(), asked),
            "api/member/countAll": lambda: len(AGENTS),
            "api/account/balance": lambda: 1_250_000.5,
        }
        if path not in answers:
            raise VbotError(404, "Not found", 404)
        return _success(answers[path](), version)

    def _m_cdr(self, account: int, request: Request, method: str) -> Reply:
        asked = request.query
        if method == "get-detail":
            item = self._find_any(account, asked.get("group_id", ""))
            return _success(legs(self.shown(account, item)))
        if method not in ("get-all", "count-all"):
            raise VbotError(404, "Not found", 404)
        bounds = [number(asked, name, -1) for name in ("from", "to")]
        first, last = (bound * 1000 if bound >= 0 else None for bound in bounds)
        wanted = list(tests(asked))
        query = (
            "v3",
            *sorted((name, value) for name, value in asked.items() if name not in ("page", "size")),
        )
        selection = self._select(account, query, first, None if last is None else last + 1000, wanted)
        if method == "count-all":
            return _success(len(selection))
        page = number(asked, "page", 0)
        if page < 0:
            raise VbotError(-1, "page is invalid")
        items = self._page(account, selection, page, self._size(asked, DEFAULT_SIZE), request.fault)
        rows = self.written(items, self.records[account].rows, lambda item: self.shown(account, item))
        return Reply(f'{{"error":0,"message":"success","data":[{rows}]}}'.encode())

    def _history(
        self, account: int, asked: Mapping[str, Any], version: str, fault: FaultKind | None
    ) -> object:
        selection = self._legacy_selection(account, asked, version)
        size = self._size(asked, DEFAULT_SIZE)
        page = max(0, number(asked, "page", 1) - 1)
        if self.repeats_last_page:
            page = min(page, max(0, (len(selection) - 1) // size))
        shape = "v1" if version == "v1" else "v2"
        return self._read_as(account, self._page(account, selection, page, size, fault), shape) or None

    def _legacy_selection(self, account: int, asked: Mapping[str, Any], version: str) -> Selection:
        phone = str(asked.get("phone") or "")
        first = last = None
        if version != "v1" and self.time_unit != "none":
            unit = SECOND if self.time_unit == "s" else 1000
            bounds = [number(asked, name, -1) for name in ("from", "to")]
            first, last = (bound * unit if bound >= 0 else None for bound in bounds)
            last = None if last is None else last + unit
        wanted: list[Callable[[Document], bool]] = []
        if phone:
            wanted.append(lambda shown: phone in numbers(shown))
        return self._select(account, ("legacy", phone, first, last), first, last, wanted)

    def _select(
        self,
        account: int,
        query: object,
        first: int | None,
        last: int | None,
        wanted: list[Callable[[Document], bool]],
    ) -> Selection:
        ledger = self.ledgers[account]

        def find() -> Selection:
            low = 0 if first is None else ledger.at(first)
            high = len(ledger) if last is None else ledger.at(last)
            return self.narrowed(account, Selection([(low, high)]), wanted)

        return ledger.select(query, find)

    def _page(
        self, account: int, selection: Selection, page: int, size: int, fault: FaultKind | None
    ) -> list[Item]:
        if fault in (FaultKind.ENDLESS, FaultKind.REPEATED_CURSOR):
            page = 0
        items = self.ledgers[account].page(selection, page * size, (page + 1) * size, newest_first=True)
        if fault is FaultKind.EMPTY_PAGE:
            return []
        return items[: -(-len(items) // 2)] if fault is FaultKind.SHORT_PAGE else items

    def _size(self, asked: Mapping[str, Any], default: int) -> int:
        return min(max(1, number(asked, "size", default)), self.max_size)

    def _read_as(self, account: int, items: list[Item], version: str) -> list[Document]:
        """Records in the shape of a version."""
        if version == "v3":
            return self.read(account, items)
        legacy = Legacy(
            f"{self.setting.url}/vbot/{version}.0/api/crm/historycall/record",
            self._group(account)["vbot_id"],
            self.sample_types,
        )
        write = legacy.v1 if version == "v1" else legacy.v2
        # What is spoilt is spoilt as it is sent, so the v3 record it is made from stays whole.
        spoilt = [item.spoilt if isinstance(item, Held) else {} for item in items]
        return [
            self.without_removed(write(document) | fields)
            for document, fields in zip(self.read(account, list(map(unspoilt, items))), spoilt, strict=True)
        ]

    def _recording(self, account: int, request: Request, path: str) -> Reply:
        wanted = request.query.get("trans_id") or path.rpartition("/")[2]
        item = self._find_any(account, wanted)
        if not self.shown(account, item).get("is_record"):
            raise VbotError(404, "Not found", 404)
        return self.setting.recordings.reply(request, wanted)

    def _find_any(self, account: int, record_id: str) -> Item:
        """The call of a group_id or of a trans_id."""
        for candidate in (record_id, record_id[:-2]):
            item = self.ledgers[account].find(candidate, self._index(account, candidate))
            if item is not None:
                return item
        raise VbotError(404, "Not found", 404)

    def _token(self, request: Request) -> Reply:
        form = request.form() if request.method == "POST" else {}
        if form.get("grant_type") == "password":
            account = self._members.get((form.get("username", ""), form.get("password", "")))
        elif form.get("grant_type") == "refresh_token":
            known = self._tokens.get(form.get("refresh_token", ""))
            account = known.account if known and known.refreshes else None
        else:
            account = None
        if account is None:
            return reply_json(
                {"error": "invalid_grant", "error_description": "The credentials are incorrect."}, 400
            )
        turn = next(self._minted)
        access, refresh = (
            self.setting.secret(self.name, account, kind, turn) for kind in ("access", "refresh")
        )
        self._tokens[access] = _Token(account, self.setting.timer() + self.expires_in, refreshes=False)
        self._tokens[refresh] = _Token(account, 0.0, refreshes=True)
        self._journal.tokens_minted[self.name] += 1
        return reply_json(
            {
                "access_token": access,
                "token_type": "bearer",
                "expires_in": int(self.expires_in),
                "refresh_token": refresh,
            }
        )

    def _check_group(self, account: int, asked: Mapping[str, Any]) -> None:
        for name, value in self._group(account).items():
            if not asked.get(name):
                raise VbotError(-1, f"{name} is required")
            if str(asked[name]) != value:
                raise VbotError(403, f"{name} is not yours")

    def _hotlines(self) -> object:
        return [
            {
                "hotline_name": hotline.name,
                "hotline_number": hotline.digits,
                "hotline_code": f"HL{hotline.number + 1}",
                "hotline_type": "HOTLINE" if hotline.number else "ALIAS",
            }
            for hotline in HOTLINES
        ]

    def _all_members(self) -> list[Document]:
        return [
            {
                "member_no": agent.member_no,
                "member_name": agent.name,
                "member_type": "SIP",
                "member_ext_number": agent.extension,
                "member_status": "ACTIVE",
                "member_money": 0.0,
                "member_color": "#3366cc",
                "expiration_date": "12/31/2027 23:59:59",
            }
            for agent in AGENTS
        ]

    def _key(self, account: int) -> str:
        return self.setting.secret(self.name, account, "key")[:40]

    def _member(self, account: int) -> tuple[str, str]:
        return f"admin{account + 1}@example.vn", self.setting.secret(self.name, account, "password")[:20]

    def _group(self, account: int) -> dict[str, str]:
        return {"vbot_id": f"VB{7000 + account}", "project_code": f"PRJ{100 + account}"}

    def _index(self, account: int, record_id: str) -> int | None:
        index = index_of(record_id)
        if index is None or index >= len(self.records[account].stream):
            return None
        return index if self.records[account].document(index)["group_id"] == record_id else None

    def _id_of(self, document: Document) -> str:
        return str(document["group_id"])

    def _key_of(self, document: Document) -> Key:
        return int(document["create_at"]) * 1000, index_of(str(document["group_id"])) or 0

    def _end(self, document: Document) -> int:
        return (int(document["create_at"]) + int(document["duration"]) * 1000) * 1000

    def _unripe(self, document: Document, age_us: int) -> Document:
        return {"is_record": False, "postage": 0.0}

    def _legless(self, document: Document, keep: int) -> Document:
        return {name: None for number, name in enumerate(("caller_info", "callee_info")) if number >= keep}


def _success(data: object, version: str = "v3") -> Reply:
    envelope = {"error": 0, "message": "success", "data": data}
    return reply_json({"status": 1} | envelope if version == "v1" else envelope)
