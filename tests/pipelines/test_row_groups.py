"""The warehouse stores rows in small groups, which go to their place at once, and ids as they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines import opening, warehouse
from simulator import Simulator
from tests.pipelines.project import Project

ROWS = 2 * warehouse.ROW_GROUP
DAYS = 8


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "it's a warehouse.duckdb"


@pytest.fixture
def connection(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with opened(file) as connection:
        yield connection


def opened(file: Path) -> duckdb.DuckDBPyConnection:
    return opening._open(file, 0, 128, pytest.fail)


def fill(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    connection.execute("create table if not exists called (number bigint, name varchar)")
    connection.execute(f"insert into called select range, md5(cast(range as varchar)) from range({rows})")


def groups(connection: duckdb.DuckDBPyConnection) -> list[int]:
    return [
        rows
        for (rows,) in connection.execute(
            "select count from pragma_storage_info('called') "
            "where column_name = 'number' and segment_type <> 'VALIDITY' order by row_group_id"
        ).fetchall()
    ]


def test_rows_are_stored_in_small_groups_also_in_a_file_that_is_opened_again(
    connection: duckdb.DuckDBPyConnection, file: Path
) -> None:
    fill(connection, ROWS)
    assert groups(connection) == [warehouse.ROW_GROUP] * 2
    connection.close()
    with opened(file) as again:
        fill(again, ROWS)
        assert groups(again) == [warehouse.ROW_GROUP] * 4


def test_whole_groups_are_not_written_to_the_log(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    log = warehouse.Files(file).log
    fill(connection, warehouse.ROW_GROUP - 1)
    written_twice = log.stat().st_size
    fill(connection, ROWS)
    assert log.stat().st_size - written_twice < written_twice / 10


def test_what_lies_in_its_place_is_not_written_again_to_save_a_group(
    connection: duckdb.DuckDBPyConnection, file: Path
) -> None:
    for _ in range(3):
        fill(connection, ROWS + 1)
    connection.execute("checkpoint")
    assert groups(connection) == [warehouse.ROW_GROUP, warehouse.ROW_GROUP, 1] * 3
    ((unused,),) = connection.execute("select free_blocks from pragma_database_size()").fetchall()
    assert not unused


def test_small_groups_are_joined_when_some_runs_have_left_one_each(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "SMALL_RUNS", 3)
    counts = []
    with Simulator(calls=200, seed=5, days=DAYS) as simulator:
        project.configure(simulator, {"etelecom.main": (None, 0)})
        first = simulator.since.date()
        for day in range(DAYS):
            start, end = (f"{first + timedelta(days)}" for days in (day, day + 1))
            project.done("backfill", "etelecom", "--from", start, "--to", end)
            counts += project.rows(
                "select count(distinct row_group_id) from pragma_storage_info('etelecom.call_logs')",
                project.warehouse,
            )
    assert 1 < max(count for (count,) in counts) <= 3


@pytest.mark.parametrize(
    ("account", "as_it_is", "packed"),
    [
        (
            "etelecom.main",
            {
                "etelecom.call_logs": "id",
                "etelecom.call_logs__call_targets": "id",
                "callsync.reported_calls": "provider_call_id",
                "callsync.first_contacts": "provider_call_id",
                "callsync.call_origins": "provider_call_id",
                "callsync.phone_numbers": "number",
            },
            {"etelecom.call_logs": "external_id", "etelecom.call_logs__recording_urls": "value"},
        ),
        ("vbot.main", {"vbot.calls": "group_id"}, {"vbot.calls": "trans_id"}),
        ("voximplant.main", {}, {"voximplant.call_sessions": "log_file_url"}),
    ],
)
def test_texts_that_hardly_ever_come_again_are_stored_without_a_search_for_those_that_do(
    project: Project, account: str, as_it_is: dict[str, str], packed: dict[str, str]
) -> None:
    with Simulator(calls=200, seed=5, days=DAYS) as simulator:
        project.configure(simulator, {account: (None, 0)})
        middle = simulator.since.date() + timedelta(DAYS // 2)
        project.done("backfill", account, "--from", f"{simulator.since.date()}", "--to", f"{middle}")
        project.done("sync", account)
    for columns, how in ((as_it_is, "Uncompressed"), (packed, "ZSTD")):
        for table, column in columns.items():
            assert project.rows(
                f"select distinct compression from pragma_storage_info('{table}') "
                f"where column_name = '{column}' and segment_type = 'VARCHAR'",
                project.warehouse,
            ) == [(how,)]


def test_every_cursor_works_in_the_warehouse(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    with connection.cursor() as one, connection.cursor() as other:
        fill(one, 10)
        assert other.execute("select count(*) from called").fetchall() == [(10,)]
    connection.close()
    with duckdb.connect(str(file), read_only=True) as reader:
        assert reader.execute("select count(*) from called").fetchall() == [(10,)]


def test_a_new_file_wastes_little_on_small_inserts(connection: duckdb.DuckDBPyConnection) -> None:
    ((size,),) = connection.execute("select block_size from pragma_database_size()").fetchall()
    assert size == opening.BLOCK_BYTES


def test_a_file_with_blocks_of_the_usual_size_is_used_as_it_is(file: Path) -> None:
    with duckdb.connect(str(file)) as usual:
        fill(usual, 10)
    with opened(file) as connection:
        fill(connection, ROWS)
        assert connection.execute("select count(*) from called").fetchall() == [(10 + ROWS,)]


def test_what_a_killed_run_left_in_the_log_is_brought_in(
    connection: duckdb.DuckDBPyConnection, file: Path
) -> None:
    fill(connection, 10)
    left_by_a_killed_run = warehouse.Files(file).log.read_bytes(), file.read_bytes()
    connection.close()
    warehouse.Files(file).log.write_bytes(left_by_a_killed_run[0])
    file.write_bytes(left_by_a_killed_run[1])
    with opened(file) as again:
        assert again.execute("select count(*) from called").fetchall() == [(10,)]
