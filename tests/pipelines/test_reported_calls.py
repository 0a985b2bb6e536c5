"""The kept rows of calls are always those their definition gives."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from pipelines.reported_calls import over_unit
from simulator import Simulator
from sources import reading
from sources.registry import PROVIDERS
from tests.pipelines.project import Project, everyone

DIFFERENCE = """
select count(*) from (
    (from callsync.reported_calls except from intermediate.calls_with_outcome)
    union all
    (from intermediate.calls_with_outcome except from callsync.reported_calls)
)
"""


def are_as_defined(project: Project) -> bool:
    return project.rows(DIFFERENCE) == [(0,)]


def tamper(project: Project, statement: str) -> None:
    with duckdb.connect(str(project.warehouse)) as connection:
        connection.execute(statement)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_units_rows_are_made_of_the_unit_alone(provider: str) -> None:
    tables = sqlglot.parse_one(over_unit(provider), dialect="duckdb").find_all(exp.Table)
    read = {f"{table.db}.{table.name}" for table in tables if table.db}
    calls = {f"{provider}.{name}" for name in PROVIDERS[provider].calls.schemas()}
    assert not read & calls
    assert {name.split(".")[0] for name in read} <= {provider, "callsync"}


def test_calls_that_come_change_and_lose_legs_have_their_rows(project: Project, changing: Simulator) -> None:
    project.configure(changing, everyone())
    project.done("sync")
    assert are_as_defined(project)
    for provider, key in (
        ("vbot", "group_id"),
        ("etelecom", "id"),
        ("voximplant", "call_session_history_id"),
    ):
        newest = [record[key] for record in changing.truth(provider)][-3:]
        changing.drop_legs(provider, newest[0])
        changing.hide(provider, newest[1])
        changing.add_late(provider, changing.now - timedelta(hours=5))
    project.done("sync")
    assert are_as_defined(project)
    assert project.rows("select count(*) from callsync.reported_calls") == [(903,)]


def test_what_is_learnt_of_an_account_reaches_its_earlier_calls(
    project: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.configure(simulator, everyone())
    currencies = "select distinct currency from reporting.calls where provider = 'voximplant'"
    simulator.faults.sometimes("500", 1.0, provider="voximplant", endpoint="GetAccountInfo")
    project.done("sync")
    assert project.rows(currencies) == [(None,)]
    simulator.faults.clear()
    monkeypatch.setattr(reading, "NAMES_AGE", timedelta(0))
    outcome = project.done("sync", "voximplant")
    assert "0 of" in outcome.out, "no window changed, and none was loaded again"
    assert project.rows(currencies) == [("USD",)]
    assert are_as_defined(project)


def test_another_reporting_zone_moves_the_days(loaded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    local = "select min(local_started_at at time zone 'UTC' - started_at) from intermediate.current_calls"
    assert loaded.rows(local) == [(timedelta(hours=7),)]
    monkeypatch.setenv("CALLSYNC__REPORTING_TIMEZONE", "UTC")
    loaded.done("sync")
    assert loaded.rows(local) == [(timedelta(0),)]
    assert are_as_defined(loaded)


def test_rows_that_a_run_left_behind_are_made_by_the_next(loaded: Project) -> None:
    tamper(
        loaded,
        "delete from callsync.reported_calls where provider = 'vbot';"
        "update callsync.meta set value = 'behind' where key = 'derived'",
    )
    loaded.done("sync")
    assert are_as_defined(loaded)
    assert loaded.rows("select count(*) from reporting.calls") == [(900,)]


def test_callsync_test_finds_rows_that_are_not_as_defined(loaded: Project) -> None:
    tamper(loaded, "update callsync.reported_calls set talk_seconds = talk_seconds + 1 where is_answered")
    loaded.published.unlink()
    loaded.warehouse.rename(loaded.published)
    outcome = loaded.run("test")
    assert outcome.code == 4
    assert "reported_calls_match_their_definition" in outcome.err
    assert "not as defined" in outcome.out
