from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from simulator import FaultKind, Simulator
from sources import http
from sources.client import Client
from sources.credentials import ApiKey
from sources.errors import (
    AccessDenied,
    CallsyncError,
    NetworkFault,
    ProviderError,
    RequestRefused,
    ServerFault,
    Throttled,
    Transient,
    UnreadableBody,
)
from sources.forms import Form
from sources.http import LONGEST_ANSWER_TIMEOUTS, Api, Request, retry_after
from sources.pace import PACE_MARGIN_SECONDS, Pace
from sources.redaction import SHORTEST_TRACE
from tests.sources.accounts import (
    UNTIL,
    WHOLE,
    answering,
    connect,
    requests_of,
    simulated,
    streamed,
)
from tests.sources.clock import Clock

NOW = datetime(2026, 1, 31, 3, 0, tzinfo=UTC)
KEY = "a-very-secret-key-0123456789"
ASK = Request("GET", "https://api.example/list")
OBJECT = Form(dict[str, Any])


@dataclass
class Rig:
    """An Api over given answers, with what was sent and how long it waited."""

    api: Api
    seen: list[httpx.Request]
    waits: list[float]

    def ask(self, **options: Any) -> Any:
        return self.api.call(ASK, OBJECT.read, **options)


@pytest.fixture
def rig() -> Iterator[Callable[..., Rig]]:
    opened: list[Api] = []

    def make(*answers: Any, credential: Any = None, attempts: int = 4) -> Rig:
        seen: list[httpx.Request] = []
        waits: list[float] = []
        api = Api(
            credential or ApiKey("X-API-Key", KEY),
            timeout_seconds=5,
            max_attempts=attempts,
            requests_per_second=0,
            connections=2,
            transport=answering(*answers, seen=seen),
            sleep=waits.append,
        )
        opened.append(api)
        return Rig(api, seen, waits)

    yield make
    for api in opened:
        api.close()


@dataclass
class Token:
    """A credential that can be renewed, counting how often."""

    turns: int = 0
    secrets: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    refused: list[Mapping[str, str]] = field(default_factory=list)

    def headers(self, client: Client) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.turns}"}

    def renew(self, refused: Mapping[str, str]) -> bool:
        self.refused.append(dict(refused))
        self.turns += 1
        return True


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator(calls=300, seed=7, days=4, until=UNTIL) as simulator:
        simulator.settle()
        yield simulator


@pytest.fixture
def simulator(running: Simulator) -> Simulator:
    """One simulator for all tests here: they play faults on it and change nothing."""
    running.faults.clear()
    requests_of(running, "")
    running.requests.clear()
    return running


FAULTS = {
    FaultKind.TOO_MANY: Throttled,
    FaultKind.UNAVAILABLE: ServerFault,
    FaultKind.SERVER_ERROR: ServerFault,
    FaultKind.BAD_GATEWAY: ServerFault,
    FaultKind.HTML: UnreadableBody,
    FaultKind.TRUNCATED_JSON: UnreadableBody,
    FaultKind.SHORT_BODY: NetworkFault,
    FaultKind.RESET: NetworkFault,
    FaultKind.RESET_AFTER_HEADERS: NetworkFault,
    FaultKind.RESET_MID_BODY: NetworkFault,
    FaultKind.HANG: NetworkFault,
    FaultKind.HANG_MID_BODY: NetworkFault,
    FaultKind.ERROR_BODY: ServerFault,
    FaultKind.EXPIRED_TOKEN: AccessDenied,
}


@pytest.mark.parametrize(("kind", "error"), FAULTS.items())
@pytest.mark.parametrize("provider", ["vbot", "etelecom", "voximplant"])
def test_every_fault_is_an_error_of_its_kind_after_all_attempts(
    simulator: Simulator, provider: str, kind: FaultKind, error: type[ProviderError]
) -> None:
    connection = connect(simulated(simulator, provider, timeout_seconds=0.1))
    simulator.faults.sometimes(kind, 1.0, provider, seconds=0.2)
    with pytest.raises(error) as raised:
        list(connection.pages(WHOLE))
    connection.close()
    is_renewed = kind is FaultKind.EXPIRED_TOKEN and provider == "voximplant"
    assert type(raised.value) is error
    assert len(requests_of(simulator, provider)) == (3 if issubclass(error, Transient) or is_renewed else 1)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", [kind for kind in FAULTS if kind is not FaultKind.EXPIRED_TOKEN])
