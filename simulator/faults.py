"""What can go wrong between a reader and a provider, thrown by switches while the simulator runs.

A fault comes from a script (the next requests, one fault each), by chance (a probability, by the seed) or
from a mix (a share of the requests, by the seed and what is asked, in whatever order they arrive).
Faults of the wire are played by the server, faults of the data by the provider that is asked.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum


class FaultKind(StrEnum):
    """One way to fail."""

    TOO_MANY = "429"
    """HTTP 429 with Retry-After."""
    TOO_MANY_UNTIL = "429_until"
    """HTTP 429 with Retry-After as a date."""
    UNAVAILABLE = "503"
    """HTTP 503 with Retry-After."""
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502"
    """HTTP 502 with a page in HTML."""
    HTML = "html"
    """A page in HTML with HTTP 200."""
    GARBAGE = "garbage"
    """A million random bytes that call themselves JSON, with HTTP 200."""
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


PASSING = (
    FaultKind.TOO_MANY,
    FaultKind.TOO_MANY_UNTIL,
    FaultKind.UNAVAILABLE,
    FaultKind.SERVER_ERROR,
    FaultKind.BAD_GATEWAY,
    FaultKind.HTML,
    FaultKind.TRUNCATED_JSON,
    FaultKind.SHORT_BODY,
    FaultKind.RESET,
    FaultKind.RESET_AFTER_HEADERS,
    FaultKind.RESET_MID_BODY,
    FaultKind.HANG,
    FaultKind.HANG_MID_BODY,
    FaultKind.ERROR_BODY,
)
"""The faults of networks and servers, which the same request need not meet again."""


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
    mixed: tuple[Fault, ...] = ()
    asked: Counter[str] = field(default_factory=Counter)

    def matches(self, provider: str, endpoint: str) -> bool:
        return self.provider in (None, provider) and self.endpoint in (None, endpoint)


class Faults:
    """The switches of a running simulator; all may be set from another thread."""

    def __init__(self, seed: int, latency_ms: float = 0.0) -> None:
        self.latency_ms = latency_ms
        self.latency_by_provider_ms: dict[str, float] = {}
        self._seed = seed
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

    def mix(
        self, kinds: Collection[str], chance: float, provider: str | None = None, seconds: float = 1.0
    ) -> None:
        """Play faults of these kinds on this share of the requests in total, however many ask at once.

        What befalls a request follows from the seed, what it asks and how often it has been asked before.
        """
        faults = tuple(Fault(FaultKind(kind), seconds) for kind in kinds)
        self._rules.append(_Rule(provider, None, deque(), chance, mixed=faults))

    def limit_rate(self, provider: str, requests_per_second: int) -> None:
        """Answer 429 with Retry-After to an account's requests beyond this many in any second; 0 lifts it."""
        self._limits[provider] = requests_per_second

    def clear(self) -> None:
        """Let everything go well again."""
        self._rules.clear()
        self._limits.clear()
        self.latency_by_provider_ms.clear()

    def draw(self, provider: str, endpoint: str, asked: str = "") -> Fault | None:
        """The fault of a request that just came in; `asked` is what tells it from others."""
        for rule in [rule for rule in self._rules if rule.matches(provider, endpoint)]:
            if rule.mixed:
                rule.asked[asked] += 1
                dice = random.Random(f"{self._seed}/{asked}/{rule.asked[asked]}")  # noqa: S311 - no secret
                if dice.random() < rule.chance:
                    return dice.choice(rule.mixed)
            elif rule.fault is None:
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
