from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from simulator import Simulator
from sources.errors import (
    AccessDenied,
    IncompleteRead,
    ProviderError,
    RequestRefused,
    ServerFault,
    Throttled,
    UnreadableBody,
    WindowOverflow,
)
from sources.shaping import shape
from sources.voximplant import api
from sources.voximplant.fields import CALL_SESSIONS
from sources.windows import Window
from tests.sources.accounts import (
    UNTIL,
    WHOLE,
    answering,
    connect,
    ids,
    records,
    requests_of,
    simulated,
    sorted_content,
    streamed,
)
from tests.sources.voximplant import owner, part

HISTORY = "GetCallHistory"


def form_of(request: httpx.Request) -> dict[str, str]:
    return dict(parse_qsl(request.content.decode()))


def test_a_window_holds_every_session_with_its_whole_content(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "voximplant", page_size=70))
    found = sorted_content(records(connection.pages(WHOLE)))
    assert found == sorted_content(simulator.truth("voximplant"))
    connection.close()


def test_a_list_that_is_counted_ends_without_an_empty_page(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "voximplant", page_size=100))
    pages = list(connection.pages(WHOLE))
    # Each page begins with the last session of the page before, to see that nothing moved.
    assert [len(page.records) for page in pages] == [100] + [99] * 5 + [5]
    assert {page.total for page in pages} == {600}
    assert len(requests_of(simulator, "voximplant", HISTORY)) == 7
    connection.close()


def test_a_list_that_is_not_counted_ends_with_an_empty_page(simulator: Simulator) -> None:
    answers = [part(0, 10, None), part(9, 14, None), part(13, 14, None)]
    connection = connect(owner(simulator, page_size=10), transport=answering(*answers))
    assert len(ids(records(connection.pages(WHOLE)), "voximplant")) == 14


def test_short_pages_do_not_end_a_list(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "voximplant", page_size=100))
    simulator.faults.next("short_page", None, "short_page", "short_page", provider="voximplant")
    found = ids(records(connection.pages(WHOLE)), "voximplant")
    assert found == ids(simulator.truth("voximplant"), "voximplant")
    connection.close()


def test_a_session_that_vanishes_during_the_walk_hides_no_other(simulator: Simulator) -> None:
    sessions = [{"call_session_history_id": number} for number in range(30)]

    def answer(request: httpx.Request) -> httpx.Response:
        offset = int(form_of(request)["offset"])
        shown = sessions[offset : offset + 10]
        body = {"result": shown, "total_count": len(sessions), "timezone": "Etc/GMT"}
        if offset == 0 and len(sessions) == 30:
            del sessions[3:5]
        return streamed(json.dumps(body).encode())

    connection = connect(owner(simulator, page_size=10), transport=httpx.MockTransport(answer))
    found = ids(records(connection.pages(WHOLE)), "voximplant")
    assert found >= {str(session["call_session_history_id"]) for session in sessions}


def moving(
    move: Callable[[list[dict[str, Any]], int], None], **options: Any
) -> tuple[httpx.MockTransport, list[dict[str, Any]]]:
    """A list of thirty sessions that is changed before each answer, given the number of the request."""
    sessions: list[dict[str, Any]] = [{"call_session_history_id": number} for number in range(30)]
    asked = count()

    def answer(request: httpx.Request) -> httpx.Response:
        move(sessions, next(asked))
        offset, size = (int(form_of(request)[name]) for name in ("offset", "count"))
        body = {"result": sessions[offset : offset + size], "total_count": len(sessions)} | options
        return streamed(json.dumps(body).encode())

    return httpx.MockTransport(answer), sessions


