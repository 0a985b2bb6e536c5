"""What VBot leaves open is found out: the number of the first page, and the unit of from and to."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from simulator import Simulator
from tests.sources.accounts import (
    WHOLE,
    answering,
    connect,
    ids,
    records,
    requests_of,
    simulated,
    streamed,
)
from tests.sources.vbot import DAY, group, in_day, legacy


def page_base_of(connection: Any) -> str | None:
    """The number of the first page that was found out."""
    return next((said for topic, said in connection.findings.items() if topic.startswith("page_base")), None)


@pytest.mark.parametrize("unit", ["s", "ms", "none"])
def test_the_unit_of_v2_is_found_out_once_and_remembered(simulator: Simulator, unit: Any) -> None:
    simulator.vbot.time_unit = unit
    connection = connect(simulated(simulator, "vbot", "v2"))
    assert connection.walks is (unit == "none")
    assert page_base_of(connection) == "1"
    assert connection.findings["time_unit"] == unit
    assert in_day(simulator) <= ids(records(connection.pages(DAY)), "vbot")
    connection.close()

    asked = len(requests_of(simulator, "vbot"))
    again = connect(simulated(simulator, "vbot", "v2"), dict(connection.findings))
    assert again.walks is (unit == "none")
    assert len(requests_of(simulator, "vbot")) == asked
    again.close()


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_a_unit_that_is_configured_is_not_probed(simulator: Simulator, unit: Any) -> None:
    simulator.vbot.time_unit = unit
    connection = connect(simulated(simulator, "vbot", "v2", time_unit=unit))
    found = ids(records(connection.pages(DAY)), "vbot")
    assert in_day(simulator) <= found
    assert len(found) < 300
    connection.close()


def test_an_account_without_a_call_is_walked_and_asked_for_the_unit_again(simulator: Simulator) -> None:
    for record in simulator.truth("vbot"):
        simulator.hide("vbot", record["group_id"])
    connection = connect(simulated(simulator, "vbot", "v2"))
    assert connection.walks
    assert not connection.findings
    assert list(records(connection.pages(WHOLE))) == []
    connection.close()


@pytest.mark.parametrize(("version", "base"), [("v3", 0), ("v2", 1), ("v1", 1)])
def test_the_first_page_has_the_number_of_the_version(simulator: Simulator, version: str, base: int) -> None:
    connection = connect(simulated(simulator, "vbot", version))
    findings = {finding.topic: finding.found for finding in connection.check()}
    assert findings["access"] == "the provider counts 600 calls"
    assert findings["page base"] == str(base)
    connection.close()


def numbered(calls: int, *, base: int, is_clamped: bool, is_counted: bool) -> httpx.MockTransport:
    """A list in pages of 50, the first with the number `base`; what is not there is empty, or the nearest."""
    group_ids = [{"group_id": str(number), "date_create": "01/31/2026 08:00:00"} for number in range(calls)]

    def answer(request: httpx.Request) -> httpx.Response:
        if "count" in request.url.path:
            return streamed(json.dumps({"error": 0, "data": calls if is_counted else None}).encode())
        page = int(request.url.params["page"]) - base
        last = max(0, calls - 1) // 50
        page = min(max(page, 0), last) if is_clamped else page
        shown = group_ids[50 * page :][:50] if page >= 0 else []
        return streamed(json.dumps({"error": 0, "data": shown or None}).encode())

    return httpx.MockTransport(answer)


@pytest.mark.parametrize("calls", [0, 1, 49, 50, 51, 130])
@pytest.mark.parametrize("is_counted", [True, False])
@pytest.mark.parametrize("is_clamped", [True, False])
@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("version", ["v3", "v2"])
def test_the_number_of_the_first_page_is_found_out(
    version: str, base: int, is_clamped: bool, is_counted: bool, calls: int
) -> None:
    transport = numbered(calls, base=base, is_clamped=is_clamped, is_counted=is_counted)
    account = group(page_base=None, page_size=50) if version == "v3" else legacy(page_base=None)
    connection = connect(account, transport=transport)
    assert ids(records(connection.pages(WHOLE)), "vbot") == {str(number) for number in range(calls)}
    assert page_base_of(connection) in ({str(base), None} if calls <= 50 else {str(base)})


def test_a_fault_does_not_pass_for_the_number_of_the_first_page() -> None:
    fault = {"error": 500, "message": "down", "data": None}
    page = {"error": 0, "data": [{"group_id": "1"}]}
    answers = [{"error": 0, "data": 1}, fault, fault, page]
    connection = connect(group(page_base=None), transport=answering(*answers))
    assert ids(records(connection.pages(DAY)), "vbot") == {"1"}
    assert not connection.findings


def test_the_first_page_of_another_version_is_looked_for_anew(simulator: Simulator) -> None:
    deprecated = connect(simulated(simulator, "vbot", "v2"))
    list(deprecated.pages(DAY))
    connection = connect(simulated(simulator, "vbot", "v3"), dict(deprecated.findings))
    assert len(ids(records(connection.pages(WHOLE)), "vbot")) == 600
    deprecated.close()
    connection.close()


def test_a_first_page_that_was_found_out_wrong_is_looked_for_once_more(simulator: Simulator) -> None:
    account = simulated(simulator, "vbot", "v3")
    right = connect(account)
    every = ids(records(right.pages(WHOLE)), "vbot")
    (topic,) = (topic for topic in right.findings if topic.startswith("page_base"))
    right.close()
    connection = connect(account, {topic: "1"})
    assert ids(records(connection.pages(WHOLE)), "vbot") < every
    assert ids(records(connection.pages(WHOLE)), "vbot") == every
    assert page_base_of(connection) == "0"
    connection.close()


def test_a_page_base_that_is_configured_is_used(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "vbot", page_base=2))
    assert len(list(records(connection.pages(WHOLE)))) == 400
    connection.close()


def test_the_first_page_is_looked_for_once_whatever_is_read(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "vbot", page_size=100))
    windows = [connection.pages(DAY), connection.pages(WHOLE)]
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(lambda pages: list(records(pages)), windows))
    asked = [entry.parameters for entry in requests_of(simulator, "vbot", "call/get-all")]
    assert len([parameters for parameters in asked if "size=20" in parameters]) == 4
    connection.close()
