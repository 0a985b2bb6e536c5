"""Every row and column of every mart is what the providers' own records say, counted without callsync."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

import simulator.vbot
import simulator.voximplant
from simulator import REMOVED, Simulator
from simulator.etelecom_records import NO_TIME
from simulator.people import AGENTS, HOTLINES
from sources import jobs
from tests.pipelines.call_truth import Call, etelecom, vbot, vbot_v2, voximplant
from tests.pipelines.mart_truth import MARTS, Settings, differences, named
from tests.pipelines.project import Project

CALLS = 1000
DAYS = 35
RENAMED = " (mới)"
UNTIL = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=12)

ACCOUNTS: Mapping[str, tuple[str | None, int]] = {
    "vbot.main": (None, 0),
    "vbot.old": ("v2", 1),
    "etelecom.main": (None, 0),
    "voximplant.main": (None, 0),
}


@pytest.fixture
def served() -> Iterator[Simulator]:
    with Simulator(calls=CALLS, seed=3, days=DAYS, until=UNTIL, accounts=2) as running:
        running.settle()
        yield running


def shown(served: Simulator) -> dict[str, Call]:
    """The calls as the providers show them, by `call_id`."""
    now = datetime.now(UTC)
    calls = [
        *map(vbot, served.truth("vbot")),
        *(vbot_v2(record, "old") for record in served.truth("vbot", 1, "v2")),
        *(etelecom(record, now=now) for record in served.truth("etelecom")),
        *map(voximplant, served.truth("voximplant")),
    ]
    return {call.call_id: call for call in calls}


def rename(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the providers name all people and hotlines otherwise."""
    agents = [replace(agent, name=agent.name + RENAMED) for agent in AGENTS]
    monkeypatch.setattr(simulator.vbot, "AGENTS", agents)
    monkeypatch.setattr(simulator.voximplant, "AGENTS", agents)
    hotlines = [replace(hotline, name=hotline.name + RENAMED) for hotline in HOTLINES]
    monkeypatch.setattr(simulator.vbot, "HOTLINES", hotlines)
    monkeypatch.setattr(jobs, "NAMES_AGE", timedelta(0))


def check(project: Project, calls: Mapping[str, Call], settings: Settings) -> None:
    for name, mart in MARTS.items():
        expected = list(mart(list(calls.values()), settings))
        assert expected
        assert differences(name, expected, rows(project, name)) == []