def test_a_session_that_moves_to_a_page_already_read_while_another_comes_hides_none(
    simulator: Simulator,
) -> None:
    def move(sessions: list[dict[str, Any]], request: int) -> None:
        if request == 1:
            del sessions[3]
            sessions.append({"call_session_history_id": 99})

    transport, sessions = moving(move)
    connection = connect(owner(simulator, page_size=10), transport=transport)
    found = ids(records(connection.pages(WHOLE)), "voximplant")
    assert found >= {str(session["call_session_history_id"]) for session in sessions}


def test_sessions_that_come_during_the_walk_are_no_reason_to_doubt_it(simulator: Simulator) -> None:
    def move(sessions: list[dict[str, Any]], request: int) -> None:
        if request:
            sessions.insert(0, {"call_session_history_id": -request})

    transport, _ = moving(move)
    connection = connect(owner(simulator, page_size=10), transport=transport)
    pages = list(connection.pages(WHOLE))
    found = ids(records(pages), "voximplant")
    assert {str(number) for number in range(30)} <= found
    assert len(found) >= (pages[-1].total or 0) == 30


def test_sessions_that_never_stay_in_place_are_an_error(simulator: Simulator) -> None:
    def move(sessions: list[dict[str, Any]], request: int) -> None:
        sessions[:] = [{"call_session_history_id": 100 * request + number} for number in range(30)]

    transport, _ = moving(move)
    connection = connect(owner(simulator, page_size=10), transport=transport)
    with pytest.raises(IncompleteRead, match="change places"):
        list(connection.pages(WHOLE))


@pytest.mark.parametrize("size", [1, 2, 3, 29, 30, 31])
def test_pages_of_every_size_reach_the_end(simulator: Simulator, size: int) -> None:
    answers: list[dict[str, Any]] = [{}, *({"total_count": said} for said in (None, "30", -1, 0, 7))]
    for said in answers:
        transport, _ = moving(lambda sessions, request: None, **said)
        connection = connect(owner(simulator, page_size=size), transport=transport)
        found = [row["call_session_history_id"] for row in records(connection.pages(WHOLE))]
        assert sorted(set(found)) == list(range(30))


def test_names_that_nobody_counts_are_read_to_their_end(simulator: Simulator) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        form = form_of(request)
        shown = range(250)[int(form.get("offset", 0)) :][: int(form.get("count", 0))]
        return streamed(json.dumps({"result": [{"application_id": number} for number in shown]}).encode())

    connection = connect(owner(simulator), transport=httpx.MockTransport(answer))
    applications = next(pages for kind, pages in connection.names() if kind.table == "applications")
    assert len(list(records(applications))) == 250


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": {"code": 500, "msg": "Internal error"}}, ServerFault),
        ({"error": {"code": 100, "msg": "Authorization failed"}}, AccessDenied),
        ({"error": {"code": "100", "msg": "Authorization failed"}}, AccessDenied),
        ({"error": {"code": 503, "msg": None}}, ServerFault),
        ({"error": {"code": 1, "msg": "Server is busy"}}, ServerFault),
        ({"error": {"code": 429}}, Throttled),
        ({"error": {"code": 9, "msg": "Too many requests"}}, Throttled),
        ({"error": {"code": 104, "msg": "The 'count' parameter is invalid"}}, RequestRefused),
        ({"errors": [{"code": 104, "msg": "bad"}], "result": []}, RequestRefused),
        ({}, ServerFault),
        ({"result": {"a": 1}}, UnreadableBody),
        ([], UnreadableBody),
    ],
)
def test_an_answer_of_status_200_without_a_list_is_an_error_and_no_end(
    simulator: Simulator, body: Any, error: type[ProviderError]
) -> None:
    connection = connect(owner(simulator), transport=answering(body))
    with pytest.raises(error) as raised:
        list(connection.pages(WHOLE))
    assert type(raised.value) is error


def test_a_status_401_is_a_refused_token_whatever_the_message(simulator: Simulator) -> None:
    answer = httpx.Response(401, content=b'{"error":{"code":1,"msg":"who are you"}}')
    connection = connect(owner(simulator), transport=answering(answer, part(0, 1, 1)))
    assert len(list(records(connection.pages(WHOLE)))) == 1


