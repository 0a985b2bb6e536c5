"""What can be made to go wrong, and what the journal then says."""

from __future__ import annotations

import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from simulator import FaultKind, Simulator
from tests.simulator.clients import Etelecom, Vbot, Voximplant


def ask(etelecom: Etelecom) -> httpx.Response:
    return etelecom.post("Etelecom/ListCallLogs", {})


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_status_is_given_once_and_then_all_is_well(
    simulator: Simulator, etelecom: Etelecom, status: int
) -> None:
    simulator.faults.next(str(status), seconds=2)
    first = ask(etelecom)
    assert first.status_code == status
    assert first.headers.get("retry-after") == ("2" if status in (429, 503) else None)
    assert ask(etelecom).status_code == 200


def test_a_script_lets_requests_pass_in_between(simulator: Simulator, etelecom: Etelecom) -> None:
    simulator.faults.next("500", None, "503")
    assert [ask(etelecom).status_code for _ in range(4)] == [500, 200, 503, 200]


def test_faults_can_be_meant_for_one_provider_or_endpoint(
    simulator: Simulator, etelecom: Etelecom, v3: Vbot
) -> None:
    simulator.faults.next("500", provider="vbot", endpoint="call/count-all")
    assert ask(etelecom).status_code == 200
    assert v3.get("m-cdr/api/call/get-all").status_code == 200
    assert v3.get("m-cdr/api/call/count-all").status_code == 500


def test_chances_follow_the_seed() -> None:
    def statuses(seed: int) -> list[int]:
        with Simulator(calls=5, seed=seed) as simulator, httpx.Client() as http:
            simulator.faults.sometimes("503", 0.5)
            return [ask(Etelecom(simulator, http)).status_code for _ in range(12)]

    assert statuses(1) == statuses(1)
    assert set(statuses(1)) == {200, 503}
    assert statuses(1) != statuses(2)


def test_a_mix_befalls_the_same_requests_in_whatever_order_they_come() -> None:
    def befallen(order: range) -> dict[str, str]:
        with Simulator(calls=5, seed=3) as simulator, httpx.Client() as http:
            simulator.faults.mix(["429_until", "500", "html", "garbage"], 0.5, "etelecom", seconds=2)
            etelecom = Etelecom(simulator, http)
            for limit in order:
                etelecom.post("Etelecom/ListCallLogs", {"paging": {"limit": limit}})
            # A request stands in the journal when it is done, which may be after its answer came.
            while sum(simulator.requests.in_flight.values()):
                time.sleep(0.001)
            entries = simulator.requests.select("etelecom")
        return {entry.parameters: entry.fault for entry in entries}

    found = befallen(range(1, 41))
    assert befallen(range(40, 0, -1)) == found
    assert 10 < sum(map(bool, found.values())) < 30
    assert set(found.values()) == {"", "429_until", "500", "html", "garbage"}


def test_a_pause_may_be_asked_for_as_a_date(simulator: Simulator, etelecom: Etelecom) -> None:
    simulator.faults.next("429_until", seconds=60)
    asked = parsedate_to_datetime(ask(etelecom).headers["retry-after"])
    assert 50 < (asked - datetime.now(UTC)).total_seconds() <= 60


def test_garbage_is_a_complete_reply_of_a_million_bytes(simulator: Simulator, etelecom: Etelecom) -> None:
    simulator.faults.next("garbage")
    reply = ask(etelecom)
    assert (reply.status_code, reply.headers["content-type"], len(reply.content)) == (
        200,
        "application/json",
        1_000_000,
    )


def test_clear_ends_all_faults(simulator: Simulator, etelecom: Etelecom) -> None:
    simulator.faults.sometimes("500", 1.0)
    assert ask(etelecom).status_code == 500
    simulator.faults.clear()
    assert ask(etelecom).status_code == 200


def test_html_with_200(simulator: Simulator, etelecom: Etelecom) -> None:
    simulator.faults.next("html")
    reply = ask(etelecom)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html")


def test_truncated_json_is_a_complete_reply_that_does_not_parse(
    simulator: Simulator, etelecom: Etelecom
) -> None:
    simulator.faults.next("truncated_json")
    reply = ask(etelecom)
    assert reply.status_code == 200
    with pytest.raises(ValueError, match=r".*"):
        reply.json()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", httpx.ReadError),
        ("reset_after_headers", httpx.ReadError),
        ("reset_mid_body", httpx.ReadError),
        ("short_body", httpx.RemoteProtocolError),
        ("hang", httpx.ReadTimeout),
        ("hang_mid_body", httpx.ReadTimeout),
    ],
)
def test_connections_break_where_they_are_told_to(
    simulator: Simulator, etelecom: Etelecom, kind: str, error: type[Exception]
) -> None:
    with httpx.Client(timeout=0.2 if kind.startswith("hang") else 10) as http:
        simulator.faults.next(kind, seconds=30)
        with pytest.raises(error):
            ask(Etelecom(simulator, http))
    assert ask(etelecom).status_code == 200


def test_a_simulator_stops_while_a_request_hangs() -> None:
    began = time.monotonic()
    with httpx.Client(timeout=0.1) as http, Simulator(calls=5) as simulator:
        simulator.faults.next("hang", seconds=60)
        with pytest.raises(httpx.ReadTimeout):
            ask(Etelecom(simulator, http))
    assert time.monotonic() - began < 10


def test_errors_in_the_provider_s_own_words_with_200(
    simulator: Simulator, etelecom: Etelecom, v3: Vbot, voximplant: Voximplant
) -> None:
    simulator.faults.sometimes("error_body", 1.0)
    assert ask(etelecom).json()["code"] == "internal"
    assert v3.get("m-cdr/api/call/get-all").json()["error"] == 500
    assert voximplant.history()["error"]["code"] == 500


