from __future__ import annotations

import json
from itertools import count
from typing import Any

import httpx
import pytest

from simulator import Simulator
from sources.account import Account
from sources.errors import (
    AccessDenied,
    ConfigError,
    IncompleteRead,
    ProviderError,
    RequestRefused,
    ServerFault,
    Throttled,
    UnreadableBody,
)
from sources.etelecom.fields import EXTENSIONS
from sources.etelecom.options import FILTER_KEYS
from sources.shaping import shape
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
    streamed,
)


def with_sorted_targets(call_log: dict[str, Any]) -> dict[str, Any]:
    return call_log | {"call_targets": sorted(call_log["call_targets"], key=json.dumps)}


def shop(**options: Any) -> Account:
    return account_of(
        "etelecom", **{"api_key": "1:secret", "base_url": "https://api.example/v1/shop"} | options
    )


def call_log(number: int) -> dict[str, str]:
    return {"id": str(number)}


def page(first: int, last: int, following: str | int) -> dict[str, Any]:
    return {"call_logs": [call_log(number) for number in range(first, last)], "paging": {"next": following}}


EMPTY = page(0, 0, "")


def test_a_window_holds_every_call_log_with_its_whole_content(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "etelecom", page_size=70))
    found = map(with_sorted_targets, records(connection.pages(WHOLE)))
    assert sorted_content(found) == sorted_content(map(with_sorted_targets, simulator.truth("etelecom")))
    connection.close()


def test_windows_that_meet_lose_no_call_log(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "etelecom"))
    first, second = WHOLE.halves()
    found = ids(records([*connection.pages(first), *connection.pages(second)]), "etelecom")
    assert found == ids(simulator.truth("etelecom"), "etelecom")
    connection.close()


def test_times_are_asked_in_utc_and_the_whole_filter_passes() -> None:
    seen: list[httpx.Request] = []
    wanted = {key: f"a {key}" for key in FILTER_KEYS} | {"duration": {"comparison": "less_than", "value": 5}}
    connection = connect(shop(filter=wanted), transport=answering(EMPTY, seen=seen))
    assert list(connection.pages(WHOLE)) == []
    asked = json.loads(seen[0].content)
    dates = {"date_from": "2026-01-26T02:59:59Z", "date_to": "2026-02-01T03:00:00Z"}
    assert asked == {"filter": wanted | dates, "paging": {"limit": 100}}
    assert str(seen[0].url) == "https://api.example/v1/shop.Etelecom/ListCallLogs"
    assert seen[0].headers["Authorization"] == "Bearer 1:secret"


def test_a_filter_the_provider_does_not_know_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match=r"filter\.colour is not a filter of ListCallLogs"):
        shop(filter={"colour": "red"})


@pytest.mark.parametrize("service", ["Etelecom", "Interits", "Sencloud"])
def test_a_white_label_is_another_service_name(simulator: Simulator, service: str) -> None:
    connection = connect(simulated(simulator, "etelecom", service=service))
    assert len(list(records(connection.pages(WHOLE)))) == 600
    connection.close()


def test_a_partner_reads_at_its_own_address_with_the_shops_key(simulator: Simulator) -> None:
    partner = simulator.credentials("etelecom")["partner"]
    connection = connect(account_of("etelecom", **partner))
    assert len(list(records(connection.pages(WHOLE)))) == 600
    connection.close()
    swapped = partner | {"base_url": simulator.credentials("etelecom")["base_url"]}
    connection = connect(account_of("etelecom", **swapped))
    with pytest.raises(AccessDenied):
        list(connection.pages(WHOLE))
    connection.close()


def test_a_list_ends_with_an_empty_page() -> None:
    seen: list[httpx.Request] = []
    connection = connect(shop(), transport=answering(page(0, 40, "a"), page(40, 50, "b"), EMPTY, seen=seen))
    assert len(list(records(connection.pages(WHOLE)))) == 50
    assert [json.loads(sent.content)["paging"].get("after") for sent in seen] == [None, "a", "b"]


def test_an_empty_page_behind_a_full_one_is_believed_the_second_time() -> None:
    pages = [page(0, 100, "a"), EMPTY, page(100, 130, "b"), EMPTY]
    connection = connect(shop(), transport=answering(*pages))
    assert len(list(records(connection.pages(WHOLE)))) == 130
    seen: list[httpx.Request] = []
    connection = connect(shop(), transport=answering(page(0, 100, "a"), EMPTY, seen=seen))
    assert len(list(records(connection.pages(WHOLE)))) == 100
    assert len(seen) == 3


def test_a_list_that_a_fault_empties_once_is_read_whole(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "etelecom"))
    simulator.faults.next("empty_page", None, "short_page", None, "empty_page", provider="etelecom")
    assert ids(records(connection.pages(WHOLE)), "etelecom") == ids(simulator.truth("etelecom"), "etelecom")
    connection.close()


