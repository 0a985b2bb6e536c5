"""The kept rows of calls are always those their definition gives."""

from __future__ import annotations

import shutil
from datetime import timedelta
from functools import partial
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from pipelines import callers, portions, reported_calls
from pipelines.reported_calls import Renewal, over_unit
from simulator import Simulator
from sources import jobs
from sources.registry import PROVIDERS
from tests.pipelines.kept_rows import are_as_defined
from tests.pipelines.project import Project, everyone


@pytest.fixture(params=["all callers", "changed callers", "callers with many calls"])
def anew(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever way a run makes the rows of callers anew."""
    monkeypatch.setattr(reported_calls, "MOST_CHANGED", 0.0 if request.param == "all callers" else 9.9)
    if request.param == "callers with many calls":
        monkeypatch.setattr(callers, "MOST_CALLS", 0)


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


@pytest.mark.usefixtures("anew")
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


@pytest.mark.usefixtures("anew")
def test_calls_that_change_change_what_is_kept_of_their_callers(
    project: Project, changing: Simulator
) -> None:
    numbers = ("0912000001", "0912000002", "0912000003")
    add = partial(changing.add_late, "etelecom")
    missed: dict[str, Any] = {"direction": "in", "call_state": "not_answered"}
    hours = [changing.now - timedelta(hours=hours) for hours in (9, 8, 7)]
    for caller in numbers:
        first, second, _ = (add(when, caller=caller, **missed) for when in hours)
    project.configure(changing, everyone("etelecom.main"))
    project.done("sync")
    repeats = (
        "select contact_number, calls, missed_calls from reporting.repeat_callers where contact_number in "
    )
    of_these = " ('+84912000001', '+84912000002', '+84912000003') order by all"
    assert project.rows(repeats + of_these) == [(f"+84{caller[1:]}", 3, 3) for caller in numbers]

    changing.change("etelecom", first, caller=numbers[0])
    changing.change("etelecom", second, call_state="answered")
    add(hours[2] + timedelta(minutes=1), caller="19001234", callee=numbers[1], direction="out")
    project.done("sync")
    assert are_as_defined(project)
    assert project.rows(repeats + of_these) == [
        ("+84912000001", 4, 4), ("+84912000002", 3, 3), ("+84912000003", 2, 1),
    ]  # fmt: skip
    open_calls = (
        "select contact_number, count(*) filter (is_open), count(*) filter (contact_kind = 'called_again') "
        "from reporting.missed_calls where contact_number in"
    )
    assert project.rows(open_calls + of_these.replace("order", "group by 1 order")) == [
        ("+84912000001", 4, 0), ("+84912000002", 0, 0), ("+84912000003", 1, 0),
    ]  # fmt: skip


def test_a_call_that_never_ends_is_unknown_from_the_next_run_on(
    project: Project, changing: Simulator
) -> None:
    days_ago = [changing.now - timedelta(hours=hours) for hours in (40, 41)]
    for when in days_ago:
        call = changing.add_late("etelecom", when, caller="0912000001", direction="in")
        changing.spoil("etelecom", call, call_state="unknown", ended_at="0001-01-01T00:00:00Z", duration=0)
    project.configure(changing, everyone("etelecom.main"))
    project.done("sync")
    repeats = "select calls from reporting.repeat_callers where contact_number = '+84912000001'"
    assert project.rows(repeats) == [(2,)]

    # As the run left it that was made while the calls could be in progress.
    tamper(
        project,
        "update callsync.reported_calls set outcome = 'in_progress', unknown_from = now() "
        "where contact_number = '+84912000001'; "
        "delete from callsync.repeat_callers where contact_number = '+84912000001'",
    )
    shutil.copy(project.warehouse, project.published)
    project.done("test")
    project.done("sync")
    assert project.rows(repeats) == [(2,)]
    assert are_as_defined(project)
    changed = "select changed from callsync.runs where command = 'sync' order by rowid"
    project.done("sync")
    assert project.rows(changed, project.warehouse) == [(True,), (True,), (False,)]


def test_what_is_learnt_of_an_account_reaches_its_earlier_calls(
    project: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.configure(simulator, everyone())
    currencies = "select distinct currency from reporting.calls where provider = 'voximplant'"
    simulator.faults.sometimes("500", 1.0, provider="voximplant", endpoint="GetAccountInfo")
    project.done("sync")
    assert project.rows(currencies) == [(None,)]
    simulator.faults.clear()
    monkeypatch.setattr(jobs, "NAMES_AGE", timedelta(0))
    monkeypatch.setattr(callers, "rebuild", lambda _: pytest.fail("names change nothing of callers"))
    outcome = project.done("sync", "voximplant")
    assert "0 of" in outcome.out, "no window changed, and none was loaded again"
    assert project.rows(currencies) == [("USD",)]
    assert are_as_defined(project)


def test_names_that_no_call_shows_make_none_anew(
    project: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Renewal, "_renew_account", lambda *_: pytest.fail("VBot's calls show no names"))
    project.configure(simulator, everyone("vbot.v3"))
    project.done("sync")
    assert project.rows("select count(*) > 0 from vbot.members") == [(True,)]
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


def test_rows_are_made_anew_a_portion_of_the_calls_at_a_time(
    loaded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "CALLS", 70)
    tamper(
        loaded,
        "delete from vbot.calls where group_id in (select group_id from vbot.calls limit 90);"
        "delete from callsync.reported_calls;"
        "update callsync.meta set value = 'behind' where key = 'derived'",
    )
    loaded.done("sync")
    assert are_as_defined(loaded)


def test_callsync_test_finds_rows_that_are_not_as_defined(loaded: Project) -> None:
    tamper(loaded, "update callsync.reported_calls set talk_seconds = talk_seconds + 1 where is_answered")
    loaded.published.unlink()
    loaded.warehouse.rename(loaded.published)
    outcome = loaded.run("test")
    assert outcome.code == 4
    assert "reported_calls_match_their_definition" in outcome.err
    assert "not as defined" in outcome.out
