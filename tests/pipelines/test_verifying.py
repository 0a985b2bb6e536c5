"""`callsync verify` finds what the warehouse lacks or holds otherwise, and repairs it; it deletes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from pipelines import holding, verifying
from simulator import Simulator
from sources import jobs
from sources.errors import IncompleteRead
from sources.etelecom.api import EtelecomConnection
from sources.provider import Page
from sources.windows import Window
from tests.pipelines.project import Project, everyone

KEYS = {"vbot": "group_id", "etelecom": "id", "voximplant": "call_session_history_id"}
ROOTS = {"vbot": "calls", "etelecom": "call_logs", "voximplant": "call_sessions"}
LISTS = {"vbot": "calls__callee", "etelecom": "call_logs__call_targets", "voximplant": "call_sessions__calls"}


def damage(project: Project, statement: str) -> None:
    """Change the warehouse and its copy behind callsync's back."""
    for file in (project.warehouse, project.published):
        with duckdb.connect(str(file)) as connection:
            connection.execute(statement)


def differences(project: Project, kind: str, *arguments: str) -> dict[str, list[str]]:
    """By account, the ids of one kind of difference."""
    said = json.loads(project.run("verify", "--json", *arguments).out)
    found = {
        account["account"]: sorted(call_id for window in account["windows"] for call_id in window[kind])
        for account in said["accounts"]
    }
    return {account: ids for account, ids in found.items() if ids}


def test_a_warehouse_after_a_sync_is_what_the_providers_show(loaded: Project) -> None:
    outcome = loaded.done("verify")
    assert [line.split(":")[0] for line in outcome.out.splitlines()] == [
        "vbot.main",
        "etelecom.main",
        "voximplant.main",
    ]
    assert outcome.out.count("300 calls") == outcome.out.count("all equal") == 3


@pytest.mark.parametrize("provider", KEYS)
def test_a_call_the_warehouse_lost_is_missing_until_it_is_repaired(provider: str, loaded: Project) -> None:
    key, root = KEYS[provider], ROOTS[provider]
    ((lost,),) = loaded.rows(f"select cast(min({key}) as varchar) from {provider}.{root}")
    undamaged = loaded.data()
    damage(loaded, f"delete from {provider}.{root} where cast({key} as varchar) = '{lost}'")
    outcome = loaded.run("verify", provider)
    assert outcome.code == 4
    assert f"1 missing: {lost}" in outcome.out
    repaired = loaded.done("verify", provider, "--repair")
    assert f"1 missing: {lost}" in repaired.err
    assert "all equal" in repaired.out
    assert loaded.data() == undamaged


