"""After a run that exits 0 the warehouse holds what the providers show; the numbers come without callsync."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulator import Simulator
from tests.pipelines.project import Project, everyone
from tests.pipelines.truth import expected, reported, without_ids

PROVIDERS = ("vbot", "etelecom", "voximplant")


def check_all(project: Project, simulator: Simulator) -> None:
    for provider in PROVIDERS:
        assert reported(project, provider) == expected(simulator, provider)


def test_a_first_sync_brings_every_call_once_with_its_numbers(
    configured: Project, simulator: Simulator
) -> None:
    configured.done("sync")
    check_all(configured, simulator)
    assert configured.rows("select count(*), count(distinct call_id) from reporting.calls") == [(900, 900)]
    assert configured.run("test").code == 0


def told_apart(simulator: Simulator) -> set[str]:
    return {
        repr(
            (
                call["date_create"],
                call["hotline_number"],
                [party["phone"] for party in call["caller"]],
                [party["phone"] for party in call["callee"]],
            )
        )
        for call in simulator.truth("vbot", version="v1")
    }


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_each_version_of_vbots_api_loads_into_the_same_report(
    version: str, project: Project, simulator: Simulator
) -> None:
    project.configure(simulator, {"vbot.main": (version, 0)})
    project.done("sync")
    found, wanted = reported(project, "vbot"), expected(simulator, "vbot", version)
    if version != "v1":
        assert found == wanted
    else:
        # v1 gives no id: calls between the same numbers in the same second cannot be told apart.
        assert {row[1] for row in found} == {row[1] for row in wanted}
        assert set(without_ids(found)) <= set(without_ids(wanted))
        assert len(found) == len({row[0] for row in found}) == len(told_apart(simulator))


def test_two_accounts_of_a_provider_that_share_ids_stay_apart(project: Project, simulator: Simulator) -> None:
    both: dict[str, tuple[str | None, int]] = {
        f"{provider}.{name}": (None, number)
        for provider in PROVIDERS
        for number, name in enumerate(("north", "south"))
    }
    project.configure(simulator, both)
    project.done("sync")
    for selector, (_, number) in both.items():
        provider, name = selector.split(".")
        assert reported(project, provider, name) == expected(simulator, provider, account=number)


def test_what_changes_at_the_provider_changes_in_the_warehouse(project: Project, changing: Simulator) -> None:
    # Every window is read again, whatever the hour: with three days the oldest one settles in the evening.
    project.configure(changing, everyone(), lookback_days=9)
    project.done("sync")
    forgotten = {}
    for provider in PROVIDERS:
        key = {"vbot": "group_id", "etelecom": "id", "voximplant": "call_session_history_id"}[provider]
        ids = [record[key] for record in changing.truth(provider)]
        for number in ids[10:14]:
            changing.drop_legs(provider, number)
        for number in ids[20:24]:
            changing.drop_legs(provider, number, keep=1)
        changing.add_late(provider, changing.since + timedelta(hours=5))
        forgotten[provider] = [row for row in expected(changing, provider) if row[0] == str(ids[30])]
        changing.hide(provider, ids[30])
    ids = [record["id"] for record in changing.truth("etelecom")]
    changing.change("etelecom", ids[40], call_state="answered", duration=4321)
    changing.change("vbot", changing.truth("vbot")[40]["group_id"], postage=77.25)
    project.done("sync")
    for provider in PROVIDERS:
        assert len(forgotten[provider]) == 1
        assert reported(project, provider) == sorted(expected(changing, provider) + forgotten[provider])
    assert project.run("test").code == 0


def test_an_idle_sync_changes_no_row(configured: Project) -> None:
    schemas = ("vbot", "etelecom", "voximplant", "reporting")
    configured.done("sync")
    before = configured.dump(*schemas)
    windows = configured.rows("select count(*) from callsync.windows")
    second = configured.done("sync")
    after = configured.dump(*schemas)
    for names in ("reporting.freshness", "reporting.coverage"):
        # Both say when the last run was.
        del before[names], after[names]
    assert after == before
    assert configured.rows("select count(*) from callsync.windows") == windows
    assert "0 of" in second.out


def older(simulator: Simulator) -> dict[str, Any]:
    return {"start_date": (simulator.until - timedelta(days=1)).date().isoformat()}


def backfill(simulator: Simulator) -> tuple[str, ...]:
    first = (simulator.since - timedelta(days=1)).date().isoformat()
    last = (simulator.until - timedelta(days=1)).date().isoformat()
    return ("backfill", *PROVIDERS, "--from", first, "--to", last)


def test_a_backfill_that_comes_first_brings_the_names_too(configured: Project, simulator: Simulator) -> None:
    configured.done(*backfill(simulator))
    assert configured.rows("select count(*) from reporting.calls where cost > 0 and currency is null") == [
        (0,)
    ]
    assert configured.rows("select count(*) > 0 from vbot.members") == [(True,)]


def test_a_backfill_brings_older_calls_and_leaves_the_cursor(project: Project, simulator: Simulator) -> None:
    project.configure(simulator, everyone(), **older(simulator))
    project.done("sync")
    cursors = project.rows('select name, "cursor" from callsync.accounts order by name')
    assert all(cursor for _, cursor in cursors)
    assert project.rows("select count(*) < 900 from reporting.calls") == [(True,)]
    project.done(*backfill(simulator))
    check_all(project, simulator)
    assert project.rows('select name, "cursor" from callsync.accounts order by name') == cursors
    assert "calls read" in project.done(*backfill(simulator)).out
    again = project.done(*backfill(simulator), "--dry-run").out
    assert [line for line in again.splitlines() if not line.endswith(": 0 windows")] == []
    simulator.requests.clear()
    project.done(*backfill(simulator), "--force")
    assert simulator.requests.select("etelecom")


def test_sync_and_backfill_commute(
    project: Project, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project.configure(simulator, everyone(), **older(simulator))
    other = Project(tmp_path_factory.mktemp("other"))
    other.configure(simulator, everyone(), **older(simulator))
    for command in (["sync"], backfill(simulator), ["sync"]):
        project.done(*command)
    for command in (backfill(simulator), ["sync"]):
        other.done(*command)
    assert project.data() == other.data()


def test_a_dry_run_reads_nothing_and_changes_nothing(configured: Project, simulator: Simulator) -> None:
    planned = configured.done("sync", "--dry-run").out
    assert "etelecom.main: " in planned
    assert not configured.warehouse.exists()
    assert not configured.working.exists()
    configured.done("sync")
    before = configured.warehouse.read_bytes()
    simulator.requests.clear()
    assert configured.done("sync", "--dry-run").out != planned
    assert not simulator.requests.select()
    assert configured.warehouse.read_bytes() == before
