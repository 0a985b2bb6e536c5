"""The HTTP seam: one client an account, one retry policy, one pace, one mapping from faults to errors.

A request goes out through `Api.call`, which parses the body inside the retry, so that a body cut short is
tried again like a hang-up. Redirects are never followed: credentials go to the configured host and nowhere
else.
"""

from __future__ import annotations

import email.utils
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar, cast

import httpx
import msgspec
import tenacity

from sources.errors import (
    AccessDenied,
    NetworkFault,
    ProviderError,
    RequestRefused,
    ServerFault,
    Throttled,
    Transient,
    UnreadableBody,
)

T = TypeVar("T")

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
LONGEST_RETRY_AFTER_SECONDS = 300.0
"""A provider that asks for a longer pause than this is better asked again by the next run."""

PACE_MARGIN_SECONDS = 0.05
"""Requests arrive unevenly late: without a margin the provider would at times see one more than agreed."""

MESSAGE_LENGTH = 200
CUT = "…"
SHORTEST_TRACE = 8
"""So many first letters of a secret, cut off by the length of a message, are blacked out as well."""


@dataclass(frozen=True)
class Request:
    """One HTTP request, without credentials."""

    method: str
    url: str
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, Any] | None = None


class Credential(Protocol):
    """What proves who we are."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must never appear in an error."""

    def headers(self, client: httpx.Client) -> Mapping[str, str]:
        """Headers of the next request; may fetch or mint a token."""

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the token after headers with it were refused; False where there is nothing to renew."""


@dataclass(frozen=True)
class ApiKey:
    """A key that travels in a header as it is."""

    header: str
    value: str = field(repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The key itself, without its scheme."""
        return (self.value.removeprefix("Bearer "),)

    def headers(self, client: httpx.Client) -> Mapping[str, str]:
        """The one header."""
        return {self.header: self.value}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """A key cannot be renewed."""
        return False


class Pace:
    """At most `per_second` requests in any second, and a common pause when the provider asks for one."""

    def __init__(self, per_second: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._allowed = max(1, int(per_second)) if per_second > 0 else 0
        self._span = self._allowed / per_second + PACE_MARGIN_SECONDS if per_second > 0 else 0.0
        self._sent: deque[float] = deque(maxlen=self._allowed or 1)
        self._paused_until = 0.0
        self._lock = threading.Lock()
        self._sleep = sleep

    def wait(self) -> None:
        """Return when the next request may be sent."""
        with self._lock:
            now = time.monotonic()
            at = max(now, self._paused_until)
            if self._allowed and len(self._sent) == self._allowed:
                at = max(at, self._sent[0] + self._span)
            self._sent.append(at)
        if at > now:
            self._sleep(at - now)

    def pause(self, seconds: float) -> None:
        """Hold every request of the account back for that long."""
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)


