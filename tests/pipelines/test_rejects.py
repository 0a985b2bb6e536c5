"""One malformed record is kept aside; everything else of its page loads."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from simulator import REMOVED, Simulator
from sources.etelecom import api
from sources.etelecom.fields import CALL_LOGS
from tests.pipelines.project import Project, everyone

KEYS = {"vbot": "group_id", "etelecom": "id", "voximplant": "call_session_history_id"}
TABLES = {"vbot": "calls", "etelecom": "call_logs", "voximplant": "call_sessions"}
TIMES = {"vbot": "create_at", "etelecom": "started_at", "voximplant": "start_date"}


def third(changing: Simulator, provider: str) -> object:
    return changing.truth(provider)[150][KEYS[provider]]


@pytest.mark.parametrize("provider", ["etelecom", "voximplant"])
def test_a_record_without_an_id_is_quarantined(provider: str, project: Project, changing: Simulator) -> None:
    project.configure(changing, everyone(f"{provider}.main"))
    missing: dict[str, Any] = {KEYS[provider]: REMOVED}
    changing.spoil(provider, third(changing, provider), account=0, **missing)
    outcome = project.done("sync")
    assert "1 quarantined" in outcome.out
    ((account, endpoint, reason, payload, replayed_at),) = project.rows(
        "select account, endpoint, reason, payload, replayed_at from callsync.rejected_records"
    )
    assert (account, endpoint, replayed_at) == (f"{provider}.main", TABLES[provider], None)
    assert KEYS[provider] in reason
    assert KEYS[provider] not in json.loads(payload)
    assert project.rows("select count(*) from reporting.calls") == [(299,)]
    again = project.done("sync")
    assert "0 of" in again.out
    assert project.rows("select count(*) from callsync.rejected_records") == [(1,)]


@pytest.mark.parametrize("provider", ["etelecom", "voximplant"])
def test_a_record_that_its_provider_has_mended_leaves_the_quarantine(
    provider: str, project: Project, changing: Simulator
) -> None:
    project.configure(changing, everyone(f"{provider}.main"))
    mended, broken = changing.truth(provider)[150], changing.truth(provider)[151]
    key, time = KEYS[provider], TIMES[provider]
    times = {name: mended[name] for name in ("started_at", "ended_at", "created_at", time) if name in mended}
    for record in (mended, broken):
        removed: dict[str, Any] = dict.fromkeys(times, REMOVED)
        changing.spoil(provider, record[key], **removed)
    assert "2 quarantined" in project.done("sync").out
    changing.spoil(provider, mended[key], **times)
    project.done("sync")
    waiting = project.rows("select payload from callsync.rejected_records where replayed_at is null")
    assert [str(json.loads(payload)[key]) for (payload,) in waiting] == [str(broken[key])]
    assert project.rows("select count(*) from reporting.calls") == [(299,)]


def test_the_list_for_machines_is_in_utc_wherever_it_is_asked_for(
    project: Project, changing: Simulator
) -> None:
    project.configure(changing, everyone("voximplant.main"))
    changing.spoil("voximplant", third(changing, "voximplant"), start_date=REMOVED)
    project.done("sync")
    listed = project.finish("rejects", "list", "--json", TZ="Asia/Ho_Chi_Minh")
    (record,) = json.loads(listed.out)
    assert record["seen_at"].endswith("+00:00")


def test_a_record_without_a_time_is_quarantined(project: Project, changing: Simulator) -> None:
    project.configure(changing, everyone("voximplant.main"))
    changing.spoil("voximplant", third(changing, "voximplant"), start_date=REMOVED)
    assert "1 quarantined" in project.done("sync").out
    assert project.rows("select count(*) from reporting.calls") == [(299,)]


@pytest.mark.parametrize("provider", list(KEYS))
def test_fields_nobody_documented_and_values_of_another_type_are_kept(
    provider: str, project: Project, changing: Simulator
) -> None:
    number = third(changing, provider)
    project.configure(changing, everyone(f"{provider}.main"))
    changing.spoil(provider, number, mood={"is": ["good", 1]}, duration="a while")
    outcome = project.done("sync")
    assert "quarantined" not in outcome.out
    assert "1 unreadable values kept in extra" in outcome.out
    ((duration, extra),) = project.rows(
        f"select duration, extra from {provider}.{TABLES[provider]} where extra is not null"
    )
    assert duration is None
    assert json.loads(extra) == {"mood": {"is": ["good", 1]}, "duration": "a while"}
    assert project.rows("select count(*) from reporting.calls") == [(300,)]
    (status,) = json.loads(project.done("status", "--json").out)["accounts"]
    assert (status["rejected"], status["warnings"]) == (0, 1)


def test_the_record_that_is_mended_loads(project: Project, changing: Simulator) -> None:
    number = third(changing, "etelecom")
    project.configure(changing, everyone("etelecom.main"))
    changing.spoil("etelecom", number, id=REMOVED)
    project.done("sync")
    changing.spoil("etelecom", number, id=number)
    project.done("sync")
    assert project.rows("select count(*) from reporting.calls") == [(300,)]


def quarantined(project: Project) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(project.done("rejects", "list", "--json").out)
    return records


@pytest.fixture
def spoiled(changing: Simulator) -> object:
    """The id of a call that the provider leaves out."""
    call_id = third(changing, "etelecom")
    changing.spoil("etelecom", call_id, id=REMOVED, note="\x1b[31mred")
    return call_id


@pytest.fixture
def without_an_id(project: Project, changing: Simulator, spoiled: object) -> Project:
    """A warehouse with a call in quarantine whose id the provider left out."""
    project.configure(changing, everyone("etelecom.main"))
    project.done("sync")
    return project


def upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a call without an id goes by its external id."""
    able = replace(CALL_LOGS, key_fallbacks=("external_id",))
    monkeypatch.setattr(api.EtelecomConnection, "calls", able)