def test_a_call_that_was_entered_the_day_after_it_began_is_repaired(
    project: Project, changing: Simulator
) -> None:
    midnight = (changing.now - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    call = changing.add_late("etelecom", midnight - timedelta(minutes=1), duration=120)
    project.configure(changing, everyone("etelecom.main"))
    project.done("sync")
    crossing = (
        f"from etelecom.call_logs where id = '{call}' and created_at > started_at + interval '1 minute'"
    )
    assert project.rows(f"select count(*) {crossing}") == [(1,)]
    damage(project, f"delete from etelecom.call_logs where id = '{call}'")
    assert differences(project, "missing") == {"etelecom.main": [call]}
    project.done("verify", "--repair")
    assert project.rows(f"select count(*) {crossing}") == [(1,)]


@pytest.mark.parametrize("provider", KEYS)
def test_a_child_that_differs_makes_its_call_differ(provider: str, loaded: Project) -> None:
    key, table = KEYS[provider], LISTS[provider]
    ((touched,),) = loaded.rows(f"select cast(min({key}) as varchar) from {provider}.{table}")
    damage(loaded, f"delete from {provider}.{table} where cast({key} as varchar) = '{touched}'")
    assert differences(loaded, "changed", provider) == {f"{provider}.main": [touched]}


def test_calls_a_provider_forgot_are_named_and_kept(project: Project, changing: Simulator) -> None:
    project.configure(changing, everyone())
    project.done("sync")
    forgotten = {}
    for provider, key in KEYS.items():
        record = changing.truth(provider)[150][key]
        changing.hide(provider, record)
        forgotten[f"{provider}.main"] = [str(record)]
    assert differences(project, "gone") == forgotten
    assert project.done("verify", "--repair").out.count("1 kept that the provider no longer shows") == 3
    assert project.rows("select count(*) from reporting.calls") == [(900,)]


def test_what_changed_at_the_provider_since_is_a_difference(project: Project, changing: Simulator) -> None:
    project.configure(changing, everyone("etelecom.main"))
    project.done("sync")
    record = changing.truth("etelecom")[10]["id"]
    changing.change("etelecom", record, note="called back")
    late = changing.add_late("etelecom", changing.since)
    assert differences(project, "changed") == {"etelecom.main": [record]}
    assert differences(project, "missing") == {"etelecom.main": [late]}


def test_a_call_on_the_border_of_two_windows_is_one_call(
    project: Project, changing: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "COMPARED_AT_ONCE", 1)
    project.configure(changing, everyone("voximplant.main"))
    midnight = (changing.now - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    changing.add_late("voximplant", midnight)
    project.done("sync")
    (account,) = json.loads(project.done("verify", "--json").out)["accounts"]
    assert sum(window["shown"] for window in account["windows"]) == 301
    assert sum(window["held"] for window in account["windows"]) == 301


def test_only_what_was_read_and_asked_for_is_compared(loaded: Project, simulator: Simulator) -> None:
    day = simulator.since.date().isoformat()
    simulator.requests.clear()
    said = json.loads(loaded.done("verify", "etelecom", "--from", "2001-01-01", "--to", day, "--json").out)
    windows: list[Any] = said["accounts"][0]["windows"]
    assert windows
    assert all(window["window_start"] >= "2026" and window["window_end"][:10] <= day for window in windows)
    assert not simulator.requests.count("vbot")


def test_an_account_that_cannot_be_read_is_one_line(loaded: Project, simulator: Simulator) -> None:
    simulator.faults.sometimes("500", 1.0, provider="vbot")
    outcome = loaded.run("verify")
    assert outcome.code == 1
    complaints = [line for line in outcome.lines if line.startswith("vbot.main:") and "HTTP 500" in line]
    assert len(complaints) == 1
    assert "etelecom.main: 300 calls" in outcome.out
    assert "vbot.main" not in outcome.out


def test_a_repair_does_not_make_good_what_could_not_be_compared(
    loaded: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((lost,),) = loaded.rows("select max(id) from etelecom.call_logs")
    damage(loaded, f"delete from etelecom.call_logs where id = '{lost}'")
    listed = EtelecomConnection.pages

    def pages(self: EtelecomConnection, window: Window) -> Iterator[Page]:
        if window.start <= simulator.since + timedelta(hours=20) < window.end:
            raise IncompleteRead("cut short")
        return listed(self, window)

    monkeypatch.setattr(EtelecomConnection, "pages", pages)
    outcome = loaded.run("verify", "etelecom", "--repair")
    assert outcome.code == 1
    assert "cut short" in outcome.lines[-1]
    assert loaded.rows(f"select count(*) from etelecom.call_logs where id = '{lost}'") == [(1,)]


def test_where_no_window_can_be_read_whole_nothing_is_compared(
    loaded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(loaded, "update etelecom.call_logs set note = 'otherwise'")
    monkeypatch.setattr(jobs, "SHAPED_AT_ONCE", 1)
    listed = EtelecomConnection.pages

    def pages(self: EtelecomConnection, window: Window) -> Iterator[Page]:
        yield from listed(self, window)
        # What came before is shaped when another page comes.
        yield Page([])
        raise IncompleteRead("cut short")

    monkeypatch.setattr(EtelecomConnection, "pages", pages)
    outcome = loaded.run("verify", "etelecom", "--repair")
    assert outcome.code == 1
    assert [line.split(":")[0] for line in outcome.lines if "cut short" in line] == ["etelecom.main"]


def test_what_a_walk_passes_by_between_two_ranges_is_not_compared(
    project: Project, simulator: Simulator
) -> None:
    day = timedelta(days=1)
    project.configure(
        simulator, {"vbot.main": ("v1", 0)}, start_date=(simulator.until - day).isoformat(), lookback_days=0
    )
    project.done("sync")
    first, last = simulator.since.isoformat(), (simulator.since + day).isoformat()
    project.done("backfill", "vbot.main", "--from", first, "--to", last)
    outcome = project.done("verify")
    assert "all equal" in outcome.out
    assert "no longer shows" not in outcome.out


def test_an_address_the_provider_clears_after_a_month_is_kept(project: Project, changing: Simulator) -> None:
    project.configure(changing, everyone("voximplant.main"))
    project.done("sync")
    kept = "select log_file_url from voximplant.call_sessions where call_session_history_id = {}"
    session = changing.truth("voximplant")[20]["call_session_history_id"]
    before = project.rows(kept.format(session))
    assert before != [(None,)]
    changing.change("voximplant", session, log_file_url="", custom_data="asked again")
    project.done("sync")
    assert project.rows(kept.format(session)) == before
    assert project.rows(
        f"select custom_data from voximplant.call_sessions where call_session_history_id = {session}"
    ) == [("asked again",)]
    project.done("verify")


@pytest.mark.parametrize("provider", KEYS)
def test_a_call_the_warehouse_has_twice_differs_until_it_is_repaired(provider: str, loaded: Project) -> None:
    key, root = KEYS[provider], ROOTS[provider]
    ((twice,),) = loaded.rows(f"select cast(min({key}) as varchar) from {provider}.{root}")
    undamaged = loaded.data()
    damage(
        loaded,
        f"insert into {provider}.{root} from {provider}.{root} where cast({key} as varchar) = '{twice}'",
    )
    assert differences(loaded, "changed", provider) == {f"{provider}.main": [twice]}
    loaded.done("verify", provider, "--repair")
    assert loaded.data() == undamaged


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_deprecated_lists_of_vbot_are_compared_too(
    version: str, project: Project, changing: Simulator
) -> None:
    project.configure(changing, {"vbot.main": (version, 0)})
    project.done("sync")
    ((lost, other),) = project.rows("select min(group_id), max(group_id) from vbot.calls")
    damage(project, f"delete from vbot.calls where group_id = '{lost}'")
    damage(
        project,
        "insert into vbot.calls (account, group_id, date_create) "
        f"select account, 'forgotten', date_create from vbot.calls where group_id = '{other}'",
    )
    assert differences(project, "missing") == {"vbot.main": [lost]}
    assert differences(project, "gone") == {"vbot.main": ["forgotten"]}


def test_an_account_that_was_never_read_is_not_called_equal(loaded: Project, simulator: Simulator) -> None:
    loaded.configure(simulator, {**everyone(), "etelecom.other": (None, 1)})
    outcome = loaded.done("verify", "etelecom.other")
    assert outcome.out == "etelecom.other: nothing of it was read yet, so there is nothing to compare\n"


def test_the_providers_own_count_is_told(loaded: Project) -> None:
    said = json.loads(loaded.done("verify", "--json").out)
    totals = {
        account["account"]: {window["provider_total"] == window["shown"] for window in account["windows"]}
        for account in said["accounts"]
    }
    assert totals["vbot.main"] == totals["voximplant.main"] == {True}
    assert {window["provider_total"] for window in said["accounts"][1]["windows"]} == {None}


def test_a_repair_for_machines_prints_json_alone(loaded: Project, simulator: Simulator) -> None:
    lost = "select min(id) from etelecom.call_logs"
    damage(loaded, f"delete from etelecom.call_logs where id = ({lost})")
    (account,) = json.loads(loaded.done("verify", "etelecom", "--repair", "--json").out)["accounts"]
    assert not any(window["missing"] for window in account["windows"])


def test_where_a_repair_fails_machines_are_told_what_was_found(
    loaded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(loaded, "delete from etelecom.call_logs where id = (select min(id) from etelecom.call_logs)")
    with holding.held(loaded.warehouse, "another run"):
        outcome = loaded.run("verify", "etelecom", "--repair", "--json")
    assert outcome.code == 3
    (account,) = json.loads(outcome.out)["accounts"]
    assert sum(len(window["missing"]) for window in account["windows"]) == 1
