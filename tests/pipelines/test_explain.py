"""For any call: which run and window brought it, and which changed it last."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from simulator import Simulator
from tests.pipelines.project import Project, everyone
from tests.pipelines.test_schema_change import KEYS


def explained(project: Project, provider: str, number: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        project.done("status", "--call", f"{provider}/main/{number}", "--json").out
    )
    return found


def last_run(project: Project) -> str:
    ((run_id,),) = project.rows("select run_id from callsync.runs order by started_at desc, run_id limit 1")
    return str(run_id)


def runs(found: dict[str, Any]) -> tuple[str, str]:
    return found["brought"]["run_id"], found["last_changed"]["run_id"]


def holds(step: dict[str, Any], moment: str) -> bool:
    """Whether the window of a step holds a moment."""
    start, end = (datetime.fromisoformat(step[name]) for name in ("window_start", "window_end"))
    return start <= datetime.fromisoformat(moment) < end


@pytest.mark.parametrize("provider", KEYS)
def test_the_run_that_brought_a_call_and_the_one_that_changed_it(
    provider: str, project: Project, changing: Simulator
) -> None:
    project.configure(changing, everyone(f"{provider}.main"))
    project.done("sync")
    first = last_run(project)
    same, changed, hidden = (call[KEYS[provider]] for call in changing.truth(provider)[150:153])
    changing.drop_legs(provider, changed)
    changing.hide(provider, hidden)
    late = changing.add_late(provider, changing.since + timedelta(days=1))
    project.done("sync")
    second = last_run(project)
    project.done("sync")

    assert runs(explained(project, provider, same)) == (first, first)
    assert runs(explained(project, provider, hidden)) == (first, first)
    assert runs(explained(project, provider, late)) == (second, second)
    found = explained(project, provider, changed)
    assert runs(found) == (first, second)
    assert found["is_exact"]
    assert found["brought"]["command"] == "sync"
    assert holds(found["brought"], found["started_at"])
    assert holds(found["last_changed"], found["started_at"])
    assert project.rows("select count(*) from callsync.call_history") == [(301,)]
    assert project.rows(
        "select count(*) from callsync.call_history as history semi join callsync.windows as windows "
        "on windows.run_id = history.last_run_id and windows.window_start = history.last_window_start"
    ) == [(301,)]
    said = project.done("status", "--call", f"{provider}/main/{changed}").out
    assert f"by run {first} (callsync sync), window " in said
    assert f"by run {second} (callsync sync), window " in said


def test_a_call_that_is_not_there(loaded: Project) -> None:
    for call_id in ("vbot/main/none", "nonsense"):
        outcome = loaded.run("status", "--call", call_id)
        assert (outcome.code, "there is no call" in outcome.err) == (2, True)


def test_what_a_killed_run_loaded_is_put_down_to_it(project: Project, changing: Simulator) -> None:
    project.configure(changing, everyone("etelecom.main"))
    project.done("sync")
    first = last_run(project)
    before = project.rows("select * from callsync.call_origins order by all")
    same, changed = (call["id"] for call in changing.truth("etelecom")[150:152])
    changing.change("etelecom", changed, note="called back")
    late = changing.add_late("etelecom", changing.since + timedelta(days=1))
    project.done("sync")
    second = last_run(project)
    after = project.rows("select * from callsync.call_origins order by all")
    # As if the second run had been killed between its package and what follows from it.
    with duckdb.connect(str(project.warehouse)) as connection:
        connection.execute("delete from callsync.call_origins")
        connection.executemany(
            f"insert into callsync.call_origins values ({', '.join('?' * len(before[0]))})", before
        )
        connection.execute("insert or replace into callsync.meta values ('derived', 'behind')")
    project.done("sync")
    assert runs(explained(project, "etelecom", same)) == (first, first)
    assert runs(explained(project, "etelecom", changed)) == (first, second)
    assert runs(explained(project, "etelecom", late)) == (second, second)
    names = "provider_call_id, content, first_run_id, last_run_id, is_exact"
    assert len(project.rows(f"select {names} from callsync.call_origins")) == len(after)


def test_another_duckdb_changes_no_call(loaded: Project) -> None:
    every = "select * from callsync.call_origins order by all"
    before = loaded.rows(every)
    with duckdb.connect(str(loaded.warehouse)) as connection:
        connection.execute("update callsync.call_origins set content = content // 2")
        connection.execute("update callsync.meta set value = 'DuckDB 0.1' where key = 'origins'")
    loaded.done("sync")
    assert loaded.rows(every) == before
