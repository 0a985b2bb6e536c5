"""`sql`, `status`, `test` and `check`: what is asked of the published copy, and how it answers."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow.csv
import pyarrow.parquet
import pytest

from simulator import Simulator
from tests.pipelines.project import COMMAND, ROOT, Project, everyone

QUERY = """
select call_id, started_at, cost, is_answered, cast(null as varchar) as nothing, 1 as twice, 2 as twice
from reporting.calls where provider = 'vbot' order by call_id limit 3
"""


def test_json_keeps_decimals_and_times_exact(loaded: Project) -> None:
    answer = loaded.done("sql", QUERY, "--format", "json").out
    rows = json.loads(answer, parse_float=str)
    direct = loaded.rows(
        "select started_at, cost from reporting.calls where provider = 'vbot' order by call_id limit 3"
    )
    for row, (started_at, cost) in zip(rows, direct, strict=True):
        assert row["cost"] == f"{cost:f}"
        assert datetime.fromisoformat(row["started_at"]) == started_at
        assert row["started_at"].endswith("+07:00")
        assert (row["nothing"], row["twice"], row["twice_1"]) == (None, 1, 2)
        assert isinstance(row["is_answered"], bool)


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("select 1 as n where false", []),
        ("select 'nan'::double as x, 0.1::decimal(18, 9) as d", [{"x": None, "d": "0.100000000"}]),
        ("select '\"NaN\\' as a, ['inf'::double] as b", [{"a": '"NaN\\', "b": [None]}]),
        ("select timestamp '2026-06-30 08:00:00' as t", [{"t": "2026-06-30T08:00:00"}]),
        ("select 'nan'::double as x, '-inf'::double as y, 'NaN' as z", [{"x": None, "y": None, "z": "NaN"}]),
        ("select [1.50::decimal(3, 2)] as a, {'b': 'é'} as s", [{"a": ["1.5"], "s": {"b": "é"}}]),
        ("select interval 1 day as i, 'x'::blob as b", [{"i": "1 day", "b": "x"}]),
        ("select 170141183460469231731687303715884105727::hugeint as h", [{"h": 2**127 - 1}]),
    ],
)
def test_json_is_valid_whatever_the_type(loaded: Project, query: str, answer: object) -> None:
    found = json.loads(loaded.done("sql", query, "--format", "json").out, parse_float=str)
    assert found == answer


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("select 0::decimal(18, 9) as zero, 1234.5::decimal(18, 9) as d", '"0.000000000","1234.500000000"'),
        ("select timestamptz '2026-06-30 01:00:00.5+00' as at", '"2026-06-30T08:00:00.5+07:00"'),
        (
            "select timestamp '2026-06-30 08:00:00' as at, time '08:00' as t",
            '"2026-06-30T08:00:00","08:00:00"',
        ),
        ("select date '2026-06-30' as d, true as b, 1.5::double as f", "2026-06-30,true,1.5"),
        ("select null as a, '' as b, 'é, \"x\"' as c", ',"","é, ""x"""'),
        ("select {'a': [1.50::decimal(3, 2), null]} as s", '"{""a"":[1.5,null]}"'),
    ],
)
def test_csv_writes_values_as_they_are(loaded: Project, query: str, answer: str) -> None:
    assert loaded.done("sql", query, "--format", "csv").out.split("\n", 1)[1] == answer + "\n"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_empty_result_keeps_its_columns(loaded: Project, form: str) -> None:
    loaded.done("sql", "select call_id, cost from reporting.calls where false", "-o", f"none.{form}")
    read = pyarrow.csv.read_csv if form == "csv" else pyarrow.parquet.read_table
    assert read(f"none.{form}").column_names == ["call_id", "cost"]


def test_csv_has_every_row_and_nested_values_as_json(loaded: Project) -> None:
    out = loaded.done("sql", "select *, [1, 2] as list from reporting.calls", "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 900
    assert rows[0]["list"] == "[1,2]"
    assert all(row["call_id"].count("/") == 2 for row in rows)


def test_parquet_goes_to_a_file(loaded: Project) -> None:
    target = loaded.folder / "calls.parquet"
    loaded.done("sql", "from reporting.calls", "--format", "parquet", "-o", str(target))
    assert pyarrow.parquet.read_table(target).num_rows == 900
    impossible = loaded.run("sql", "select interval 1 day", "--format", "parquet", "-o", "other.parquet")
    assert impossible.code == 2
    assert len(impossible.lines) == 1
    assert not Path("other.parquet").exists()


def test_a_table_shows_every_column_where_no_screen_limits_it(loaded: Project) -> None:
    out = loaded.done("sql", "from reporting.calls limit 2").out
    assert "recording_count" in out
    assert "provider_call_id" in out
    assert "…" not in out


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


def test_a_plan_is_shown_as_it_is_drawn(loaded: Project) -> None:
    out = loaded.done("sql", "explain select 1").out
    assert "\\n" not in out
    assert len(out.splitlines()) > 3


def test_the_ending_of_the_file_chooses_the_format(loaded: Project) -> None:
    for name, begins in (
        ("a.csv", b'"n"'),
        ("a.JSON", b"["),
        ("a.parquet", b"PAR1"),
        ("a.txt", "┌".encode()),
    ):
        loaded.done("sql", "select 1 as n", "-o", name)
        assert Path(name).read_bytes().startswith(begins)
    loaded.done("sql", "select 1 as n", "--format", "json", "-o", "b.csv")
    assert Path("b.csv").read_bytes() == b'[\n{"n":1}\n]\n'


def test_a_device_is_written_to_and_a_link_stays_one(loaded: Project) -> None:
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    loaded.done("sql", "select 1 as n", "--format", "csv", "-o", "pipe")
    assert os.read(reader, 100) == b'"n"\n1\n'
    os.close(reader)
    Path("link.csv").symlink_to("target.csv")
    loaded.done("sql", "select 1 as n", "-o", "link.csv")
    assert Path("link.csv").is_symlink()
    assert Path("target.csv").read_text() == '"n"\n1\n'


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


LATE = "select case when range = 150000 then error('too late') else range end as n from range(200000)"


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_query_that_fails_on_its_way_says_so_in_one_line(loaded: Project, form: str) -> None:
    outcome = loaded.run("sql", LATE, "--format", form)
    assert outcome.code == 2
    assert outcome.lines == ["the query failed: Invalid Input Error: too late"]


def test_a_file_is_written_whole_or_not_at_all(loaded: Project) -> None:
    target = loaded.folder / "answer.csv"
    target.write_text("earlier")
    outcome = loaded.run("sql", LATE, "--format", "csv", "-o", str(target))
    assert outcome.code == 2
    assert outcome.lines == ["the query failed: Invalid Input Error: too late"]
    assert target.read_text() == "earlier"
    assert not list(loaded.folder.glob(".answer*"))
    loaded.done("sql", "select 1 as n", "--format", "csv", "-o", str(target))
    assert target.read_text() == '"n"\n1\n'
    assert loaded.run("sql", "select 1", "-o", str(loaded.folder / "no" / "where.csv")).code == 2


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
            "rejected", "warnings", "last_run",
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
    assert "etelecom_keys_are_unique: 1 offending rows" in outcome.err
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