def test_a_fault_that_passes_is_not_noticed(simulator: Simulator, kind: FaultKind) -> None:
    provider = "etelecom"
    connection = connect(simulated(simulator, provider, timeout_seconds=0.3))
    simulator.faults.next(None, kind, kind, provider=provider, seconds=0.4)
    pages = list(connection.pages(WHOLE))
    connection.close()
    assert sum(len(page.records) for page in pages) == len(simulator.truth(provider))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, RequestRefused),
        (401, AccessDenied),
        (403, AccessDenied),
        (404, RequestRefused),
        (408, ServerFault),
        (425, ServerFault),
        (429, Throttled),
        (500, ServerFault),
        (501, RequestRefused),
        (503, ServerFault),
    ],
)
def test_a_status_says_whether_another_attempt_is_worth_it(
    rig: Callable[..., Rig], status: int, error: type[ProviderError]
) -> None:
    made = rig(httpx.Response(status, content=b"<html>no</html>"))
    with pytest.raises(error, match=f"api.example/list answered HTTP {status}$"):
        made.ask()
    assert len(made.seen) == (4 if issubclass(error, Transient) else 1)


@pytest.mark.parametrize(
    "body", [b"", b"<html></html>", b'{"a": [1, 2', b"[]", b"null", b"\xff\xfe", b'{"a":"\xff"}']
)
def test_a_body_that_is_not_the_documented_form_is_asked_for_again(
    rig: Callable[..., Rig], body: bytes
) -> None:
    made = rig(body, {"a": 1})
    assert made.ask() == {"a": 1}
    made = rig(body)
    with pytest.raises(UnreadableBody):
        made.ask()
    assert len(made.seen) == 4


def test_an_answer_that_cannot_be_unpacked_is_asked_for_again(rig: Callable[..., Rig]) -> None:
    for packing in ("gzip", "br", "gzip, gzip"):

        def packed(packing: str = packing) -> httpx.Response:
            return streamed(b"{}", 200, httpx.Headers({"Content-Encoding": packing}))

        assert rig(packed, {"a": 1}).ask() == {"a": 1}
        with pytest.raises(UnreadableBody, match="cannot be unpacked"):
            rig(packed).ask()


@pytest.mark.parametrize("status", [429, 503])
def test_the_provider_is_given_the_seconds_it_asks_for(rig: Callable[..., Rig], status: int) -> None:
    made = rig(httpx.Response(status, headers={"Retry-After": "7"}), {"a": 1})
    made.ask()
    assert 7 <= made.waits[0] < 8


@time_machine.travel(NOW, tick=False)
def test_the_provider_is_given_the_time_until_the_date_it_names(rig: Callable[..., Rig]) -> None:
    header = format_datetime(NOW + timedelta(seconds=40), usegmt=True)
    made = rig(httpx.Response(503, headers={"Retry-After": header}), {"a": 1})
    made.ask()
    assert made.waits[0] == 40


def test_a_pause_longer_than_a_run_should_take_is_left_to_the_next_run(rig: Callable[..., Rig]) -> None:
    made = rig(httpx.Response(429, headers={"Retry-After": "86400"}))
    with pytest.raises(Throttled):
        made.ask()
    assert (len(made.seen), made.waits) == (1, [])


@given(st.text(max_size=40))
def test_no_retry_after_header_breaks_the_reader(header: str) -> None:
    seconds = retry_after(header, NOW)
    assert seconds is None or seconds >= 0


def test_a_date_that_has_passed_asks_for_no_pause() -> None:
    assert retry_after(format_datetime(NOW - timedelta(hours=1), usegmt=True), NOW) == 0
    assert retry_after("-3", NOW) == 0
    assert retry_after(None, NOW) is None
    assert retry_after("soon", NOW) is None


def test_waits_grow_at_random_and_are_bounded(rig: Callable[..., Rig]) -> None:
    waits = []
    for _ in range(20):
        made = rig(httpx.ConnectError("refused"), attempts=9)
        with pytest.raises(NetworkFault):
            made.ask()
        waits.append(made.waits)
    for turn, column in enumerate(zip(*waits, strict=True)):
        assert (
            0
            <= min(column)
            < max(column)
            <= min(http.FIRST_WAIT_SECONDS * 2**turn, http.LONGEST_WAIT_SECONDS)
        )


