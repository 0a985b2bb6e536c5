from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.windows import SECOND, Intervals, Window, cut, instant, local_midnight, span

ZONES = (
    "UTC",
    "Asia/Ho_Chi_Minh",
    "Europe/Berlin",
    "America/Santiago",
    "Asia/Beirut",
    "America/Havana",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)
EPOCH = datetime(2011, 12, 1, tzinfo=UTC)

seconds = st.integers(0, 400)
moments = st.datetimes(datetime(2011, 12, 1), datetime(2027, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)


def at(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)


spans = st.tuples(seconds, seconds).filter(lambda pair: pair[0] < pair[1])
windows = spans.map(lambda pair: Window(at(pair[0]), at(pair[1])))
sets = st.lists(windows, max_size=8).map(Intervals.of)


def held(intervals: Intervals) -> set[int]:
    return {second for second in range(401) if intervals.holds(at(second).timestamp())}


@given(st.lists(windows, max_size=8))
def test_a_set_is_sorted_and_its_windows_neither_overlap_nor_touch(some: list[Window]) -> None:
    merged = Intervals.of(some)
    assert all(first.end < second.start for first, second in pairwise(merged))
    assert held(merged) == {s for window in some for s in range(401) if window.start <= at(s) < window.end}


@given(sets, sets)
def test_union_and_difference_are_those_of_sets_of_instants(first: Intervals, second: Intervals) -> None:
    assert held(first | second) == held(first) | held(second)
    assert held(first - second) == held(first) - held(second)
    assert (first - second) - second == first - second
    assert (first - second) | (first | second) == first | second
    assert bool(first) == bool(held(first))


@given(sets, seconds)
def test_covered_until_is_the_first_instant_that_is_missing(some: Intervals, start: int) -> None:
    inside = held(some)
    expected = next(second for second in range(start, 402) if second not in inside)
    assert some.covered_until(at(start)) == at(expected)


@given(sets)
def test_a_set_survives_json(some: Intervals) -> None:
    assert Intervals.from_json(some.to_json()) == some


@given(spans)
def test_length_is_the_sum_of_what_is_held(pair: tuple[int, int]) -> None:
    assert span(at(pair[0]), at(pair[1])).length == timedelta(seconds=pair[1] - pair[0])
    assert not span(at(pair[1]), at(pair[0]))


@given(
    st.lists(st.tuples(moments, moments), min_size=1, max_size=3), st.sampled_from(ZONES), st.integers(1, 9)
)
def test_pieces_cover_exactly_and_meet_at_local_midnights(
    pairs: list[tuple[datetime, datetime]], zone: str, days: int
) -> None:
    todo = Intervals.of(
        Window(start, min(end, start + timedelta(days=20))) for start, end in pairs if start < end
    )
    pieces = cut(todo, zone=zone, days=days)
    assert pieces == sorted(pieces)
    assert all(first.end <= second.start for first, second in pairwise(pieces))
    assert Intervals.of(pieces) == todo
    ends = {window.end for window in todo}
    for border in {piece.end for piece in pieces} - ends:
        day = border.astimezone(ZoneInfo(zone)).date()
        assert border == local_midnight(day, zone)
        assert (border - SECOND).astimezone(ZoneInfo(zone)).date() < day


@given(moments, moments, st.sampled_from(ZONES), st.integers(1, 9))
def test_the_grid_is_the_same_whatever_the_start(
    first: datetime, second: datetime, zone: str, days: int
) -> None:
    end = max(first, second) + timedelta(days=20)
    borders = [
        {piece.start for piece in cut(span(start, end), zone=zone, days=days)} - {start}
        for start in (max(first, second), max(first, second) - timedelta(days=15))
    ]
    assert borders[0] - {first, second} <= borders[1]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/Santiago", "2024-09-08", 23),  # begins at 01:00
        ("Asia/Beirut", "2024-03-31", 23),  # begins at 01:00
        ("America/Santiago", "2024-04-06", 25),  # ends twice
        ("America/Havana", "2023-11-05", 25),  # begins twice
        ("Asia/Ho_Chi_Minh", "2026-03-29", 24),
    ],
)
def test_a_local_day_is_one_window_of_as_many_hours_as_it_has(zone: str, day: str, hours: int) -> None:
    start = instant(day, zone)
    around = span(start - timedelta(days=1), start + timedelta(days=2))
    (window,) = [piece for piece in cut(around, zone=zone, days=1) if piece.start == start]
    assert window.length == timedelta(hours=hours)