def rows(project: Project, mart: str) -> list[dict[str, Any]]:
    with duckdb.connect(str(project.published), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        answer = connection.execute(f"from reporting.{mart}")
        columns = [column for column, *_ in answer.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]


def disturb(served: Simulator) -> None:
    """Let records change as they do at providers: in any field; some come late, some go."""
    numbers = ["sip:+84912000111@carrier.example", "0912000111", "+84912000111", "0", "-1", "Private Number"]
    vbot_ids = {account: [row["group_id"] for row in served.truth("vbot", account)] for account in (0, 1)}
    for account, ids in vbot_ids.items():
        for place, number in enumerate(numbers * 3):
            info = {
                "member_no": "",
                "number": number,
                "name": "",
                "channel": "",
                "type": "",
                "telco_code": "",
            }
            served.change("vbot", ids[7 * place], account, caller_info=info, type_call=1 + 2 * (place % 2))
        for place, word in enumerate(["BUSY", "BOTIVR", "SOMEONEANSWERED", "GONE", "ANSWER"] * 4):
            fields = {"time_call": 40, "call_at": 0} if word == "ANSWER" else {"time_call": 0, "call_at": 0}
            served.change("vbot", ids[300 + 5 * place], account, disposition=word, **fields)
        # A missed call; a call to the caller in the same instant, and two contacts a minute later.
        missed = next(row for row in served.truth("vbot", account)[600:] if row["type_call"] == 3)
        customer, member = missed["caller_info"] | {"number": "0912000222"}, missed["callee_info"]
        served.change("vbot", missed["group_id"], account, caller_info=customer)
        for place, seconds, type_call in ((610, 0, 2), (611, 60, 2), (612, 60, 1)):
            caller, callee = (customer, member) if type_call == 1 else (member, customer)
            served.change(
                "vbot", ids[place], account, create_at=missed["create_at"] + seconds * 1000, call_at=0,
                type_call=type_call, disposition="ANSWER", caller_info=caller, callee_info=callee,
            )  # fmt: skip
        served.change("vbot", ids[500], account, postage=77.25)
        served.drop_legs("vbot", ids[501], account, keep=1)
        served.hide("vbot", ids[502], account)
        for hours in range(1, 60, 5):
            served.add_late("vbot", served.since + timedelta(hours=hours, seconds=0.25), account)
    logs = served.truth("etelecom")
    ids = [row["id"] for row in logs]
    for place, number in enumerate(numbers * 3):
        served.change("etelecom", ids[7 * place], caller=number, direction="in", callee="02471001001")
    for place in range(300, 400, 5):
        state = "answered" if place % 2 else "not_answered"
        served.change("etelecom", ids[place], call_state=state, duration=33 if place % 2 else 0)
    # A call that nobody saw end is in progress for a day.
    for place, hours in ((-5, 1), (-6, 2), (410, 80)):
        served.change(
            "etelecom", ids[place], started_at=(served.until - timedelta(hours=hours)).isoformat(),
            call_state="unknown", ended_at=NO_TIME, duration=0, call_targets=[],
        )  # fmt: skip
    # Of some no start is told, and they were entered minutes after their end; some tell of no target either.
    for place in range(430, 460):
        served.spoil("etelecom", ids[place], started_at=NO_TIME)
        if place % 2:
            served.drop_legs("etelecom", ids[place])
    earlier = datetime.fromisoformat(logs[420]["started_at"]) - timedelta(minutes=10)
    served.change("etelecom", ids[420], started_at=earlier.isoformat())
    served.drop_legs("etelecom", ids[421])
    served.hide("etelecom", ids[422])
    sessions = [row["call_session_history_id"] for row in served.truth("voximplant")]
    for place, record in enumerate(served.truth("voximplant")[:140:7]):
        legs = [dict(leg) for leg in record["calls"]]
        legs[0] |= {"remote_number": numbers[place % len(numbers)], "incoming": True}
        served.change("voximplant", record["call_session_history_id"], calls=legs)
    for place, reason in enumerate(["Insufficient funds", "Timeout", "Normal termination"] * 3):
        served.drop_legs("voximplant", sessions[300 + place], keep=place % 3)
        served.change("voximplant", sessions[300 + place], finish_reason=reason)
    served.change("voximplant", sessions[400], finish_reason=REMOVED, duration=REMOVED)
    free = [
        {name: value for name, value in leg.items() if name != "cost"}
        for leg in served.truth("voximplant")[410]["calls"]
    ]
    served.change("voximplant", sessions[410], calls=free, records=[], other_resource_usage=[])
    served.hide("voximplant", sessions[411])
    for hours in range(1, 60, 5):
        served.add_late("etelecom", served.since + timedelta(hours=hours))
        served.add_late("voximplant", served.since + timedelta(hours=hours))


def test_the_records_hold_what_the_marts_are_about(served: Simulator) -> None:
    disturb(served)
    calls = list(shown(served).values())
    settings = named(ACCOUNTS)
    missed = list(MARTS["missed_calls"](calls, settings))
    assert {row["contact_kind"] for row in missed} == {None, "call_back", "called_again"}
    assert {row["is_contact_answered"] for row in missed} == {None, True, False}
    assert {(row["is_reachable"], row["is_open"]) for row in missed} == {
        (True, True),
        (True, False),
        (False, True),
    }
    assert {call.outcome for call in calls} >= {"answered", "missed", "no_answer", "failed", "in_progress"}
    assert {call.direction for call in calls} == {"inbound", "outbound", "internal", "unknown"}
    callers = list(MARTS["repeat_callers"](calls, settings))
    assert {row["spellings"] for row in callers} >= {1, 2, 3}
    assert any(0 < row["repeats_within_day_calls"] < row["repeat_calls"] for row in callers)
    levels = list(MARTS["service_level"](calls, settings))
    for column in ("short_abandoned_calls", "unmeasured_calls", "answered_in_time_calls", "abandoned_calls"):
        assert any(row[column] for row in levels)
    costs = list(MARTS["monthly_costs"](calls, settings))
    assert len({row["local_month"] for row in costs}) > 1
    assert any(row["costed_calls"] < row["calls"] for row in costs if row["currency"] == "USD")
    without_start = [row for row in served.truth("etelecom") if row["started_at"] == NO_TIME]
    assert any(
        datetime.fromisoformat(row["created_at"]) > datetime.fromisoformat(row["ended_at"])
        for row in without_start
    )
    assert {bool(row["call_targets"]) for row in without_start} == {True, False}


@pytest.mark.slow
def test_every_mart_is_the_truth_after_a_sync_after_changes_and_under_other_settings(
    project: Project, served: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.configure(served, ACCOUNTS, lookback_days=DAYS + 10, window_days=7)
    project.done("sync")
    before = shown(served)
    check(project, before, named(ACCOUNTS))

    disturb(served)
    rename(monkeypatch)
    project.done("sync")
    # What a provider forgets stays.
    now = before | shown(served)
    assert len(now) == 4 * (CALLS + 12)
    check(project, now, named(ACCOUNTS, RENAMED))

    monkeypatch.setenv("CALLSYNC__REPORTING_TIMEZONE", "America/St_Johns")
    monkeypatch.setenv("CALLSYNC__SERVICE_LEVEL_SECONDS", "10")
    monkeypatch.setenv("CALLSYNC__SHORT_ABANDON_SECONDS", "3")
    project.done("sync", "voximplant")
    other = replace(
        named(ACCOUNTS, RENAMED),
        zone=ZoneInfo("America/St_Johns"),
        service_level_seconds=10,
        short_abandon_seconds=3,
    )
    check(project, now, other)
    assert project.run("test").code == 0
