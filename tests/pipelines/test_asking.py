"""`sql`, `status`, `test` and `check`: what is asked of the published copy, and how it answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from simulator import Simulator
from tests.pipelines.project import COMMAND, ROOT, Project, everyone


def test_text_of_a_provider_cannot_steer_the_terminal(loaded: Project) -> None:
    assert "\x1b" not in loaded.done("sql", "select chr(27) || '[2J' as text").out


def test_a_query_may_stand_in_a_file(loaded: Project) -> None:
    Path("question.sql").write_text("-- how many\nselect count(*) as n from reporting.calls;\n")
    assert json.loads(loaded.done("sql", "-f", "question.sql", "--format", "json").out) == [{"n": 900}]
    Path("latin.sql").write_bytes("select 'é'".encode("latin-1"))
    for wrong in (["select 1", "-f", "question.sql"], ["-f", "missing.sql"], ["-f", "latin.sql"]):
        assert loaded.run("sql", *wrong).code == 2


@pytest.mark.parametrize(
    "given", ["select count(*) as n from reporting.calls", "\ufeff-- bom\nselect 900 as n;\n"]
)
def test_a_query_may_come_on_standard_input(loaded: Project, given: str) -> None:
    assert json.loads(piped(loaded, given, "--format", "json").stdout) == [{"n": 900}]


def test_nothing_on_standard_input_is_no_query(loaded: Project) -> None:
    found = piped(loaded, " \n")
    assert found.returncode == 2
    assert found.stderr.startswith("give a query, as in callsync sql")


def piped(project: Project, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "sql", *arguments],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


def test_several_questions_are_answered_as_tables_and_as_nothing_else(loaded: Project) -> None:
    questions = "create temp table t as select 6 as a; select a * 7 as n from t; select 'x;' as s;"
    out = loaded.done("sql", questions).out
    assert out.index("│    42 │") < out.index("│ x;      │")
    refused = loaded.run("sql", questions, "--format", "csv")
    assert (refused.code, len(refused.lines), refused.out) == (2, 1, "")


@pytest.mark.parametrize(
    "query",
    [
        "selct 1",
        "select * from reporting.callz",
        "select cast('x' as integer)",
        "",
        "delete from callsync.runs",
        "create table x (a integer)",
        "attach 'other.duckdb'",
        "copy (select 1) to 'out.csv'",
        "select * from read_csv('.dlt/secrets.toml')",
        "select * from read_text('.dlt/secrets.toml')",
        "install httpfs",
        "set enable_external_access = true",
        "select error('stop') from reporting.calls",
    ],
)
@pytest.mark.parametrize("form", ["table", "json"])
def test_what_is_no_question_is_refused_in_one_line(loaded: Project, query: str, form: str) -> None:
    before = loaded.published.read_bytes()
    outcome = loaded.run("sql", query, "--format", form)
    assert outcome.code == 2
    assert len(outcome.lines) == 1
    assert loaded.published.read_bytes() == before
    assert not Path("out.csv").exists()


@pytest.mark.parametrize(
    "arguments", [("sql", "select 'caf\udce9'"), ("status", "--call", "\udce9"), ("sync", "\udce9")]
)
def test_an_argument_that_is_not_utf_8_is_refused_in_one_line(
    loaded: Project, arguments: tuple[str, ...]
) -> None:
    outcome = loaded.finish(*arguments)
    assert outcome.code == 2
    assert outcome.lines == ["an argument is not UTF-8; is the terminal set to another encoding?"]


def test_a_reader_that_leaves_early_sees_no_trace(loaded: Project) -> None:
    with subprocess.Popen(
        [*COMMAND, "sql", "select range as n from range(3000000)", "--format", "csv"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == '"n"\n'
        process.stdout.close()
        assert process.stderr.read() == ""


def test_ctrl_c_ends_a_query_in_one_line(loaded: Project) -> None:
    process = loaded.start("sql", "select range as n from range(100000000000)", "--format", "csv")
    assert process.stdout is not None
    assert process.stdout.readline() == '"n"\n'
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, "interrupted\n")


def test_nothing_but_the_answer_is_written(loaded: Project) -> None:
    shown = piped(loaded, "select current_setting('enable_progress_bar') as bar", "--format", "csv")
    assert shown.stdout == '"bar"\nfalse\n'


def test_before_a_first_run_there_is_nothing_to_ask(configured: Project) -> None:
    for command in (["sql", "select 1"], ["test"]):
        outcome = configured.run(*command)
        assert outcome.code == 1
        assert outcome.err.endswith("run callsync sync first\n")
    assert "never" in configured.done("status").out
    accounts = json.loads(configured.done("status", "--json").out)["accounts"]
    assert [account["account"] for account in accounts] == ["etelecom.main", "vbot.main", "voximplant.main"]
    assert all(account["is_stale"] and account["calls"] == 0 for account in accounts)


def test_status_for_machines_has_stable_keys(loaded: Project) -> None:
    accounts = json.loads(loaded.done("status", "--json").out)["accounts"]
    assert [list(account) for account in accounts] == 3 * [
        [
            "account", "cursor", "newest_call", "is_stale", "calls", "covered", "missing",
            "rejected", "warnings", "schema_changes", "last_run",
        ]
    ]  # fmt: skip
    for account in accounts:
        assert account["calls"] == 300
        assert not account["is_stale"]
        assert account["missing"] == []
        ((_, until),) = account["covered"]
        assert datetime.fromisoformat(until) == datetime.fromisoformat(account["cursor"])
        assert list(account["last_run"]) == ["run_id", "finished_at", "status", "error"]
        assert account["last_run"]["status"] == "ok"


def test_status_for_people_has_a_line_an_account_and_says_what_failed(
    loaded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = loaded.done("status").out.splitlines()
    assert [line.split()[0] for line in lines] == ["account", "etelecom.main", "vbot.main", "voximplant.main"]
    monkeypatch.setenv("SOURCES__VBOT__MAIN__API_KEY", "wrong")
    assert loaded.run("sync").code == 1
    assert "check api_key under [sources.vbot.main]" in loaded.done("status").out


def test_a_planted_offender_fails_the_data_tests(loaded: Project) -> None:
    assert loaded.done("test").out.endswith(" passed, 0 failed\n")
    with duckdb.connect(str(loaded.published)) as connection:
        connection.execute("insert into etelecom.call_logs from etelecom.call_logs limit 1")
    outcome = loaded.run("test")
    assert outcome.code == 4
    assert "etelecom_keys_are_unique: 1 offending row" in outcome.err
    assert "│" in outcome.out


def test_check_says_what_it_found_and_fails_for_one_account(
    configured: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = configured.done("check").out
    for said in (
        "vbot.main  ok",
        "page base: 0",
        "etelecom.main  ok",
        "voximplant.main  ok",
        "time zone: Etc/GMT",
    ):
        assert said in found
    assert not configured.warehouse.exists()
    monkeypatch.setenv("SOURCES__VBOT__MAIN__API_KEY", "wrong")
    outcome = configured.run("check")
    assert outcome.code == 1
    assert "vbot.main  failed" in outcome.out
    assert "etelecom.main  ok" in outcome.out
    (line,) = outcome.lines
    assert "check api_key under [sources.vbot.main]" in line


def test_the_log_for_machines_parses(configured: Project) -> None:
    events = [json.loads(line) for line in configured.done("sync", "--log-format", "json").lines]
    planned = {event["account"]: event["windows"] for event in events if event["event"] == "planned"}
    assert planned.keys() == everyone().keys()
    ends = [event for event in events if event["event"] == "account"]
    assert {event["account"] for event in ends} == planned.keys()
    for event in ends:
        windows = [
            each for each in events if each["event"] == "window" and each["account"] == event["account"]
        ]
        assert len(windows) == planned[event["account"]] == event["windows"]
        # A call at the instant where two windows meet is read with both by a provider with closed ranges.
        assert sum(window["rows"] for window in windows) == event["calls"] >= 300


def test_the_log_for_machines_parses_where_an_account_fails_too(
    configured: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__VBOT__MAIN__API_KEY", "wrong")
    outcome = configured.run("sync", "--log-format", "json")
    assert outcome.code == 1
    events = [json.loads(line) for line in outcome.lines]
    errors = {event["account"]: event["error"] for event in events if event["event"] == "account"}
    assert "check api_key under [sources.vbot.main]" in errors.pop("vbot.main")
    assert set(errors.values()) == {None}
    assert all("at" in event for event in events)


def test_a_run_names_its_command(configured: Project, simulator: Simulator) -> None:
    configured.done("sync", "vbot")
    assert configured.rows("select command, status, exit_code, calls >= 300 from callsync.runs") == [
        ("sync vbot", "ok", 0, True)
    ]
    assert {entry.provider for entry in simulator.requests.select()} == {"vbot"}


def test_the_module_needs_no_terminal() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "from pipelines.cli import main; main(['--help'])"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Exit codes:" in found.stdout