def test_a_refused_credential_is_renewed_once_and_the_request_sent_again(rig: Callable[..., Rig]) -> None:
    token = Token()
    made = rig(httpx.Response(401), {"a": 1}, credential=token)
    assert made.ask() == {"a": 1}
    assert [sent.headers["Authorization"] for sent in made.seen] == ["Bearer 0", "Bearer 1"]
    assert token.refused == [{"Authorization": "Bearer 0"}]


def test_a_credential_that_was_never_accepted_is_renewed_twice_at_most(rig: Callable[..., Rig]) -> None:
    token = Token()
    made = rig(httpx.Response(401), credential=token, attempts=6)
    with pytest.raises(AccessDenied):
        made.ask()
    assert (len(made.seen), token.turns) == (3, 2)


def test_a_credential_that_was_accepted_is_renewed_as_often_as_it_expires(rig: Callable[..., Rig]) -> None:
    token = Token()
    expired = [httpx.Response(401)] * 4
    made = rig({"a": 0}, *expired, {"a": 1}, httpx.Response(401), credential=token, attempts=4)
    assert made.ask() == {"a": 0}
    assert made.ask() == {"a": 1}
    assert len(made.seen) == 6
    assert made.waits[0] == 0
    with pytest.raises(AccessDenied):
        made.ask()
    assert len(made.seen) == 6 + 5


def test_a_renewal_costs_no_attempt(rig: Callable[..., Rig]) -> None:
    made = rig(httpx.Response(401), httpx.Response(500), {"a": 1}, credential=Token(), attempts=2)
    assert made.ask() == {"a": 1}


def test_a_credential_that_cannot_be_had_is_not_asked_for_twice(rig: Callable[..., Rig]) -> None:
    class Refused(Token):
        def headers(self, client: Client) -> Mapping[str, str]:
            raise AccessDenied("no")

    token = Refused()
    made = rig({"a": 1}, credential=token)
    with pytest.raises(AccessDenied):
        made.ask()
    assert (made.seen, token.turns) == ([], 0)


def test_a_key_is_never_renewed(rig: Callable[..., Rig]) -> None:
    made = rig(httpx.Response(403))
    with pytest.raises(AccessDenied):
        made.ask()
    assert len(made.seen) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_so_that_no_credential_goes_to_another_host(
    rig: Callable[..., Rig], status: int
) -> None:
    made = rig(httpx.Response(status, headers={"Location": "https://elsewhere.example/"}))
    with pytest.raises(RequestRefused, match=f"HTTP {status}"):
        made.ask()
    assert [sent.url.host for sent in made.seen] == ["api.example"]


@pytest.mark.parametrize("padding", [0, *range(100, 200, 7)])
def test_a_secret_that_the_provider_repeats_is_blacked_out_even_when_it_is_cut_off(
    rig: Callable[..., Rig], padding: int
) -> None:
    made = rig(httpx.Response(403, content=f"{'x' * padding} key {KEY} is wrong {'y' * 200}".encode()))
    with pytest.raises(AccessDenied) as raised:
        made.ask()
    shown = str(raised.value)
    assert KEY[:SHORTEST_TRACE] not in shown
    assert raised.value.__cause__ is None
    assert KEY not in repr(ApiKey("X-API-Key", KEY))


