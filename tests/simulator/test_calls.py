"""What the simulated calls are, whoever shows them."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import simulator
from simulator import Simulator
from simulator.clockwork import DAY, HOUR, Clockwork, microseconds
from simulator.ledger import Held, Ledger, Selection
from simulator.stream import CallStream, Direction

UNTIL = datetime(2026, 1, 31, 3, 17, 5, tzinfo=UTC)
END = microseconds(UNTIL)


def clockwork(calls: int, days: int = 30) -> Clockwork:
    return Clockwork(5, calls, END - days * DAY, END)


@pytest.mark.parametrize("calls", [0, 1, 2, 10, 5000])
def test_calls_are_in_order_of_time_and_inside_their_days(calls: int) -> None:
    clock = clockwork(calls)
    times = [clock.time(index) for index in range(calls)]
    assert times == sorted(times)
    assert all(clock.start <= time < clock.end for time in times)


@pytest.mark.parametrize("calls", [1, 7, 5000])
def test_the_range_of_a_window_is_found_without_looking_at_each_call(calls: int) -> None:
    clock = clockwork(calls)
    times = [clock.time(index) for index in range(calls)]
    moments = {moment + shift for moment in times[:: max(1, calls // 200)] for shift in (-1, 0, 1)}
    moments |= {clock.start - DAY, clock.start, clock.end, clock.end + DAY}
    for moment in moments:
        assert clock.before(moment) == sum(time < moment for time in times)


def test_only_the_two_halves_of_an_internal_call_share_a_time() -> None:
    stream = CallStream(clockwork(5000), 5)
    facts = list(stream.calls(range(5000)))
    for (left, start, shape, _), (right, following, other, _) in pairwise(facts):
        if start == following:
            assert (left % 2, right % 2) == (0, 1)
            assert shape is other
            assert shape.direction is Direction.INTERNAL


def test_a_million_calls_are_held_nowhere() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    clock = clockwork(1_000_000)
    stream = CallStream(clock, 5)
    assert len(stream) == 1_000_000
    middle = clock.before(END - 15 * DAY)
    assert 400_000 < middle < 600_000
    assert list(stream.calls(range(middle, middle + 3)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_people_call_in_office_hours_of_vietnam() -> None:
    clock = clockwork(20_000, days=28)
    local = [clock.time(index) + 7 * HOUR for index in range(20_000)]
    hours = Counter(time // HOUR % 24 for time in local)
    weekend = sum((time // DAY + 3) % 7 >= 5 for time in local)
    assert hours[9] > 20 * hours[3]
    assert 0.08 < weekend / 20_000 < 0.18


def test_a_quarter_of_inbound_calls_is_missed_and_some_are_called_back_within_hours() -> None:
    stream = CallStream(clockwork(20_000), 5)
    facts = list(stream.calls(range(20_000)))
    inbound = [shape for _, _, shape, _ in facts if shape.direction is Direction.INBOUND]
    missed = [(start, customer) for _, start, shape, customer in facts if shape.missed]
    assert 0.2 < len(missed) / len(inbound) < 0.3
    outbound: dict[int, list[int]] = {}
    for _, start, shape, customer in facts:
        if shape.direction is Direction.OUTBOUND:
            outbound.setdefault(customer, []).append(start)
    back = sum(any(0 < later - start < 6 * HOUR for later in outbound.get(who, ())) for start, who in missed)
    assert 0.15 < back / len(missed) < 0.7


def test_some_customers_whose_call_was_missed_try_again_within_hours() -> None:
    stream = CallStream(clockwork(20_000), 5)
    followed: set[int] = set()
    missed: dict[int, int] = {}
    for index, start, shape, customer in stream.calls(range(20_000)):
        is_again = shape.follows_up and start - missed.get(customer, -DAY) < 12 * HOUR
        if shape.direction is Direction.INBOUND and is_again:
            followed.add(index)
        if shape.missed:
            missed[customer] = start
    assert 400 < len(followed) < 2500


NUMBERS = {
    "vbot": lambda row: [row[side]["number"] for side in ("caller_info", "callee_info")],
    "etelecom": lambda row: [row["caller"], row["callee"]],
    "voximplant": lambda row: [leg["remote_number"] for leg in row["calls"]],
}


@pytest.mark.parametrize("provider", ["vbot", "etelecom", "voximplant"])
def test_a_customers_number_comes_in_several_spellings_and_some_callers_withhold_it(provider: str) -> None:
    simulated = Simulator(calls=2000, days=10, until=UNTIL)
    numbers = Counter(number for row in simulated.truth(provider) for number in NUMBERS[provider](row))
    simulated.close()
    spellings = {
        spelling: {number.removeprefix(spelling) for number in numbers if number.startswith(spelling)}
        for spelling in ("0", "84", "+84")
    }
    assert len(set.intersection(*spellings.values())) > 20
    assert 10 < sum(numbers[withheld] for withheld in ("unknown", "anonymous", "Anonymous")) < 100


def test_some_customers_call_again_and_again() -> None:
    stream = CallStream(clockwork(20_000), 5)
    customers = Counter(customer for _, _, shape, customer in stream.calls(range(20_000)))
    assert len(customers) > 1500
    assert customers.most_common(20)[-1][1] > 20


@pytest.mark.parametrize("provider", ["vbot", "etelecom", "voximplant"])
def test_the_same_seed_gives_the_same_calls_and_another_gives_others(provider: str) -> None:
    def truth(seed: int) -> str:
        seeded = Simulator(calls=60, seed=seed, days=3, until=UNTIL)
        try:
            # The address in recordings' URLs is the only thing that is not the seed's.
            return str(seeded.truth(provider)).replace(seeded.url, "")
        finally:
            seeded.close()

    assert truth(1) == truth(1)
    assert truth(1) != truth(2)


@pytest.mark.parametrize(("provider", "key"), [("etelecom", "id"), ("voximplant", "call_session_history_id")])
def test_accounts_share_ids_and_differ_in_contents(provider: str, key: str) -> None:
    shared = Simulator(calls=200, days=3, until=UNTIL, accounts=2)
    shared.settle()
    first, second = (shared.truth(provider, account) for account in (0, 1))
    shared.close()
    assert {row[key] for row in first} & {row[key] for row in second}
    assert first != second


class Stack:
    """A ledger as a plain list, to compare with."""

    def __init__(self, ledger: Ledger) -> None:
        self.rows: list[tuple[Any, str]] = [(ledger.key(item), name(item)) for item in ledger.items()]

    def put(self, held: Held) -> None:
        self.rows = sorted([*self.rows, (held.key, held.id)])

    def drop(self, record_id: str) -> None:
        self.rows = [row for row in self.rows if row[1] != record_id]


def name(item: int | Held) -> str:
    return item.id if isinstance(item, Held) else str(item)


def test_a_ledger_with_changes_reads_like_a_list_with_the_same_changes() -> None:
    clock = clockwork(40, days=1)
    ledger = Ledger(CallStream(clock, 5), lambda index: index)
    stack = Stack(ledger)
    changes: list[tuple[int | None, int, str]] = [
        (None, clock.time(20) + 1, "late"),
        (None, clock.start - 1, "first"),
        (None, clock.end, "last"),
        (0, clock.time(30), "0"),
        (39, clock.time(0), "39"),
        (7, clock.time(7), "7"),
        (8, clock.time(8), "8"),
    ]
    for index, moment, record_id in changes:
        held = Held((moment, 1000 + len(record_id)), record_id, {})
        ledger.hold(ledger.find(record_id, index), held)
        stack.drop(record_id)
        stack.put(held)
    for gone in (9, 10, 39):
        ledger.forget(ledger.find(str(gone), gone))
        stack.drop(str(gone))
    assert len(ledger) == len(stack.rows)
    assert [name(item) for item in ledger.items()] == [record_id for _, record_id in stack.rows]
    for low in range(len(ledger)):
        assert [name(item) for item in ledger.items(low, low + 3)][:1] == [stack.rows[low][1]]
    for moment in {row[0][0] + shift for row in stack.rows for shift in (0, 1)}:
        assert ledger.at(moment) == sum(row[0][0] < moment for row in stack.rows)


def test_a_page_is_a_part_of_a_selection_from_either_end() -> None:
    ledger = Ledger(CallStream(clockwork(30, days=1), 5), lambda index: index)
    selection = Selection([(2, 5), (9, 10), (20, 25)])
    chosen = [2, 3, 4, 9, 20, 21, 22, 23, 24]
    assert len(selection) == len(chosen)
    assert ledger.page(selection, 2, 6, newest_first=False) == chosen[2:6]
    assert ledger.page(selection, 2, 6, newest_first=True) == chosen[::-1][2:6]
    assert ledger.page(selection, 8, 20, newest_first=True) == [2]
    assert [selection.rank(position) for position in (0, 3, 7, 22, 99)] == [0, 1, 3, 6, 9]


def test_the_command_prints_one_line_of_json_and_ends_when_terminated() -> None:
    command = [sys.executable, "-m", "simulator", "--port", "0", "--calls", "10"]
    root = Path(simulator.__file__).parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
        rest = process.stdout.read()
    assert line.startswith('{"port":')
    assert rest == ""
    assert process.returncode == 0


def test_no_call_starts_at_or_after_until() -> None:
    until_now = Simulator(calls=500, days=1, until=UNTIL)
    newest = until_now.truth("voximplant")[-1]["start_date"]
    until_now.close()
    assert UNTIL - timedelta(hours=2) < datetime.fromisoformat(newest + "+00:00") < UNTIL
