from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from simulator import Simulator
from sources.errors import (
    AccessDenied,
    ConfigError,
    IncompleteRead,
    ProviderError,
    RequestRefused,
    ServerFault,
    UnreadableBody,
)
from sources.vbot.api import VbotConnection
from tests.sources.accounts import (
    WHOLE,
    account_of,
    answering,
    connect,
    ids,
    records,
    requests_of,
    simulated,
    sorted_content,
)
from tests.sources.vbot import DAY, group, in_day, legacy

LIST = "historycall/getAll"


@pytest.mark.parametrize("version", ["v3", "v2", "v1"])
def test_a_window_holds_every_call_with_its_whole_content(simulator: Simulator, version: str) -> None:
    connection = connect(simulated(simulator, "vbot", version))
    found = sorted_content(records(connection.pages(WHOLE)))
    assert found == sorted_content(simulator.truth("vbot", version=version))
    connection.close()


def test_v1_sends_its_parameters_as_the_body_and_stops_behind_the_window(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "vbot", "v1", page_base=1))
    assert connection.walks
    assert len(list(records(connection.pages(DAY)))) == len(in_day(simulator))
    asked = [json.loads(entry.parameters) for entry in requests_of(simulator, "vbot", LIST)]
    assert asked[0] == {"vbot_id": "VB7000", "project_code": "PRJ100", "page": 1, "size": 50}
    assert len(asked) < 600 / 50
    connection.close()


def test_a_token_is_fetched_once_and_refreshed_before_it_ends(simulator: Simulator) -> None:
    simulator.vbot.expires_in = 0.4
    connection = connect(simulated(simulator, "vbot", "v2", time_unit="s"))
    simulator.faults.latency_by_provider_ms["vbot"] = 60
    assert len(list(records(connection.pages(WHOLE)))) == 600
    forms = [entry.parameters for entry in requests_of(simulator, "vbot", "token")]
    assert "grant_type=password" in forms[0]
    assert len(forms) > 2
    assert all("grant_type=refresh_token" in form for form in forms[1:])
    assert {entry.status for entry in requests_of(simulator, "vbot")} == {200}
    connection.close()


def test_a_refused_token_costs_one_more_login(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "vbot", "v2", time_unit="s"))
    list(connection.pages(DAY))
    simulator.expire_tokens("vbot")
    assert ids(records(connection.pages(WHOLE)), "vbot") == ids(simulator.truth("vbot"), "vbot")
    assert simulator.requests.tokens_minted["vbot"] == 2
    assert [entry.status for entry in requests_of(simulator, "vbot")].count(401) == 1
    connection.close()


def test_a_refused_refresh_token_is_followed_by_the_password(simulator: Simulator) -> None:
    simulator.vbot.expires_in = 0.0
    connection = connect(simulated(simulator, "vbot", "v2", time_unit="s"))
    with pytest.raises(AccessDenied):
        list(connection.pages(DAY))
    simulator.vbot.expires_in, simulator.vbot._tokens = 899.0, {}
    assert in_day(simulator) <= ids(records(connection.pages(DAY)), "vbot")
    connection.close()


def test_a_wrong_password_is_asked_once_and_never_shown(simulator: Simulator) -> None:
    given = simulator.credentials("vbot", "v2") | {"password": "open sesame"}
    connection = connect(account_of("vbot", api_version="v2", time_unit="s", **given))
    with pytest.raises(AccessDenied, match="username and password") as raised:
        list(connection.pages(DAY))
    assert "sesame" not in str(raised.value)
    assert len(requests_of(simulator, "vbot")) == 1
    connection.close()


def test_a_wrong_key_is_error_409_on_v3(simulator: Simulator) -> None:
    given = simulator.credentials("vbot") | {"api_key": "wrong"}
    connection = connect(account_of("vbot", **given))
    with pytest.raises(AccessDenied, match="409"):
        list(connection.pages(DAY))
    assert len(requests_of(simulator, "vbot")) == 1
    connection.close()


@pytest.mark.parametrize("version", ["v2", "v1"])
def test_a_last_page_that_is_shown_again_ends_the_list(simulator: Simulator, version: str) -> None:
    simulator.vbot.repeats_last_page = True
    connection = connect(simulated(simulator, "vbot", version))
    found = sorted_content(records(connection.pages(WHOLE)))
    assert found == sorted_content(simulator.truth("vbot", version=version))
    connection.close()


