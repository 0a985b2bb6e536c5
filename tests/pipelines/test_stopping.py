"""A run that is stopped, killed or shut out leaves nothing that the next one does not mend."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from datetime import timedelta

import duckdb
import pytest

from simulator import Simulator
from tests.pipelines.project import ROOT, Project, everyone


def killed_after(process: subprocess.Popen[str], lines: int) -> str:
    """Kill a run when it has said so much; what it said."""
    assert process.stderr is not None
    said = ""
    for _ in range(lines):
        said += process.stderr.readline()
    process.kill()
    process.communicate()
    return said


@pytest.mark.parametrize("lines", [pytest.param(1, marks=pytest.mark.slow), 5, 12])
def test_a_killed_run_is_made_good_by_the_next(
    lines: int, configured: Project, simulator: Simulator, undisturbed: dict[str, list[str]]
) -> None:
    # Every window is a package of its own, so that the kill falls between and into packages.
    simulator.faults.latency_ms = 40
    killed_after(
        configured.start("sync", CALLSYNC__COMMIT_ROWS="20", SOURCES__VBOT__MAIN__CONCURRENCY="1"), lines
    )
    simulator.faults.latency_ms = 0
    configured.done("sync")
    assert configured.data() == undisturbed
    assert configured.run("test").code == 0
    states = configured.rows("select status from callsync.runs order by started_at")
    assert states[-1] == ("ok",)
    assert ("running",) not in states


PARTWAY = """
import os, sys
import dlt
from dlt.pipeline.pipeline import Pipeline
step, when = sys.argv[1].split(":")
sys.argv[1:2] = []
done = getattr(Pipeline, step)
def dying(self, *arguments, **named):
    if when == "before":
        os._exit(137)
    done(self, *arguments, **named)
    os._exit(137)
setattr(Pipeline, step, dying)
from pipelines.cli import main
main()
"""
"""The command line, dead before or after a step of its first load package."""


def dies_at(project: Project, step: str, *arguments: str) -> None:
    script = [sys.executable, "-c", PARTWAY, step, *(arguments or ("sync",))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = subprocess.run(script, cwd=project.folder, env=environment, capture_output=True, check=False)
    assert found.returncode == 137, found


@pytest.mark.parametrize(
    "is_lost",
    [
        pytest.param(False, id="working directory kept"),
        pytest.param(True, id="working directory lost", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("step", ["extract:after", "normalize:after", "load:before", "load:after"])
def test_a_run_that_dies_at_a_step_is_made_good(
    step: str, is_lost: bool, configured: Project, undisturbed: dict[str, list[str]]
) -> None:
    dies_at(configured, step)
    if is_lost:
        shutil.rmtree(configured.working)
    outcome = configured.done("sync")
    is_pending = not is_lost and step != "load:after"
    assert ("finishing a package that an interrupted run left" in outcome.err) == is_pending
    assert configured.data() == undisturbed
    assert not configured.rows("select 1 from information_schema.schemata where schema_name like '%_staging'")


def test_a_lost_warehouse_is_read_again(loaded: Project, undisturbed: dict[str, list[str]]) -> None:
    loaded.warehouse.unlink()
    loaded.done("sync")
    assert loaded.data() == undisturbed


def test_a_lost_copy_is_published_again(loaded: Project) -> None:
    loaded.published.unlink()
    left_by_another = loaded.folder / ".warehouse.read.duckdb.99.tmp"
    left_by_another.write_bytes(b"half of a copy")
    loaded.done("sync")
    assert loaded.rows("select count(*) from reporting.calls") == [(900,)]
    assert not left_by_another.exists()


@pytest.mark.parametrize("cause", [KeyboardInterrupt(), None], ids=["with its cause", "without"])
@pytest.mark.parametrize("step", ["views.refresh", "run_log.begin"])
def test_ctrl_c_in_the_middle_of_a_query_is_one_line_too(
    step: str, cause: BaseException | None, configured: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        # So DuckDB raises it.
        raise RuntimeError("Query interrupted") from cause

    monkeypatch.setattr(f"pipelines.{step}", interrupted)
    outcome = configured.run("sync", "etelecom")
    assert outcome.code == 1
    assert "interrupted" in outcome.err
    assert "Traceback" not in outcome.err
    monkeypatch.undo()
    configured.done("sync", "etelecom")


@pytest.mark.parametrize(
    "signals",
    [
        [signal.SIGINT],
        pytest.param([signal.SIGINT] * 4, marks=pytest.mark.slow),
        pytest.param([signal.SIGTERM], marks=pytest.mark.slow),
    ],
    ids=lambda signals: " ".join(each.name for each in signals),
)
def test_ctrl_c_is_one_line_at_once_even_in_a_pause(
    signals: list[signal.Signals],
    configured: Project,
    simulator: Simulator,
    undisturbed: dict[str, list[str]],
) -> None:
    simulator.faults.sometimes("503", 1.0, provider="etelecom", seconds=100)
    process = configured.start("sync", SOURCES__ETELECOM__MAIN__MAX_ATTEMPTS="6")
    while not simulator.requests.select("etelecom"):
        time.sleep(0.05)
    began = time.monotonic()
    for each in signals:
        process.send_signal(each)
        time.sleep(0.03)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert process.returncode == 1, err
    told = [line for line in err.splitlines() if line and not line.startswith("20")]
    assert told == ["interrupted; what was loaded is kept, and the next run goes on from there"]
    assert out == ""
    simulator.faults.clear()
    configured.done("sync")
    assert configured.data() == undisturbed


PRESSED = """
import os, pkgutil, signal, sys
pressed = []
def press(event, arguments):
    if event == "import" and arguments[0] == awaited and not pressed:
        pressed.append(True)
        os.kill(os.getpid(), signal.SIGINT)
