"""What is held stays held, wherever the provider lists it by now, and is never written over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.recordings import aligning
from pipelines.recordings.outcome import Outcome, Status
from simulator import Simulator
from tests.pipelines.project import Project
from tests.recordings.held import counts, rows, whole

Lists = Callable[..., None]


@pytest.fixture
def call(loaded: Project) -> str:
    """The id of a call of eTelecom's with one recording."""
    query = """
        select min(provider_call_id) from (
            select provider_call_id from reporting.recordings where provider = 'etelecom'
            group by provider_call_id having count(*) = 1
        )
    """
    ((number,),) = loaded.rows(query)
    return str(number)


@pytest.fixture
def lists(loaded: Project, simulator: Simulator, call: str) -> Lists:
    """Has the provider list these recordings of the call, by name."""
    table = "etelecom.call_logs__recording_urls"
    row = "select 'main' as account, ? as id, ? as position, ? as value"

    def lists(*names: str) -> None:
        for file in (loaded.warehouse, loaded.published):
            with duckdb.connect(str(file)) as connection:
                connection.execute(f"delete from {table} where id = ?", [call])
                for position, name in enumerate(names):
                    url = f"{simulator.url}/etelecom/recordings/{name}"
                    connection.execute(f"insert into {table} by name {row}", [call, position, url])

    return lists


def known(project: Project, call: str) -> list[tuple[int, str, str]]:
    """Position, status and the name that it was asked by, of each row of the call."""
    found = rows(project, "position, status, split_part(source, '/', -1)", f"call_id like '%/{call}'")
    return sorted(found)


def sounds(project: Project, simulator: Simulator, call: str) -> dict[int, bool]:
    """Whether the file of each position holds what the recording of its source is."""
    found = rows(project, "position, path, split_part(source, '/', -1)", f"call_id like '%/{call}'")
    return {
        position: Path(path).read_bytes() == simulator.recordings.body(f"/etelecom/recordings/{name}")
        for position, path, name in found
        if path
    }


def asked(simulator: Simulator) -> list[str]:
    names = [asked.name.split("/")[-1] for asked in simulator.recordings.asked]
    simulator.recordings.asked.clear()
    return names


def test_one_that_is_listed_before_another_does_not_take_its_file(
    loaded: Project, simulator: Simulator, call: str, lists: Lists
) -> None:
    lists("a.wav")
    loaded.done("recordings", "etelecom")
    simulator.recordings.asked.clear()
    simulator.recordings.statuses["a.wav"] = 404
    lists("b.wav", "a.wav")
    loaded.done("recordings", "etelecom")
    assert asked(simulator) == ["b.wav"]
    assert known(loaded, call) == [(0, "held", "b.wav"), (1, "held", "a.wav")]
    assert sounds(loaded, simulator, call) == {0: True, 1: True}
    assert whole(loaded)


def test_one_that_is_listed_no_more_stays_behind_the_others(
    loaded: Project, simulator: Simulator, call: str, lists: Lists
) -> None:
    lists("a.wav", "b.wav")
    loaded.done("recordings", "etelecom")
    simulator.recordings.asked.clear()
    lists("b.wav")
    assert loaded.done("recordings", "etelecom").out == "etelecom.main: nothing to fetch\n"
    assert not simulator.recordings.asked
    assert known(loaded, call) == [(0, "held", "b.wav"), (1, "held", "a.wav")]
    lists("c.wav", "b.wav", "d.wav")
    loaded.done("recordings", "etelecom")
    assert sorted(asked(simulator)) == ["c.wav", "d.wav"]
    assert [name for _, _, name in known(loaded, call)] == ["c.wav", "b.wav", "d.wav", "a.wav"]
    assert sounds(loaded, simulator, call) == dict.fromkeys(range(4), True)
    assert whole(loaded)


