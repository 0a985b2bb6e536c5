"""A warehouse of an earlier version is upgraded where it is; one of a later version is left alone."""

from __future__ import annotations

import lzma
import struct
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines import upgrading, warehouse
from simulator import Simulator
from tests.pipelines.project import Project, everyone
from tests.pipelines.truth import expected, reported

FIRST = Path(__file__).parent.parent / "fixtures" / "first_warehouse.duckdb.xz"
UNTIL = datetime(2026, 7, 1, tzinfo=UTC)
PROVIDERS = ("vbot", "etelecom", "voximplant")


@pytest.fixture
def past() -> Iterator[Simulator]:
    """The providers whose calls the first version's warehouse holds."""
    with Simulator(calls=60, seed=7, days=2, until=UNTIL) as running:
        yield running


@pytest.fixture
def old(project: Project, past: Simulator) -> Project:
    """A project with the warehouse that the first version left, and its copy for readers."""
    project.configure(past, everyone(), window_days=60)
    content = lzma.decompress(FIRST.read_bytes())
    project.warehouse.write_bytes(content)
    project.published.write_bytes(content)
    return project


def columns(project: Project) -> list[tuple[str, ...]]:
    return sorted(
        project.rows(
            "select table_schema, table_name, column_name, data_type from information_schema.columns "
            "where not starts_with(table_name, '_dlt')"
        )
    )


def change(file: Path, *statements: str) -> None:
    with duckdb.connect(str(file)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_the_first_versions_warehouse_is_synced_further(
    old: Project, past: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for provider in PROVIDERS:
        key = {"vbot": "group_id", "etelecom": "id", "voximplant": "call_session_history_id"}[provider]
        past.add_late(provider, UNTIL - timedelta(hours=5))
        past.hide(provider, past.add_late(provider, UNTIL - timedelta(hours=6)))
        past.drop_legs(provider, past.truth(provider)[30][key])
    past.settle()
    assert old.done("status").out.count(" ok 2026-") == 3
    call = f"etelecom/main/{past.truth('etelecom')[5]['id']}"
    too_early = old.run("status", "--call", call)
    assert (too_early.code, len(too_early.lines)) == (1, 1)
    old.done("sync")
    assert ", or later" in old.done("status", "--call", call).out
    for provider in PROVIDERS:
        assert reported(old, provider) == expected(past, provider)
    (format_,) = old.rows("select value from callsync.meta where key = 'format'")
    assert format_ == (str(warehouse.FORMAT),)
    fresh = Project(tmp_path_factory.mktemp("fresh"))
    fresh.configure(past, everyone(), window_days=60)
    fresh.done("sync")
    assert columns(old) == columns(fresh)
    assert old.data() == fresh.data()


def test_numbers_lose_the_index_that_was_held_in_memory(loaded: Project) -> None:
    numbers = sorted(loaded.rows("from callsync.phone_numbers"))
    change(
        loaded.warehouse,
        "create table kept as from callsync.phone_numbers",
        "create or replace table callsync.phone_numbers "
        "(number varchar primary key, e164 varchar, region varchar, kind varchar, is_valid boolean)",
        "insert into callsync.phone_numbers from kept",
        "drop table kept",
        "insert or replace into callsync.meta values ('format', '1')",
    )
    loaded.done("sync")
    assert loaded.rows("from duckdb_constraints() where table_name = 'phone_numbers'") == []
    assert sorted(loaded.rows("from callsync.phone_numbers")) == numbers


def test_a_quarantine_of_the_first_version_is_replayed(old: Project) -> None:
    assert old.done("rejects", "replay").out == "0 of 1 records replayed; 1 stay in quarantine\n"


def test_tables_and_columns_that_are_missing_are_created(loaded: Project) -> None:
    before = columns(loaded)
    change(
        loaded.warehouse,
        "delete from callsync.meta where key in ('format', 'layout')",
        "drop schema reporting cascade",
        "delete from callsync.meta where key = 'views'",
        "drop view callsync.windows",
        "alter table callsync.runs drop column calls",
        "alter table etelecom.callsync_windows drop column warnings",
        "alter table vbot.calls drop column currency",
        "drop table voximplant.users",
        "drop table callsync.recording_files",
    )
    loaded.done("sync")
    assert columns(loaded) == before


def test_an_upgrade_that_was_interrupted_is_made_good(
    loaded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("drop table callsync.recording_files")
        raise KeyboardInterrupt

    columns_before = columns(loaded)
    change(loaded.warehouse, "alter table callsync.runs drop column calls")
    change(loaded.warehouse, "delete from callsync.meta where key in ('format', 'layout')")
    monkeypatch.setattr(upgrading, "STEPS", {0: stopped})
    assert loaded.run("sync").code == 1
    with closing(duckdb.connect(str(loaded.warehouse))) as connection:
        assert warehouse.format_of(connection) == 0
        assert connection.execute("select count(*) from callsync.recording_files").fetchall() == [(0,)]
    taken: list[int] = []
    monkeypatch.setattr(upgrading, "STEPS", {0: lambda connection: taken.append(1)})
    loaded.done("sync")
    loaded.done("sync")
    assert taken == [1]
    assert columns(loaded) == columns_before


@pytest.mark.parametrize(
    "command",
    [
        ["sync"],
        ["sync", "--dry-run"],
        ["verify"],
        ["recordings"],
        ["rejects", "replay"],
        ["status"],
        ["test"],
    ],
    ids=" ".join,
)
def test_a_warehouse_of_a_newer_callsync_is_left_alone(command: list[str], loaded: Project) -> None:
    for file in (loaded.warehouse, loaded.published):
        change(file, "insert or replace into callsync.meta values ('format', '999')")
    before = loaded.warehouse.read_bytes()
    outcome = loaded.run(*command)
    assert outcome.code == 2
    (line,) = outcome.lines
    assert line.endswith("; update callsync. Nothing was changed")
    assert "its format is 999" in line
    assert loaded.warehouse.read_bytes() == before


def test_a_file_of_a_newer_duckdb_is_left_alone(loaded: Project) -> None:
    content = bytearray(loaded.warehouse.read_bytes())
    # The version follows the checksum of the header and the word DUCK.
    struct.pack_into("<Q", content, 12, 999)
    struct.pack_into("<Q", content, 0, _checksum(bytes(content[8:4096])))
    loaded.warehouse.write_bytes(content)
    outcome = loaded.run("sync")
    assert outcome.code == 2
    (line,) = outcome.lines
    assert "warehouse.duckdb was written by a newer DuckDB" in line
    assert loaded.warehouse.read_bytes() == content


def _checksum(header: bytes) -> int:
    """DuckDB's checksum of a block."""
    found = 5381
    for (word,) in struct.iter_unpack("<Q", header):
        found ^= word * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    return found