def test_an_expired_token_must_be_replaced(simulator: Simulator, v2: Vbot, voximplant: Voximplant) -> None:
    path = "api/crm/historycall/getAll"
    v2.mint()
    simulator.faults.next("expired_token", provider="vbot")
    assert [v2.get(path).status_code for _ in range(2)] == [401, 401]
    v2.mint()
    assert v2.get(path).status_code == 200
    assert "result" in voximplant.history()
    simulator.faults.next("expired_token", provider="voximplant")
    assert ["error" in voximplant.history() for _ in range(2)] == [True, True]
    voximplant.token = voximplant.sign(jti="another")
    assert "result" in voximplant.history()
    simulator.expire_tokens("vbot")
    assert v2.get(path).status_code == 401
    assert simulator.requests.tokens_minted == {"vbot": 2, "voximplant": 2}


def test_a_repeated_cursor_leads_to_the_same_page(simulator: Simulator, etelecom: Etelecom) -> None:
    after = etelecom.page()["paging"]["next"]
    simulator.faults.next("repeated_cursor")
    assert etelecom.page({"after": after})["paging"]["next"] == after


def test_an_endless_list_gives_its_first_page_under_ever_new_cursors(
    simulator: Simulator, etelecom: Etelecom, v3: Vbot, voximplant: Voximplant
) -> None:
    simulator.faults.sometimes("endless", 1.0)
    pages = []
    after = ""
    for _ in range(3):
        pages.append(etelecom.page({"after": after}))
        after = pages[-1]["paging"]["next"]
    assert len({row["id"] for page in pages for row in page["call_logs"]}) == 100
    assert len({page["paging"]["next"] for page in pages}) == 3
    assert v3.get("m-cdr/api/call/get-all", page=9).json() == v3.get("m-cdr/api/call/get-all").json()
    assert voximplant.history(offset=40)["result"] == voximplant.history()["result"]


def test_short_and_empty_pages_though_more_follows(
    simulator: Simulator, etelecom: Etelecom, v3: Vbot, voximplant: Voximplant
) -> None:
    simulator.faults.sometimes("short_page", 1.0)
    assert len(etelecom.page()["call_logs"]) == 50
    assert len(v3.get("m-cdr/api/call/get-all", size=50).json()["data"]) == 25
    page = voximplant.history(count=100)
    assert (len(page["result"]), page["count"], page["total_count"]) == (50, 50, 600)
    simulator.faults.clear()
    simulator.faults.sometimes("empty_page", 1.0)
    assert etelecom.page()["call_logs"] == []
    assert v3.get("m-cdr/api/call/get-all").json()["data"] == []
    assert voximplant.history()["total_count"] == 600


def test_a_rate_limit_counts_each_account_for_itself() -> None:
    seconds = [0.0]
    with Simulator(calls=5, accounts=2, timer=lambda: seconds[0]) as simulator, httpx.Client() as http:
        simulator.faults.limit_rate("etelecom", 3)
        first, second = (Etelecom(simulator, http, account) for account in (0, 1))
        assert [ask(first).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        assert ask(second).status_code == 200
        assert ask(first).headers["retry-after"] == "1"
        seconds[0] = 1.0
        assert ask(first).status_code == 200


def test_latency_delays_each_answer(simulator: Simulator, etelecom: Etelecom) -> None:
    simulator.faults.latency_ms = 120
    began = time.monotonic()
    ask(etelecom)
    assert time.monotonic() - began >= 0.12


def test_the_journal_knows_who_asked_what_how_often_and_how_many_at_once() -> None:
    with (
        Simulator(calls=5, latency_ms=80, timer=lambda: 0.0) as simulator,
        httpx.Client() as http,
        ThreadPoolExecutor(4) as pool,
    ):
        etelecom = Etelecom(simulator, http)
        list(pool.map(lambda _: ask(etelecom), range(8)))
        Vbot(simulator, http, "v2").get("api/crm/historycall/getAll", page=2)
    journal = simulator.requests
    assert journal.count("etelecom", "ListCallLogs", account=0) == 8
    assert 2 <= journal.peak_in_flight("etelecom") <= 4
    assert journal.peak_per_second("etelecom") == 8
    asked = journal.select("vbot", "historycall/getAll")[0]
    assert "page=2" in asked.parameters
    assert asked.status == 200
    journal.clear()
    assert journal.count() == 0


def test_https_is_answered_on_the_same_port(simulator: Simulator) -> None:
    trusting = ssl.create_default_context(cafile=simulator.certificate_file)
    with httpx.Client(verify=trusting) as http:
        reply = http.get(f"https://127.0.0.1:{simulator.port}/voximplant/platform_api/GetNothing")
    assert reply.json()["error"]["code"] == 103
    with httpx.Client() as http, pytest.raises(httpx.ConnectError):
        http.get(f"https://127.0.0.1:{simulator.port}/")


def test_unknown_fault_names_are_refused(simulator: Simulator) -> None:
    with pytest.raises(ValueError, match="slowness"):
        simulator.faults.next("slowness")
    assert FaultKind("503") is FaultKind.UNAVAILABLE


def test_data_changes_while_it_is_read(simulator: Simulator, etelecom: Etelecom) -> None:
    first = etelecom.page()
    late = simulator.add_late("etelecom", datetime(2026, 1, 25, 5, tzinfo=UTC))
    simulator.hide("etelecom", first["call_logs"][-1]["id"])
    second = etelecom.page({"after": first["paging"]["next"]})
    truth = [row["id"] for row in simulator.truth("etelecom")[::-1]]
    assert [row["id"] for row in second["call_logs"]] == truth[99:199]
    assert late in truth
