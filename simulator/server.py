"""The HTTP server: one loopback port for HTTP and HTTPS, with faults of the wire and a journal."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import ssl
import struct
import threading
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeAlias, cast
from urllib.parse import parse_qsl

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from simulator.faults import Fault, FaultKind, Faults
from simulator.journal import Entry, Journal
from simulator.provider import Provider
from simulator.web import Reply, Request, reply_json

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_TLS_HANDSHAKE = b"\x16"
_HTML = b"<html><head><title>Gateway</title></head><body><h1>We will be back soon</h1></body></html>"
_NOISE = random.Random(1).randbytes(1_000_000)  # noqa: S311 - reproducible noise, no secret
_STATUSES = {
    FaultKind.SERVER_ERROR: 500,
    FaultKind.BAD_GATEWAY: 502,
    FaultKind.HTML: 200,
}
_CUTS = {
    FaultKind.SHORT_BODY,
    FaultKind.RESET,
    FaultKind.RESET_AFTER_HEADERS,
    FaultKind.RESET_MID_BODY,
    FaultKind.HANG,
    FaultKind.HANG_MID_BODY,
}


class _Protocol(HttpToolsProtocol):
    """Hands the connection to the application, which can then break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # TCP gives no other
        super().connection_made(transport)
        self.app_state = {"transport": transport}


