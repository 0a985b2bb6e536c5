"""The HTTP client: certificates are verified, nothing is followed, remembered or sent unasked.

No option switches the verification off. The environment may name other certificate authorities to trust
(SSL_CERT_FILE, SSL_CERT_DIR) and proxies (HTTPS_PROXY, NO_PROXY), through which https stays end to end; what
is on this machine passes no proxy.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx

from sources.bodies import ASKED_PACKING
from sources.errors import ConfigError

_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR")

_LOOPBACK = ("all://localhost", "all://127.0.0.1", "all://[::1]")


def http_client(
    *,
    timeout_seconds: float,
    connections: int,
    before_each: Callable[[], None],
    transport: httpx.BaseTransport | None = None,
) -> httpx.Client:
    """A client of one account.

    Args:
        timeout_seconds: for connecting and for each read.
        connections: how many are kept.
        before_each: called at the last moment before a request is sent.
        transport: for tests.

    Raises:
        ConfigError: what the environment says of certificates or proxies cannot be used.
    """
    try:
        return _Client(
            verify=_trusted(*(os.environ.get(name) for name in _AUTHORITIES)),
            timeout=timeout_seconds,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            headers={
                "Accept": "application/json",
                "Accept-Encoding": ASKED_PACKING,
                "User-Agent": "callsync",
            },
            follow_redirects=False,
            mounts=dict.fromkeys(_LOOPBACK),
            transport=transport,
            event_hooks={"request": [lambda request: before_each()]},
        )
    except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
        # Its text may hold the password of a proxy.
        raise ConfigError(
            "the environment names certificates (SSL_CERT_FILE, SSL_CERT_DIR) or a proxy (HTTPS_PROXY, "
            f"HTTP_PROXY, ALL_PROXY) that cannot be used ({type(error).__name__})"
        ) from None


class _NoCookies(httpx.Cookies):
    """Never any: to look for them in an answer and to refuse them takes a tenth of what a request does."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Look for none."""


_NO_COOKIES = _NoCookies()


class _Client(httpx.Client):
    """A client that remembers nothing."""

    @property
    def cookies(self) -> httpx.Cookies:
        """None."""
        return _NO_COOKIES

    @cookies.setter
    def cookies(self, cookies: Any) -> None:
        raise NotImplementedError("no cookie is kept or sent")


@cache
def _trusted(*named: str | None) -> ssl.SSLContext:
    """Whom to trust, read once for what the environment has `named`: that takes longer than an answer."""
    return httpx.create_ssl_context()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, which nobody can listen in on."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
