"""What a warehouse may be called, and what cannot be one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import config, upgrading, views
from pipelines.warehouse_path import SCHEMAS, path_of
from sources.registry import PROVIDERS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    return tmp_path


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("w.duckdb", "w.duckdb"),
        ("missing/w.duckdb", "missing/w.duckdb"),
        ("duckdb:w.duckdb", "w.duckdb"),
        ("duckdb:///w.duckdb", "w.duckdb"),
        ("duckdb:////w.duckdb", "/w.duckdb"),
        ("of.reporting.duckdb", "of.reporting.duckdb"),
        ("main.duckdb", "main.duckdb"),
        ("n" * 193 + ".duckdb", "n" * 193 + ".duckdb"),
    ],
)
def test_a_path_is_that_of_a_file_below_the_working_directory(folder: Path, said: str, name: str) -> None:
    assert path_of(said) == folder / name


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        *(
            (said, "must be the path of a DuckDB file")
            for said in ("", " ", "duckdb:", ["w.duckdb"], True, 5)
        ),
        *((said, "must be the path of a DuckDB file") for said in (":memory:", "md:w", "motherduck:w")),
        *(
            (f"{scheme}://b/w.duckdb", "must be the path of a DuckDB file")
            for scheme in ("s3", "http", "file")
        ),
        *((said, "and not of a folder") for said in (".", "..", "/", "folder", "missing/..", "folder/")),
        ("~nobody-of-that-name/w.duckdb", "begins with the home of a user who is not there"),
        ("nul\0.duckdb", "cannot be used: embedded null byte"),
        ("loop", "cannot be used: Too many levels of symbolic links"),
        ("loop/w.duckdb", "cannot be used: Too many levels of symbolic links"),
        ("folder/" * 1_000 + "w.duckdb", "cannot be used: File name too long"),
        ("đ" * 97 + ".duckdb", "must have a file name of at most 200 bytes"),
        ("Reporting.DUCKDB", "must not be Reporting.DUCKDB: .* calls_Reporting.DUCKDB would do"),
        (".vbot.old.duckdb", "must not be .vbot.old.duckdb: .* calls_vbot.old.duckdb would do"),
    ],
)
def test_what_cannot_be_a_warehouse_is_refused(said: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        path_of(said)


FOREIGN = {
    "credentials.json": b'{"account_id": 1}',
    "y.csv": b"a,b\n1,2\n",
    "x.txt": b"x",
    "browser.db": b"SQLite format 3\0" + bytes(4096),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_is_something_else_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(FOREIGN[name])
    with pytest.raises(ValueError, match=f"must be another path: {name} is no DuckDB file"):
        path_of(name)


@pytest.mark.parametrize("options", ["", "(encryption_key 'a key')"], ids=["plain", "encrypted"])
def test_a_warehouse_that_is_there_may_have_any_ending(folder: Path, options: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("set force_mbedtls_unsafe = true")
        connection.execute(f"attach 'calls.json' as calls {options}")
    assert path_of("calls.json") == folder / "calls.json"


def test_what_no_program_has_filled_or_may_read_is_left_to_whoever_opens_it(folder: Path) -> None:
    (folder / "empty.duckdb").touch()
    for name in ("empty.duckdb", "/dev/null"):
        assert path_of(name) == folder / name


def test_no_warehouse_has_the_name_of_a_schema() -> None:
    with duckdb.connect() as connection:
        upgrading.bring_up_to_date(connection)
        views.refresh(connection, PROVIDERS, config.General())
        schemas = {
            name for (name,) in connection.execute("select schema_name from duckdb_schemas()").fetchall()
        }
    # Of a file that is called main DuckDB names the database main_db.
    assert schemas - {"main"} == SCHEMAS
    for name in SCHEMAS:
        with pytest.raises(ValueError, match=f"must not be {name}.duckdb"):
            path_of(f"{name}.duckdb")
