"""Local times become instants by the rules of the tzdata package, which are DuckDB's too."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.shaping.local_times import in_utc
from sources.windows import instant
from sources.zones import _names, zone_of

WALL = pa.timestamp("us")
ZONES = sorted(_names() - {"Factory"})


def by_zoneinfo(wall: datetime, name: str) -> datetime:
    """The first instant at which the zone's clocks show this time or, after a gap, a later one."""
    zone = zone_of(name)
    candidates = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    shown = [at for at in candidates if at.astimezone(zone).replace(tzinfo=None) == wall]
    if shown:
        return min(shown)
    first, last = sorted(candidates)
    while last - first > timedelta(seconds=1):
        middle = (first + (last - first) / 2).replace(microsecond=0)
        is_after = middle.astimezone(zone).replace(tzinfo=None) > wall
        first, last = (first, middle) if is_after else (middle, last)
    return last


def shaped(walls: Sequence[datetime | None], name: str) -> list[datetime | None]:
    return list(in_utc(pa.array(walls, WALL), name).to_pylist())


@settings(max_examples=150)
@given(
    st.sampled_from(ZONES),
    st.lists(st.datetimes(datetime(1975, 1, 1), datetime(2037, 12, 31)), min_size=1, max_size=5),
)
def test_any_time_of_any_zone(name: str, walls: list[datetime]) -> None:
    assert shaped([*walls, None], name) == [*(by_zoneinfo(wall, name) for wall in walls), None]


@settings(max_examples=25)
@given(
    st.sampled_from(
        ["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca", "Asia/Tehran"]
    ),
    st.integers(1990, 2026),
    st.lists(st.integers(-180, 180), min_size=1, max_size=3),
)
def test_the_hours_around_a_change_of_the_clocks(name: str, year: int, minutes: list[int]) -> None:
    zone = zone_of(name)
    days = [datetime(year, 1, 1) + timedelta(days=day) for day in range(366)]
    changed = [day for day in days if zone.utcoffset(day) != zone.utcoffset(day + timedelta(days=1))]
    walls = [
        day + timedelta(hours=hour, minutes=minute)
        for day in changed
        for hour in range(0, 26, 2)
        for minute in minutes
    ]
    assert shaped(walls, name) == [by_zoneinfo(wall, name) for wall in walls]


def test_the_first_and_the_last_times_there_are() -> None:
    ends = [datetime(2, 1, 1), datetime(9999, 12, 30)]
    for end in ends:
        assert shaped([end], "Etc/GMT+12") == [end.replace(tzinfo=UTC) + timedelta(hours=12)]
    assert shaped(ends, "Asia/Ho_Chi_Minh")[1] == ends[1].replace(tzinfo=UTC) - timedelta(hours=7)
    assert shaped([], "Europe/Berlin") == []
    assert shaped([None], "Europe/Berlin") == [None]


@pytest.fixture
def wrong_rules(tmp_path: Path) -> Iterator[None]:
    """An operating system by whose rules clocks in Berlin are those of Tokyo."""
    (tmp_path / "Europe").mkdir()
    right = files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "Europe/Berlin").write_bytes(right)
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[str(tmp_path)])
    zoneinfo.ZoneInfo.clear_cache()
    zone_of.cache_clear()
    yield
    zoneinfo.reset_tzpath(to=before)
    zoneinfo.ZoneInfo.clear_cache()
    zone_of.cache_clear()


@pytest.mark.usefixtures("wrong_rules")
def test_no_rules_of_the_operating_system_count() -> None:
    assert zoneinfo.ZoneInfo("Europe/Berlin").utcoffset(datetime(2026, 1, 1)) == timedelta(hours=9)
    expected = datetime(2026, 11, 4, 23, 30, tzinfo=UTC)
    assert shaped([datetime(2026, 11, 5, 0, 30)], "Europe/Berlin") == [expected]
    assert instant("2026-11-05 00:30", "Europe/Berlin") == expected


@pytest.mark.parametrize(
    "name", ["America/Vancouver", "Africa/Casablanca", "Europe/Berlin", "Asia/Ho_Chi_Minh"]
)
def test_duckdb_reads_a_local_time_in_the_same_way(name: str) -> None:
    at = "2026-11-05 00:30:00"
    with duckdb.connect() as connection:
        connection.execute(f"set timezone = '{name}'")
        ((told,),) = connection.execute("select epoch_us(cast(? as timestamptz))", [at]).fetchall()
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=told)
    assert shaped([datetime.fromisoformat(at)], name) == [expected]
    assert instant(at, name) == expected