@pytest.mark.parametrize(
    "ending", ["\n", "\r\nX-Other: 1", "ọ", "\0"], ids=["line", "another header", "Vietnamese", "zero"]
)
def test_a_key_that_fits_no_header_is_an_error_that_does_not_show_it(
    simulator: Simulator, ending: str
) -> None:
    request = Request("GET", str(simulator.credentials("etelecom")["base_url"]))
    with (
        Api(
            ApiKey("Authorization", KEY + ending),
            timeout_seconds=1,
            max_attempts=3,
            requests_per_second=0,
            connections=1,
        ) as api,
        pytest.raises(RequestRefused, match="no header may") as raised,
    ):
        api.call(request, bytes)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("url", ["ftp://api.example/", "api.example/list", "http://[::1"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    waits: list[float] = []
    with (
        Api(
            ApiKey("X", KEY),
            timeout_seconds=1,
            max_attempts=3,
            requests_per_second=0,
            connections=1,
            sleep=waits.append,
        ) as api,
        pytest.raises(RequestRefused, match="no usable address"),
    ):
        api.call(Request("GET", url), bytes)
    assert not waits


def test_a_transient_fault_counts_its_attempts_and_the_caller_may_ask_for_fewer(
    rig: Callable[..., Rig],
) -> None:
    made = rig(httpx.ReadTimeout("slow"))
    with pytest.raises(NetworkFault, match="gave no answer in time"):
        made.ask(attempts=2)
    assert len(made.seen) == 2


def test_a_refusal_pauses_and_slows_every_request_of_the_account(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    slowed: list[float] = []
    monkeypatch.setattr(Pace, "slow_down", lambda pace: slowed.append(0))
    monkeypatch.setattr(Pace, "pause", lambda pace, seconds: slowed.append(seconds))
    made = rig(
        httpx.Response(429), httpx.Response(503), httpx.Response(503, headers={"Retry-After": "9"}), {}
    )
    made.ask()
    assert slowed == [0, made.waits[0], 9]


def test_an_account_that_refuses_what_is_too_much_is_read_whole(simulator: Simulator) -> None:
    simulator.faults.limit_rate("etelecom", 5)
    api = Api(
        ApiKey("Authorization", f"Bearer {simulator.credentials('etelecom')['api_key']}"),
        timeout_seconds=5,
        max_attempts=6,
        requests_per_second=0,
        connections=4,
    )
    request = Request("POST", f"{simulator.credentials('etelecom')['base_url']}.Misc/CurrentAccount", json={})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: api.call(request, bytes), range(12)))
    api.close()
    statuses = Counter(entry.status for entry in requests_of(simulator, "etelecom"))
    assert statuses[200] == 12
    assert statuses[429] < 12


def test_a_connection_that_ended_meanwhile_is_replaced_at_once(rig: Callable[..., Rig]) -> None:
    ended = httpx.RemoteProtocolError("Server disconnected without sending a response.")
    made = rig(ended, ended, {"a": 1})
    assert made.ask() == {"a": 1}
    assert made.waits[0] == 0 < made.waits[1]


def test_a_body_that_comes_drop_by_drop_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    monkeypatch.setattr("sources.http.time.monotonic", lambda: clock.now)

    class Drops(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                clock.sleep(1)
                yield b" "

    answer = httpx.MockTransport(lambda request: httpx.Response(200, stream=Drops()))
    api = Api(
        ApiKey("X-API-Key", KEY),
        timeout_seconds=2,
        max_attempts=2,
        requests_per_second=0,
        connections=1,
        transport=answer,
        sleep=clock.sleep,
    )
    with api, pytest.raises(NetworkFault, match="no whole answer in time"):
        api.call(ASK, bytes)
    assert clock.now == pytest.approx(1000 + 2 * LONGEST_ANSWER_TIMEOUTS * 2, abs=5)


def test_the_provider_sees_no_more_requests_than_agreed(simulator: Simulator) -> None:
    account = simulated(simulator, "etelecom")
    api = Api(
        ApiKey("Authorization", f"Bearer {account.options.api_key}"),
        timeout_seconds=5,
        max_attempts=1,
        requests_per_second=20,
        connections=4,
    )
    request = Request("POST", f"{account.options.base_url}.Misc/CurrentAccount", json={})
    threads = [
        threading.Thread(target=lambda: [api.call(request, bytes) for _ in range(11)]) for _ in range(4)
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    api.close()
    assert len(requests_of(simulator, "etelecom")) == 44
    # How many come in one second depends on the machine too; that so many took so long does not.
    assert took >= 2 * (1 + PACE_MARGIN_SECONDS)


def test_every_provider_error_has_one_root_and_only_transient_ones_are_tried_again() -> None:
    tried = {kind for kind in _below(ProviderError) if issubclass(kind, Transient)}
    assert tried == {Transient, NetworkFault, Throttled, ServerFault, UnreadableBody}
    assert issubclass(ProviderError, CallsyncError)


def _below(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(_below(child) for child in kind.__subclasses__()))
