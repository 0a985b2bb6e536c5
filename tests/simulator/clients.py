"""Small clients of the three APIs, made from the providers' documents, knowing nothing of callsync."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt

from simulator import Simulator


class Etelecom:
    """A shop that asks for its call logs."""

    def __init__(self, simulator: Simulator, http: httpx.Client, account: int = 0) -> None:
        self.http = http
        self.found = simulator.credentials("etelecom", account=account)

    def post(
        self, method: str, body: object, key: str | None = None, base: str | None = None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key or self.found['api_key']}"}
        return self.http.post(f"{base or self.found['base_url']}.{method}", json=body, headers=headers)

    def page(self, paging: dict[str, Any] | None = None, **wanted: Any) -> dict[str, Any]:
        reply = self.post("Etelecom/ListCallLogs", {"filter": wanted, "paging": paging or {}})
        assert reply.status_code == 200, reply.text
        page: dict[str, Any] = reply.json()
        return page

    def all(self, paging: dict[str, Any] | None = None, **wanted: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        after = ""
        while (page := self.page({**(paging or {}), "after": after}, **wanted))["call_logs"]:
            rows += page["call_logs"]
            after = page["paging"]["next"]
        return rows


class Vbot:
    """A member of a VBot group, by key (v3) or by token (v1, v2)."""

    def __init__(self, simulator: Simulator, http: httpx.Client, version: str, account: int = 0) -> None:
        self.http = http
        self.version = version
        self.found = simulator.credentials("vbot", version, account)
        self.token = ""

    def mint(self, **form: str) -> httpx.Response:
        given = {
            "grant_type": "password",
            "username": self.found["username"],
            "password": self.found["password"],
        }
        reply = self.http.post(f"{self.found['base_url']}/token", data=given | form)
        self.token = reply.json().get("access_token", "")
        return reply

    def get(self, path: str, **asked: Any) -> httpx.Response:
        url = f"{self.found['base_url']}/{path}"
        if self.version == "v3":
            return self.http.get(url, params=asked, headers={"X-API-Key": self.found["api_key"]})
        if not self.token:
            self.mint()
        headers = {"Authorization": f"Bearer {self.token}"}
        asked = {"vbot_id": self.found["vbot_id"], "project_code": self.found["project_code"]} | asked
        if self.version == "v1":
            return self.http.request("GET", url, json=asked, headers=headers)
        return self.http.get(url, params=asked, headers=headers)

    def all(self, **asked: Any) -> list[dict[str, Any]]:
        path = "m-cdr/api/call/get-all" if self.version == "v3" else "api/crm/historycall/getAll"
        rows: list[dict[str, Any]] = []
        page = 0 if self.version == "v3" else 1
        while part := self.get(path, page=page, size=100, **asked).json()["data"]:
            rows += part
            page += 1
        return rows


class Voximplant:
    """An account that signs its tokens."""

    def __init__(self, simulator: Simulator, http: httpx.Client, account: int = 0) -> None:
        self.http = http
        self.found = simulator.credentials("voximplant", account=account)
        self.token = self.sign()

    def sign(self, **claims: Any) -> str:
        credentials = self.found["credentials"]
        now = int(time.time())
        claims = {"iss": credentials["account_id"], "iat": now - 5, "exp": now + 600} | claims
        key, key_id = credentials["private_key"], credentials["key_id"]
        # PyJWT writes text issuers only, while other clients send numbers.
        text = {name: value for name, value in claims.items() if name != "iss"}
        encode: Callable[..., str] = jwt.encode
        return encode(text | {"iss": str(claims["iss"])}, key, algorithm="RS256", headers={"kid": key_id})

    def ask(self, command: str, **asked: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        reply = self.http.post(f"{self.found['base_url']}/{command}", data=asked, headers=headers)
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.json()
        return answer

    def history(self, **asked: Any) -> dict[str, Any]:
        window = {"from_date": "2026-01-01 00:00:00", "to_date": "2026-02-28 00:00:00"}
        return self.ask("GetCallHistory", **(window | asked))

    def all(self, **asked: Any) -> list[dict[str, Any]]:
        whole = {"with_calls": "true", "with_records": "true", "count": 100}
        rows: list[dict[str, Any]] = []
        while part := self.history(**whole, offset=len(rows), **asked)["result"]:
            rows += part
        return rows
