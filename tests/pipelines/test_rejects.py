"""One malformed record is kept aside; everything else of its page loads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator import REMOVED, Simulator
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
