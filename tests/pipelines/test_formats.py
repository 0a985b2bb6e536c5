"""Answers of `callsync sql` as a table, CSV, JSON and Parquet: what a reader of them finds."""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import datetime
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import pytest

from tests.pipelines.project import Project

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
        ('select 1 as answer, 2 as "ANSWER_"', [{"answer": 1, "ANSWER_": 2}]),
        ("select [timestamp '2026-06-30 08:00:00', null] as a", [{"a": ["2026-06-30T08:00:00", None]}]),
        ("select [timestamptz '2026-06-30 01:00:00+00'] as a", [{"a": ["2026-06-30T08:00:00+07:00"]}]),
        ("select [[timestamp '2026-06-30 08:00:00']] as a", [{"a": [["2026-06-30T08:00:00"]]}]),
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
        ("select date '2026-06-30' as d, true as b, 1.5::double as f", '"2026-06-30",true,1.5'),
        (
            "select date 'infinity' as a, date '290000-01-01' as b, date '0044-03-15 (BC)' as c",
            '"infinity","290000-01-01","0044-03-15 (BC)"',
        ),
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


def test_columns_of_one_name_are_numbered_in_parquet_too(loaded: Project) -> None:
    loaded.done("sql", "select 1 as a, 2 as a", "-o", "twice.parquet")
    assert pyarrow.parquet.read_table(loaded.folder / "twice.parquet").to_pylist() == [{"a": 1, "a_1": 2}]


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


@pytest.mark.parametrize(
    "name",
    ["warehouse.duckdb", "warehouse.read.duckdb", "x/../warehouse.duckdb.wal", ".callsync/warehouse/lock"],
)
def test_no_answer_takes_the_place_of_the_warehouse(name: str, loaded: Project) -> None:
    (loaded.folder / "x").mkdir()
    outcome = loaded.run("sql", "select 1", "-o", name)
    assert outcome.code == 2
    assert outcome.err == f"{name} belongs to the warehouse; name another file\n"
    assert loaded.rows("select count(*) from reporting.calls") == [(900,)]