def test_the_quarantine_is_listed_and_shown(without_an_id: Project) -> None:
    (record,) = quarantined(without_an_id)
    listed = without_an_id.done("rejects").out
    assert record["reject_id"][:12] in listed
    assert "etelecom.main" in listed
    shown = without_an_id.done("rejects", "show", record["reject_id"][:4]).out
    assert json.loads(shown)["payload"]["note"] == "\x1b[31mred"
    assert "\x1b" not in shown
    unknown = without_an_id.run("rejects", "show", "zz")
    assert (unknown.code, "no record in quarantine" in unknown.err) == (2, True)


def test_a_replay_loads_what_has_become_readable(
    without_an_id: Project, monkeypatch: pytest.MonkeyPatch, changing: Simulator
) -> None:
    upgrade(monkeypatch)
    requests = changing.requests.count("etelecom")
    outcome = without_an_id.done("rejects", "replay")
    assert outcome.out == "1 of 1 records replayed; 0 stay in quarantine\n"
    assert changing.requests.count("etelecom") == requests
    assert without_an_id.rows("select count(*) from reporting.calls") == [(300,)]
    assert without_an_id.rows("select count(*) from etelecom.call_logs where note like '%red'") == [(1,)]
    assert quarantined(without_an_id) == []
    (record,) = json.loads(without_an_id.done("rejects", "list", "--all", "--json").out)
    assert record["seen_at"] < record["replayed_at"]
    assert without_an_id.run("test").code == 0


def test_what_stays_unreadable_stays_in_quarantine(without_an_id: Project) -> None:
    before = quarantined(without_an_id)
    outcome = without_an_id.done("rejects", "replay", "etelecom.main")
    assert outcome.out == "0 of 1 records replayed; 1 stay in quarantine\n"
    assert quarantined(without_an_id) == before


def test_a_replay_does_not_undo_a_later_read(
    without_an_id: Project, monkeypatch: pytest.MonkeyPatch, changing: Simulator, spoiled: object
) -> None:
    upgrade(monkeypatch)
    changing.spoil("etelecom", spoiled, note="later")
    at, hour = datetime.fromisoformat(changing.truth("etelecom")[150]["started_at"]), timedelta(hours=1)
    # Not all of the window in which it was rejected: that would show that it is mended.
    borders = ("--from", (at - hour).isoformat(), "--to", (at + hour).isoformat())
    without_an_id.done("backfill", "etelecom", *borders, "--force")
    assert without_an_id.done("rejects", "replay").out.startswith("1 of 1 records replayed")
    assert without_an_id.rows("select count(*) from etelecom.call_logs where note = 'later'") == [(1,)]
    assert without_an_id.rows("select count(*) from reporting.calls") == [(300,)]
