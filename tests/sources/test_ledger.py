from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sources.ledger import FINGERPRINT_MARGIN, Ledger
from sources.windows import Window, cut, span

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + number * DAY


def after_sync(ledger: Ledger, now: datetime, lookback: timedelta) -> Ledger:
    """The ledger after a whole sync at `now`, and every window's fingerprint its own start."""
    ledger = ledger.under(lookback, now)
    for window in cut(ledger.to_sync(START, now), zone="UTC", days=1):
        ledger = ledger.read([window], now=now, lookback=lookback, fingerprint=f"of {window.start:%d}")
    return ledger.synced(START, now)


def test_a_first_sync_reads_everything_and_the_next_only_the_lookback_and_what_is_new() -> None:
    ledger = after_sync(Ledger(), day(10.5), 3 * DAY)
    assert ledger.cursor == day(10.5)
    # The window of a day is settled once its end is older than the lookback: day 6 to 7 ended 3.5 days ago.
    assert list(ledger.to_sync(START, day(11))) == [Window(day(7), day(11))]


def test_a_window_is_settled_when_its_end_is_as_old_as_the_lookback() -> None:
    read = Ledger().read([Window(day(0), day(1))], now=day(4), lookback=3 * DAY, fingerprint=None)
    assert list(read.settled) == [Window(day(0), day(1))]
    read = Ledger().read([Window(day(0), day(1))], now=day(3.99), lookback=3 * DAY, fingerprint=None)
    assert not read.settled
    assert list(read.finished) == [Window(day(0), day(1))]


@given(st.lists(st.floats(0.1, 6), min_size=1, max_size=8), st.sampled_from([0.0, 0.5, 3.0, 7.0]))
def test_however_often_it_fires_every_window_is_read_again_after_the_lookback(
    gaps: list[float], lookback_days: float
) -> None:
    ledger, now, lookback = Ledger(), 1.0, timedelta(days=lookback_days)
    for gap in gaps:
        now += gap
        ledger = after_sync(ledger, day(now), lookback)
        assert list(ledger.finished) == [Window(START, day(now))]
        assert all(window.end + lookback <= day(now) for window in ledger.settled)
        unsettled = span(START, day(now)) - ledger.settled
        assert unsettled.length <= lookback + DAY


def test_a_longer_lookback_opens_settled_time_again_and_a_shorter_one_does_not() -> None:
    ledger = after_sync(Ledger(), day(20), 3 * DAY)
    longer = ledger.under(7 * DAY, day(20))
    assert list(longer.to_sync(START, day(20))) == [Window(day(13), day(20))]
    assert list(ledger.under(DAY, day(20)).to_sync(START, day(20))) == [Window(day(17), day(20))]


def test_a_longer_lookback_opens_what_a_backfill_under_a_shorter_one_settled() -> None:
    now = day(10)
    ledger = Ledger().read([Window(day(5), day(10))], now=now, lookback=timedelta(), fingerprint=None)
    assert list(ledger.under(3 * DAY, now).to_sync(day(5), now)) == [Window(day(7), day(10))]
    ledger = after_sync(Ledger(), now, 3 * DAY)
    ledger = ledger.read([Window(day(9), day(10))], now=now, lookback=timedelta(), fingerprint=None)
    assert list(ledger.under(3 * DAY, now).to_sync(START, now)) == [Window(day(7), day(10))]


def test_a_backfill_reads_only_what_no_run_read_unless_forced_and_never_moves_the_cursor() -> None:
    ledger = after_sync(Ledger(), day(10), 3 * DAY)
    wanted = ledger.to_backfill(day(-5), day(5), force=False)
    assert list(wanted) == [Window(day(-5), day(0))]
    assert list(ledger.to_backfill(day(-5), day(5), force=True)) == [Window(day(-5), day(5))]
    for window in cut(wanted, zone="UTC", days=1):
        ledger = ledger.read([window], now=day(10), lookback=3 * DAY, fingerprint=None)
    assert ledger.cursor == day(10)
    assert not ledger.to_backfill(day(-5), day(5), force=False)
    assert list(ledger.to_sync(START, day(10))) == [Window(day(7), day(10))]


