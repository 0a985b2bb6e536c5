"""The pace of an account: how many of its requests may be sent, and when."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

PACE_MARGIN_SECONDS = 0.05
"""Requests arrive unevenly late: without a margin the provider would at times see one more than agreed."""

RECOVERY_REQUESTS = 20
"""After a provider refused requests it takes so many to come back to the rate that it refused."""

LIFTED_AT = 4.0
"""A reduced rate that has grown so many times without a refusal is reduced no longer."""

LEAST_PER_SECOND = 0.2
"""The slowest rate that refusals lead to."""

LATELY_SECONDS = 2.0
"""How far back requests count towards the rate that was refused: longer than a burst and its pause."""

_OBSERVED = 1000
"""Requests that are remembered to know that rate."""

ECHO_SECONDS = 1.0
"""Refusals so close to each other are answers to one burst, and slow down once."""


class Pace:
    """At most `per_second` requests in any second, fewer after the provider refused some, and common pauses.

    A refusal halves the rate; then it grows with every request, after `RECOVERY_REQUESTS` it is what it was,
    and it goes on growing to the most that is allowed:

        rate      ─────┐                 ┌─────  per_second
                       │         ___──‾‾‾
                       │___──‾‾‾‾
                      429
    """

    def __init__(self, per_second: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._per_second = per_second
        self._allowed = max(1, int(per_second)) if per_second > 0 else 0
        self._span = self._allowed / per_second + PACE_MARGIN_SECONDS if per_second > 0 else 0.0
        self._sent: deque[float] = deque(maxlen=self._allowed or 1)
        self._recent: deque[float] = deque(maxlen=_OBSERVED)
        self._slow_rate = 0.0
        self._slow_since = 0.0
        self._slow_sent = 0
        self._paused_until = 0.0
        self._lock = threading.Lock()
        self._sleep = sleep

    def wait(self) -> None:
        """Return when the next request may be sent."""
        while True:
            with self._lock:
                now = time.monotonic()
                at = self._next(now)
                self._sent.append(at)
                self._recent.append(at)
                self._slow_sent += 1
            if at > now:
                self._sleep(at - now)
            # A pause that began meanwhile holds for those too that had their turn already.
            if at >= self._paused_until:
                return

    def pause(self, seconds: float) -> None:
        """Hold every request of the account back for that long."""
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def slow_down(self) -> None:
        """Send half as many from now on, and slowly more again."""
        with self._lock:
            now = time.monotonic()
            if self._slow_rate and now - self._slow_since < ECHO_SECONDS:
                return
            rate = self._rate() or self._observed(now)
            rate = min(rate, self._per_second or rate)
            if rate:
                self._slow_rate, self._slow_since = max(rate / 2, LEAST_PER_SECOND), now
                self._slow_sent = 0

    def _next(self, now: float) -> float:
        at = max(now, self._paused_until)
        if self._allowed and len(self._sent) == self._allowed:
            at = max(at, self._sent[0] + self._span)
        if self._sent and (rate := self._rate()):
            at = max(at, self._sent[-1] + 1 / rate)
        return at

    def _rate(self) -> float:
        """The rate that a refusal left, as far as it has recovered; 0 where it is not reduced."""
        grown = 1 + self._slow_sent / RECOVERY_REQUESTS
        if grown >= LIFTED_AT:
            self._slow_rate = 0.0
        return self._slow_rate * grown

    def _observed(self, now: float) -> float:
        """How many requests a second were sent lately; 0 where one alone says nothing."""
        sent = [at for at in self._recent if now - LATELY_SECONDS < at <= now]
        return len(sent) / max(now - sent[0], PACE_MARGIN_SECONDS) if len(sent) > 1 else 0.0
