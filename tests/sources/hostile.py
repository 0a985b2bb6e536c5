"""Providers written from their documents alone, behind a server that speaks HTTP as unkindly as it may.

Nothing here is the simulator's: other headers, other chunks, other key orders, other cursors.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

Record = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request, its parameters taken from wherever they stand."""

    path: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Raw:
    """An answer that is sent as it stands: everything from the status line on; then the connection ends."""

    bytes: bytes


Answer = Callable[[Asked], Any]
"""A document, or `Raw`."""


def _length(body: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    yield body


def _chunked(body: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 Fine\r\ntransfer-encoding: chunked\r\nCONTENT-TYPE: text/plain;charset=x\r\n\r\n"
    for first in range(0, len(body), 997):
        part = body[first : first + 997]
        yield b"%x;note=odd\r\n%s\r\n" % (len(part), part)
    yield b"0\r\nX-Trailer: yes\r\n\r\n"


def _until_the_end(body: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.0 200 OK\r\nserver: old\r\n\r\n" + body


def _drops(body: bytes) -> Iterator[bytes]:
    head = b"HTTP/1.1 200 OK\r\nContent-Length:%d\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n" % len(body)
    for byte in head + body:
        yield bytes([byte])


STYLES: dict[str, tuple[Callable[[bytes], Iterator[bytes]], bool]] = {
    "plain": (_length, False),
    "chunks with extensions and trailers": (_chunked, False),
    "HTTP/1.0 without a length": (_until_the_end, True),
    "a connection an answer, unsaid": (_length, True),
    "byte by byte": (_drops, False),
}
"""How the bytes of an answer travel, and whether the connection ends behind them."""


@contextmanager
def hostile(answer: Answer, style: str = "plain") -> Iterator[str]:
    """Serve answers on loopback; the address."""
    send, ends = STYLES[style]

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            try:
                while (asked := self._asked()) is not None:
                    given = answer(asked)
                    if isinstance(given, Raw):
                        self.wfile.write(given.bytes)
                        return
                    for part in send(json.dumps(given).encode()):
                        self.wfile.write(part)
                    if ends:
                        return
            except OSError:
                pass

        def _asked(self) -> Asked | None:
            line = self.rfile.readline().decode()
            if not line.strip():
                return None
            target, length = line.split()[1], 0
            while header := self.rfile.readline().strip():
                name, _, value = header.decode().partition(":")
                length = int(value) if name.lower() == "content-length" else length
            body = self.rfile.read(length).decode()
            values: dict[str, Any] = dict(parse_qsl(urlsplit(target).query))
            values |= json.loads(body) if body.startswith("{") else dict(parse_qsl(body))
            return Asked(urlsplit(target).path, values)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


# Ways to write a record.


def as_it_is(record: Record) -> Record:
    return record


def oddly(record: Record) -> Record:
    """Keys the other way round, numbers as text, fields that nobody knows, and nulls."""
    turned = {name: _text(value) for name, value in reversed(record.items())}
    return {"zz_new": {"deep": [1, None]}, **turned, "aa_empty": None}


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(item) for item in value]
    if isinstance(value, dict):
        return {name: _text(item) for name, item in reversed(value.items())}
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


# The providers.


class Etelecom:
    """Call logs by creation, newest first; the cursor is a place in the list."""

    def __init__(self, instants: Sequence[datetime], write: Callable[[Record], Record] = as_it_is) -> None:
        self.records = [
            {
                "id": f"90071992547409{number:05}",
                "started_at": at.isoformat(),
                "created_at": at.isoformat(),
                "duration": number,
                "call_targets": [{"target_number": "101", "ring_duration": number}],
            }
            for number, at in enumerate(instants)
        ]
        self._write = write

    def __call__(self, asked: Asked) -> Any:
        if not asked.path.endswith("ListCallLogs"):
            return {"extensions": []}
        first, last = (
            datetime.fromisoformat(asked.values["filter"][key]) for key in ("date_from", "date_to")
        )
        shown = [
            record
            for record in reversed(self.records)
            if first <= datetime.fromisoformat(str(record["created_at"])) <= last
        ]
        paging = asked.values["paging"]
        start, size = int(paging.get("after") or 0), min(paging["limit"], 100)
        part = shown[start : start + size]
        following = str(start + len(part)) if part else ""
        return {"paging": {"next": following, "limit": size}, "call_logs": list(map(self._write, part))}


class VbotV3:
    """Calls in pages from 0; `most` caps a page whatever size is asked for."""

    def __init__(
        self, instants: Sequence[datetime], write: Callable[[Record], Record] = as_it_is, most: int = 1000
    ) -> None:
        self.records = [
            {
                "group_id": f"g{number}",
                "create_at": int(at.timestamp()) * 1000,
                "duration": number,
                "type_call": 1,
            }
            for number, at in enumerate(instants)
        ]
        self.most = most
        self.ignores_range = False
        self.asked = count()
        self.before_answer: Callable[[int], None] = lambda number: None
        self._write = write

    def shown(self, values: Mapping[str, Any]) -> list[Record]:
        first, last = int(values.get("from") or 0), int(values.get("to") or 2**62)
        return [
            record
            for record in reversed(self.records)
            if self.ignores_range or first <= int(str(record["create_at"])) <= last
        ]

    def __call__(self, asked: Asked) -> Any:
        if "m-cdr" not in asked.path:
            return {"error": 0, "data": None}
        self.before_answer(next(self.asked))
        shown = self.shown(asked.values)
        if asked.path.endswith("count-all"):
            return {"data": str(len(shown)), "error": "0"}
        page, size = int(asked.values["page"]), min(int(asked.values["size"]), self.most)
        part = shown[page * size : (page + 1) * size]
        return {"message": None, "data": list(map(self._write, part)) or None, "error": 0}


class VbotV2:
    """Calls in pages from 1 behind a token; `per_second` is the unit of `from` and `to`, 0 ignores them."""

    def __init__(self, instants: Sequence[datetime], per_second: int = 1) -> None:
        self.instants, self.per_second = instants, per_second
        self.zone = ZoneInfo("Asia/Ho_Chi_Minh")

    def __call__(self, asked: Asked) -> Any:
        if asked.path.endswith("/token"):
            return {"access_token": "t", "expires_in": "899"}
        if "historycall" not in asked.path:
            return {"error": 0, "data": []}
        shown = list(enumerate(self.instants))[::-1]
        if self.per_second and "from" in asked.values:
            first, last = (int(asked.values[key]) / self.per_second for key in ("from", "to"))
            shown = [(number, at) for number, at in shown if first <= at.timestamp() <= last]
        if asked.path.endswith("countAll"):
            return {"error": 0, "data": len(shown)}
        page, size = int(asked.values["page"]) - 1, int(asked.values["size"])
        return {
            "error": 0,
            "data": [
                {
                    "group_id": f"g{number}",
                    "date_create": at.astimezone(self.zone).strftime("%m/%d/%Y %H:%M:%S"),
                    "duration_call": f"00:00:{number % 60:02}",
                }
                for number, at in shown[page * size : (page + 1) * size]
            ],
        }


class Voximplant:
    """Sessions in the order of their start; reads and writes times in `zone`, or in the one that is asked."""

    def __init__(
        self,
        instants: Sequence[datetime],
        write: Callable[[Record], Record] = as_it_is,
        zone: str | None = None,
    ) -> None:
        self.sessions = sorted((at, number) for number, at in enumerate(instants))
        self.zone = zone
        self.requests = 0
        self._write = write

    def __call__(self, asked: Asked) -> Any:
        if not asked.path.endswith("GetCallHistory"):
            return {"result": []} if "List" not in asked.path else {"result": [], "total_count": 0}
        self.requests += 1
        values = asked.values
        zone = ZoneInfo(self.zone or values["timezone"])
        first, last = (
            datetime.strptime(values[key], "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone).astimezone(UTC)
            for key in ("from_date", "to_date")
        )
        shown = [(at, number) for at, number in self.sessions if first <= at <= last]
        offset, size = int(values["offset"]), int(values["count"])
        if offset > 10_000 or size > 1000:
            return {"error": {"msg": "The 'offset' parameter is invalid", "code": 104}}
        result = [
            {
                "call_session_history_id": 5_000_000_000 + number,
                "start_date": at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
                "duration": number,
                "finish_reason": "Normal termination",
            }
            for at, number in shown[offset : offset + size]
        ]
        return {"timezone": zone.key, "total_count": len(shown), "result": list(map(self._write, result))}
