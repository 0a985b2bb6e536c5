"""A download that is stopped, killed or shut out loses nothing and keeps nobody waiting."""

from __future__ import annotations

import errno
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pytest

from pipelines import holding, publishing, wholeness
from pipelines.recordings.journal import Journal
from pipelines.recordings.outcome import Outcome, Status
from pipelines.recordings.target import Folder
from simulator import Simulator
from sources.errors import TargetError
from tests.pipelines.project import Project
from tests.recordings.conftest import idle
from tests.recordings.held import asked_names, counts, files, rows, whole


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something another process does."""
    give_up_at = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up_at, f"{what} never came"
        time.sleep(0.02)


@contextmanager
def hanging(project: Project, simulator: Simulator, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A download in a process of its own that hangs in the middle of some recordings and holds others."""
    simulator.faults.next(*[None] * 3, *["hang_mid_body"] * 4, provider="etelecom", seconds=120)
    process = project.start("recordings", "etelecom", *arguments)
    folder = project.folder / "recordings"

    def is_hanging() -> bool:
        held = list(folder.rglob("*.wav"))
        # The three that are held had a part too, for a moment.
        return len(held) == 3 and sum(map(has_some, folder.rglob("*.part"))) == 4

    try:
        until(is_hanging, "the parts")
        yield process
    finally:
        process.kill()
        process.communicate()
        simulator.faults.clear()


def has_some(part: Path) -> bool:
    return part.stat().st_size > 0


def listed(project: Project) -> int:
    ((count,),) = project.rows("select count(*) from reporting.recordings where provider = 'etelecom'")
    return int(count)


def test_a_killed_download_is_finished_by_the_next(loaded: Project, simulator: Simulator) -> None:
    with hanging(loaded, simulator):
        pass
    idle(simulator)
    loaded.done("recordings", "etelecom")
    assert counts(loaded) == {"held": listed(loaded)}
    assert whole(loaded)
    assert set(Counter(asked_names(simulator)).values()) == {1}, "one came twice from its beginning"
    assert sum(bool(asked.range) for asked in simulator.recordings.asked) == 4


@pytest.mark.slow
def test_ctrl_c_is_one_line_and_keeps_what_came(loaded: Project, simulator: Simulator) -> None:
    with hanging(loaded, simulator) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    told = [line for line in err.splitlines() if not line.startswith("20")]
    assert told == ["interrupted; what was fetched is kept, and the next run goes on from there"]
    assert out.count("\n") == 1
    assert counts(loaded) == {"held": 3}
    idle(simulator)
    loaded.done("recordings", "etelecom")
    assert whole(loaded)
    assert sum(bool(asked.range) for asked in simulator.recordings.asked) == 4


@pytest.mark.slow
def test_a_sync_runs_beside_a_download(loaded: Project, simulator: Simulator) -> None:
    with hanging(loaded, simulator) as process:
        loaded.done("sync", "vbot")
        assert process.poll() is None
        refused = loaded.run("recordings")
        assert refused.code == 3
        (line,) = refused.lines
        assert f"callsync recordings etelecom (pid {process.pid}, since 20" in line