def test_pages_smaller_than_asked_for_do_not_end_the_list(simulator: Simulator) -> None:
    simulator.vbot.max_size = 33
    connection = connect(simulated(simulator, "vbot", page_size=100))
    assert ids(records(connection.pages(WHOLE)), "vbot") == ids(simulator.truth("vbot"), "vbot")
    connection.close()


@pytest.mark.parametrize("version", ["v3", "v2"])
def test_an_account_of_which_every_request_is_refused_is_not_accepted(version: str) -> None:
    nowhere = httpx.Response(400, content=b"no such path")
    account = group(page_base=None) if version == "v3" else legacy(page_base=None)
    with pytest.raises(RequestRefused):
        list(connect(account, transport=answering(nowhere)).check())


def test_v3_asks_for_calls_with_and_without_hotline_in_milliseconds() -> None:
    seen: list[httpx.Request] = []
    answers = [{"error": 0, "data": 0}, {"error": 0, "data": None}]
    list(connect(group(), transport=answering(*answers, seen=seen)).pages(DAY))
    counted, listed = (dict(sent.url.params) for sent in seen)
    # A second more at the start: whether the borders are inclusive is not documented.
    bounds = {"from": f"{DAY.start.timestamp() - 1:.0f}000", "to": f"{DAY.end.timestamp():.0f}000"}
    assert counted == bounds | {"has_hotline": "1"}
    assert listed == counted | {"page": "0", "size": "100"}
    assert seen[0].headers["X-API-Key"] == "a-key"


def test_each_of_the_phones_is_walked_by_itself(simulator: Simulator) -> None:
    def parties(record: dict[str, Any]) -> set[str]:
        return {party["phone"] for side in ("caller", "callee") for party in record[side] or ()}

    truth = simulator.truth("vbot", version="v2")
    phones = sorted({number for record in truth for number in parties(record)})[:3]
    connection = connect(simulated(simulator, "vbot", "v2", phones=phones))
    pages = list(connection.pages(WHOLE))
    assert ids(records(pages), "vbot") == {
        record["group_id"] for record in truth if not parties(record).isdisjoint(phones)
    }
    assert {page.total for page in pages} == {None}
    connection.close()


def test_v1_calls_a_list_a_success_although_its_sample_has_an_error() -> None:
    sample = {"status": 1, "error": 2, "message": "sample string 3", "data": [{"group_id": "1"}]}
    answers = [{"status": 1, "error": 0, "data": 1}, sample, {"status": 1, "error": 0, "data": None}]
    connection = connect(legacy(api_version="v1"), transport=answering(*answers))
    assert ids(records(connection.pages(WHOLE)), "vbot") == {"1"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": 500, "message": "Internal server error", "data": None}, ServerFault),
        ({"error": -1, "message": "page is invalid"}, RequestRefused),
        ({"error": "403", "message": "no"}, AccessDenied),
        ({"error": 409, "message": "no", "data": []}, AccessDenied),
        ({"status": 0, "error": 1, "data": None}, RequestRefused),
        ({"status": "0", "error": 0, "data": []}, RequestRefused),
        ({"status": 1, "error": 2, "data": None}, RequestRefused),
        ({"status": 1, "error": 2, "data": []}, RequestRefused),
        ({"status": 500, "message": "Internal Server Error"}, ServerFault),
        ({"status": "error", "message": "db down", "data": None}, RequestRefused),
        ({"status": -1, "data": []}, RequestRefused),
        ({"message": "db down", "data": None}, UnreadableBody),
        ({"error": None, "message": "db down", "data": None}, UnreadableBody),
        ({"error": "", "data": None}, UnreadableBody),
        ({"success": False, "data": None}, UnreadableBody),
        ({"error": 0, "data": {"group_id": "1"}}, UnreadableBody),
        ({}, UnreadableBody),
        ([], UnreadableBody),
    ],
)
def test_an_answer_of_status_200_without_a_list_is_an_error_and_no_end(
    body: Any, error: type[ProviderError]
) -> None:
    connection = connect(group(), transport=answering({"error": 0, "data": 1}, body))
    with pytest.raises(error) as raised:
        list(connection.pages(DAY))
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"message": "Authorization has been denied"}, AccessDenied),
        (401, {"error": 7, "message": "who are you"}, AccessDenied),
        (400, {"error": -1, "message": "no"}, RequestRefused),
        (500, {"error": -1, "message": "no"}, ServerFault),
    ],
)
def test_a_status_that_is_no_success_is_never_a_list(
    status: int, body: dict[str, Any], error: type[ProviderError]
) -> None:
    answer = httpx.Response(status, content=json.dumps(body).encode())
    with pytest.raises(error):
        list(connect(group(), transport=answering({"error": 0, "data": 1}, answer)).pages(DAY))


