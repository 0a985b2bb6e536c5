"""The HTTP client: certificates are verified, nothing is followed, remembered or sent unasked.

No option switches the verification off. The environment may name other certificate authorities to trust
(SSL_CERT_FILE, SSL_CERT_DIR) and proxies (HTTPS_PROXY, NO_PROXY), through which https stays end to end; what
is on this machine passes no proxy.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import httpx

from sources.bodies import ASKED_PACKING
from sources.errors import ConfigError

_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR")

_TRUSTING = threading.Lock()
"""Who comes while the authorities are read waits for them, and does not read them again."""

_LOOPBACK = ("all://localhost", "all://127.0.0.1", "all://[::1]")

_HEADERS = {"Accept": "application/json", "Accept-Encoding": ASKED_PACKING, "User-Agent": "callsync"}


class Client:
    """The client of an account.

    Of httpx it takes connections, proxies and what a request and an answer are. The rest that httpx puts
    around each request, and which none of these needs (cookies, logins, redirects, hooks), would take a third
    of what one costs.

    Args:
        timeout_seconds: for connecting and for each read.
        connections: how many are kept.
        before_each: called at the last moment before a request is sent.
        transport: for tests.

    Raises:
        ConfigError: what the environment says of certificates or proxies cannot be used.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float,
        connections: int,
        before_each: Callable[[], None],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        try:
            self._httpx = httpx.Client(
                verify=_trusted(),
                limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
                mounts=dict.fromkeys(_LOOPBACK),
                transport=transport,
            )
        except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
            # Its text may hold the password of a proxy.
            raise ConfigError(
                "the environment names certificates (SSL_CERT_FILE, SSL_CERT_DIR) or a proxy (HTTPS_PROXY, "
                f"HTTP_PROXY, ALL_PROXY) that cannot be used ({type(error).__name__})"
            ) from None
        self._extensions = {"timeout": httpx.Timeout(timeout_seconds).as_dict()}
        self._before_each = before_each

    @contextmanager
    def stream(
        self,
        method: str,
        url: httpx.URL | str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[httpx.Response]:
        """Send a request; the body of its answer is still to be read.

        Raises:
            httpx.TransportError: there is no answer.
            httpx.InvalidURL: the address is none.
        """
        request = httpx.Request(
            method,
            url,
            params=params,
            json=json,
            data=data,
            headers={**_HEADERS, **(headers or {})},
            extensions=self._extensions,
        )
        if self._httpx.is_closed:
            raise RuntimeError("the client has been closed")
        self._before_each()
        # Which proxy the environment names for an address, httpx alone knows.
        answer = self._httpx._transport_for_url(request.url).handle_request(request)
        answer.request = request
        try:
            yield answer
        finally:
            answer.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._httpx.close()


def prepare() -> None:
    """Read whom to trust in a thread of its own, while something else keeps the caller waiting."""

    def read() -> None:
        # The first client meets the same fault, and somebody to tell it to.
        with suppress(OSError, ValueError, ImportError):
            _trusted()

    threading.Thread(target=read, name="authorities", daemon=True).start()


def _trusted() -> ssl.SSLContext:
    """Whom to trust, read once for what the environment names: that takes longer than an answer."""
    with _TRUSTING:
        return _read_authorities(*(os.environ.get(name) for name in _AUTHORITIES))


@cache
def _read_authorities(*named: str | None) -> ssl.SSLContext:
    return httpx.create_ssl_context()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, which nobody can listen in on."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