def test_a_download_beside_a_sync_leaves_its_journal_for_the_next(
    loaded: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSYNC__WAREHOUSE_PATIENCE_SECONDS", "0.3")
    with holding.held(loaded.warehouse, "sync"):
        outcome = loaded.done("recordings", "etelecom", "--limit", "5")
    assert "held by callsync sync" in outcome.lines[-1]
    assert outcome.lines[-1].endswith("the next run enters into callsync.recording_files what was fetched")
    assert rows(loaded) == []
    simulator.recordings.asked.clear()
    with holding.held(loaded.warehouse, "sync"):
        # What nobody has entered yet is known all the same.
        loaded.done("recordings", "etelecom", "--limit", "2")
    assert len(simulator.recordings.asked) == 2
    loaded.done("recordings", "etelecom", "--limit", "1")
    assert counts(loaded) == {"held": 8}
    assert set(Counter(asked_names(simulator)).values()) == {1}
    assert whole(loaded)


def test_a_sync_that_ends_in_time_is_waited_for(
    loaded: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []
    another = holding.held(loaded.warehouse, "sync")
    another.__enter__()

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            another.__exit__(None, None, None)

    monkeypatch.setattr("pipelines.recordings.bookkeeping.time.sleep", nap)
    loaded.done("recordings", "etelecom", "--limit", "2")
    assert len(naps) == 2
    assert counts(loaded) == {"held": 2}


def test_the_warehouse_is_told_while_the_download_goes_on(
    loaded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.recordings.running.ENTER_SECONDS", 0.0)
    seen: list[int] = []
    publish = publishing.publish

    def counted(*arguments: Any, **named: Any) -> bool:
        renewed = publish(*arguments, **named)
        # DuckDB takes a file of the same path for the one that this process has open already.
        copy = loaded.folder / f"seen-{len(seen)}.duckdb"
        shutil.copyfile(loaded.published, copy)
        seen.append(loaded.rows("select count(*) from callsync.recording_files", copy)[0][0])
        return renewed

    monkeypatch.setattr(publishing, "publish", counted)
    loaded.done("recordings", "etelecom", "--limit", "6")
    assert len(seen) > 1
    assert seen == sorted(seen)
    assert seen[-1] == 6


def test_what_was_fetched_is_known_while_the_warehouse_is_half(loaded: Project, simulator: Simulator) -> None:
    def mark(change: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        with duckdb.connect(str(loaded.warehouse)) as connection:
            change(connection)

    mark(wholeness.mark_half)
    outcome = loaded.done("recordings", "etelecom", "--limit", "3")
    assert "warehouse.duckdb is shown to nobody before a callsync sync has made it whole" in outcome.lines[-1]
    assert rows(loaded) == []
    loaded.done("recordings", "etelecom")
    mark(wholeness.mark_whole)
    loaded.done("recordings", "etelecom")
    assert counts(loaded) == {"held": listed(loaded)}
    assert set(Counter(asked_names(simulator)).values()) == {1}, "one was fetched again"
    assert not (loaded.working / "warehouse" / "recordings.jsonl").exists()


def test_a_lost_warehouse_is_not_made_of_recordings_alone(loaded: Project) -> None:
    loaded.warehouse.unlink()
    before = loaded.published.read_bytes()
    outcome = loaded.done("recordings", "etelecom", "--limit", "1")
    assert "there is no warehouse.duckdb" in outcome.lines[-1]
    assert loaded.published.read_bytes() == before


@pytest.mark.parametrize("step", ["before it is in its place", "before it is in the journal"])
def test_a_death_between_two_steps_costs_no_second_request(
    loaded: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def dies(*_: object) -> None:
        raise TargetError("dead")

    if step.endswith("place"):
        monkeypatch.setattr(Folder, "place", dies)
    else:
        monkeypatch.setattr(Journal, "append", dies)
    assert loaded.run("recordings", "etelecom", "--limit", "1").code == 1
    assert rows(loaded) == []
    monkeypatch.undo()
    monkeypatch.chdir(loaded.folder)
    loaded.done("recordings", "etelecom", "--limit", "1")
    assert len(simulator.recordings.asked) == 1
    assert counts(loaded) == {"held": 1}
    assert whole(loaded)


def test_what_was_in_its_place_and_is_no_more_is_fetched_again(
    loaded: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise TargetError("dead")

    monkeypatch.setattr(Journal, "append", dies)
    loaded.run("recordings", "etelecom", "--limit", "1")
    monkeypatch.undo()
    monkeypatch.chdir(loaded.folder)
    (placed,) = (path for path in files(loaded) if path.suffix == ".wav")
    placed.unlink()
    loaded.done("recordings", "etelecom", "--limit", "1")
    assert len(simulator.recordings.asked) == 2
    assert whole(loaded)


def test_a_line_that_a_kill_cut_short_takes_no_other_with_it(tmp_path: Path) -> None:
    def outcome(number: int) -> Outcome:
        return Outcome(
            call_id=f"c{number}",
            position=0,
            provider="x",
            account="y",
            recording_id=None,
            source="",
            started_at=None,
            status=Status.HELD,
        )

    journal = Journal(tmp_path / "recordings.jsonl")
    assert journal.latest() == []
    journal.append(outcome(1))
    with (tmp_path / "recordings.jsonl").open("ab") as lines:
        lines.write(b'{"call_id":"c2","pos')
    journal.append(outcome(3))
    assert [known.call_id for known in journal.latest()] == ["c1", "c3"]
    length = journal.length
    journal.append(outcome(4))
    journal.clear(length)
    assert len(journal.latest()) == 3, "what came meanwhile is not forgotten"
    journal.clear(journal.length)
    assert journal.length == 0


def disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    """A disk of ten times 10,000 bytes, of which so many are free."""

    def usage(folder: Path) -> Any:
        return shutil._ntuple_diskusage(100_000, 100_000 - free, free)

    monkeypatch.setattr("pipelines.recordings.parts.shutil.disk_usage", usage)


@pytest.mark.parametrize("says_length", [True, False])
def test_a_recording_that_leaves_others_no_room_fails_alone(
    loaded: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, says_length: bool
) -> None:
    simulator.recordings.says_length = says_length
    body, larger = simulator.recordings.body, first_address(loaded)
    monkeypatch.setattr(simulator.recordings, "body", lambda name: body(name) * (10 if name == larger else 1))
    # A tenth of it is kept free: there is room for any other.
    disk(monkeypatch, free=10_000 + len(body("")) + 100)
    outcome = loaded.run("recordings", "etelecom")
    assert outcome.code == 1
    folder = f"{loaded.folder}/recordings/.parts"
    assert outcome.lines[-1] == (
        f"etelecom.main: 1 failed: it does not fit into {folder}; make room on the disk"
    )
    assert counts(loaded) == {"failed": 1, "held": listed(loaded) - 1}
    assert whole(loaded), "what came of it takes room"


def first_address(project: Project) -> str:
    """The name of the first recording of eTelecom's."""
    ((url,),) = project.rows(
        "select url from reporting.recordings where provider = 'etelecom' order by started_at limit 1"
    )
    return urlsplit(str(url)).path


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_disk_that_is_full_after_all_fails_recordings_and_not_the_run(
    loaded: Project, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, "full")

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.recordings.parts.FilePart.finish", full)
        outcome = loaded.run("recordings", "etelecom")
    assert outcome.code == 1
    assert "it does not fit into" in outcome.lines[-1]
    # Where nothing fits, not every recording is asked for.
    assert 10 <= counts(loaded)["failed"] <= 14 < listed(loaded)
    assert whole(loaded)
    loaded.done("recordings", "etelecom")
    assert counts(loaded) == {"held": listed(loaded)}
    assert whole(loaded)


def test_a_disk_that_cannot_be_written_is_one_line_and_ends_the_run(
    loaded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("pipelines.recordings.parts.FilePart.write", broken)
    outcome = loaded.run("recordings", "etelecom")
    assert outcome.code == 1
    assert outcome.lines[-1].endswith("recordings/.parts cannot be written: Input/output error")
    assert not [line for line in outcome.lines[:-1] if not line.startswith("20")]
    monkeypatch.undo()
    monkeypatch.chdir(loaded.folder)
    loaded.done("recordings", "etelecom")
    assert whole(loaded)
