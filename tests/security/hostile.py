"""A server that answers whatever a test wants, over plain HTTP or TLS, and keeps what it was sent."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


def answer(body: bytes, head: bytes = OK, *headers: str) -> list[bytes]:
    """One whole answer."""
    lines = b"".join(f"{header}\r\n".encode() for header in headers)
    return [head + lines + f"Content-Length: {len(body)}\r\n\r\n".encode(), body]


class Hostile:
    """Answers every request alike.

    Args:
        says: makes the pieces of an answer to a request's head, possibly without an end.
        tls: makes it https.
    """

    def __init__(self, says: Callable[[bytes], Iterable[bytes]], tls: ssl.SSLContext | None = None) -> None:
        self.says = says
        self.heard: list[bytes] = []
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                # Whoever asked may have heard enough.
                with suppress(OSError):
                    outer._handle(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def get_request(self) -> tuple[socket.socket, Any]:
                connection, address = super().get_request()
                connection.settimeout(20)
                return connection, address

        self._tls = tls
        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]

    def _handle(self, connection: socket.socket) -> None:
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True)
        asked = b""
        while b"\r\n\r\n" not in asked and (more := connection.recv(65536)):
            asked += more
        self.heard.append(asked)
        for piece in self.says(asked):
            connection.sendall(piece)
        # Closed with something unread, a socket takes back what it has sent.
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
        connection.close()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
