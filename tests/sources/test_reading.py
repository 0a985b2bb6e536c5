from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from simulator import REMOVED, Simulator
from sources import jobs
from sources.errors import AccessDenied, IncompleteRead, WindowOverflow
from sources.ledger import Ledger
from sources.provider import Page
from sources.reading import RESCOPED, AccountReader
from sources.registry import PROVIDERS
from sources.units import Noted, Span, Unit, UnitSize
from sources.voximplant import api as voximplant_api
from sources.windows import SECOND, Intervals, Window, span
from tests.sources.accounts import (
    IDS,
    UNTIL,
    WHOLE,
    connect,
    ids,
    requests_of,
    simulated,
)
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


@pytest.mark.parametrize("provider", ["vbot", "etelecom", "voximplant"])
def test_units_hold_every_call_once_and_its_children(simulator: Simulator, provider: str) -> None:
    units, ledger = read(simulated(simulator, provider), unit_size=UnitSize(rows=100))
    truth = simulator.truth(provider)
    found = rows(units, PROVIDERS[provider].calls.table)
    assert len(units) > 3
    assert {str(row[IDS[provider]]) for row in found} == ids(truth, provider)
    if provider != "etelecom":  # its borders are inclusive
        assert len(found) == len(truth)
    assert [(window.start, window.end) for window in ledger.finished] == [(START, END)]
    assert ledger.cursor == END


def test_children_are_those_of_the_provider(simulator: Simulator) -> None:
    units, _ = read(simulated(simulator, "voximplant"))
    truth = simulator.truth("voximplant")
    for name, key in (("calls", "call_id"), ("records", "record_id")):
        found = sorted(row[key] for row in rows(units, f"call_sessions__{name}"))
        assert found == sorted(child[key] for session in truth for child in session[name])


def test_a_second_run_over_an_unchanged_account_brings_no_data(simulator: Simulator) -> None:
    for provider in PROVIDERS:
        account = simulated(simulator, provider)
        units, ledger = read(account)
        assert units
        again, _ = read(account, ledger)
        assert again == []


def test_only_a_window_that_changed_brings_data(simulator: Simulator) -> None:
    account = simulated(simulator, "etelecom", lookback_days=10)
    _, ledger = read(account)
    changed = simulator.truth("etelecom")[300]
    simulator.change("etelecom", changed["id"], note="called back")
    units, _ = read(account, ledger)
    found = rows(units, "call_logs")
    assert changed["id"] in {row["id"] for row in found}
    assert len(found) < 300
    assert [read.changed for unit in units for read in unit.windows].count(True) == 1


def noted(window: Window, note: str) -> Page:
    """A page with one call of a window, which bears a note."""
    return Page([json.dumps({**json.loads(call_log(window.start)), "note": note}).encode()], total=1)


def answering_with(note: str, window: Window) -> list[Page]:
    return [noted(window, note)]


def test_what_a_window_brought_is_known_to_the_next_run_however_full_its_unit_was() -> None:
    account, ledger = scripted_account(lookback_days=10), Ledger()
    for note, brings in (("A", True), ("A", False), ("B", True), ("B", False), ("A", True)):
        connection = Scripted(partial(answering_with, note))
        units = list(reader(account, connection, ledger, unit_size=UnitSize(rows=1)).units(SYNC))
        assert bool(rows(units, "call_logs")) is brings, note
        ledger = units[-1].ledger if units else ledger


def test_a_window_of_which_a_forced_read_loaded_a_part_is_loaded_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "SHAPED_AT_ONCE", 1)

    def broken(window: Window) -> Iterator[Page]:
        yield noted(window, "B")
        yield Page([])
        raise AccessDenied("no")

    account = scripted_account(lookback_days=10, concurrency=1)
    (*_, first) = reader(account, Scripted(partial(answering_with, "A"))).units(SYNC)
    forced: list[Unit] = []
    with pytest.raises(AccessDenied):
        forced.extend(
            reader(account, Scripted(broken), first.ledger).units(replace(SYNC, kind="backfill", force=True))
        )
    again = list(reader(account, Scripted(partial(answering_with, "A")), forced[-1].ledger).units(SYNC))
    loaded = {row["id"] for row in rows(forced, "call_logs")}
    assert loaded
    assert loaded <= {row["id"] for row in rows(again, "call_logs")}