def test_an_empty_cursor_ends_a_list() -> None:
    seen: list[httpx.Request] = []
    connection = connect(shop(), transport=answering(page(0, 100, ""), seen=seen))
    assert len(list(records(connection.pages(WHOLE)))) == 100
    assert len(seen) == 1


def test_a_list_whose_cursor_never_ends_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.etelecom.api.MOST_PAGES", 50)
    asked = count()

    def answer(request: httpx.Request) -> httpx.Response:
        number = next(asked)
        return streamed(json.dumps(page(100 * number, 100 * number + 100, f"cursor {number}")).encode())

    connection = connect(shop(), transport=httpx.MockTransport(answer))
    with pytest.raises(IncompleteRead, match="did not end after 50 pages"):
        list(connection.pages(WHOLE))


def test_a_cursor_may_be_a_number() -> None:
    connection = connect(shop(), transport=answering(page(0, 40, 7), page(40, 50, 8), EMPTY))
    assert len(list(records(connection.pages(WHOLE)))) == 50


@pytest.mark.parametrize("kind", ["repeated_cursor", "endless"])
def test_a_list_that_does_not_move_on_is_an_error(simulator: Simulator, kind: str) -> None:
    connection = connect(simulated(simulator, "etelecom"))
    simulator.faults.sometimes(kind, 1.0, "etelecom")
    with pytest.raises(IncompleteRead, match=r"ListCallLogs (repeats|shows)"):
        list(connection.pages(WHOLE))
    assert len(requests_of(simulator, "etelecom")) <= 4
    connection.close()


def test_a_cursor_that_repeats_with_new_records_is_an_error() -> None:
    connection = connect(shop(), transport=answering(page(0, 9, "a"), page(9, 18, "a")))
    with pytest.raises(IncompleteRead, match="repeats the cursor"):
        list(connection.pages(WHOLE))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"code": "internal", "msg": "internal error"}, ServerFault),
        ({"code": "unauthenticated", "msg": "unauthenticated"}, AccessDenied),
        ({"code": "resource_exhausted", "msg": "slow down"}, Throttled),
        ({"code": "invalid_argument", "msg": "bad"}, RequestRefused),
        ({"code": "brand_new", "msg": "bad"}, RequestRefused),
        ({}, UnreadableBody),
        ({"ok": True}, UnreadableBody),
        ({"call_logs": {"id": "1"}}, UnreadableBody),
        ({"call_logs": [{"id": "1"}]}, UnreadableBody),
        ({"call_logs": [{"id": "1"}], "paging": None}, UnreadableBody),
        ({"code": 503, "msg": "upstream"}, ServerFault),
    ],
)
def test_an_answer_of_status_200_without_a_list_is_an_error_and_no_end(
    body: dict[str, Any], error: type[ProviderError]
) -> None:
    connection = connect(shop(), transport=answering(body))
    with pytest.raises(error):
        list(connection.pages(WHOLE))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, {"code": "resource_exhausted", "msg": ""}, Throttled),
        (403, {"code": "permission_denied", "msg": ""}, AccessDenied),
        (401, {"code": "brand_new", "msg": ""}, AccessDenied),
        (409, {"code": "aborted", "msg": ""}, ServerFault),
        (408, {"code": "canceled", "msg": ""}, ServerFault),
        (500, {"code": "brand_new", "msg": ""}, ServerFault),
        (404, {"code": "bad_route", "msg": "no handler"}, RequestRefused),
        (502, {"code": 502, "message": "Bad gateway"}, ServerFault),
    ],
)
def test_the_code_says_more_than_the_status_and_the_status_where_the_code_is_unknown(
    status: int, body: dict[str, Any], error: type[ProviderError]
) -> None:
    answer = httpx.Response(status, content=json.dumps(body).encode())
    connection = connect(shop(), transport=answering(answer))
    with pytest.raises(error) as raised:
        list(connection.pages(WHOLE))
    assert type(raised.value) is error


def test_the_passwords_of_extensions_are_kept_nowhere(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "etelecom"))
    ((record_type, pages),) = connection.names()
    raw = [record for page in pages for record in page.records]
    passwords = [json.loads(record)["extension_password"] for record in raw]
    shaped = shape(record_type, raw, account="main", zone="UTC")
    shown = json.dumps(shaped.tables["extensions"].to_pylist(), default=str)
    assert record_type is EXTENSIONS
    assert passwords
    assert not any(password in shown for password in passwords)
    assert "password" not in shown
    connection.close()


def test_check_says_that_the_key_works_and_how_long_a_page_is(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "etelecom"))
    assert [finding.found for finding in connection.check()] == [
        "the key is accepted",
        "asked for 200 call logs, got 100",
    ]
    connection.close()
