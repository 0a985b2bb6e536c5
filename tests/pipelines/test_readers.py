"""Readers of the published copy, while syncs run and are killed, never fail and never see half of a run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import timedelta

import duckdb
import pytest

from simulator import Simulator
from tests.pipelines.project import COMMAND, Project, everyone
from tests.pipelines.test_stopping import dies_at

READERS = 10

SEEN = """
select
    (select count(*) from etelecom.call_logs) as logs,
    (select count(*) from vbot.calls) as calls,
    (select count(*) from reporting.calls) as reported,
    (select count(*) from etelecom.call_logs__call_targets as targets
        anti join etelecom.call_logs as logs using (account, id)) as orphans,
    (select count(*) from callsync.runs where status = 'running') as running
"""


def left_by_a_run(project: Project) -> tuple[int, ...]:
    # Within a process DuckDB shares a file that is open: by another name it is opened anew.
    renamed = project.folder / f"{time.monotonic_ns()}.duckdb"
    shutil.copy(project.published, renamed)
    (row,) = project.rows(SEEN, renamed)
    return row


def look(project: Project, seen: set[tuple[int, ...]]) -> None:
    with closing(duckdb.connect(str(project.published), read_only=True, config={"threads": 1})) as copy:
        seen.update(copy.execute(SEEN).fetchall())


@pytest.mark.slow
def test_ten_readers_while_syncs_run(project: Project, changing: Simulator) -> None:
    project.configure(changing, everyone("vbot.main", "etelecom.main"), {"commit_rows": 100})
    project.done("sync", "vbot")
    seen: set[tuple[int, ...]] = set()
    failed: list[BaseException] = []
    finished = threading.Event()
    ends = {left_by_a_run(project)}

    def read() -> None:
        try:
            # Readers that never rest would leave a sync no processor.
            while not finished.wait(0.1):
                look(project, seen)
        except BaseException as error:
            failed.append(error)

    def ask() -> None:
        try:
            while not finished.is_set():
                answer = subprocess.run(
                    [*COMMAND, "sql", SEEN, "--format", "json"],
                    cwd=project.folder, capture_output=True, check=True, text=True,
                )  # fmt: skip
                seen.add(tuple(json.loads(answer.stdout)[0].values()))
        except BaseException as error:
            failed.append(error)

    readers = [threading.Thread(target=ask if number == 0 else read) for number in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        for number in range(2):
            outcome = project.run("sync")
            assert outcome.code == 0, outcome
            ends.add(left_by_a_run(project))
            for provider in ("vbot", "etelecom"):
                changing.add_late(provider, changing.now - timedelta(hours=number))
    finally:
        finished.set()
        for reader in readers:
            reader.join()
    assert not failed
    # Whatever a reader saw is what some finished run left: nothing between two of them.
    assert seen <= ends
    for logs, calls, reported, orphans, running in seen:
        assert (reported, orphans, running) == (logs + calls, 0, 0)


def test_what_a_killed_run_loaded_is_shown_by_nobody_before_it_is_whole(loaded: Project) -> None:
    before = loaded.published.read_bytes()
    dies_at(loaded, "load:after", "backfill", "vbot", "--from", "2020-01-01", "--to", "2020-01-02", "--force")
    # Whoever publishes next, as a command does that only tells how it ended, must not show half of it.
    assert loaded.run("sync", "--bogus").code == 2
    copy = loaded.published.read_bytes()
    assert copy == before or loaded.rows("select count(*) from reporting.calls") == [(900,)]
    loaded.done("sync")
    assert loaded.published.read_bytes() != before


HOLDING = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("open", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", ["read", "write"])
def test_a_program_in_the_warehouse_costs_a_wait_and_no_data(
    how: str, loaded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = loaded.data()
    monkeypatch.setenv("CALLSYNC__WAREHOUSE_PATIENCE_SECONDS", "0.6")
    command = [sys.executable, "-c", HOLDING, str(loaded.warehouse), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        began = time.monotonic()
        outcome = loaded.run("sync")
        assert time.monotonic() - began >= 0.6
        assert outcome.code == 3
        assert "waiting up to" in outcome.lines[0]
        assert "another program has warehouse.duckdb open; close it" in outcome.lines[-1]
        assert loaded.data() == before
        other.communicate()
    loaded.done("sync")
    assert loaded.data() == before


@pytest.mark.parametrize(
    "note", ["garbage", '{"pid": 1, "command": "sync", "started_at": "2020-01-01"}', "[]"]
)
def test_what_a_dead_holder_left_holds_nobody_up(note: str, loaded: Project) -> None:
    home = loaded.working / "warehouse"
    (home / "lock").write_text("1")
    # Another process has that number by now, or the machine was started anew.
    (home / "holder.json").write_text(note)
    loaded.done("sync")
