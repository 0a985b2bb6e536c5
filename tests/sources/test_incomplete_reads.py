"""A window of which not all came is read once more, and never counts as finished."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from simulator import Simulator
from sources.errors import IncompleteRead
from sources.provider import Page
from sources.registry import PROVIDERS
from sources.units import Span, Unit
from sources.windows import Window
from tests.sources.accounts import IDS, UNTIL, connect, simulated
from tests.sources.runs import (
    END,
    START,
    SYNC,
    Scripted,
    call_log,
    one_call,
    read,
    reader,
    rows,
    scripted_account,
)


def test_a_short_count_is_read_again_once() -> None:
    reads: list[Window] = []

    def answer(window: Window) -> list[Page]:
        reads.append(window)
        return [Page([call_log(window.start, number) for number in range(len(reads))], total=2)]

    wanted = Span("backfill", START, START + timedelta(hours=1))
    (unit,) = reader(scripted_account(), Scripted(answer)).units(wanted)
    assert (len(reads), unit.windows[0].rows, unit.windows[0].provider_total) == (2, 2, 2)


def test_a_count_that_stays_short_is_an_error_and_the_window_is_not_finished() -> None:
    connection = Scripted(lambda window: [Page([call_log(window.start)], total=3)])
    run = reader(scripted_account(), connection)
    with pytest.raises(IncompleteRead, match="1 calls came of 3 that the provider counts, twice"):
        list(run.units(Span("backfill", START, START + timedelta(hours=1))))
    assert len(connection.asked) == 2
    assert not run.ledger.finished


def test_a_list_that_breaks_off_is_read_again_once() -> None:
    reads: list[Window] = []

    def answer(window: Window) -> Iterator[Page]:
        reads.append(window)
        yield Page([call_log(window.start)])
        if len(reads) == 1:
            raise IncompleteRead("the list shows earlier pages again")
        yield Page([call_log(window.start, 1)])

    wanted = Span("backfill", START, START + timedelta(hours=1))
    (unit,) = reader(scripted_account(), Scripted(answer)).units(wanted)
    assert (len(reads), unit.windows[0].rows) == (2, 2)


def test_a_list_that_breaks_off_twice_is_an_error_and_the_other_windows_are_read() -> None:
    asked: list[Window] = []

    def answer(window: Window) -> list[Page]:
        asked.append(window)
        if window.start.day == 28:
            raise IncompleteRead("the list does not end")
        return one_call(window)

    run = reader(scripted_account(concurrency=1), Scripted(answer))
    units: list[Unit] = []
    with pytest.raises(IncompleteRead, match="does not end"):
        units.extend(run.units(SYNC))
    assert [window.start.day for window in asked].count(28) == 2
    assert [window.window.start.day for unit in units for window in unit.windows] == [26, 27, 29, 30, 31]


@pytest.fixture(scope="module")
def _still() -> Iterator[Simulator]:
    with Simulator(calls=150, seed=7, days=4, until=UNTIL) as running:
        running.settle()
        yield running


@pytest.fixture
def still(_still: Simulator) -> Iterator[Simulator]:
    """A simulator that tests share: they play faults on it and change nothing."""
    yield _still
    _still.faults.clear()


COUNTED = {
    "vbot v3": ("vbot", "v3", "call/get-all", {}),
    "vbot v2": ("vbot", "v2", "historycall/getAll", {"time_unit": "s"}),
    "vbot v2, walked": ("vbot", "v2", "historycall/getAll", {"time_unit": "none"}),
    "vbot v1": ("vbot", "v1", "historycall/getAll", {}),
    "voximplant": ("voximplant", None, "GetCallHistory", {}),
}


@pytest.mark.parametrize(("provider", "version", "endpoint", "options"), COUNTED.values(), ids=COUNTED)
@pytest.mark.parametrize("kind", ["empty_page", "endless", "repeated_cursor"])
def test_a_window_with_fewer_calls_than_the_provider_counts_is_never_finished(
    still: Simulator, provider: str, version: str | None, endpoint: str, options: Any, kind: str
) -> None:
    # So small that every window has more than one page.
    account = simulated(still, provider, version, page_size=5, window_days=9, **options)
    connection = connect(account)
    run = reader(account, connection)
    still.faults.sometimes(kind, 1.0, provider, endpoint)
    units: list[Unit] = []
    with pytest.raises(IncompleteRead, match="came of"):
        units.extend(run.units(Span("backfill", START, END - timedelta(hours=10))))
    connection.close()
    assert not run.ledger.finished
    assert not [window for unit in units for window in unit.windows]


@pytest.mark.parametrize(("provider", "version", "endpoint", "options"), COUNTED.values(), ids=COUNTED)
def test_a_page_that_was_empty_once_is_made_good_by_the_second_read(
    still: Simulator, provider: str, version: str | None, endpoint: str, options: Any
) -> None:
    account = simulated(still, provider, version, page_size=20, concurrency=1, **options)
    still.faults.next("empty_page", provider=provider, endpoint=endpoint)
    units, ledger = read(account)
    found = rows(units, PROVIDERS[provider].calls.table)
    if version != "v1":  # it gives no ids
        assert len({row[IDS[provider]] for row in found}) == 150
    assert [(window.start, window.end) for window in ledger.finished] == [(START, END)]


def test_a_provider_that_counts_more_than_it_lists_is_not_believed(simulator: Simulator) -> None:
    simulator.faults.sometimes("empty_page", 1.0, "vbot", "call/get-all")
    with pytest.raises(IncompleteRead, match="twice"):
        read(simulated(simulator, "vbot"))
