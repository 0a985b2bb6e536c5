"""VBot's access token (v1, v2): from user and password, refreshed before it ends.

Source: VBot public documentation, "Authentication" v2: form-encoded `grant_type=password`, answered with
`access_token`, `refresh_token` and `expires_in` seconds. The text says 24 hours and its sample 899 seconds,
so only `expires_in` is believed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx
import msgspec

from sources.bodies import whole_body
from sources.client import Client
from sources.errors import AccessDenied, ProviderError, ServerFault, Transient, UnreadableBody
from sources.forms import Form
from sources.http import refusal_by_status, retry_after
from sources.printing import excerpt, printable

RENEWED_BEFORE_END_SECONDS = 60.0
LONGEST_ANSWER_SECONDS = 60.0

LIFETIME_SECONDS = 600.0
"""Of a token whose end is not told: a refusal renews it earlier."""


class _Token(msgspec.Struct):
    access_token: str | None = None
    refresh_token: str | None = None
    expires_in: float | str | None = None
    error: str | int | None = None

    @property
    def lifetime_seconds(self) -> float:
        """How long the token is good for."""
        try:
            return max(0.0, float("" if self.expires_in is None else self.expires_in))
        except ValueError:
            return LIFETIME_SECONDS


_TOKEN = Form(_Token)


class PasswordToken:
    """A Bearer token that is fetched when first needed and again before it ends."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self._url = url
        self._username = username
        self._password = password
        self._access, self._refresh = "", ""
        self._renew_at = 0.0
        self._lock = threading.Lock()

    @property
    def secrets(self) -> tuple[str, ...]:
        """User, password and tokens in use."""
        return (self._username, *self.keys)

    @property
    def keys(self) -> tuple[str, ...]:
        """Password and tokens in use."""
        return (self._password, self._access, self._refresh)

    def headers(self, client: Client) -> Mapping[str, str]:
        """The Bearer header; fetches a token where none is fit for use.

        Raises:
            AccessDenied: user and password are refused.
        """
        with self._lock:
            if time.monotonic() >= self._renew_at:
                self._fetch(client)
            return self._headers()

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the tokens, so that the next request asks with the password again.

        Not where another thread has renewed them since.
        """
        with self._lock:
            if refused == self._headers():
                self._renew_at, self._refresh = 0.0, ""
        return True

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._access}"}

    def _fetch(self, client: Client) -> None:
        token = None
        if self._refresh:
            try:
                token = self._ask(client, {"grant_type": "refresh_token", "refresh_token": self._refresh})
            except AccessDenied:
                self._refresh = ""
        if token is None:
            token = self._ask(
                client,
                {"grant_type": "password", "username": self._username, "password": self._password},
            )
        lifetime = token.lifetime_seconds
        self._access, self._refresh = token.access_token or "", token.refresh_token or ""
        margin = min(RENEWED_BEFORE_END_SECONDS, lifetime / 2)
        self._renew_at = time.monotonic() + lifetime - margin

    def _ask(self, client: Client, form: Mapping[str, str]) -> _Token:
        with client.stream("POST", self._url, data=dict(form)) as answer:
            body = whole_body(answer, "VBot's token endpoint", within_seconds=LONGEST_ANSWER_SECONDS)
        if answer.status_code in (400, 401, 403):
            raise AccessDenied(
                f"VBot's token endpoint refuses username and password (HTTP {answer.status_code})"
            )
        if not answer.is_success:
            raise _refusal(answer, body)
        token = _TOKEN.read(body)
        if not token.access_token:
            raise _without_token(str(token.error or ""))
        return token


def _refusal(answer: httpx.Response, body: bytes) -> ProviderError:
    error = refusal_by_status(answer.status_code, "VBot's token endpoint", excerpt(body))
    if isinstance(error, Transient):
        error.retry_after = retry_after(answer.headers.get("Retry-After"), datetime.now(UTC))
    return error


def _without_token(error: str) -> ProviderError:
    """What an answer without a token means: only a word against user and password is final."""
    said = f"VBot's token endpoint gave no access_token{error and f' but error {printable(error)}'}"
    if error.startswith("5"):
        return ServerFault(said)
    if error in ("", "0"):
        return UnreadableBody(said)
    return AccessDenied(f"{said}; check username and password")
