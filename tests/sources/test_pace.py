"""The pace of an account: never faster than agreed, slower after refusals, and common pauses."""

from __future__ import annotations

import threading

import pytest

from sources.pace import ECHO_SECONDS, LEAST_PER_SECOND, PACE_MARGIN_SECONDS, RECOVERY_REQUESTS, Pace
from tests.sources.clock import Clock


@pytest.mark.parametrize(
    ("per_second", "group", "span"), [(5, 5, 1.0), (1, 1, 1.0), (0.5, 1, 2.0), (2.5, 2, 0.8)]
)
def test_never_more_requests_in_a_second_than_agreed_however_many_threads_ask(
    monkeypatch: pytest.MonkeyPatch, per_second: float, group: int, span: float
) -> None:
    monkeypatch.setattr("sources.pace.time.monotonic", lambda: 1000.0)
    sent: list[float] = []
    here = threading.local()

    def sleep(seconds: float) -> None:
        here.waited = seconds

    pace = Pace(per_second, sleep)

    def ask() -> None:
        for _ in range(10):
            here.waited = 0.0
            pace.wait()
            sent.append(here.waited)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent.sort()
    assert len(sent) == 40
    assert all(later - earlier >= span for earlier, later in zip(sent, sent[group:], strict=False))
    assert sent[-1] <= (40 / group) * (span + 2 * PACE_MARGIN_SECONDS)


@pytest.mark.parametrize("per_second", [8, 40])
def test_a_refusal_halves_the_pace_which_then_recovers_to_what_is_agreed(
    monkeypatch: pytest.MonkeyPatch, per_second: float
) -> None:
    clock = Clock(monkeypatch)
    pace = Pace(per_second, clock.sleep)
    assert clock.sent_within(pace, 4) == pytest.approx(4 * per_second, rel=0.35)
    pace.slow_down()
    pace.slow_down()
    began = clock.now
    for _ in range(RECOVERY_REQUESTS):
        pace.wait()
    # From half of the rate to all of it: at three quarters on average.
    assert clock.now - began == pytest.approx(RECOVERY_REQUESTS / (0.72 * per_second), rel=0.15)
    for _ in range(4 * RECOVERY_REQUESTS):
        pace.wait()
    assert clock.sent_within(pace, 4) == pytest.approx(4 * per_second, rel=0.35)


def test_refusals_that_go_on_slow_down_further_but_not_to_a_standstill(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    pace = Pace(10, clock.sleep)
    for _ in range(20):
        clock.sent_within(pace, 2 * ECHO_SECONDS)
        pace.slow_down()
    assert clock.sent_within(pace, 10) == pytest.approx(10 * LEAST_PER_SECOND, abs=2)


def test_an_account_without_a_limit_is_slowed_to_half_of_what_was_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    pace = Pace(0, clock.sleep)
    pace.wait()
    pace.slow_down()
    for _ in range(20):
        pace.wait()
        clock.sleep(0.05)
    pace.slow_down()
    assert clock.sent_within(pace, 1) == pytest.approx(13, abs=4)


def test_a_pause_that_begins_while_a_request_waits_for_its_turn_holds_for_it_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)

    def sleep(seconds: float) -> None:
        if clock.now < 1001:
            pace.pause(5)
        clock.sleep(seconds)

    pace = Pace(1, sleep)
    pace.wait()
    pace.wait()
    assert clock.now == 1005


def test_without_a_pace_nothing_waits() -> None:
    waits: list[float] = []
    pace = Pace(0, waits.append)
    for _ in range(1000):
        pace.wait()
    assert not waits


def test_a_pause_the_provider_asks_for_holds_every_request_of_the_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sources.pace.time.monotonic", lambda: 1000.0)
    waits: list[float] = []
    pace = Pace(0, waits.append)
    pace.pause(5)
    pace.pause(3)
    pace.wait()
    assert waits == [5.0]