@pytest.mark.parametrize("total", [11_001, 50_000])
def test_more_sessions_than_paging_reaches_are_no_window(simulator: Simulator, total: int) -> None:
    seen: list[httpx.Request] = []
    connection = connect(owner(simulator), transport=answering(part(0, 1000, total), seen=seen))
    with pytest.raises(WindowOverflow, match=f"{total} sessions, of which paging reaches 11000"):
        list(connection.pages(WHOLE))
    assert len(seen) == 1


def test_as_many_sessions_as_paging_reaches_are_read(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "LARGEST_OFFSET", 500)
    connection = connect(simulated(simulator, "voximplant", page_size=100))
    assert len(ids(records(connection.pages(WHOLE)), "voximplant")) == 600
    monkeypatch.setattr(api, "LARGEST_OFFSET", 499)
    with pytest.raises(WindowOverflow):
        list(connection.pages(WHOLE))
    connection.close()


def test_everything_of_a_session_is_asked_for_in_the_windows_zone(simulator: Simulator) -> None:
    seen: list[httpx.Request] = []
    wanted = {
        "application_id": 7,
        "user_id": [1, 2],
        "remote_number": ["84901", "84902"],
        "remote_number_list": ["84901", "84902"],
        "children_calls_only": False,
    }
    account = owner(simulator, filter=wanted, timezone="Asia/Ho_Chi_Minh")
    connection = connect(account, transport=answering(part(0, 0, 0, "Asia/Ho_Chi_Minh"), seen=seen))
    list(connection.pages(WHOLE))
    assert str(seen[0].url) == "https://api.example/GetCallHistory"
    assert form_of(seen[0]) == {
        "application_id": "7",
        "user_id": "1;2",
        "remote_number": "84901;84902",
        "remote_number_list": '["84901", "84902"]',
        "children_calls_only": "false",
        "from_date": "2026-01-26 09:59:59",
        "to_date": "2026-02-01 10:00:00",
        "timezone": "Asia/Ho_Chi_Minh",
        "with_calls": "true",
        "with_records": "true",
        "with_other_resources": "true",
        "with_total_count": "true",
        "desc_order": "false",
        "count": "1000",
        "offset": "0",
    }


@pytest.mark.parametrize("said", ["Asia/Ho_Chi_Minh", "America/New_York", "Etc/GMT-8"])
def test_a_zone_other_than_asked_is_honoured(simulator: Simulator, said: str) -> None:
    expected = {
        row["call_session_history_id"]: row["start_date"].astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        for row in _sessions(simulator, None)
    }
    simulator.voximplant.answers_in_zone = said
    found = {
        row["call_session_history_id"]: row["start_date"].astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        for row in _sessions(simulator, said)
    }
    assert found == expected
    assert found == {
        row["call_session_history_id"]: row["start_date"] for row in simulator.truth("voximplant")
    }


def _sessions(simulator: Simulator, zone: str | None) -> list[dict[str, Any]]:
    connection = connect(simulated(simulator, "voximplant"))
    rows: dict[int, dict[str, Any]] = {}
    for window in WHOLE.halves():
        for page in connection.pages(window):
            shaped = shape(CALL_SESSIONS, page.records, account="main", zone=page.zone)
            for row in shaped.tables["call_sessions"].to_pylist():
                rows[row["call_session_history_id"]] = row
    assert dict(connection.findings) == ({"zone": zone} if zone else {})
    connection.close()
    return list(rows.values())


@pytest.mark.parametrize("said", ["Middle/Earth", "", "../etc/passwd"])
def test_a_zone_nobody_knows_is_an_error(simulator: Simulator, said: str) -> None:
    connection = connect(owner(simulator), transport=answering(part(0, 1, 1, said)))
    with pytest.raises(IncompleteRead, match="zone"):
        list(connection.pages(WHOLE))


