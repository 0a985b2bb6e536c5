"""What goes between the HTTP server and a provider: a request, a reply, and the switch a fault throws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl

import orjson

from simulator.faults import FaultKind

JSON = "application/json"


@dataclass(frozen=True)
class Request:
    """An HTTP request; header names are lower case, `fault` is what the provider is to do wrong."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    fault: FaultKind | None = None

    def failing(self, fault: FaultKind) -> Request:
        """The same request, to be answered wrongly."""
        return replace(self, fault=fault)

    @property
    def bearer(self) -> str:
        """The token of the Authorization header, or nothing."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    @property
    def parameters(self) -> str:
        """What is asked: the body, or else the query."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return self.body.decode(errors="replace") or query

    @property
    def text(self) -> str:
        """What is asked of whom, without who asks."""
        return f"{self.method} {self.path} {self.parameters}"

    def form(self) -> dict[str, str]:
        """The fields of an urlencoded or multipart body."""
        kind = self.headers.get("content-type", "")
        if not kind.lower().startswith("multipart/form-data"):
            return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))
        message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + self.body)
        fields = {}
        for part in message.walk():
            name = part.get_param("name", header="content-disposition")
            payload = part.get_payload(decode=True)
            if isinstance(name, str) and isinstance(payload, bytes):
                fields[name] = payload.decode()
        return fields

    def json(self) -> Any:
        """The body as JSON; an empty body is an empty object.

        Raises:
            orjson.JSONDecodeError: the body is no JSON.
        """
        return orjson.loads(self.body) if self.body else {}


@dataclass(frozen=True)
class Reply:
    """An HTTP reply; one that does not say its length comes in chunks."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    says_length: bool = True


def reply_json(document: object, status: int = 200) -> Reply:
    """A reply with a JSON body."""
    return Reply(orjson.dumps(document), status)
