"""A window larger than a unit that is read again brings only those of its parts that are not as they were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sources import jobs
from sources.ledger import Ledger
from sources.provider import Page
from sources.units import Span, Unit, UnitSize
from sources.windows import Window
from tests.sources.runs import END, SYNC, Scripted, reader, rows, scripted_account

DAY = datetime(2026, 1, 30, tzinfo=UTC)
"""It ended less than the lookback before the run began."""
CALLS = range(1, 201)
PART = range(61, 71)
"""Calls that are shaped together."""
SIZE = UnitSize(rows=40, seconds=3600)


class LargeDay:
    """An account of which one day has two hundred calls, listed in pages of ten; the others have none."""

    def __init__(self) -> None:
        self.notes = dict.fromkeys(CALLS, "")
        self.unreadable: list[bytes] = []

    def pages(self, window: Window) -> Iterator[Page]:
        if window.start != DAY:
            yield Page([], total=0)
            return
        records = [
            json.dumps({"id": f"{number}", "started_at": f"{DAY:%FT%T}.{number:06}Z", "note": note}).encode()
            for number, note in self.notes.items()
        ]
        records += self.unreadable
        for first in range(0, len(records), 10):
            yield Page(records[first : first + 10], total=len(records))

    def read(
        self, ledger: Ledger | None = None, wanted: Span = SYNC, size: UnitSize = SIZE
    ) -> tuple[list[Unit], Ledger]:
        run = reader(scripted_account(concurrency=1), Scripted(self.pages), ledger, unit_size=size, now=END)
        units = list(run.units(wanted))
        return units, Ledger.from_json(run.ledger.to_json())


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch) -> LargeDay:
    monkeypatch.setattr(jobs, "SHAPED_AT_ONCE", 10)
    return LargeDay()


def ids(units: list[Unit]) -> list[int]:
    return sorted(int(row["id"]) for row in rows(units, "call_logs"))


def test_all_of_it_comes_at_first(day: LargeDay) -> None:
    units, _ = day.read()
    assert ids(units) == list(CALLS)


def test_nothing_comes_where_nothing_changed(day: LargeDay) -> None:
    _, ledger = day.read()
    for _ in range(2):
        units, ledger = day.read(ledger)
        assert units == []


def test_nor_where_the_configuration_says_otherwise_what_is_large(day: LargeDay) -> None:
    _, ledger = day.read()
    units, _ = day.read(ledger, size=UnitSize(rows=5000))
    assert units == []


def test_the_part_of_a_changed_call_comes_and_finishes_the_window(day: LargeDay) -> None:
    _, ledger = day.read()
    day.notes[66] = "called back"
    units, ledger = day.read(ledger)
    assert ids(units) == list(PART)
    (window,) = [read for unit in units for read in unit.windows if read.window.start == DAY]
    assert (window.rows, window.changed) == (200, True)
    units, _ = day.read(ledger)
    assert units == []


def test_a_call_that_comes_at_the_end_brings_no_other_part(day: LargeDay) -> None:
    _, ledger = day.read()
    day.notes[201] = "late"
    units, _ = day.read(ledger)
    assert ids(units) == [201]


def test_a_record_that_becomes_unreadable_is_told(day: LargeDay) -> None:
    _, ledger = day.read()
    day.unreadable.append(b'{"note": "whose?"}')
    units, ledger = day.read(ledger)
    assert ids(units) == []
    assert sum(len(unit.rejections) for unit in units) == 1
    units, _ = day.read(ledger)
    assert units == []


def test_what_is_wanted_anew_comes_whole(day: LargeDay) -> None:
    _, ledger = day.read()
    units, ledger = day.read(ledger, Span("backfill", DAY, DAY + timedelta(days=1), force=True))
    assert ids(units) == list(CALLS)
    units, _ = day.read(ledger)
    assert units == []


def test_a_window_that_was_cut_short_while_parts_of_it_came_is_compared_with_nothing(day: LargeDay) -> None:
    _, ledger = day.read()
    day.notes |= dict.fromkeys(CALLS[:40], "later")
    run = reader(scripted_account(concurrency=1), Scripted(day.pages), ledger, unit_size=UnitSize(rows=10))
    first = next(unit for unit in run.units(SYNC))
    assert set(ids([first])) < set(CALLS[:40])
    # Only then the change is taken back: what the last whole read knew is not what was loaded since.
    day.notes |= dict.fromkeys(CALLS[:40], "")
    units, _ = day.read(Ledger.from_json(first.ledger.to_json()))
    assert ids(units) == list(CALLS)


def test_what_was_small_when_it_was_passed_on_is_known_whatever_its_order(day: LargeDay) -> None:
    size = UnitSize(rows=5000)
    _, ledger = day.read(size=size)
    day.notes = dict(reversed(day.notes.items()))
    units, _ = day.read(ledger, size=size)
    assert units == []


def test_a_window_that_has_grown_large_comes_whole_once(day: LargeDay) -> None:
    whole = dict(day.notes)
    day.notes = dict.fromkeys(CALLS[:20], "")
    _, ledger = day.read()
    day.notes = whole
    units, ledger = day.read(ledger)
    assert ids(units) == list(CALLS)
    units, _ = day.read(ledger)
    assert units == []
