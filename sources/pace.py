"""The pace of an account: how many of its requests may be sent, and when."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

PACE_MARGIN_SECONDS = 0.05
"""Requests arrive unevenly late: without a margin the provider would at times see one more than agreed."""


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