def test_the_cursor_stops_at_a_window_that_was_not_read() -> None:
    ledger = Ledger()
    for window in (Window(day(0), day(1)), Window(day(2), day(3))):
        ledger = ledger.read([window], now=day(3), lookback=DAY, fingerprint=None)
    assert ledger.synced(START, day(3)).cursor == day(1)


def test_fingerprints_are_kept_only_as_long_as_their_window_is_read_again() -> None:
    ledger = after_sync(Ledger(), day(10), 3 * DAY)
    assert sorted(ledger.fingerprints) == [day(n).isoformat() for n in (7, 8, 9)]
    later = ledger.synced(START, day(10) + FINGERPRINT_MARGIN + 3 * DAY)
    assert sorted(later.fingerprints) == [day(9).isoformat()]


def test_the_fingerprint_of_a_wide_window_is_kept_until_its_end_is_old() -> None:
    wide = Window(day(0), day(30))
    ledger = Ledger().read([wide], now=day(30), lookback=3 * DAY, fingerprint="of a month")
    assert ledger.synced(START, day(31)).fingerprint_of(wide) == "of a month"


def test_what_was_read_of_a_window_with_other_borders_lets_its_fingerprint_speak_no_more() -> None:
    ledger = after_sync(Ledger(), day(10), 3 * DAY)
    ledger = ledger.read([Window(day(8.5), day(9))], now=day(10), lookback=3 * DAY, fingerprint="other")
    known = [ledger.fingerprint_of(Window(day(n), day(n + 1))) for n in (7, 8, 9)]
    assert [fingerprint is not None for fingerprint in known] == [True, False, True]
    assert ledger.fingerprint_of(Window(day(8.5), day(9))) == "other"


def test_the_newest_window_is_known_by_its_start_while_it_grows() -> None:
    ledger = after_sync(Ledger(), day(10.25), 3 * DAY)
    assert ledger.fingerprint_of(Window(day(10), day(10.5))) is not None
    ledger = ledger.read([Window(day(10), day(10.5))], now=day(10.5), lookback=3 * DAY, fingerprint="grown")
    assert ledger.fingerprint_of(Window(day(10), day(11))) == "grown"


def test_a_call_that_was_read_complete_is_unfinished_no_more() -> None:
    ledger = Ledger().with_unfinished(["1", "2"], {"1": 10, "2": 20}).with_unfinished(["2", "3"], {"3": 30})
    assert ledger.unfinished == {"1": 10, "3": 30}


def test_an_unfinished_call_that_is_too_old_to_be_asked_for_is_forgotten() -> None:
    ledger = Ledger().with_unfinished([], {"old": 10, "new": int(day(1).timestamp())})
    assert ledger.without_unfinished_before(day(0)).unfinished == {"new": int(day(1).timestamp())}


def test_answers_by_id_are_doubted_and_names_are_not() -> None:
    ledger = Ledger(contents={"users": "a", "unfinished 0": "b", "unfinished 1000": "c"})
    assert ledger.doubting_answers() == Ledger(contents={"users": "a"})


def test_what_was_read_of_another_scope_has_to_be_read_again() -> None:
    ledger = after_sync(Ledger().of("calls of all"), day(10), 3 * DAY)
    assert ledger.of("calls of all") == ledger
    assert Ledger.from_json(json.loads(json.dumps(ledger.to_json()))).is_of_another("calls of one")
    other = ledger.of("calls of one")
    assert other.to_sync(START, day(10)) == span(START, day(10))
    assert not other.fingerprints


def test_a_ledger_that_knows_no_scope_is_of_the_one_that_is_configured() -> None:
    ledger = after_sync(Ledger(), day(10), 3 * DAY)
    assert ledger.of("calls of all").finished == ledger.finished


def test_a_ledger_survives_json() -> None:
    ledger = after_sync(Ledger(), day(10.25), 3 * DAY).with_unfinished(["7"], {"7": 1_767_225_600})
    ledger = Ledger.from_json(json.loads(json.dumps(ledger.to_json())))
    assert Ledger.from_json(json.loads(json.dumps(ledger.to_json()))) == ledger
    assert ledger == after_sync(Ledger(), day(10.25), 3 * DAY).with_unfinished(["7"], {"7": 1_767_225_600})
    assert Ledger.from_json(json.loads(json.dumps(Ledger().to_json()))) == Ledger()
    assert Ledger.from_json(None) == Ledger.from_json({}) == Ledger()
