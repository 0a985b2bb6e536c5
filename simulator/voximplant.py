"""Voximplant's Management API: signed tokens, forms, and errors that come with HTTP 200."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from simulator.clockwork import SECOND
from simulator.faults import FaultKind
from simulator.instants import Zone
from simulator.journal import Journal
from simulator.ledger import Document, Item, Key, Selection
from simulator.people import AGENTS
from simulator.provider import REMOVED, Provider, Setting, encoded, whole
from simulator.stream import CallStream
from simulator.voximplant_query import (
    BAD_PARAMETER,
    DEFAULT_COUNT,
    MAX_COUNT,
    MAX_IDS,
    MAX_OFFSET,
    PAGING,
    UNAUTHORIZED,
    UNKNOWN_COMMAND,
    VoximplantError,
    bounded,
    flag,
    instant,
    listed_values,
    local,
    tests,
)
from simulator.voximplant_records import (
    APPLICATIONS,
    FIRST_SESSION_ID,
    UTC_ZONE,
    Parts,
    Sessions,
    in_zone,
    user_number,
)
from simulator.web import Reply, Request, reply_json

_TOKEN_SECONDS = 3600
_TOKENS_KEPT = 10_000


class Voximplant(Provider[Sessions]):
    """Voximplant.

    Switches:
        answers_in_zone: the zone times are read and written in, whatever zone is asked for; None obeys.
        location: the account's own zone, used for `timezone=auto`.
        ripens_seconds: how long after its end a session gets its costs and its resource usage.
    """

    name = "voximplant"

    def __init__(self, setting: Setting, journal: Journal) -> None:
        self.ripens_seconds = 600
        accounts = iter(range(setting.accounts))
        base = f"{setting.url}/voximplant"

        def sessions(stream: CallStream) -> Sessions:
            account = next(accounts)
            return Sessions(stream, base, self._account_id(account))

        super().__init__(setting, sessions)
        self.answers_in_zone: str | None = None
        self.location = "Asia/Ho_Chi_Minh"
        self._journal = journal
        self._tokens: dict[str, tuple[int, int]] = {}
        self._refused: set[str] = set()
        self._zones: dict[str, Zone] = {}
        self._commands: dict[str, Callable[[int, Mapping[str, str], FaultKind | None], Reply]] = {
            "GetCallHistory": self._get_call_history,
            "GetAccountInfo": self._get_account_info,
            "GetApplications": self._get_applications,
            "GetUsers": self._get_users,
        }

    def describe(self, account: int) -> dict[str, Any]:
        """The base address, the host for the official client, and credentials.json."""
        return {
            "base_url": f"{self.setting.url}/voximplant/platform_api",
            "endpoint": f"{self.setting.host}/voximplant",
            "credentials": {
                "account_email": f"owner{account + 1}@example.com",
                "account_id": self._account_id(account),
                "key_id": self._key_id(account),
                "private_key": _key_pair(account)[0],
            },
        }

    def endpoint(self, request: Request) -> str:
        """The command."""
        if "/platform_api" not in request.path:
            return "recording"
        return self._command(request, self._parameters(request))

    def account(self, request: Request) -> int | None:
        """Whose token it is, if it is signed, not expired and made for at most an hour."""
        token = request.bearer
        if token in self._refused:
            return None
        if token not in self._tokens:
            verified = self._verified(token)
            if verified is None:
                return None
            if len(self._tokens) >= _TOKENS_KEPT:
                self._tokens.clear()
            self._tokens[token] = verified
            self._journal.tokens_minted[self.name] += 1
        account, expires_at = self._tokens[token]
        return account if expires_at > time.time() else None

    def refuse_tokens(self) -> None:
        """Refuse every token seen so far."""
        self._refused.update(self._tokens)
        self._tokens.clear()

    def error_reply(self) -> Reply:
        """An error object."""
        return _error(500, "Internal error")

    def handle(self, request: Request) -> Reply:
        """Answer a request."""
        if "/platform_api" not in request.path:
            return self._file(request)
        try:
            parameters = self._parameters(request)
            command = self._command(request, parameters)
            if command not in self._commands:
                raise VoximplantError(UNKNOWN_COMMAND, f"Unknown command '{command}'")
            account = self.account(request)
            if account is None or request.fault is FaultKind.EXPIRED_TOKEN:
                raise VoximplantError(UNAUTHORIZED, "Authorization failed")
            return self._commands[command](account, parameters, request.fault)
        except VoximplantError as error:
            return _error(error.code, error.message)

    def _file(self, request: Request) -> Reply:
        _, _, kind, name = [*request.path.split("/", 3), "", ""][:4]
        if kind in ("secure", "logs") and self.account(request) is None:
            return reply_json({"error": {"code": UNAUTHORIZED, "msg": "Authorization failed"}}, 401)
        if kind == "logs":
            return Reply(f"Session {name}: Normal termination\n".encode(), content_type="text/plain")
        if kind not in ("secure", "records"):
            return reply_json({"error": {"code": UNKNOWN_COMMAND, "msg": "No such file"}}, 404)
        return self.setting.recordings.reply(request, name)

    def _get_call_history(self, account: int, asked: Mapping[str, str], fault: FaultKind | None) -> Reply:
        size = bounded(asked, "count", DEFAULT_COUNT, MAX_COUNT)
        offset = bounded(asked, "offset", 0, MAX_OFFSET)
        zone = self._zone(self.answers_in_zone or asked.get("timezone") or UTC_ZONE.name)
        parts = Parts(
            calls=flag(asked, "with_calls", False),
            records=flag(asked, "with_records", False),
            resources=flag(asked, "with_other_resources", True),
        )
        selection = self._select(account, asked, zone)
        if fault in (FaultKind.ENDLESS, FaultKind.REPEATED_CURSOR):
            offset = 0
        items = self.ledgers[account].page(selection, offset, offset + size, flag(asked, "desc_order", False))
        if fault is FaultKind.EMPTY_PAGE:
            items = []
        if fault is FaultKind.SHORT_PAGE:
            items = items[: -(-len(items) // 2)]
        tail: Document = {"count": len(items), "timezone": zone.name}
        if flag(asked, "with_total_count", True):
            tail["total_count"] = len(selection)
        rows = self.written(
            items,
            lambda indexes: self.records[account].rows(indexes, parts, zone),
            lambda item: self._partial(account, item, parts, zone),
        )
        return Reply(f'{{"result":[{rows}],{encoded(tail)[1:]}'.encode())

    def _partial(self, account: int, item: Item, parts: Parts, zone: Zone) -> Document:
        shown: Document = in_zone(self.shown(account, item), zone)
        return {name: value for name, value in shown.items() if name not in parts.absent}

    def _select(self, account: int, asked: Mapping[str, str], zone: Zone) -> Selection:
        ids = [whole(text) for text in listed_values(asked, "call_session_history_id")]
        if len(ids) > MAX_IDS or None in ids:
            raise VoximplantError(BAD_PARAMETER, "The 'call_session_history_id' parameter is invalid")
        ledger = self.ledgers[account]
        first, last = (local(asked, name, zone) for name in ("from_date", "to_date"))
        if not ids and (first is None or last is None):
            missing = "from_date" if first is None else "to_date"
            raise VoximplantError(BAD_PARAMETER, f"The '{missing}' parameter is required")
        if "application_id" in asked and "application_name" in asked:
            raise VoximplantError(BAD_PARAMETER, "Set either 'application_id' or 'application_name'")
        wanted = list(tests(asked))
        filters = tuple(sorted((name, value) for name, value in asked.items() if name not in PAGING))

        def find() -> Selection:
            low = 0 if first is None else ledger.at(first)
            high = len(ledger) if last is None else ledger.at(last + SECOND)
            if flag(asked, "children_calls_only", False):
                return Selection([])
            if ids:
                found = [ledger.find(str(number), self._index(account, str(number))) for number in ids]
                places = sorted({ledger.position(ledger.key(item)) for item in found if item is not None})
                chosen = Selection.of_positions(place for place in places if low <= place < high)
            else:
                chosen = Selection([(low, high)])
            return self.narrowed(account, chosen, wanted)

        return ledger.select((zone.name, filters), find)

    def _get_account_info(self, account: int, asked: Mapping[str, str], fault: FaultKind | None) -> Reply:
        return reply_json(
            {
                "result": {
                    "account_id": self._account_id(account),
                    "account_name": f"company{account + 1}",
                    "account_email": f"owner{account + 1}@example.com",
                    "api_key": self.setting.secret(self.name, account, "api_key")[:36],
                    "callback_salt": self.setting.secret(self.name, account, "salt")[:16],
                    "api_address": self.setting.host,
                    "active": True,
                    "balance": 1250.75,
                    "currency": "USD",
                    "location": self.location,
                    "created": "2024-03-01 08:00:00",
                }
            }
        )

    def _get_applications(self, account: int, asked: Mapping[str, str], fault: FaultKind | None) -> Reply:
        return _listed(
            [
                {
                    "application_id": application.id,
                    "application_name": application.name,
                    "modified": "2025-01-02 03:04:05",
                    "secure_record_storage": application.secure,
                }
                for application in APPLICATIONS
            ],
            asked,
        )

    def _get_users(self, account: int, asked: Mapping[str, str], fault: FaultKind | None) -> Reply:
        if not {"application_id", "application_name"} & asked.keys():
            raise VoximplantError(BAD_PARAMETER, "The 'application_id' parameter is required")
        return _listed(
            [
                {
                    "user_id": user_number(agent.number),
                    "user_name": agent.login,
                    "user_display_name": agent.name,
                    "user_active": True,
                    "balance": 0.0,
                    "acd_status": "READY",
                    "created": "2025-01-02 03:04:05",
                    "modified": "2025-01-02 03:04:05",
                }
                for agent in AGENTS
            ],
            asked,
        )

    def _parameters(self, request: Request) -> dict[str, str]:
        return {**request.query, **(request.form() if request.method == "POST" else {})}

    def _command(self, request: Request, parameters: Mapping[str, str]) -> str:
        return request.path.partition("/platform_api")[2].strip("/") or parameters.get("cmd", "")

    def _verified(self, token: str) -> tuple[int, int] | None:
        """The account and the end of a token, or None for a token that is not good."""
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            account = next(
                number for number in range(self.setting.accounts) if self._key_id(number) == key_id
            )
            claims = jwt.decode(
                token,
                _key_pair(account)[1],
                algorithms=["RS256"],
                options={"require": ["iss", "iat", "exp"], "verify_iss": False, "verify_aud": False},
            )
        except (jwt.PyJWTError, StopIteration):
            return None
        lives = claims["exp"] - claims["iat"]
        good = str(claims["iss"]) == str(self._account_id(account)) and 0 < lives <= _TOKEN_SECONDS
        return (account, int(claims["exp"])) if good else None

    def _zone(self, name: str) -> Zone:
        if name == "auto":
            name = self.location
        if name not in self._zones:
            try:
                self._zones[name] = Zone(name)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise VoximplantError(BAD_PARAMETER, "The 'timezone' parameter is invalid") from None
        return self._zones[name]

    def _account_id(self, account: int) -> int:
        return 8_400_000 + account

    def _key_id(self, account: int) -> str:
        digits = self.setting.secret(self.name, account, "key_id")
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))

    def _index(self, account: int, record_id: str) -> int | None:
        index = int(record_id) - FIRST_SESSION_ID if record_id.isdigit() else -1
        return index if 0 <= index < len(self.records[account].stream) else None

    def _id_of(self, document: Document) -> str:
        return str(document["call_session_history_id"])

    def _key_of(self, document: Document) -> Key:
        return instant(document["start_date"], UTC_ZONE), int(document["call_session_history_id"])

    def _end(self, document: Document) -> int:
        return instant(document["start_date"], UTC_ZONE) + int(document.get("duration") or 0) * SECOND

    def _unripe(self, document: Document, age_us: int) -> Document:
        running = age_us < 0
        billed = {"cost", "duration", "end_reason", "record_url"} if running else {"cost"}
        fields: Document = {
            "calls": [
                {name: value for name, value in leg.items() if name not in billed}
                | ({"successful": False} if running else {})
                for leg in document.get("calls", ())
            ],
            "records": []
            if running
            else [
                {name: value for name, value in record.items() if name != "cost"}
                for record in document.get("records", ())
            ],
            "other_resource_usage": [],
        }
        return fields | ({"duration": REMOVED, "finish_reason": REMOVED} if running else {})

    def _legless(self, document: Document, keep: int) -> Document:
        return {"calls": document["calls"][:keep]}


@lru_cache
def _key_pair(account: int) -> tuple[str, rsa.RSAPublicKey]:
    """The service key of an account: made once a process, since making one takes a tenth of a second."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), key.public_key()


def _error(code: int, message: str) -> Reply:
    return reply_json({"error": {"code": code, "msg": message}})


def _listed(rows: list[Document], asked: Mapping[str, str]) -> Reply:
    offset = bounded(asked, "offset", 0, MAX_OFFSET)
    part = rows[offset : offset + bounded(asked, "count", DEFAULT_COUNT, MAX_COUNT)]
    return reply_json({"result": part, "total_count": len(rows), "count": len(part)})