class Api:
    """The HTTP client of one account: kept connections, retries, pace, errors.

    Args:
        credential: adds the headers that prove who we are.
        timeout_seconds: for connecting and for each read.
        max_attempts: how often a request is sent at most.
        requests_per_second: pace of the account; 0 is no limit.
        connections: how many connections are kept.
        refusal: a provider's reading of a status that is not 2xx; None falls back to HTTP's own meaning.
        transport: for tests.
    """

    def __init__(
        self,
        credential: Credential,
        *,
        timeout_seconds: float,
        max_attempts: int,
        requests_per_second: float,
        connections: int,
        refusal: Callable[[int, bytes], ProviderError | None] | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.credential = credential
        self._attempts = max_attempts
        self._pace = Pace(requests_per_second, sleep)
        self._refusal = refusal
        self._sleep = sleep
        self._client = httpx.Client(
            timeout=timeout_seconds,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            headers={"Accept": "application/json", "User-Agent": "callsync"},
            follow_redirects=False,
            transport=transport,
        )

    def __enter__(self) -> Api:
        """The client itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the kept connections."""
        self.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def call(self, request: Request, parse: Callable[[bytes], T], *, attempts: int | None = None) -> T:
        """Send a request until it is answered, and parse the answer.

        A refused credential is renewed and the request sent once more, whatever the attempts.

        Raises:
            ProviderError: the last fault when the attempts are used up, or the first that no attempt mends.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_is_worth_another_attempt),
            stop=tenacity.stop_after_attempt(attempts or self._attempts),
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            sent: dict[str, str] = {}
            try:
                return cast(T, retrying(self._once, request, parse, sent))
            except AccessDenied:
                # Where nothing was sent, it was the token endpoint that refused: asking again locks accounts.
                if not sent or not self.credential.renew(sent):
                    raise
                return cast(T, retrying(self._once, request, parse, sent))
        except ProviderError as error:
            raise redacted(error, self.credential.secrets) from None

    def _once(self, request: Request, parse: Callable[[bytes], T], sent: dict[str, str]) -> T:
        """Send a request once; `sent` then holds the headers that proved who we are."""
        self._pace.wait()
        sent.clear()
        try:
            headers = self.credential.headers(self._client)
            sent.update(headers)
            answer = self._client.request(
                request.method,
                request.url,
                params=request.params or None,
                json=request.json,
                data=request.form,
                headers=headers,
            )
        except httpx.TimeoutException as error:
            raise NetworkFault(f"{_place(request)} gave no answer in time ({type(error).__name__})") from None
        except (UnicodeEncodeError, httpx.LocalProtocolError):
            # What is wrong is quoted in their text, in a form that redaction does not recognise.
            raise RequestRefused(
                f"{_place(request)} cannot be asked: the key or token holds a character that no header may"
            ) from None
        except httpx.UnsupportedProtocol as error:
            raise RequestRefused(f"{request.url} is no usable address: {printable(str(error))}") from None
        except httpx.DecodingError:
            raise UnreadableBody(f"{_place(request)} answered with a body that cannot be unpacked") from None
        except httpx.TransportError as error:
            raise NetworkFault(f"{_place(request)} could not be reached: {printable(str(error))}") from None
        except httpx.InvalidURL as error:
            raise RequestRefused(f"{request.url} is no usable address: {printable(str(error))}") from None
        if answer.is_success:
            return parse(answer.content)
        raise self._error(request, answer)

    def _error(self, request: Request, answer: httpx.Response) -> ProviderError:
        error = self._refusal(answer.status_code, answer.content) if self._refusal else None
        error = error or refusal_by_status(answer.status_code, _place(request), excerpt(answer.content))
        if isinstance(error, Transient) and error.retry_after is None:
            error.retry_after = retry_after(answer.headers.get("Retry-After"), datetime.now(UTC))
        return error

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Exponential with full jitter, never less than the provider asked for."""
        backoff = tenacity.wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS)(
            state
        )
        fault = state.outcome.exception() if state.outcome else None
        if not isinstance(fault, Transient) or fault.retry_after is None:
            return backoff
        self._pace.pause(fault.retry_after)
        return max(fault.retry_after, min(backoff, FIRST_WAIT_SECONDS))


def _is_worth_another_attempt(fault: BaseException) -> bool:
    return isinstance(fault, Transient) and (fault.retry_after or 0.0) <= LONGEST_RETRY_AFTER_SECONDS


def refusal_by_status(status: int, place: str, said: str) -> ProviderError:
    """The error that HTTP's own meaning of a status gives."""
    message = f"{place} answered HTTP {status}" + (f": {said}" if said else "")
    if status in (401, 403):
        return AccessDenied(message)
    if status == 429:
        return Throttled(message)
    if status in (408, 425) or (status >= 500 and status != 501):
        return ServerFault(message)
    return RequestRefused(message)


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number or an HTTP date (RFC 9110, 10.2.3)."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        at = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def excerpt(body: bytes) -> str:
    """The beginning of an answer, fit for one line of an error; nothing of an HTML page."""
    text = body[: 4 * MESSAGE_LENGTH].decode("utf-8", "replace").strip()
    return "" if text.startswith("<") else printable(text)


def printable(text: str) -> str:
    """One short line without control characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 1] + CUT


def redacted(error: ProviderError, secrets: tuple[str, ...]) -> ProviderError:
    """The error with every secret in its text blacked out."""
    message = str(error)
    for secret in secrets:
        if secret:
            message = message.replace(secret, "***")
            cut = message.removesuffix(CUT)
            traces = range(min(len(secret), len(cut)), SHORTEST_TRACE - 1, -1) if cut != message else ()
            kept = next((len(cut) - length for length in traces if cut.endswith(secret[:length])), len(cut))
            message = message if kept == len(cut) else f"{cut[:kept]}***"
    error.args = (message,)
    return error


def _place(request: Request) -> str:
    url = httpx.URL(request.url)
    return f"{url.host}{url.path}"


def parse_json(raw: bytes, form: type[T]) -> T:
    """A body as the documented form.

    Raises:
        UnreadableBody: HTML, JSON cut short, or JSON of another form.
    """
    try:
        return msgspec.json.decode(raw, type=form)
    except msgspec.ValidationError as error:
        raise UnreadableBody(f"the answer has not the documented form: {printable(str(error))}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        kind = "HTML" if raw.lstrip()[:1] == b"<" else "no whole JSON"
        raise UnreadableBody(f"the answer is {kind} ({len(raw)} bytes)") from None