def test_a_midnight_that_does_not_exist_is_the_instant_of_the_jump() -> None:
    assert instant("2024-09-08", "America/Santiago") == datetime(2024, 9, 8, 4, tzinfo=UTC)
    assert instant("2024-03-31", "Asia/Beirut") == datetime(2024, 3, 30, 22, tzinfo=UTC)


def test_a_midnight_that_comes_twice_is_the_first() -> None:
    assert instant("2023-11-05", "America/Havana") == datetime(2023, 11, 5, 4, tzinfo=UTC)
    assert instant("2023-11-05T00:00:00", "America/Havana") == datetime(2023, 11, 5, 4, tzinfo=UTC)


def test_wide_windows_are_whole_days_of_one_grid() -> None:
    pieces = cut(span(instant("2026-01-01"), instant("2026-02-01")), zone="UTC", days=7)
    assert [piece.length.days for piece in pieces[1:-1]] == [7] * (len(pieces) - 2)
    assert all(piece.length <= timedelta(days=7) for piece in pieces)


@given(st.integers(2, 10**6), st.integers(0, 999_999))
def test_halves_meet_at_a_whole_second_and_are_shorter(length: int, microseconds: int) -> None:
    window = Window(EPOCH, EPOCH + timedelta(seconds=length, microseconds=microseconds))
    older, newer = window.halves()
    assert (older.start, older.end, newer.end) == (window.start, newer.start, window.end)
    assert (older.length % SECOND, max(older.length, newer.length) < window.length) == (timedelta(), True)


def test_one_second_cannot_be_halved() -> None:
    with pytest.raises(ValueError, match="cannot be halved"):
        Window(EPOCH, EPOCH + SECOND).halves()


@pytest.mark.parametrize("end", [EPOCH, EPOCH - SECOND, datetime(2030, 1, 1)])
def test_a_window_is_aware_and_not_empty(end: datetime) -> None:
    with pytest.raises(ValueError, match="a window"):
        Window(EPOCH, end)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-01-31", "UTC", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31", "Asia/Ho_Chi_Minh", datetime(2026, 1, 30, 17, tzinfo=UTC)),
        ("2026-01-31T10:00", "Asia/Ho_Chi_Minh", datetime(2026, 1, 31, 3, tzinfo=UTC)),
        ("2026-01-31 10:00:00+07:00", "Europe/Berlin", datetime(2026, 1, 31, 3, tzinfo=UTC)),
        (" 2026-01-31T10:00:00Z ", "Asia/Ho_Chi_Minh", datetime(2026, 1, 31, 10, tzinfo=UTC)),
    ],
)
def test_a_date_is_local_midnight_and_an_offset_counts_more_than_the_zone(
    text: str, zone: str, expected: datetime
) -> None:
    assert instant(text, zone) == expected
    assert instant(text, zone).tzinfo is UTC


@pytest.mark.parametrize("zone", ZONES)
def test_the_calendars_second_day_is_an_instant_everywhere(zone: str) -> None:
    assert instant("0001-01-02", zone).astimezone(ZoneInfo(zone)).date() == date(1, 1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "now",
        "10:30",
        "P1D",
        "2026-13-01",
        "2026-01-01/2026-01-02",
        "2026-01-01/P1D",
        "31.01.2026",
        "0001-01-01",
        "0001-01-01T07:59:59Z",
        "9999-12-31",
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh", "America/New_York"])
def test_anything_else_is_no_instant(text: str, zone: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        instant(text, zone)
