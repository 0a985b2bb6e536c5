"""What can go wrong between a reader and a provider, thrown by switches while the simulator runs.

A fault comes from a script (the next requests, one fault each) or by chance (a probability, by the seed).
Faults of the wire are played by the server, faults of the data by the provider that is asked.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """One way to fail."""

    TOO_MANY = "429"
    """HTTP 429 with Retry-After."""
    UNAVAILABLE = "503"
    """HTTP 503 with Retry-After."""
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502"
    """HTTP 502 with a page in HTML."""
    HTML = "html"
    """A page in HTML with HTTP 200."""
    TRUNCATED_JSON = "truncated_json"
    """Half of the JSON, as a complete HTTP reply."""
    SHORT_BODY = "short_body"
    """Half of the announced body, then an orderly end of the connection."""
    RESET = "reset"
    """The connection is reset before any byte of the reply."""
    RESET_AFTER_HEADERS = "reset_after_headers"
    RESET_MID_BODY = "reset_mid_body"
    HANG = "hang"
    """No answer for some seconds, then the connection closes."""
    HANG_MID_BODY = "hang_mid_body"
    """Half of the body, then no more for some seconds, then the connection closes."""
    ERROR_BODY = "error_body"
    """The provider's error object with HTTP 200."""
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - a name, no secret
    """The token is refused, and so are all tokens made before."""
    REPEATED_CURSOR = "repeated_cursor"
    """The page names itself as the next one; where pages have numbers, the first page is given again."""
    ENDLESS = "endless"
    """Whatever page is asked for, the first one is given, and says that more follow."""
    SHORT_PAGE = "short_page"
    """The page holds fewer records than it could, and the reader is to go on."""
    EMPTY_PAGE = "empty_page"
    """The page is empty though records follow."""


@dataclass(frozen=True)
class Fault:
    """A fault about to happen; `seconds` is its waiting time or its Retry-After."""

    kind: FaultKind
    seconds: float = 1.0


@dataclass
class _Rule:
    provider: str | None
    endpoint: str | None
    script: deque[Fault | None]
    chance: float = 0.0
    fault: Fault | None = None

    def matches(self, provider: str, endpoint: str) -> bool:
        return self.provider in (None, provider) and self.endpoint in (None, endpoint)


class Faults:
    """The switches of a running simulator; all may be set from another thread."""

    def __init__(self, seed: int, latency_ms: float = 0.0) -> None:
        self.latency_ms = latency_ms
        self.latency_by_provider_ms: dict[str, float] = {}
        self._chance = random.Random(seed)  # noqa: S311 - reproducible faults, no secret
        self._rules: list[_Rule] = []
        self._limits: dict[str, int] = {}

    def next(
        self,
        *kinds: str | None,
        provider: str | None = None,
        endpoint: str | None = None,
        seconds: float = 1.0,
    ) -> None:
        """Play these faults on the next matching requests, one each; None lets a request pass."""
        script = deque(None if kind is None else Fault(FaultKind(kind), seconds) for kind in kinds)
        self._rules.append(_Rule(provider, endpoint, script))

    def sometimes(
        self,
        kind: str,
        chance: float,
        provider: str | None = None,
        endpoint: str | None = None,
        seconds: float = 1.0,
    ) -> None:
        """Play a fault on a matching request with this probability; 1.0 is always."""
        self._rules.append(_Rule(provider, endpoint, deque(), chance, Fault(FaultKind(kind), seconds)))

    def limit_rate(self, provider: str, requests_per_second: int) -> None:
        """Answer 429 with Retry-After to an account's requests beyond this many in any second; 0 lifts it."""
        self._limits[provider] = requests_per_second

    def clear(self) -> None:
        """Let everything go well again."""
        self._rules.clear()
        self._limits.clear()
        self.latency_by_provider_ms.clear()

    def draw(self, provider: str, endpoint: str) -> Fault | None:
        """The fault of a request that just came in."""
        for rule in [rule for rule in self._rules if rule.matches(provider, endpoint)]:
            if rule.fault is None:
                if rule.script:
                    return rule.script.popleft()
            elif self._chance.random() < rule.chance:
                return rule.fault
        return None

    def rate_limit(self, provider: str) -> int:
        """Requests per second an account may make; 0 is any number."""
        return self._limits.get(provider, 0)

    def latency_seconds(self, provider: str) -> float:
        """How long an answer takes besides the work."""
        return self.latency_by_provider_ms.get(provider, self.latency_ms) / 1000