def test_other_calls_are_asked_for_once_the_filter_is_another(simulator: Simulator) -> None:
    _, ledger = read(simulated(simulator, "etelecom", filter={"direction": "in"}))
    notes: list[str] = []
    units, ledger = read(
        simulated(simulator, "etelecom"),
        ledger,
        observe=lambda account, news: notes.append(news.text) if isinstance(news, Noted) else None,
    )
    assert len({row["id"] for row in rows(units, "call_logs")}) >= 600
    assert notes == [RESCOPED]
    assert read(simulated(simulator, "etelecom"), ledger) == ([], ledger)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_windows_are_read_at_once_than_configured(simulator: Simulator, concurrency: int) -> None:
    simulator.faults.latency_ms = 15
    read(simulated(simulator, "etelecom", concurrency=concurrency))
    assert simulator.requests.peak_in_flight("etelecom") == concurrency


def test_a_window_that_fails_leaves_the_finished_ones_and_raises_in_its_name() -> None:
    def answer(window: Window) -> list[Page]:
        if window.start.day == 29:
            raise AccessDenied("no")
        return one_call(window)

    run = reader(scripted_account(concurrency=1), Scripted(answer)).units(SYNC)
    units: list[Unit] = []
    with pytest.raises(AccessDenied, match=r"no \(window 2026-01-29T00:00:00Z/2026-01-30T00:00:00Z\)"):
        units.extend(run)
    assert [window.window.start.day for unit in units for window in unit.windows] == [26, 27, 28]
    assert units[-1].ledger.cursor == datetime(2026, 1, 29, tzinfo=UNTIL.tzinfo)


def test_a_window_bigger_than_a_unit_comes_in_pieces_and_is_finished_once() -> None:
    def answer(window: Window) -> list[Page]:
        numbers = range(25_000)
        logs = [call_log(window.start + number * SECOND) for number in numbers]
        return [Page(logs[first : first + 1000], total=25_000) for first in range(0, 25_000, 1000)]

    wanted = Span("backfill", START, START + timedelta(hours=8))
    account = scripted_account()
    run = reader(account, Scripted(answer), unit_size=UnitSize(rows=10_000))
    units = list(run.units(wanted))
    assert len(units) > 1
    assert len({row["id"] for row in rows(units, "call_logs")}) == 25_000
    assert [len(unit.windows) for unit in units] == [0] * (len(units) - 1) + [1]
    assert not units[0].ledger.finished
    assert units[-1].windows[0].rows == 25_000


def test_a_window_that_overflows_is_split_down_to_a_second_and_then_refused() -> None:
    crowded = START + timedelta(hours=7, seconds=1234)

    def answer(window: Window) -> list[Page]:
        if window.start <= crowded < window.end:
            raise WindowOverflow("20000 sessions, of which paging reaches 11000")
        return []

    connection = Scripted(answer)
    wanted = Span("backfill", START, START + timedelta(days=1))
    with pytest.raises(IncompleteRead, match="one second cannot be split"):
        list(reader(scripted_account(), connection).units(wanted))
    assert min(window.length for window in connection.asked) == SECOND
    assert Window(crowded, crowded + SECOND) in connection.asked


def test_a_split_window_is_read_whole(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voximplant_api, "LARGEST_OFFSET", 40)
    units, ledger = read(simulated(simulator, "voximplant", page_size=40, window_days=9))
    found = {str(row["call_session_history_id"]) for row in rows(units, "call_sessions")}
    assert found == ids(simulator.truth("voximplant"), "voximplant")
    assert [(window.start, window.end) for window in ledger.finished] == [(START, END)]


@pytest.mark.parametrize(
    ("provider", "fields"),
    [
        ("etelecom", {"id": REMOVED}),
        ("voximplant", {"start_date": "soon"}),
        ("vbot", {"create_at": "soon", "call_at": REMOVED}),
    ],
)
def test_a_malformed_record_is_set_aside_and_the_others_come(
    simulator: Simulator, provider: str, fields: dict[str, Any]
) -> None:
    spoilt = str(simulator.truth(provider)[200][IDS[provider]])
    simulator.spoil(provider, spoilt, **fields)
    units, _ = read(simulated(simulator, provider))
    found = {str(row[IDS[provider]]) for row in rows(units, PROVIDERS[provider].calls.table)}
    rejections = [rejection for unit in units for rejection in unit.rejections]
    assert found == ids(simulator.truth(provider), provider) - {spoilt} if provider != "etelecom" else found
    assert len(found) == 599
    assert {rejection.endpoint for rejection in rejections} == {PROVIDERS[provider].calls.table}
    assert all(rejection.rejected.reason for rejection in rejections)
    payload = json.loads(rejections[0].rejected.payload)
    assert {name: payload.get(name, REMOVED) for name in fields} == fields


