"""What was asked of the simulator, for tests that assert rates, pages, concurrency and tokens."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

_KEPT = 200_000


@dataclass(frozen=True)
class Entry:
    """One request: when it came (monotonic seconds), whose it was, what was asked, the answer's status.

    Status 0 means that the connection was cut instead of an answer.
    """

    at: float
    provider: str
    account: int | None
    endpoint: str
    parameters: str
    status: int
    fault: str


class Journal:
    """The last requests and some counters since the simulator began or since `clear`."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=_KEPT)
        self.tokens_minted: Counter[str] = Counter()
        """By provider: tokens handed out by VBot, different tokens shown to Voximplant."""
        self.in_flight: Counter[tuple[str, int | None]] = Counter()
        self._peak: dict[tuple[str, int | None], int] = {}

    def clear(self) -> None:
        """Forget everything but what is in flight."""
        self.entries.clear()
        self.tokens_minted.clear()
        self._peak.clear()

    def enter(self, provider: str, account: int | None) -> None:
        """A request came in."""
        whose = (provider, account)
        self.in_flight[whose] += 1
        self._peak[whose] = max(self._peak.get(whose, 0), self.in_flight[whose])

    def leave(self, entry: Entry) -> None:
        """Its answer is on its way."""
        self.in_flight[entry.provider, entry.account] -= 1
        self.entries.append(entry)

    def select(
        self, provider: str | None = None, endpoint: str | None = None, account: int | None = None
    ) -> list[Entry]:
        """The requests to a provider, an endpoint, of an account."""
        return [
            entry
            for entry in list(self.entries)
            if provider in (None, entry.provider)
            and endpoint in (None, entry.endpoint)
            and account in (None, entry.account)
        ]

    def count(
        self, provider: str | None = None, endpoint: str | None = None, account: int | None = None
    ) -> int:
        """How many requests `select` gives."""
        return len(self.select(provider, endpoint, account))

    def peak_in_flight(self, provider: str, account: int | None = 0) -> int:
        """The most requests of an account answered at one time."""
        return self._peak.get((provider, account), 0)

    def peak_per_second(self, provider: str, account: int | None = 0) -> int:
        """The most requests of an account that began within any second."""
        times = sorted(entry.at for entry in self.select(provider, account=account))
        most = first = 0
        for last, at in enumerate(times):
            while at - times[first] >= 1.0:
                first += 1
            most = max(most, last - first + 1)
        return most