class Application:
    """The ASGI application in front of the providers."""

    def __init__(
        self,
        providers: Mapping[str, Provider[Any]],
        faults: Faults,
        journal: Journal,
        lock: AbstractContextManager[object],
        timer: Callable[[], float],
    ) -> None:
        self._providers = providers
        self._faults = faults
        self._journal = journal
        self._lock = lock
        self.stopping = asyncio.Event()
        self._timer = timer
        self._recent: defaultdict[tuple[str, int | None], deque[float]] = defaultdict(deque)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = await _read(scope, receive)
        provider = self._providers.get(request.path.split("/", 2)[1] if "/" in request.path else "")
        if provider is None:
            await _send(send, reply_json({"error": "no such provider"}, 404))
            return
        began = self._timer()
        with self._lock:
            endpoint, account = provider.endpoint(request), provider.account(request)
            fault = self._faults.draw(provider.name, endpoint, f"{account} {request.text}")
        self._journal.enter(provider.name, account)
        status = 0
        try:
            if latency := self._faults.latency_seconds(provider.name):
                await self._pause(latency, receive)
            reply = self._reply(provider, account, request, fault, began)
            status = reply.status
            if fault and fault.kind in _CUTS:
                status = 0
                await self._cut(fault, reply, scope["state"]["transport"], receive, send)
                # The server asks why a reply is incomplete unless it has seen the connection end.
                await _gone(receive)
            else:
                await _send(send, reply)
        finally:
            parameters = request.parameters
            self._journal.leave(
                Entry(
                    began, provider.name, account, endpoint, parameters, status, fault.kind if fault else ""
                )
            )

    def _reply(
        self,
        provider: Provider[Any],
        account: int | None,
        request: Request,
        fault: Fault | None,
        began: float,
    ) -> Reply:
        if self._too_many(provider.name, account, began):
            return _too_many(1)
        kind = fault.kind if fault else None
        if fault and kind in _PAUSES:
            return _PAUSES[kind](fault.seconds)
        if kind is FaultKind.GARBAGE:
            return Reply(_NOISE)
        if kind in _STATUSES:
            return Reply(_HTML, _STATUSES[kind], "text/html")
        with self._lock:
            if kind is FaultKind.ERROR_BODY:
                return provider.error_reply()
            if kind is FaultKind.EXPIRED_TOKEN:
                provider.refuse_tokens()
            reply = provider.handle(request if kind is None else request.failing(kind))
        if kind is FaultKind.TRUNCATED_JSON:
            return Reply(reply.body[: len(reply.body) // 2], reply.status, reply.content_type)
        return reply

    async def _pause(self, seconds: float, receive: Receive) -> None:
        """Wait, but not longer than the simulator and the reader live."""
        ends = [asyncio.create_task(self.stopping.wait()), asyncio.create_task(_gone(receive))]
        try:
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def _cut(
        self, fault: Fault, reply: Reply, transport: asyncio.Transport, receive: Receive, send: Send
    ) -> None:
        """Break the connection at the point the fault names."""
        if fault.kind not in (FaultKind.RESET, FaultKind.HANG):
            sent = 0 if fault.kind is FaultKind.RESET_AFTER_HEADERS else len(reply.body) // 2
            await send(_start(reply))
            await send({"type": "http.response.body", "body": reply.body[:sent], "more_body": True})
        if fault.kind in (FaultKind.HANG, FaultKind.HANG_MID_BODY):
            await self._pause(fault.seconds, receive)
        if fault.kind in (FaultKind.RESET, FaultKind.RESET_AFTER_HEADERS, FaultKind.RESET_MID_BODY):
            _reset(transport)
        else:
            transport.close()

    def _too_many(self, provider: str, account: int | None, now: float) -> bool:
        limit = self._faults.rate_limit(provider)
        if not limit:
            return False
        recent = self._recent[provider, account]
        while recent and now - recent[0] >= 1.0:
            recent.popleft()
        if len(recent) >= limit:
            return True
        recent.append(now)
        return False


async def _gone(receive: Receive) -> None:
    """Wait until the reader has ended the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(scope: Message, receive: Receive) -> Request:
    chunks, more = [], True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=b"".join(chunks),
    )


def _start(reply: Reply) -> Message:
    length = {"content-length": str(len(reply.body))} if reply.says_length else {}
    headers = {"content-type": reply.content_type, **length, **reply.headers}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": reply.status, "headers": pairs}


async def _send(send: Send, reply: Reply) -> None:
    await send(_start(reply))
    await send({"type": "http.response.body", "body": reply.body})


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _reset(transport: asyncio.Transport) -> None:
    """Close so that the peer sees a reset, not an end."""
    connection = transport.get_extra_info("socket")
    with suppress(OSError):
        # Lingering for zero seconds is how a socket says reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _too_many(seconds: float) -> Reply:
    body = b'{"message":"Too many requests"}'
    return Reply(body, 429, headers={"Retry-After": f"{seconds:g}"})


def _too_many_until(seconds: float) -> Reply:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    return Reply(b'{"message":"Too many requests"}', 429, headers={"Retry-After": until})


def _unavailable(seconds: float) -> Reply:
    return Reply(b'{"message":"Service unavailable"}', 503, headers={"Retry-After": f"{seconds:g}"})


_PAUSES = {
    FaultKind.TOO_MANY: _too_many,
    FaultKind.TOO_MANY_UNTIL: _too_many_until,
    FaultKind.UNAVAILABLE: _unavailable,
}


class Server:
    """Serves an application on a bound socket until stopped."""

    def __init__(self, listener: socket.socket, tls: ssl.SSLContext, application: Application) -> None:
        self._listener = listener
        self._tls = tls
        self._config = Config(cast(Any, application), log_config=None, access_log=False, lifespan="off")
        self._state = ServerState()
        self._application = application
        self._loop: asyncio.AbstractEventLoop | None = None
        self._greetings: set[asyncio.Task[None]] = set()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve in a thread of its own."""
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self.serve(ready.set)), name="simulator", daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Stop serving and close all connections."""
        if self._loop and self._thread:
            self._loop.call_soon_threadsafe(self._application.stopping.set)
            self._thread.join()
        self._listener.close()

    async def serve(self, ready: Callable[[], object], until: Collection[signal.Signals] = ()) -> None:
        """Serve until stopped, or until one of the signals comes; `ready` is called when that may happen."""
        self._loop = asyncio.get_running_loop()
        for number in until:
            self._loop.add_signal_handler(number, self._application.stopping.set)
        self._listener.setblocking(False)
        accepting = asyncio.create_task(self._accept())
        ready()
        try:
            await self._application.stopping.wait()
        finally:
            for task in (accepting, *self._greetings):
                task.cancel()
            for connection in list(self._state.connections):
                connection.transport.abort()
            await asyncio.gather(accepting, *self._greetings, *self._state.tasks, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._listener)
            greeting = loop.create_task(self._greet(connection))
            self._greetings.add(greeting)
            greeting.add_done_callback(self._greetings.discard)

    async def _greet(self, connection: socket.socket) -> None:
        """Look at the first byte: a TLS handshake is answered in TLS, anything else as plain HTTP."""
        loop = asyncio.get_running_loop()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        readable = loop.create_future()
        loop.add_reader(connection, _set, readable)
        try:
            await readable
            first = connection.recv(1, socket.MSG_PEEK)
        except OSError:
            first = b""
        except asyncio.CancelledError:
            connection.close()
            raise
        finally:
            loop.remove_reader(connection)
        if not first:
            connection.close()
            return
        # A client that does not trust the certificate ends the handshake; that is its business.
        with suppress(OSError):
            await loop.connect_accepted_socket(
                lambda: _Protocol(self._config, self._state, {}),
                connection,
                ssl=self._tls if first == _TLS_HANDSHAKE else None,
            )