def test_an_unfinished_session_is_asked_for_by_id_until_it_is_complete(simulator: Simulator) -> None:
    late = simulator.add_late(
        "voximplant", UNTIL - timedelta(days=3), finish_reason=REMOVED, duration=REMOVED
    )
    account = simulated(simulator, "voximplant", lookback_days=1)
    _, ledger = read(account)
    assert late in ledger.unfinished
    simulator.change("voximplant", late, finish_reason="Normal termination", duration=0)
    units, ledger = read(account, ledger)
    assert [row["finish_reason"] for row in rows(units, "call_sessions")] == ["Normal termination"]
    assert late not in ledger.unfinished
    forms = [entry.parameters for entry in requests_of(simulator, "voximplant", "GetCallHistory")]
    assert sum(f"call_session_history_id={late}" in form for form in forms) == 1


@pytest.mark.parametrize("window_days", [1, 10])
def test_an_answer_by_id_is_compared_with_none_from_before_a_forced_read(
    simulator: Simulator, window_days: int
) -> None:
    late = simulator.add_late(
        "voximplant",
        UNTIL - timedelta(days=3),
        finish_reason=REMOVED,
        duration=REMOVED,
        custom_data="A",
    )
    newest = simulator.truth("voximplant")[-1]["call_session_history_id"]
    account = simulated(simulator, "voximplant", lookback_days=1)

    def loaded(ledger: Ledger | None, **options: Any) -> tuple[dict[str, str | None], Ledger]:
        units, known = read(account, ledger, **options)
        found = rows(units, "call_sessions")
        return {str(row["call_session_history_id"]): row["custom_data"] for row in found}, known

    _, ledger = loaded(None)
    found, ledger = loaded(ledger)
    assert found == {late: "A"}, "of the first answer nothing is known"
    simulator.change("voximplant", newest, custom_data="changed")
    found, ledger = loaded(ledger)
    assert str(newest) in found
    assert late not in found

    simulator.change("voximplant", late, custom_data="B")
    wide = simulated(simulator, "voximplant", lookback_days=1, window_days=window_days)
    units, ledger = read(wide, ledger, Span("backfill", START, END, force=True))
    assert "B" in {row["custom_data"] for row in rows(units, "call_sessions")}
    simulator.change("voximplant", late, custom_data="A")
    found, _ = loaded(ledger)
    assert found[late] == "A"


def test_unfinished_sessions_are_asked_for_a_thousand_at_a_time() -> None:
    asked: list[int] = []

    class ById(Scripted):
        calls = PROVIDERS["voximplant"].calls

        def pages_of(self, ids: Sequence[str]) -> Iterator[Page]:
            asked.append(len(ids))
            return iter(())

    start = int((UNTIL - timedelta(days=4)).timestamp())
    old = int((UNTIL - timedelta(days=30)).timestamp())
    ledger = Ledger().read(
        [Window(START, END)], now=END + timedelta(days=1), lookback=timedelta(), fingerprint=None
    )
    unfinished = {str(number): start for number in range(2500)} | {"old": old}
    ledger = replace(ledger.synced(START, END), unfinished=unfinished)
    account = scripted_account(lookback_days=0)
    options: Any = account.options
    run = AccountReader(
        PROVIDERS["voximplant"],
        replace(account, options=_WithRefresh(options)),
        ById(lambda window: []),
        ledger,
        now=END + SECOND,
    )
    list(run.units(Span("sync", START, END + SECOND)))
    assert sorted(asked) == [500, 1000, 1000]


class _WithRefresh:
    """eTelecom's options, with the age that only Voximplant's have."""

    refresh_days = 7.0

    def __init__(self, options: Any) -> None:
        self._options = options

    def __getattr__(self, name: str) -> Any:
        return getattr(self._options, name)


