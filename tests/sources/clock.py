"""Time that passes when somebody sleeps."""

from __future__ import annotations

import pytest

from sources.pace import Pace


class Clock:
    """Seconds that pass when somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("sources.pace.time.monotonic", lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def sent_within(self, pace: Pace, seconds: float) -> int:
        """How many requests the pace lets pass in the next seconds."""
        ends, sent = self.now + seconds, 0
        while self.now < ends:
            pace.wait()
            sent += 1
        return sent