@pytest.mark.parametrize("odd", [b'"half of \\ud83d"', b"NaN", b'"a\ttab"'])
def test_a_record_that_is_no_strict_json_costs_none_beside_it(odd: bytes) -> None:
    body = b'{"error": 0, "data": [{"group_id": "1", "new": %b}, {"group_id": "2"}]}' % odd
    connection = connect(group(), transport=answering({"error": 0, "data": 2}, body))
    assert ids(records(connection.pages(DAY)), "vbot") == {"1", "2"}


def test_a_user_name_that_calls_bear_is_data_and_no_secret() -> None:
    name = "tongdai@company.example.vn"
    token = {"access_token": "token-of-the-account-1234", "expires_in": 899}
    call = {
        "group_id": "1",
        "date_create": "01/31/2026 08:00:00",
        "caller": [{"vbot_id": name}],
        "source": token,
    }
    answers = [token, {"error": 0, "data": 1}, {"error": 0, "data": [call]}, {"error": 0, "data": None}]
    account = legacy(access_token=None, username=name, password="a-password-of-some-length")
    (found,) = records(connect(account, transport=answering(*answers)).pages(DAY))
    assert found["caller"] == [{"vbot_id": name}]
    assert found["source"]["access_token"] == "***"


def test_a_walk_that_ends_before_the_count_is_an_error() -> None:
    calls = [{"group_id": "1", "date_create": "01/31/2026 08:00:00"}]
    answers = [{"error": 0, "data": 2}, {"error": 0, "data": calls}, {"error": 0, "data": None}]
    connection = connect(legacy(time_unit="none"), transport=answering(*answers))
    with pytest.raises(IncompleteRead, match="1 calls came of 2"):
        list(connection.pages(WHOLE))


def test_a_walk_during_which_calls_vanish_is_an_error() -> None:
    calls = [{"group_id": "1", "date_create": "01/31/2026 08:00:00"}]
    old = [{"group_id": "2", "date_create": "01/01/2020 08:00:00"}]
    answers = [{"error": 0, "data": data} for data in (3, calls, old, 2)]
    connection = connect(legacy(time_unit="none"), transport=answering(*answers))
    with pytest.raises(IncompleteRead, match="3 calls became 2"):
        list(connection.pages(WHOLE))


def test_hotlines_and_members_have_names(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "vbot"))
    found = {record_type.table: list(records(pages)) for record_type, pages in connection.names()}
    assert {table: len(rows) > 1 for table, rows in found.items()} == {"hotlines": True, "members": True}
    connection.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"api_version": "v4"}, "api_version must be one of v3, v2, v1"),
        ({"api_key": None}, "api_key is missing"),
        ({"api_version": "v2", "username": "a"}, "password is missing"),
        ({"time_unit": "h"}, "time_unit must be"),
        ({"page_size": 0}, "page_size must be at least 1"),
        ({"timezone": "Vietnam/Hanoi"}, "timezone is no IANA time zone"),
        ({"requests_per_second": 1e-9}, "requests_per_second must be 0, or at least 0.001"),
        ({"concurrency": 0}, "concurrency must be at least 1"),
        ({"lookback_days": -1}, "lookback_days must be at least 0"),
        ({"timeout_seconds": 0}, "timeout_seconds must be at least 0.001"),
    ],
)
def test_options_that_cannot_work_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        group(**options)


def test_no_secret_is_shown_by_the_options() -> None:
    shown = repr(group(username="a-user", password="a-password", access_token="a-token"))
    assert not any(secret in shown for secret in ("a-key", "a-user", "a-password", "a-token"))
    assert VbotConnection.__name__ not in shown
