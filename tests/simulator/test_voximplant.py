"""Voximplant, GetCallHistory: the documented caps, and errors that come with HTTP 200."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from simulator import REMOVED, Simulator
from tests.simulator.clients import Voximplant

FORM = "%Y-%m-%d %H:%M:%S"


def window(first: datetime, last: datetime) -> dict[str, str]:
    return {"from_date": first.strftime(FORM), "to_date": last.strftime(FORM)}


def test_a_full_read_is_the_truth_oldest_first(simulator: Simulator, voximplant: Voximplant) -> None:
    assert voximplant.all() == simulator.truth("voximplant")


def test_descending_order_is_the_reverse(simulator: Simulator, voximplant: Voximplant) -> None:
    assert voximplant.all(desc_order="true") == simulator.truth("voximplant")[::-1]


def test_a_page_holds_twenty_unless_asked_and_a_thousand_at_most(voximplant: Voximplant) -> None:
    page = voximplant.history()
    assert (len(page["result"]), page["count"], page["total_count"]) == (20, 20, 600)
    assert voximplant.history(count=1000)["count"] == 600
    assert "error" in voximplant.history(count=1001)
    assert voximplant.history(offset=10_000)["result"] == []
    assert "error" in voximplant.history(offset=10_001)
    assert "total_count" not in voximplant.history(with_total_count="false")


def test_dates_are_required_and_include_both_ends(simulator: Simulator, voximplant: Voximplant) -> None:
    assert "error" in voximplant.ask("GetCallHistory")
    assert "error" in voximplant.history(from_date="2026-01-01T00:00:00Z")
    truth = simulator.truth("voximplant")
    first, last = truth[100]["start_date"], truth[150]["start_date"]
    found = voximplant.history(from_date=first, to_date=last, count=1000)
    expected = [row for row in truth if first <= row["start_date"] <= last]
    assert found["total_count"] == len(found["result"]) == len(expected)


def test_lists_are_sent_when_asked_for(voximplant: Voximplant) -> None:
    plain = voximplant.history(count=1)["result"][0]
    assert "other_resource_usage" in plain
    assert not {"calls", "records"} & plain.keys()
    full = voximplant.history(count=1, with_calls="True", with_records="True", with_other_resources="False")
    assert {"calls", "records"} <= full["result"][0].keys()
    assert "other_resource_usage" not in full["result"][0]


def test_the_command_may_stand_in_the_path_in_a_field_in_the_query_or_in_a_multipart_form(
    simulator: Simulator, voximplant: Voximplant
) -> None:
    base = voximplant.found["base_url"]
    headers = {"Authorization": f"Bearer {voximplant.token}"}
    asked = {"cmd": "GetCallHistory", "from_date": "2026-01-01 00:00:00", "to_date": "2026-02-01 00:00:00"}
    replies = [
        voximplant.http.post(f"{base}/GetCallHistory", data=asked, headers=headers),
        voximplant.http.post(base, data=asked, headers=headers),
        voximplant.http.get(base, params=asked, headers=headers),
        voximplant.http.post(
            base, files={name: (None, value) for name, value in asked.items()}, headers=headers
        ),
        voximplant.http.post(f"{simulator.url}/platform_api", data=asked, headers=headers),
    ]
    assert [reply.json()["total_count"] for reply in replies] == [600] * 5


def test_an_unknown_command_is_error_103_with_http_200(voximplant: Voximplant) -> None:
    assert voximplant.ask("GetNothing")["error"]["code"] == 103


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 10, "iat": int(time.time()) - 600},
        {"exp": int(time.time()) + 7200, "iat": int(time.time()) - 5},
        {"iss": 99},
    ],
    ids=["expired", "made for too long", "somebody else's"],
)
def test_a_token_that_is_not_good_fails_with_http_200(voximplant: Voximplant, claims: dict[str, Any]) -> None:
    voximplant.token = voximplant.sign(**claims)
    assert voximplant.history() == {"error": {"code": 100, "msg": "Authorization failed"}}


@pytest.mark.parametrize("token", ["x", "x.y.z"])
def test_what_is_no_token_is_not_good_either(voximplant: Voximplant, token: str) -> None:
    voximplant.token = token
    assert voximplant.history()["error"]["code"] == 100


def test_an_account_takes_its_own_key_only() -> None:
    with Simulator(calls=10, accounts=2) as simulator, httpx.Client() as http:
        first, second = (Voximplant(simulator, http, account) for account in (0, 1))
        first.found["credentials"]["private_key"] = second.found["credentials"]["private_key"]
        first.token = first.sign()
        assert "error" in first.history()
        assert "result" in second.history()


def test_times_are_in_the_zone_asked_for_and_the_zone_is_echoed(
    simulator: Simulator, voximplant: Voximplant
) -> None:
    utc = voximplant.history(count=1000)
    assert utc["timezone"] == "Etc/GMT"
    vietnam = voximplant.history(count=1000, timezone="Asia/Ho_Chi_Minh")
    assert vietnam["timezone"] == "Asia/Ho_Chi_Minh"
    for left, right in zip(utc["result"], vietnam["result"], strict=True):
        shift = datetime.strptime(right["start_date"], FORM) - datetime.strptime(left["start_date"], FORM)
        assert shift == timedelta(hours=7)
    assert voximplant.history(timezone="auto")["timezone"] == simulator.voximplant.location
    assert "error" in voximplant.history(timezone="Mars/Olympus")


def test_dates_are_read_in_the_zone_too(simulator: Simulator, voximplant: Voximplant) -> None:
    first = datetime(2026, 1, 28, tzinfo=UTC)
    day = window(first, first + timedelta(hours=24) - timedelta(seconds=1))
    shifted = window(first + timedelta(hours=7), first + timedelta(hours=31) - timedelta(seconds=1))
    plain = voximplant.history(**day)["total_count"]
    assert 0 < plain < 600
    assert voximplant.history(**shifted, timezone="Asia/Ho_Chi_Minh")["total_count"] == plain


@pytest.mark.parametrize(("zone", "hours"), [("Asia/Ho_Chi_Minh", 7), ("Etc/GMT-8", 8)])
def test_an_account_may_answer_in_a_zone_of_its_own(
    simulator: Simulator, voximplant: Voximplant, zone: str, hours: int
) -> None:
    simulator.voximplant.answers_in_zone = zone
    page = voximplant.history(count=1, timezone="Etc/GMT", with_calls="true")
    assert page["timezone"] == zone
    truth = simulator.truth("voximplant")[0]
    expected = datetime.strptime(truth["start_date"], FORM) + timedelta(hours=hours)
    assert page["result"][0]["start_date"] == expected.strftime(FORM)
    assert page["result"][0]["calls"][0]["start_time"] == expected.strftime(FORM)


def test_sessions_can_be_asked_for_by_id_without_dates(simulator: Simulator, voximplant: Voximplant) -> None:
    ids = [row["call_session_history_id"] for row in simulator.truth("voximplant")][::100]
    found = voximplant.ask("GetCallHistory", call_session_history_id=";".join(map(str, ids)), count=1000)
    assert [row["call_session_history_id"] for row in found["result"]] == ids
    many = ";".join(map(str, range(1001)))
    assert "error" in voximplant.ask("GetCallHistory", call_session_history_id=many)


def test_filters(simulator: Simulator, voximplant: Voximplant) -> None:
    truth = simulator.truth("voximplant")
    remote = truth[0]["calls"][0]["remote_number"]
    local = truth[0]["calls"][0]["local_number"]
    user = next(row["user_id"] for row in truth if "user_id" in row)
    custom = next(row["custom_data"] for row in truth if "custom_data" in row)

    def legs(row: dict[str, Any], field: str) -> list[str]:
        return [leg[field] for leg in row["calls"]]

    expected: list[tuple[dict[str, Any], list[Any]]] = [
        ({"application_id": 10500100}, [row for row in truth if row["application_id"] == 10500100]),
        ({"remote_number": f"1;{remote}"}, [row for row in truth if remote in legs(row, "remote_number")]),
        ({"local_number": local}, [row for row in truth if local in legs(row, "local_number")]),
        ({"user_id": user}, [row for row in truth if row.get("user_id") == user]),
        (
            {"call_session_history_custom_data": custom},
            [row for row in truth if row.get("custom_data") == custom],
        ),
        ({"children_calls_only": "true"}, []),
    ]
    for asked, rows in expected:
        assert voximplant.all(**asked) == rows
    both = {"application_id": 10500100, "application_name": "hotline"}
    assert "error" in voximplant.history(**both)


def test_sessions_have_one_to_four_legs_and_ids_beyond_int32(simulator: Simulator) -> None:
    truth = simulator.truth("voximplant")
    assert {len(row["calls"]) for row in truth} == {1, 2, 3, 4}
    assert min(row["call_session_history_id"] for row in truth) > 2**31
    assert len({leg["call_id"] for row in truth for leg in row["calls"]}) == sum(
        len(row["calls"]) for row in truth
    )


def test_a_running_session_has_no_end_and_a_fresh_one_no_costs() -> None:
    with Simulator(calls=500, days=0.03, until=datetime(2026, 1, 30, 3, tzinfo=UTC)) as simulator:
        recent = simulator.truth("voximplant")
        running = [row for row in recent if "finish_reason" not in row]
        fresh = [row for row in recent if "finish_reason" in row and not row["other_resource_usage"]]
        assert running
        assert fresh
        assert not any("duration" in row or row["records"] for row in running)
        assert not any("cost" in leg for row in fresh for leg in row["calls"])
        simulator.settle()
        settled = simulator.truth("voximplant")
        assert all("finish_reason" in row and row["other_resource_usage"] for row in settled)
        assert all("cost" in leg for row in settled for leg in row["calls"])


def test_changes_losses_and_late_sessions(simulator: Simulator, voximplant: Voximplant) -> None:
    truth = simulator.truth("voximplant")
    ids = [row["call_session_history_id"] for row in truth]
    simulator.change("voximplant", ids[3], finish_reason="Insufficient funds", custom_data=REMOVED)
    simulator.drop_legs("voximplant", ids[4])
    simulator.hide("voximplant", ids[5])
    late = simulator.add_late("voximplant", datetime(2026, 1, 28, 12, tzinfo=UTC))
    rows = voximplant.all()
    assert rows == simulator.truth("voximplant")
    found = {row["call_session_history_id"]: row for row in rows}
    assert found[ids[3]]["finish_reason"] == "Insufficient funds"
    assert "custom_data" not in found[ids[3]]
    assert found[ids[4]]["calls"] == []
    assert ids[5] not in found
    assert found[int(late)]["start_date"] == "2026-01-28 12:00:00"


def test_a_spoilt_session_is_sent_as_it_is(simulator: Simulator, voximplant: Voximplant) -> None:
    first = simulator.truth("voximplant")[0]["call_session_history_id"]
    simulator.spoil("voximplant", first, start_date="soon", call_session_history_id=REMOVED, calls="none")
    row = voximplant.history(count=1, with_calls="true")["result"][0]
    assert (row["start_date"], row["calls"]) == ("soon", "none")
    assert "call_session_history_id" not in row


def test_secure_recordings_and_logs_need_the_token(simulator: Simulator, voximplant: Voximplant) -> None:
    urls = {url.split("/")[4]: url for row in simulator.truth("voximplant") for url in record_urls(row)}
    assert urls.keys() == {"secure", "records"}
    headers = {"Authorization": f"Bearer {voximplant.token}"}
    assert voximplant.http.get(urls["records"]).content.startswith(b"RIFF")
    assert voximplant.http.get(urls["secure"]).status_code == 401
    part = voximplant.http.get(urls["secure"], headers=headers | {"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")
    log = simulator.truth("voximplant")[0]["log_file_url"]
    assert voximplant.http.get(log).status_code == 401
    assert voximplant.http.get(log, headers=headers).status_code == 200


def record_urls(row: dict[str, Any]) -> list[str]:
    return [record["record_url"] for record in row["records"]]


def test_account_information_holds_secrets_nobody_should_load(voximplant: Voximplant) -> None:
    info = voximplant.ask("GetAccountInfo")["result"]
    assert {"api_key", "callback_salt"} <= info.keys()
    assert (info["currency"], info["location"]) == ("USD", "Asia/Ho_Chi_Minh")


def test_applications_and_users(voximplant: Voximplant) -> None:
    applications = voximplant.ask("GetApplications")["result"]
    assert len(applications) == 2
    users = voximplant.ask("GetUsers", application_id=applications[0]["application_id"], count=4, offset=8)
    assert (users["count"], users["total_count"]) == (2, 10)
    assert "error" in voximplant.ask("GetUsers")