def test_a_walk_covers_all_windows_of_a_run_at_once() -> None:
    connection = Scripted(lambda window: [Page([call_log(window.start)])], walks=True)
    (unit,) = reader(scripted_account(), connection).units(SYNC)
    assert connection.asked == [Window(START, END)]
    assert [read.window for read in unit.windows] == [Window(START, END)]
    # The days behind the lookback are settled although one walk read them all.
    assert [(window.start, window.end) for window in unit.ledger.settled] == [
        (START, datetime(2026, 1, 30, tzinfo=UNTIL.tzinfo))
    ]


def test_names_that_cannot_be_read_are_noted_and_stop_nothing(simulator: Simulator) -> None:
    simulator.faults.sometimes("500", 1.0, "etelecom", "GetExtensions")
    notes: list[str] = []
    units, _ = read(
        simulated(simulator, "etelecom"),
        observe=lambda account, news: notes.append(news.text) if isinstance(news, Noted) else None,
    )
    assert len(rows(units, "call_logs")) >= 600
    assert len(notes) == 1
    assert notes[0].startswith("extensions could not be read: ")


def test_a_backfill_reads_what_is_missing_and_leaves_the_cursor(simulator: Simulator) -> None:
    account = simulated(simulator, "etelecom")
    _, ledger = read(account, wanted=Span("sync", UNTIL - timedelta(days=2), END))
    wanted = Span("backfill", START, END)
    units, after = read(account, ledger, wanted)
    assert {window.window.end for unit in units for window in unit.windows} <= {
        UNTIL - timedelta(days=2),
        *(datetime(2026, 1, day, tzinfo=UNTIL.tzinfo) for day in range(26, 30)),
    }
    assert after.cursor == ledger.cursor
    assert read(account, after, wanted)[0] == []
    forced, _ = read(account, after, replace(wanted, force=True))
    assert Intervals.of(window.window for unit in forced for window in unit.windows) == span(START, END)
    assert {row["id"] for row in rows(forced, "call_logs")} == ids(simulator.truth("etelecom"), "etelecom")


@pytest.mark.parametrize(
    ("days_ago", "was_read", "is_passed_on"),
    [
        pytest.param(5, False, True, id="never read again"),
        pytest.param(1, False, True, id="read for the first time"),
        pytest.param(1, True, False, id="read before"),
    ],
)
def test_only_a_window_that_is_compared_is_held_until_it_is_whole(
    days_ago: int, was_read: bool, is_passed_on: bool
) -> None:
    start = (END - timedelta(days=days_ago)).replace(hour=0)
    wanted = Span("sync", start, start + timedelta(hours=20))
    is_handed_over = threading.Event()

    def in_pages(window: Window) -> Iterator[Page]:
        yield Page([call_log(window.start, number) for number in range(jobs.SHAPED_AT_ONCE)])
        yield Page([call_log(window.start + SECOND)])
        assert is_handed_over.wait(5 if is_passed_on else 0.2) is is_passed_on
        yield Page([call_log(window.start + 2 * SECOND)])

    account = scripted_account(concurrency=1, lookback_days=2)
    before = reader(account, Scripted(one_call))
    if was_read:
        assert list(before.units(wanted))
    run = reader(account, Scripted(in_pages), before.ledger, unit_size=UnitSize(rows=1_000_000, seconds=0))
    taken = 0
    for unit in run.units(wanted):
        is_handed_over.set()
        taken += unit.rows
    assert taken == jobs.SHAPED_AT_ONCE + 2


def test_a_run_that_is_given_up_leaves_no_thread_behind() -> None:
    run = reader(scripted_account(concurrency=3), Scripted(one_call), unit_size=UnitSize(rows=1))
    units = run.units(SYNC)
    next(units)
    units.close()  # type: ignore[attr-defined]  # a generator
    readers = [thread for thread in threading.enumerate() if thread.name.startswith("read-")]
    for thread in readers:
        thread.join(2)
    assert not any(thread.is_alive() for thread in readers)


def test_the_windows_of_the_simulated_history_are_local_days(simulator: Simulator) -> None:
    account = simulated(simulator, "vbot")
    connection = connect(account)
    windows = reader(account, connection).windows(Span("sync", WHOLE.start, END))
    connection.close()
    assert {window.start.hour for window in windows[1:]} == {17}
