"""Whatever a command ends with, `callsync status` and `callsync.runs` say why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import holding, run_log
from simulator import Simulator
from tests.pipelines.project import Project, everyone


def told(project: Project, code: int, command: str) -> str:
    """Run a command; the reason that status gives, once it is the same as that in the table."""
    outcome = project.run(*command.split())
    assert outcome.code == code
    (run,) = [run for run in runs(project) if run["command"] == command]
    assert run["exit_code"] == code
    assert run["error"] in project.done("status").out
    return str(run["error"])


def runs(project: Project) -> list[dict[str, Any]]:
    """The last run of each command, as status tells it."""
    found: list[dict[str, Any]] = json.loads(project.done("status", "--json").out)["runs"]
    return found


def entered(project: Project, command: str) -> list[tuple[Any, ...]]:
    return project.rows(
        f"select status, exit_code, error from callsync.runs where command = '{command}' order by started_at"
    )


def damage(project: Project, statement: str) -> None:
    for file in (project.warehouse, project.published):
        with duckdb.connect(str(file)) as connection:
            connection.execute(statement)


def test_an_account_that_fails(loaded: Project, simulator: Simulator) -> None:
    simulator.faults.sometimes("500", 1.0, provider="vbot")
    why = told(loaded, 1, "sync")
    assert why.startswith("vbot.main: ")
    assert entered(loaded, "sync")[-1] == ("failed", 1, why)


def test_a_wrong_key_in_the_configuration(loaded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__VBOT__MAIN__PAGE_SIZE", "many")
    why = told(loaded, 2, "backfill vbot --from 2026-01-01 --to 2026-01-02")
    assert "page_size" in why
    assert entered(loaded, "backfill vbot --from 2026-01-01 --to 2026-01-02") == [("failed", 2, why)]


def test_a_wrong_word_on_the_command_line(loaded: Project) -> None:
    assert "--bogus" in told(loaded, 2, "sync --bogus")


def test_what_a_command_does_not_take_may_be_a_key_and_is_not_kept(loaded: Project) -> None:
    assert loaded.run("sync", "--api-key", "123:very-secret").code == 2
    assert loaded.run("recordings", "--target", "s3://user:very-secret@bucket").code == 2
    loaded.done("sync")
    kept = {command for (command,) in loaded.rows("select command from callsync.runs")}
    assert kept >= {"sync --api-key", "recordings --target s3://***@bucket"}
    assert "very-secret" not in str(loaded.dump("callsync"))


def test_a_warehouse_that_is_held(loaded: Project) -> None:
    with holding.held(loaded.warehouse, "sync"):
        why = told(loaded, 3, "sync etelecom")
        assert "is held by callsync sync" in why
        assert entered(loaded, "sync etelecom") == []
    loaded.done("sync")
    assert entered(loaded, "sync etelecom") == [("busy", 3, why)]
    loaded.done("sync")
    assert entered(loaded, "sync etelecom") == [("busy", 3, why)]
    assert runs(loaded)[0]["status"] == "ok"


def test_data_that_differs_from_what_a_provider_shows(loaded: Project) -> None:
    damage(loaded, "delete from etelecom.call_logs where id = (select min(id) from etelecom.call_logs)")
    why = told(loaded, 4, "verify etelecom")
    assert why.startswith("etelecom.main: 1 missing in 1 of ")
    assert entered(loaded, "verify etelecom") == [("differs", 4, why)]
    loaded.done("verify", "etelecom", "--repair")
    assert runs(loaded)[0]["status"] == "ok"
    assert "last verify" not in loaded.done("status").out


def test_a_provider_that_cannot_be_asked_by_verify(loaded: Project, simulator: Simulator) -> None:
    simulator.faults.sometimes("500", 1.0, provider="vbot")
    why = told(loaded, 1, "verify vbot")
    assert why.startswith("vbot.main: ")
    assert entered(loaded, "verify vbot") == [("failed", 1, why)]


def test_data_that_cannot_be(loaded: Project) -> None:
    damage(loaded, "insert into etelecom.call_logs from etelecom.call_logs limit 1")
    why = told(loaded, 4, "test")
    assert "etelecom_keys_are_unique: 1 offending row" in why
    assert entered(loaded, "test") == [("differs", 4, why)]


def test_recordings_that_cannot_be_fetched(loaded: Project, simulator: Simulator) -> None:
    simulator.faults.sometimes("500", 1.0, provider="vbot")
    assert "vbot.main: " in told(loaded, 1, "recordings vbot --limit 1")


def test_a_warehouse_that_could_not_be_written_to_the_end(
    loaded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise duckdb.IOException("no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(run_log, "_keep", full)
        assert "no space left on device" in told(loaded, 1, "sync")
    loaded.done("sync")
    assert [(status, code) for status, code, _ in entered(loaded, "sync")] == [
        ("ok", 0),
        ("failed", 1),
        ("ok", 0),
    ]


def test_nothing_is_made_where_no_run_has_begun(project: Project, simulator: Simulator) -> None:
    project.configure(simulator, everyone("vbot.main"), no_such_key=1)
    assert project.run("sync").code == 2
    assert [file.name for file in project.folder.iterdir()] == [".dlt"]


def test_what_waits_to_be_entered_is_readable_by_its_owner_alone(loaded: Project) -> None:
    with holding.held(loaded.warehouse, "sync"):
        loaded.run("sync")
    (file,) = Path(loaded.working).rglob("runs.jsonl")
    assert file.stat().st_mode & 0o777 == 0o600
    with file.open("a") as lines:
        lines.write('{"run_id": "cut off')
    loaded.done("sync")
    assert not file.read_bytes()