awaited, installed = sys.argv[1:3]
sys.argv[1:3] = []
sys.addaudithook(press)
pkgutil.resolve_name(installed)()
"""
"""The command as it is installed, and Ctrl-C when it is about to import a module."""


@pytest.mark.parametrize("awaited", ["pipelines.cli", "click", "pipelines.commands"])
def test_ctrl_c_is_one_line_while_the_command_line_is_loaded(awaited: str, project: Project) -> None:
    installed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["callsync"]
    # A query that never comes, so that no command is done before it is interrupted.
    with subprocess.Popen(
        [sys.executable, "-c", PRESSED, awaited, installed, "sql"],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.wait(timeout=30) == 1
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() == ""
        told = process.stderr.read().strip()
    assert told == "interrupted; what was loaded is kept, and the next run goes on from there"


def test_ctrl_c_ends_a_check(configured: Project, simulator: Simulator) -> None:
    simulator.faults.sometimes("hang", 1.0, seconds=60)
    process = configured.start("check")
    while not sum(simulator.requests.in_flight.values()):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 1, err
    assert err.strip() == "interrupted; what was loaded is kept, and the next run goes on from there"


@pytest.fixture
def busy(configured: Project, simulator: Simulator) -> Iterator[subprocess.Popen[str]]:
    """A run that waits for its provider as long as the test takes."""
    simulator.faults.latency_ms = 60_000
    with configured.start("sync", "etelecom") as first:
        while not sum(simulator.requests.in_flight.values()):
            time.sleep(0.05)
        yield first
        assert first.poll() is None
        first.kill()
        first.communicate()


def test_a_second_run_is_turned_away_at_once(configured: Project, busy: subprocess.Popen[str]) -> None:
    outcome = configured.run("backfill", "vbot", "--from", "2026-01-01", "--to", "2026-01-02")
    assert outcome.code == 3
    (line,) = outcome.lines
    assert f"pid {busy.pid}" in line
    assert "callsync sync etelecom" in line
    assert "since 20" in line


def test_a_lock_that_somebody_removed_still_leaves_one_writer(
    configured: Project, busy: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("lock", "holder.json"):
        (configured.working / "warehouse" / name).unlink()
    monkeypatch.setenv("CALLSYNC__WAREHOUSE_PATIENCE_SECONDS", "0.2")
    outcome = configured.run("sync", "vbot")
    assert outcome.code == 3
    assert "another program has warehouse.duckdb open" in outcome.lines[-1]


HOLDER = "import duckdb,sys; c=duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"


@pytest.fixture
def holder(configured: Project) -> Iterator[subprocess.Popen[str]]:
    """Another program that has the warehouse file open."""
    configured.done("sync", "vbot")
    command = [sys.executable, "-c", HOLDER, str(configured.warehouse)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_another_program_is_waited_for_and_then_named(
    configured: Project, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSYNC__WAREHOUSE_PATIENCE_SECONDS", "1")
    outcome = configured.run("sync")
    assert outcome.code == 3
    waiting, gave_up = outcome.lines
    assert "another program has warehouse.duckdb open; waiting up to 1 s" in waiting
    assert "close it, or read warehouse.read.duckdb" in gave_up
    assert configured.done("status").out
    assert configured.done("sync", "--dry-run").out


def test_a_run_goes_on_when_the_other_program_lets_go(
    configured: Project, holder: subprocess.Popen[str]
) -> None:
    release = threading.Timer(1.0, holder.kill)
    release.start()
    outcome = configured.done("sync")
    assert "waiting up to 30 s" in outcome.err
    release.join()


def test_a_reader_and_a_sync_do_not_meet(project: Project, changing: Simulator) -> None:
    project.configure(changing, everyone())
    project.done("sync")
    with duckdb.connect(str(project.published), read_only=True) as reader:
        inode = project.published.stat().st_ino
        changing.add_late("vbot", changing.now - timedelta(days=1))
        project.done("sync")
        assert project.published.stat().st_ino != inode
        # Who has the earlier copy open still sees it whole.
        assert reader.execute("select count(*) from reporting.calls").fetchall() == [(900,)]
    assert project.rows("select count(*) from reporting.calls") == [(901,)]


def test_the_copy_answers_while_a_sync_runs(loaded: Project, simulator: Simulator) -> None:
    simulator.faults.latency_ms = 1000
    with loaded.start("sync", "etelecom") as running:
        while not sum(simulator.requests.in_flight.values()):
            time.sleep(0.05)
        answer = loaded.done("sql", "select count(*) as n from reporting.calls", "--format", "json")
        assert json.loads(answer.out) == [{"n": 900}]
        assert running.poll() is None
        simulator.faults.latency_ms = 0
        running.communicate(timeout=60)


def test_an_idle_run_keeps_a_large_copy(loaded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines import publishing

    inode = loaded.published.stat().st_ino
    monkeypatch.setattr(publishing, "CHEAP_COPY_BYTES", 0)
    loaded.done("sync")
    assert loaded.published.stat().st_ino == inode
    monkeypatch.undo()
    monkeypatch.chdir(loaded.folder)
    loaded.done("sync")
    assert loaded.published.stat().st_ino != inode


def test_a_copy_that_cannot_be_written_is_one_line(loaded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    before = loaded.published.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.publishing.os.fsync", full)
    outcome = loaded.run("sync")
    assert outcome.code == 1
    assert outcome.lines[-1] == "warehouse.read.duckdb cannot be published: No space left on device"
    assert loaded.published.read_bytes() == before
    assert not list(loaded.folder.glob(".*.tmp"))
