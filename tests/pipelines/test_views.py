"""The views follow the files of `sql/`, in the order they need, and are made again only when they changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from pipelines import upgrading, views
from pipelines.config import General
from pipelines.views import View
from sources.registry import PROVIDERS


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def refreshed(connection: duckdb.DuckDBPyConnection, **settings: object) -> bool:
    upgrading.bring_up_to_date(connection)
    general = replace(General(), **settings)  # type: ignore[arg-type]  # any setting
    return views.refresh(connection, PROVIDERS, general)


def test_a_view_comes_after_those_it_reads() -> None:
    given = [
        View("c.three", "select * from b.two"),
        View("b.two", "select * from a.one, other.table"),
        View("a.one", "select 1"),
    ]
    assert [view.name for view in views.in_order(given)] == ["a.one", "b.two", "c.three"]


def test_views_are_made_again_only_when_something_changed(connection: duckdb.DuckDBPyConnection) -> None:
    assert refreshed(connection)
    assert not refreshed(connection)
    assert refreshed(connection, reporting_timezone="UTC")
    assert connection.execute("select reporting_timezone from callsync.settings").fetchall() == [("UTC",)]
    assert not refreshed(connection, reporting_timezone="UTC")


def test_a_setting_with_a_quote_stays_text(connection: duckdb.DuckDBPyConnection) -> None:
    refreshed(connection, default_region="V'N")
    assert connection.execute("select default_region from callsync.settings").fetchall() == [("V'N",)]


def test_a_view_whose_file_is_gone_goes_too(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = views.sql_views()
    monkeypatch.setattr(views, "sql_views", lambda: [*files, View("reporting.old", "select 1 as n")])
    refreshed(connection)
    assert connection.execute("select n from reporting.old").fetchall() == [(1,)]
    monkeypatch.setattr(views, "sql_views", lambda: files)
    assert refreshed(connection)
    with pytest.raises(duckdb.CatalogException):
        connection.execute("from reporting.old")


def test_a_new_providers_staging_files_are_stacked_with_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging = tmp_path / "staging"
    staging.mkdir()
    for name in (
        "stg_a__calls",
        "stg_new__calls",
        "stg_new__call_legs",
        "stg_new__recordings",
        "stg_a__other",
    ):
        (staging / f"{name}.sql").write_text("select 1 as n;\n")
    monkeypatch.setattr(views, "files", lambda _: tmp_path)
    found = {view.name: view.select for view in views.sql_views()}
    assert found["intermediate.calls"] == (
        "select * from staging.stg_a__calls\nunion all\nselect * from staging.stg_new__calls"
    )
    assert found["intermediate.recordings"] == "select * from staging.stg_new__recordings"
    assert found["staging.stg_a__other"] == "select 1 as n"


def test_every_table_is_there_before_a_first_call(connection: duckdb.DuckDBPyConnection) -> None:
    refreshed(connection)
    for view in views.sql_views():
        assert connection.execute(f"select count(*) from {view.name}").fetchall() is not None
    schemas = {name for (name,) in connection.execute("select schema_name from duckdb_schemas()").fetchall()}
    assert schemas >= {*PROVIDERS, *views.LAYERS, "callsync"}


def test_a_setting_that_no_row_depends_on_leaves_the_kept_rows(connection: duckdb.DuckDBPyConnection) -> None:
    refreshed(connection)
    mark = "insert into callsync.reported_calls (provider) values ('kept')"
    kept = "select count(*) from callsync.reported_calls"
    connection.execute(mark)
    assert refreshed(connection, freshness_hours=7)
    assert connection.execute(kept).fetchall() == [(1,)]
    assert refreshed(connection, reporting_timezone="UTC")
    assert connection.execute(kept).fetchall() == [(0,)]


def test_the_configured_accounts_can_be_asked_for(connection: duckdb.DuckDBPyConnection) -> None:
    names = "select name from callsync.configured_accounts order by name"
    refreshed(connection)
    assert connection.execute(names).fetchall() == []
    refreshed(connection, accounts=("vbot.o'hara", "etelecom.hanoi"))
    assert connection.execute(names).fetchall() == [("etelecom.hanoi",), ("vbot.o'hara",)]