def test_a_zone_that_changes_under_the_reader_is_an_error(simulator: Simulator) -> None:
    answers = [part(0, 10, 20), part(9, 19, 20, "Asia/Ho_Chi_Minh")]
    connection = connect(owner(simulator, page_size=10), transport=answering(*answers))
    with pytest.raises(IncompleteRead, match="answers in Asia/Ho_Chi_Minh"):
        list(connection.pages(WHOLE))


def test_sessions_asked_by_id_are_read_in_the_zone_of_the_answer(simulator: Simulator) -> None:
    wanted = [str(row["call_session_history_id"]) for row in simulator.truth("voximplant")[:3]]
    simulator.voximplant.answers_in_zone = "Asia/Ho_Chi_Minh"
    connection = connect(simulated(simulator, "voximplant"))
    (page,) = connection.pages_of(wanted)
    assert page.zone == "Asia/Ho_Chi_Minh"
    assert ids(records([page]), "voximplant") == set(wanted)
    connection.close()


def test_a_session_is_unfinished_until_it_has_ended_and_is_billed(simulator: Simulator) -> None:
    lasted = {"start_date": "2026-01-31 00:00:00", "duration": 5}
    billed = {"calls": [{"call_id": 1, "cost": 0.01}]}
    rows = [
        {"call_session_history_id": 1, "start_date": "2026-01-31 00:00:00"},
        {"call_session_history_id": 2, "finish_reason": "Normal termination"} | lasted,
        {"call_session_history_id": 3, "finish_reason": "Normal termination"} | lasted | billed,
        {"call_session_history_id": 4, "finish_reason": "Normal termination"} | lasted | {"duration": 0},
        {"call_session_history_id": 5} | lasted | billed,
    ]
    shaped = shape(CALL_SESSIONS, [json.dumps(row).encode() for row in rows], account="main", zone="UTC")
    assert dict(api.unfinished(shaped)) == dict.fromkeys(("1", "2", "5"), 1769817600)


def test_a_window_of_one_second_asks_for_itself_alone(simulator: Simulator) -> None:
    seen: list[httpx.Request] = []
    connection = connect(owner(simulator), transport=answering(part(0, 0, 0), seen=seen))
    list(connection.pages(Window(UNTIL, UNTIL + timedelta(seconds=1))))
    assert [form_of(seen[0])[key] for key in ("from_date", "to_date")] == [
        "2026-01-31 03:00:00",
        "2026-01-31 03:00:01",
    ]


def test_the_account_its_applications_and_users_have_names_and_no_secrets(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "voximplant"))
    shown = {}
    for record_type, pages in connection.names():
        raw = [record for page in pages for record in page.records]
        shaped = shape(record_type, raw, account="main", zone="UTC")
        shown[record_type.table] = shaped.tables[record_type.table].to_pylist()
    assert {table: bool(rows) for table, rows in shown.items()} == {
        "account_info": True,
        "applications": True,
        "users": True,
    }
    assert not {"api_key", "callback_salt"} & set(json.dumps(shown["account_info"], default=str).split('"'))
    assert all(row["application_id"] for row in shown["users"])
    connection.close()


@pytest.mark.parametrize("info", [None, [], "none"])
def test_check_copes_where_nothing_is_said_of_the_account(simulator: Simulator, info: object) -> None:
    nothing = {"result": [], "count": 0, "total_count": 0, "timezone": "Etc/GMT"}
    connection = connect(simulated(simulator, "voximplant"), transport=answering({"result": info}, nothing))
    assert next(connection.check()).found == "the key is accepted"
    connection.close()


def test_check_says_who_we_are_and_in_which_zone_times_come(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "voximplant"))
    found = {finding.topic: finding.found for finding in connection.check()}
    assert found == {"access": "account 8400000, currency USD", "time zone": "Etc/GMT, as asked"}
    connection.close()