def test_what_cannot_be_had_under_a_new_address_stays_held(
    loaded: Project, simulator: Simulator, call: str, lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.recordings.fetching.YOUNG", timedelta(0))
    lists("old.wav")
    loaded.done("recordings", "etelecom")
    simulator.recordings.statuses["new.wav"] = 404
    lists("new.wav")
    assert loaded.run("recordings", "etelecom").code == 1
    before = known(loaded, call)
    assert before == [(0, "gone", "new.wav"), (1, "held", "old.wav")]
    loaded.run("recordings", "etelecom")
    assert known(loaded, call) == before
    assert sounds(loaded, simulator, call) == {1: True}
    assert whole(loaded)
    # It can be had after all.
    simulator.recordings.statuses.clear()
    loaded.done("recordings", "etelecom", "--retry-gone")
    assert known(loaded, call) == [(0, "held", "new.wav"), (1, "held", "old.wav")]
    assert sounds(loaded, simulator, call) == {0: True, 1: True}
    assert whole(loaded)


def test_the_same_sound_under_a_new_address_needs_no_second_file(
    loaded: Project, simulator: Simulator, call: str, lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = simulator.recordings.body
    monkeypatch.setattr(simulator.recordings, "body", lambda name: body(name.replace("new", "old")))
    lists("old.wav")
    loaded.done("recordings", "etelecom")
    held = rows(loaded, "path", f"call_id like '%/{call}'")
    lists("new.wav")
    loaded.done("recordings", "etelecom")
    assert known(loaded, call) == [(0, "held", "new.wav")]
    assert rows(loaded, "path", f"call_id like '%/{call}'") == held
    assert whole(loaded)


def test_addresses_that_differ_in_their_query_are_of_several_recordings(
    loaded: Project, simulator: Simulator, call: str, lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists("a.wav?file=0912345678")
    loaded.done("recordings", "etelecom")
    ((source, first),) = rows(loaded, "source, path", f"call_id like '%/{call}'")
    assert source.startswith(f"{simulator.url}/etelecom/recordings/a.wav?")
    assert "0912345678" not in source
    simulator.recordings.asked.clear()
    body = simulator.recordings.body
    monkeypatch.setattr(simulator.recordings, "body", lambda name: body(f"the other {name}"))
    lists("a.wav?file=2", "a.wav?file=0912345678")
    loaded.done("recordings", "etelecom")
    assert asked(simulator) == ["a.wav"]
    (_, other), last = rows(loaded, "source, path", f"call_id like '%/{call}'")
    assert last == (source, first)
    assert other != first
    assert whole(loaded)


def test_a_new_signature_is_no_new_recording(
    loaded: Project, simulator: Simulator, call: str, lists: Lists
) -> None:
    lists("a.wav?file=1&X-Amz-Signature=1&x-amz-date=2&Expires=3", "b.wav?sig=1&se=2&sp=r")
    loaded.done("recordings", "etelecom")
    simulator.recordings.asked.clear()
    lists("a.wav?X-Amz-Signature=7&x-amz-date=8&Expires=9&file=1", "b.wav?sig=2&se=3&sp=r")
    loaded.done("recordings", "etelecom")
    assert not simulator.recordings.asked
    assert rows(loaded, "source", f"call_id like '%/{call}'")[1] == (
        f"{simulator.url}/etelecom/recordings/b.wav",
    )


def test_what_an_earlier_version_held_is_known_by_its_address_where_that_is_enough(
    loaded: Project, simulator: Simulator, call: str, lists: Lists
) -> None:
    lists("a.wav?file=1")
    loaded.done("recordings", "etelecom")
    simulator.recordings.asked.clear()
    for file in (loaded.warehouse, loaded.published):
        with duckdb.connect(str(file)) as connection:
            connection.execute("update callsync.recording_files set source = split_part(source, '?', 1)")
    lists("b.wav", "a.wav?file=1")
    loaded.done("recordings", "etelecom")
    assert asked(simulator) == ["b.wav"]
    assert [status for _, status, _ in known(loaded, call)] == ["held", "held"]
    assert whole(loaded)


def test_what_was_deleted_for_good_stays_so_when_the_list_shifts(
    loaded: Project, simulator: Simulator, call: str, lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists("a.wav")
    loaded.done("recordings", "etelecom")
    monkeypatch.setenv("CALLSYNC__RECORDINGS_RETENTION_DAYS", "0.001")
    loaded.done("recordings", "etelecom")
    assert counts(loaded).keys() == {"expired"}
    monkeypatch.setenv("CALLSYNC__RECORDINGS_RETENTION_DAYS", "0")
    simulator.recordings.asked.clear()
    lists("b.wav", "a.wav")
    loaded.done("recordings", "etelecom")
    assert asked(simulator) == ["b.wav"]


def test_a_run_that_does_not_come_to_it_changes_nothing(
    loaded: Project, simulator: Simulator, call: str, lists: Lists
) -> None:
    lists("a.wav")
    loaded.done("recordings", "etelecom")
    lists("b.wav", "a.wav")
    loaded.done("recordings", "etelecom", "--dry-run")
    assert known(loaded, call) == [(0, "held", "a.wav")]
    loaded.done("recordings", "etelecom", "--to", "2020-01-01")
    assert known(loaded, call) == [(1, "held", "a.wav")]
    assert whole(loaded)
    loaded.done("recordings", "etelecom")
    assert known(loaded, call) == [(0, "held", "b.wav"), (1, "held", "a.wav")]


def row(position: int, source: str, status: Status = Status.HELD) -> Outcome:
    return Outcome(
        call_id="c",
        position=position,
        provider="x",
        account="y",
        recording_id=None,
        source=source,
        started_at=None,
        status=status,
        path=f"{source}@{position}" if status is Status.HELD else None,
    )


CASES: dict[str, tuple[str, str, dict[int, str]]] = {
    "nothing moves": ("ab", "ab", {}),
    "one more before": ("a", "ba", {0: "", 1: "a"}),
    "one less before": ("ab", "b", {0: "b", 1: "a"}),
    "all change places": ("abc", "cab", {0: "c", 1: "a", 2: "b"}),
    "another instead": ("a", "b", {0: "", 1: "a"}),
    "others instead": ("ab", "cd", {0: "", 1: "", 2: "a", 3: "b"}),
    "none any more": ("ab", "", {}),
    "listed twice": ("a", "aa", {}),
}


@pytest.mark.parametrize("case", CASES)
def test_rows_go_where_their_recordings_are_listed(case: str) -> None:
    held, listed, expected = CASES[case]
    assert moved(listed, [row(*item) for item in enumerate(held)]) == expected


def moved(listed: Sequence[str], known: list[Outcome]) -> dict[int, str]:
    found = aligning.moved(dict(enumerate(listed)), known)
    return {row.position: "" if row.status is Status.MOVED else row.source for row in found}


def test_of_what_failed_and_is_listed_no_more_nothing_is_kept() -> None:
    assert moved("b", [row(0, "a", Status.FAILED), row(1, "b")]) == {0: "b", 1: ""}
    assert moved("b", [row(0, "a", Status.EXPIRED)]) == {0: "", 1: "a"}


STANDING = st.sampled_from([status for status in Status if status is not Status.MOVED])


@given(st.text("abcd", max_size=5), st.lists(st.tuples(st.sampled_from("abcd"), STANDING), max_size=6))
def test_no_file_is_lost_and_nothing_moves_twice(listed: str, kept: list[tuple[str, Status]]) -> None:
    known = [row(position, *item) for position, item in enumerate(kept)]
    sources = dict(enumerate(listed))
    told = {row.position: row for row in [*known, *aligning.moved(sources, known)]}
    after = [row for row in told.values() if row.status is not Status.MOVED]
    assert sorted(filter(None, (row.path for row in after))) == sorted(
        filter(None, (row.path for row in known))
    )
    assert aligning.moved(sources, after) == []
    assert not [row for row in after if row.path and sources.get(row.position, row.source) != row.source]
