"""The HTTP seam: one client an account, one retry policy, one pace, one mapping from faults to errors.

A request goes out through `Api.call`, which parses the body inside the retry, so that a body cut short is
tried again like a hang-up. What is too large for that is read from `Api.answer` inside `Api.trying`, under
the same policy. Redirects are never followed here: credentials go where the caller says and nowhere else.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import httpx
import tenacity

from sources.account import Options
from sources.bodies import whole_body
from sources.client import Client
from sources.credentials import Credential
from sources.errors import (
    AccessDenied,
    NetworkFault,
    NotThere,
    ProviderError,
    RequestRefused,
    ServerFault,
    Throttled,
    Transient,
    UnreadableBody,
)
from sources.pace import Pace
from sources.printing import excerpt, printable
from sources.redaction import redacted, without_secrets

T = TypeVar("T")

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
LONGEST_RETRY_AFTER_SECONDS = 300.0
"""A provider that asks for a longer pause than this is better asked again by the next run."""

LONGEST_ANSWER_TIMEOUTS = 10
"""An answer that comes drop by drop may take so many times the patience with one read."""

UNPROVEN_RENEWALS = 2
"""So often a token is renewed for one request, as long as none was ever accepted."""


@dataclass(frozen=True)
class Request:
    """One HTTP request, without credentials.

    Attributes:
        place: what errors call it, where the path is not ours to show; by default host and path.
    """

    method: str
    url: str
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    place: str = ""


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

    Attributes:
        longest_answer_seconds: of a page; what is larger may come too slowly for so long.
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
        self._is_proven = False
        self.longest_answer_seconds = LONGEST_ANSWER_TIMEOUTS * timeout_seconds
        self._pace = Pace(requests_per_second, sleep)
        self._refusal = refusal
        self._sleep = sleep
        self._client = Client(
            timeout_seconds=timeout_seconds,
            connections=connections,
            # So that requests for a token are counted too.
            before_each=self._pace.wait,
            transport=transport,
        )

    @classmethod
    def of(
        cls,
        options: Options,
        credential: Credential,
        refusal: Callable[[int, bytes], ProviderError | None],
        *,
        connections: int | None = None,
        **seams: Any,
    ) -> Api:
        """The client that an account's options ask for; by default with a connection for each worker."""
        return cls(
            credential,
            timeout_seconds=options.timeout_seconds,
            max_attempts=options.max_attempts,
            requests_per_second=options.requests_per_second,
            connections=connections or options.concurrency,
            refusal=refusal,
            **seams,
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

        Raises:
            ProviderError: the last fault when the attempts are used up, or the first that no attempt mends.
        """

        def once(sent: dict[str, str]) -> T:
            with self.answer(request, sent) as answer:
                body = self._whole(request, answer)
                if answer.is_success:
                    return parse(body)
                raise self.refused(request, answer, body)

        return self.trying(once, attempts=attempts)

    def trying(self, once: Callable[[dict[str, str]], T], *, attempts: int | None = None) -> T:
        """Do something over HTTP until it succeeds; `once` is handed what `answer` needs.

        A refused credential is renewed and the request sent once more, whatever the attempts; further
        refusals are attempts like others where the credential was accepted before, for tokens may expire
        one after the other.

        Raises:
            ProviderError: the last fault when the attempts are used up, or the first that no attempt mends.
        """
        sent: dict[str, str] = {}
        most, renewals = attempts or self._attempts, 0

        def is_worth_another(fault: BaseException) -> bool:
            nonlocal renewals
            if not isinstance(fault, AccessDenied):
                return (
                    isinstance(fault, Transient) and (fault.retry_after or 0) <= LONGEST_RETRY_AFTER_SECONDS
                )
            # Where nothing was sent, it was the token endpoint that refused: asking again locks accounts.
            if not sent or (renewals >= UNPROVEN_RENEWALS and not self._is_proven):
                return False
            renewals += 1
            return self.credential.renew(sent)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(is_worth_another),
            stop=lambda state: state.attempt_number - min(renewals, 1) >= most,
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            result = retrying(once, sent)
        except ProviderError as error:
            error.args = (redacted(str(error), self.credential.secrets),)
            raise error from None
        self._is_proven = self._is_proven or bool(sent)
        return result

    @contextmanager
    def answer(
        self, request: Request, sent: dict[str, str], *, is_trusted: bool = True
    ) -> Iterator[httpx.Response]:
        """Send a request once; the body is still to be read, and faults of that are mapped too.

        `sent` then holds the headers that proved who we are: none where the address is not trusted.
        """
        sent.clear()
        place = _place(request)
        try:
            if is_trusted:
                sent.update(self.credential.headers(self._client))
            with self._client.stream(
                request.method,
                _address(request.url),
                params=request.params or None,
                json=request.json,
                data=request.form,
                headers={**request.headers, **sent},
            ) as answer:
                yield answer
        except httpx.TimeoutException as error:
            raise NetworkFault(f"{place} gave no answer in time ({type(error).__name__})") from None
        except (UnicodeEncodeError, httpx.LocalProtocolError):
            # What is wrong is quoted in their text, in a form that redaction does not recognise.
            raise RequestRefused(
                f"{place} cannot be asked: the key or token holds a character that no header may"
            ) from None
        except RecursionError:
            raise UnreadableBody(f"{place} answered with JSON that is nested too deep") from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            shown = request.place or request.url
            raise RequestRefused(f"{shown} is no usable address: {printable(str(error))}") from None
        except httpx.TransportError as error:
            # Mostly a kept connection that the provider ended meanwhile: another one can be had at once.
            wait = 0.0 if isinstance(error, httpx.RemoteProtocolError) else None
            raise NetworkFault(
                f"{place} could not be reached: {printable(str(error))}", retry_after=wait
            ) from None

    def refused(self, request: Request, answer: httpx.Response, body: bytes) -> ProviderError:
        """The error that an answer other than 2xx means; of a long body the beginning is enough."""
        error = self._refusal(answer.status_code, body) if self._refusal else None
        error = error or refusal_by_status(answer.status_code, _place(request), excerpt(body))
        if isinstance(error, Transient) and error.retry_after is None:
            error.retry_after = retry_after(answer.headers.get("Retry-After"), datetime.now(UTC))
        return error

    def _whole(self, request: Request, answer: httpx.Response) -> bytes:
        """The body, which may be large and come slowly, but neither without an end."""
        body = whole_body(answer, _place(request), within_seconds=self.longest_answer_seconds)
        return without_secrets(body, self.credential.keys)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Exponential with full jitter, never less than the provider asked for; 429 slows all requests."""
        backoff = tenacity.wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS)(
            state
        )
        fault = state.outcome.exception() if state.outcome else None
        is_first = state.attempt_number == 1
        if is_first and (
            isinstance(fault, AccessDenied) or (isinstance(fault, NetworkFault) and fault.retry_after == 0)
        ):
            return 0.0
        asked = fault.retry_after if isinstance(fault, Transient) else None
        wait = backoff if asked is None else max(asked, min(backoff, FIRST_WAIT_SECONDS))
        if isinstance(fault, Throttled):
            self._pace.slow_down()
            self._pace.pause(wait)
        elif asked is not None:
            self._pace.pause(asked)
        return wait


def refusal_by_status(status: int, place: str, said: str) -> ProviderError:
    """The error that HTTP's own meaning of a status gives."""
    message = f"{place} answered HTTP {status}" + (f": {said}" if said else "")
    if status in (401, 403):
        return AccessDenied(message)
    if status in (404, 410):
        return NotThere(message)
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


@lru_cache(maxsize=64)
def _address(url: str) -> httpx.URL:
    # An account has a few addresses, and asks each for thousands of pages.
    return httpx.URL(url)


def _place(request: Request) -> str:
    if request.place:
        return request.place
    try:
        url = _address(request.url)
    except httpx.InvalidURL:
        return request.url
    return f"{url.host}{url.path}"
