"""VBot: v3 (m-cdr) with a key, v2 and v1 with tokens; one set of calls in three shapes."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from simulator import REMOVED, Simulator
from tests.simulator.clients import Vbot

LIST = "m-cdr/api/call/get-all"
LEGACY = "api/crm/historycall/getAll"


def seconds_of(duration: str | int) -> int:
    if isinstance(duration, int) or ":" not in duration:
        return int(duration)
    hours, minutes, rest = map(int, duration.split(":"))
    return hours * 3600 + minutes * 60 + rest


def test_full_reads_of_all_versions_are_the_truth_newest_first(
    simulator: Simulator, v3: Vbot, v2: Vbot, v1: Vbot
) -> None:
    assert v3.all(has_hotline=1) == simulator.truth("vbot")[::-1]
    assert v2.all() == simulator.truth("vbot", version="v2")[::-1]
    assert v1.all() == simulator.truth("vbot", version="v1")[::-1]


def test_all_versions_show_the_same_calls(simulator: Simulator) -> None:
    newest = simulator.truth("vbot")
    for new, old in zip(newest, simulator.truth("vbot", version="v2"), strict=True):
        assert new["group_id"] == old["group_id"]
        assert new["hotline"] == old["hotline_number"]
        assert seconds_of(old["time_call"]) == new["time_call"]
        assert seconds_of(old["duration_call"]) == new["duration"]
        assert old["disposition"].upper() == new["disposition"]
        local = datetime.strptime(old["date_create"] + " +0700", "%m/%d/%Y %H:%M:%S %z")
        assert int(local.timestamp()) == new["create_at"] // 1000
        assert old["group_id"].startswith(local.strftime("%d%m%Y%H%M%S"))


def test_v3_pages_count_from_zero_and_hold_twenty_or_at_most_a_hundred(v3: Vbot) -> None:
    first = v3.get(LIST, has_hotline=1).json()["data"]
    assert len(first) == 20
    assert v3.get(LIST, has_hotline=1, page=0).json()["data"] == first
    assert len(v3.get(LIST, has_hotline=1, size=5000).json()["data"]) == 100
    assert v3.get(LIST, has_hotline=1, page=99).json()["data"] == []
    assert v3.get(LIST, page=-1).json()["error"] == -1


def test_without_has_hotline_internal_calls_are_missing(v3: Vbot) -> None:
    numbers = {
        asked: v3.get("m-cdr/api/call/count-all", **({} if asked is None else {"has_hotline": asked})).json()
        for asked in (None, "", -1, 0, 1)
    }
    counts = {asked: reply["data"] for asked, reply in numbers.items()}
    assert counts[None] == counts[""] == counts[-1]
    assert counts[0] > 0
    assert counts[1] == 600 == counts[0] + counts[-1]


def test_a_wrong_key_is_error_409_in_the_body(v3: Vbot) -> None:
    v3.found["api_key"] = "wrong"
    reply = v3.get(LIST)
    assert (reply.status_code, reply.json()["error"], reply.json()["data"]) == (200, 409, None)


def test_v3_ranges_are_in_milliseconds_with_both_ends(simulator: Simulator, v3: Vbot) -> None:
    truth = simulator.truth("vbot")
    first, last = truth[100]["create_at"], truth[200]["create_at"]
    expected = [row for row in truth[::-1] if first <= row["create_at"] <= last]
    asked: dict[str, Any] = {"from": first, "to": last, "has_hotline": 1}
    assert v3.all(**asked) == expected
    assert v3.get("m-cdr/api/call/count-all", **asked).json()["data"] == len(expected)
    assert v3.get(LIST, **{"from": "yesterday"}).json()["error"] == -1


def test_v3_filters(simulator: Simulator, v3: Vbot) -> None:
    truth = simulator.truth("vbot")[::-1]
    hotline = truth[0]["hotline"] or truth[2]["hotline"]
    number = next(row["caller_info"]["number"] for row in truth if row["type_call"] == 3)
    expected: list[tuple[dict[str, Any], list[Any]]] = [
        ({"type_call": 3}, [row for row in truth if row["type_call"] == 3]),
        ({"disposition": "BUSY"}, [row for row in truth if row["disposition"] == "BUSY"]),
        ({"hotline": hotline}, [row for row in truth if row["hotline"] == hotline]),
        ({"min_postage": 500, "max_postage": -1}, [row for row in truth if row["postage"] >= 500]),
        ({"type_call": -1}, truth),
        (
            {"key_search": number},
            [row for row in truth if number in (row["caller_info"]["number"], row["callee_info"]["number"])],
        ),
    ]
    for asked, rows in expected:
        assert rows
        assert v3.all(has_hotline=1, **asked) == rows


def test_details_are_legs_of_a_group(simulator: Simulator, v3: Vbot) -> None:
    group_id = simulator.truth("vbot")[5]["group_id"]
    legs = v3.get("m-cdr/api/call/get-detail", group_id=group_id).json()["data"]
    assert {leg["group_id"] for leg in legs} == {group_id}
    assert len({leg["trans_id"] for leg in legs}) == 2
    assert {"hangup_cause", "sip_code", "conference_id"} <= legs[0].keys()
    assert v3.get("m-cdr/api/call/get-detail", group_id="0").status_code == 404


def test_legacy_pages_count_from_one_and_end_in_null(v2: Vbot) -> None:
    first = v2.get(LEGACY, page=1, size=50).json()["data"]
    assert v2.get(LEGACY, page=0, size=50).json()["data"] == first
    assert len(v2.get(LEGACY, page=1, size=500).json()["data"]) == 100
    assert len(v2.get(LEGACY, page=12, size=50).json()["data"]) == 50
    assert v2.get(LEGACY, page=13, size=50).json() == {"error": 0, "message": "success", "data": None}


def test_legacy_can_repeat_its_last_page(simulator: Simulator, v2: Vbot) -> None:
    simulator.vbot.repeats_last_page = True
    last = v2.get(LEGACY, page=7, size=90).json()["data"]
    assert len(last) == 60
    assert v2.get(LEGACY, page=8, size=90).json()["data"] == last


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 1000), ("none", 1)])
def test_the_legacy_unit_of_time_is_a_switch(simulator: Simulator, v2: Vbot, unit: str, factor: int) -> None:
    simulator.vbot.time_unit = unit  # type: ignore[assignment]  # a parameter
    first = datetime(2026, 1, 28, tzinfo=UTC)
    bounds = [int(moment.timestamp()) * factor for moment in (first, first + timedelta(days=1))]
    counted = v2.get("api/crm/historycall/countAll", **{"from": bounds[0], "to": bounds[1]}).json()["data"]
    milliseconds = [int(first.timestamp()) * 1000 + shift for shift in (0, 86_400_000)]
    inside = [row for row in simulator.truth("vbot") if milliseconds[0] <= row["create_at"] < milliseconds[1]]
    assert counted == (600 if unit == "none" else len(inside))


def test_legacy_asks_for_the_group(v2: Vbot) -> None:
    assert v2.get(LEGACY, project_code="").json()["error"] == -1
    assert v2.get(LEGACY, project_code="another").json()["error"] == 403


def test_legacy_can_be_asked_for_one_phone(simulator: Simulator, v2: Vbot) -> None:
    truth = simulator.truth("vbot", version="v2")[::-1]
    phone = next(row["caller"][0]["phone"] for row in truth if row["type_call"] == "MISSCALL")
    rows = v2.all(phone=phone)
    assert rows
    assert rows == [row for row in truth if phone in (row["caller"][0]["phone"], row["callee"][0]["phone"])]


def test_tokens_expire_and_can_be_refreshed(http: httpx.Client) -> None:
    seconds = [0.0]
    with Simulator(calls=5, timer=lambda: seconds[0]) as simulator:
        v2 = Vbot(simulator, http, "v2")
        minted = v2.mint().json()
        seconds[0] = minted["expires_in"] - 0.5
        assert v2.get(LEGACY).status_code == 200
        seconds[0] += 1
        expired = v2.get(LEGACY)
        assert (expired.status_code, expired.json()["error"]) == (401, 401)
        again = v2.mint(grant_type="refresh_token", refresh_token=minted["refresh_token"])
        assert again.status_code == 200
        assert v2.get(LEGACY).status_code == 200
        assert simulator.requests.tokens_minted["vbot"] == 2


def test_a_token_lasts_as_long_as_the_sample_says(v2: Vbot) -> None:
    assert v2.mint().json()["expires_in"] == 899
    assert v2.mint(password="wrong").status_code == 400
    refresh = v2.mint().json()["refresh_token"]
    v2.token = refresh
    assert v2.get(LEGACY).status_code == 401


def test_v1_has_a_status_and_no_ids(v1: Vbot) -> None:
    reply = v1.get(LEGACY, page=1, size=5).json()
    assert (reply["status"], reply["error"]) == (1, 0)
    for row in reply["data"]:
        assert not {"group_id", "external_call_id", "duration_call"} & row.keys()
        assert "duration_call" not in row["caller"][0]
        assert isinstance(row["time_call"], str)
    failed = v1.get(LEGACY, vbot_id="").json()
    assert (failed["status"], failed["error"]) == (0, -1)


def test_durations_and_dispositions_come_in_every_way_seen(simulator: Simulator) -> None:
    rows = simulator.truth("vbot", version="v2")
    assert {type(row["time_call"]) for row in rows} == {str, int}
    assert any(re.fullmatch(r"\d\d:\d\d:\d\d", str(row["time_call"])) for row in rows)
    assert {row["disposition"].isupper() for row in rows} == {True, False}
    assert {"ANSWER", "ANSWERED", "answer", "answered"} <= {row["disposition"] for row in rows}
    assert {row["type_call"] for row in rows} == {"CALLIN", "CALLOUT", "MISSCALL"}
    simulator.vbot.sample_types = True
    samples = {row["type_call"] for row in simulator.truth("vbot", version="v2")}
    assert samples == {"INCALL", "OUTCALL", "MISSCALL"}


def test_both_parties_carry_the_price_of_the_whole_call(simulator: Simulator) -> None:
    for new, old in zip(simulator.truth("vbot"), simulator.truth("vbot", version="v2"), strict=True):
        parties = [*old["caller"], *old["callee"]]
        assert {party["postage"] for party in parties} == {new["postage"]}
        if new["hotline"]:
            assert new["postage"] == pytest.approx(10.84 * new["time_call"], abs=0.006)


def test_a_missed_call_may_have_several_callees(simulator: Simulator) -> None:
    missed = [row for row in simulator.truth("vbot", version="v2") if row["type_call"] == "MISSCALL"]
    assert Counter(len(row["callee"]) for row in missed).keys() == {1, 2}


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_recordings_need_the_credentials(simulator: Simulator, v2: Vbot, v3: Vbot, version: str) -> None:
    recorded = next(row for row in simulator.truth("vbot", version="v2") if row["record_file"])
    url = recorded["record_file"][0]
    assert re.match(r"http://127\.0\.0\.1:\d+/", url)
    assert v2.http.get(url).status_code == 401
    client, path = {
        "v2": (v2, f"api/crm/historycall/record/{recorded['group_id']}"),
        "v3": (v3, f"m-cdr/api/call/record?trans_id={recorded['group_id']}01"),
    }[version]
    name, _, query = path.partition("?")
    asked = dict([query.split("=")]) if query else {}
    assert client.get(name, **asked).content.startswith(b"RIFF")


def test_a_call_without_recording_has_none(simulator: Simulator, v3: Vbot) -> None:
    silent = next(row for row in simulator.truth("vbot") if not row["is_record"])
    assert v3.get(f"api/crm/historycall/record/{silent['trans_id']}").status_code == 404


def test_changes_are_seen_in_every_version(simulator: Simulator, v3: Vbot, v2: Vbot) -> None:
    rows = simulator.truth("vbot")
    simulator.change("vbot", rows[10]["group_id"], disposition="BUSY", time_call=0)
    simulator.drop_legs("vbot", rows[11]["group_id"])
    simulator.hide("vbot", rows[12]["group_id"])
    late = simulator.add_late("vbot", datetime(2026, 1, 26, 3, tzinfo=UTC), external_call_id="abc")
    new = {row["group_id"]: row for row in v3.all(has_hotline=1)}
    old = {row["group_id"]: row for row in v2.all()}
    assert new.keys() == old.keys()
    assert rows[12]["group_id"] not in new
    assert new[rows[10]["group_id"]]["disposition"] == "BUSY"
    assert old[rows[10]["group_id"]]["disposition"].upper() == "BUSY"
    assert new[rows[11]["group_id"]]["caller_info"] is None
    assert (old[rows[11]["group_id"]]["caller"], old[rows[11]["group_id"]]["callee"]) == ([], [])
    assert new[late]["external_call_id"] == old[late]["external_call_id"] == "abc"
    assert late.startswith("26012026100000")


def test_spoilt_fields_are_sent_as_they_are_in_the_version_asked_for(
    simulator: Simulator, v2: Vbot, v3: Vbot
) -> None:
    group_id = simulator.truth("vbot")[-1]["group_id"]
    simulator.spoil("vbot", group_id, group_id=REMOVED, date_create="32/13/2026", create_at=None)
    old = v2.get(LEGACY, size=1).json()["data"][0]
    assert "group_id" not in old
    assert old["date_create"] == "32/13/2026"
    assert v3.get(LIST, has_hotline=1, size=1).json()["data"][0]["create_at"] is None


def test_members_and_hotlines(v3: Vbot, v2: Vbot) -> None:
    for client in (v3, v2):
        members = client.get("api/member/getAll", page=1, size=100).json()["data"]
        assert len(members) == client.get("api/member/countAll").json()["data"] == 10
        assert len(client.get("api/hotline/getAll").json()["data"]) == 4
    assert v3.get("api/nothing").json()["error"] == 404
