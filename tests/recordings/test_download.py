"""A recording comes whole and as it is, whatever the network and the server do to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from simulator import FaultKind, Simulator
from simulator.audio import wav
from sources.download import LARGEST_BYTES, OVERLAP_BYTES, About
from sources.errors import (
    AccessDenied,
    IncompleteRead,
    NetworkFault,
    NotThere,
    ProviderError,
    RequestRefused,
    ServerFault,
    UnreadableBody,
)
from tests.recordings.held import Fetch
from tests.sources.accounts import requests_of

Fetching = Callable[..., Fetch]

CUTS = [
    FaultKind.SHORT_BODY,
    FaultKind.RESET,
    FaultKind.RESET_AFTER_HEADERS,
    FaultKind.RESET_MID_BODY,
    FaultKind.HANG_MID_BODY,
]
ENDPOINTS = {"vbot": "record", "etelecom": "recording", "voximplant": "recording"}


def cut(simulator: Simulator, kind: str = "short_body", times: int = 1) -> None:
    simulator.faults.next(*[kind] * times, provider="etelecom", endpoint="recording", seconds=0.4)


@pytest.mark.parametrize("version", ["v3", None], ids=["vbot", "others"])
@pytest.mark.parametrize("provider", ["vbot", "etelecom", "voximplant"])
def test_a_recording_comes_as_it_is(fetch: Fetching, provider: str, version: str | None) -> None:
    one = fetch(provider, version=version if provider == "vbot" else None)
    assert one.once() == one.expected()
    assert len(one.asked) == 1


@pytest.mark.parametrize("kind", CUTS)
def test_a_cut_recording_is_gone_on_with_where_it_was_cut(
    fetch: Fetching, simulator: Simulator, kind: str
) -> None:
    cut(simulator, kind)
    one = fetch(timeout_seconds=0.2)
    assert one.once() == one.expected()
    first, second = one.asked
    half = len(one.expected()) // 2
    has_some = kind not in (FaultKind.RESET, FaultKind.RESET_AFTER_HEADERS)
    assert (first.range, second.range) == ("", f"bytes={half}-" if has_some else "")
    assert bool(second.if_range) == has_some


def test_another_run_goes_on_with_it_too(fetch: Fetching, simulator: Simulator) -> None:
    cut(simulator, times=2)
    with pytest.raises(NetworkFault):
        fetch(max_attempts=1).once()
    # A cut part of a part: half of the half that was left.
    with pytest.raises(NetworkFault):
        fetch(max_attempts=1).once()
    one = fetch(max_attempts=1)
    assert one.once() == one.expected()
    assert [asked.range for asked in one.asked] == ["", "bytes=2022-", "bytes=3033-"]


def test_what_is_whole_is_not_asked_for_again(fetch: Fetching) -> None:
    one = fetch()
    body = one.once()
    assert fetch().once() == body
    assert len(one.asked) == 1


def test_a_server_without_ranges_begins_again(fetch: Fetching, simulator: Simulator) -> None:
    simulator.recordings.takes_ranges = False
    cut(simulator)
    one = fetch()
    assert one.once() == one.expected()
    assert one.asked[1].range


def test_without_validators_some_bytes_are_compared(fetch: Fetching, simulator: Simulator) -> None:
    simulator.recordings.has_validators = False
    simulator.recordings.seconds = 3
    cut(simulator)
    one = fetch()
    assert one.once() == one.expected()
    half = len(one.expected()) // 2
    assert [asked.range for asked in one.asked] == ["", f"bytes={half - OVERLAP_BYTES}-"]
    assert not one.asked[1].if_range


def test_a_tag_that_no_header_may_hold_is_not_sent_back(fetch: Fetching) -> None:
    body, ranges = wav("tagged", 3), []

    def answer(request: httpx.Request) -> httpx.Response:
        ranges.append((request.headers.get("Range", ""), request.headers.get("If-Range", "")))
        start = int(ranges[-1][0].removeprefix("bytes=").rstrip("-") or 0)
        said = [(b"ETag", '"ghi-âm"'.encode()), (b"Content-Length", str(len(body) - start).encode())]
        if not start:
            return httpx.Response(200, headers=said, stream=Chunks([body[:9000]]))
        said.append((b"Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}".encode()))
        return httpx.Response(206, headers=said, stream=httpx.ByteStream(body[start:]))

    one = fetch(seams={"transport": httpx.MockTransport(answer)})
    assert one.once() == body
    assert ranges == [("", ""), (f"bytes={9000 - OVERLAP_BYTES}-", "")]


def test_a_small_recording_without_validators_begins_again(fetch: Fetching, simulator: Simulator) -> None:
    simulator.recordings.has_validators = False
    cut(simulator)
    one = fetch()
    assert one.once() == one.expected()
    assert [asked.range for asked in one.asked] == ["", ""]


@pytest.mark.parametrize(
    "manners",
    [
        {},
        {"heeds_if_range": False},
        {"has_validators": False, "seconds": 3},
        {"has_validators": False, "seconds": 3, "takes_ranges": False},
    ],
    ids=["if-range", "if-range ignored", "nothing to know it by", "no ranges"],
)
def test_other_content_is_never_joined_to_what_came_before(
    fetch: Fetching, simulator: Simulator, manners: dict[str, Any]
) -> None:
    vars(simulator.recordings).update(manners)
    cut(simulator)
    with pytest.raises(NetworkFault):
        fetch(max_attempts=1).once()
    simulator.recordings.edition = 1
    one = fetch()
    assert one.once() == one.expected()


def test_content_of_another_length_begins_again(fetch: Fetching, simulator: Simulator) -> None:
    simulator.recordings.has_validators = False
    simulator.recordings.seconds = 3
    cut(simulator)
    with pytest.raises(NetworkFault):
        fetch(max_attempts=1).once()
    simulator.recordings.seconds = 2.9
    one = fetch()
    assert one.once() == one.expected()


def test_a_part_that_begins_elsewhere_is_not_taken(fetch: Fetching, simulator: Simulator) -> None:
    simulator.recordings.misstates_ranges = True
    cut(simulator)
    one = fetch()
    assert one.once() == one.expected()
    assert [bool(asked.range) for asked in one.asked] == [False, True, False]


def test_a_server_that_sends_little_at_a_time_is_asked_until_all_is_there(
    fetch: Fetching, simulator: Simulator
) -> None:
    simulator.recordings.largest_part = 500
    cut(simulator)
    one = fetch(max_attempts=2)
    assert one.once() == one.expected()
    assert len(one.asked) == 2 + 4


@pytest.mark.parametrize("kind", ["short_body", "reset_mid_body"])
def test_a_length_need_not_be_told(fetch: Fetching, simulator: Simulator, kind: str) -> None:
    simulator.recordings.says_length = False
    cut(simulator, kind)
    one = fetch()
    assert one.once() == one.expected()
    with closing(one.part()) as part:
        assert part.about.total == part.size
    assert len(one.asked) == 2


@pytest.mark.parametrize("is_shorter", [False, True])
def test_nothing_follows_what_was_whole_already(
    fetch: Fetching, simulator: Simulator, is_shorter: bool
) -> None:
    one = fetch()
    body = one.once()
    tag = httpx.get(one.url).headers["ETag"]
    with closing(one.part()) as part:
        part.begin(About(etag=tag))
        part.write(body)
    if is_shorter:
        simulator.recordings.seconds, simulator.recordings.heeds_if_range = 0.3, False
    assert one.once() == one.expected()
    assert len(one.asked) == (4 if is_shorter else 3)


def test_a_refused_token_is_renewed(fetch: Fetching, changing: Simulator) -> None:
    one = fetch("voximplant", of=changing)
    one.once()
    with closing(one.part()) as part:
        part.begin(About())
    changing.expire_tokens("voximplant")
    assert one.once() == one.expected()
    # What was refused never reached the recording.
    assert changing.requests.tokens_minted["voximplant"] == 2
    assert [entry.status for entry in requests_of(changing, "voximplant")] == [200, 401, 200]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_tokens_of_vbot_are_renewed_too(fetch: Fetching, simulator: Simulator, version: str) -> None:
    simulator.faults.next("expired_token", provider="vbot", endpoint="record")
    one = fetch("vbot", version=version)
    assert one.once() == one.expected()
    assert simulator.requests.tokens_minted["vbot"] == 2


@pytest.mark.parametrize("provider", ["vbot", "voximplant"])
def test_a_wrong_key_is_an_error_of_the_account(fetch: Fetching, changing: Simulator, provider: str) -> None:
    wrong = {"api_key": "nobody's"} if provider == "vbot" else {}
    one = fetch(provider, of=changing, version="v3" if provider == "vbot" else None, **wrong)
    changing.faults.sometimes("expired_token", 1.0, "voximplant")
    with pytest.raises(AccessDenied):
        one.once()


@pytest.mark.parametrize("provider", ["vbot", "etelecom", "voximplant"])
@pytest.mark.parametrize("kind", ["html", "error_body"])
def test_a_text_is_no_recording_though_its_status_is_200(
    fetch: Fetching, simulator: Simulator, provider: str, kind: str
) -> None:
    simulator.faults.sometimes(kind, 1.0, provider)
    one = fetch(provider, version="v3" if provider == "vbot" else None)
    with pytest.raises((UnreadableBody, ServerFault)) as raised:
        one.once()
    with closing(one.part()) as part:
        assert part.size == 0
    assert isinstance(
        raised.value, ServerFault if kind == "error_body" and provider != "etelecom" else object
    )


CALLED = ["", "application/octet-stream", "binary/octet-stream", "audio/wav", "application/problem+json"]


@pytest.mark.parametrize("called", CALLED)
def test_an_error_is_read_whatever_it_is_called(fetch: Fetching, called: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        # The first byte that comes is the first byte of nothing yet.
        stream = Chunks([b"\n", b' {"error": 404, ', b'"message": "no such file", "data": null}'])
        return httpx.Response(200, headers={"Content-Type": called} if called else {}, stream=stream)

    one = fetch("vbot", version="v3", max_attempts=1, seams={"transport": httpx.MockTransport(answer)})
    with pytest.raises(NotThere, match="no such file"):
        one.once()
    with closing(one.part()) as part:
        assert part.size == 0


def test_a_server_that_sends_drop_by_drop_is_not_listened_to_without_end(fetch: Fetching) -> None:
    body, ranges = wav("slow", 5), []

    def drops() -> Iterator[bytes]:
        yield body[:600]
        for at in range(600, 800):
            time.sleep(0.01)
            yield body[at : at + 1]
        raise AssertionError("somebody listens to it still")

    def answer(request: httpx.Request) -> httpx.Response:
        ranges.append(request.headers.get("Range", ""))
        start = int(ranges[-1].removeprefix("bytes=").rstrip("-") or 0)
        said = {"ETag": '"1"', "Content-Length": str(len(body) - start)}
        if not start:
            return httpx.Response(200, headers=said, stream=Chunks(drops()))
        said["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return httpx.Response(206, headers=said, stream=httpx.ByteStream(body[start:]))

    one = fetch(timeout_seconds=0.02, seams={"transport": httpx.MockTransport(answer)})
    assert one.once() == body
    first, second = ranges
    assert (first, second[:7]) == ("", "bytes=6")


class Chunks(httpx.SyncByteStream):
    """A body that comes as it is cut here."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


def test_text_that_is_in_truth_sound_is_taken(fetch: Fetching, simulator: Simulator) -> None:
    simulator.recordings.content_type = "text/plain"
    one = fetch()
    assert one.once() == one.expected()


@pytest.mark.parametrize(
    ("status", "error"), [(404, NotThere), (410, NotThere), (500, ServerFault), (400, RequestRefused)]
)
def test_a_status_says_what_it_means(
    fetch: Fetching, simulator: Simulator, status: int, error: type[ProviderError]
) -> None:
    simulator.recordings.statuses[""] = status
    with pytest.raises(error, match=f"127.0.0.1 answered HTTP {status}$"):
        fetch().once()


WAV = b"RIFF\0\0\0\0WAVEfmt "
MALFORMED: dict[str, tuple[httpx.Response, type[ProviderError], str]] = {
    "empty": (httpx.Response(200), IncompleteRead, "sent an empty file"),
    "packed": (
        httpx.Response(200, headers={"Content-Encoding": "br"}, content=WAV),
        UnreadableBody,
        "packed although",
    ),
    "unasked part": (
        httpx.Response(206, headers={"Content-Range": "bytes 5-20/21"}, content=WAV),
        UnreadableBody,
        "although the whole was asked for",
    ),
    "which part": (httpx.Response(206, content=WAV), UnreadableBody, "without saying which"),
    "impossible part": (
        httpx.Response(206, headers={"Content-Range": "bytes 0-15/9"}, content=WAV),
        UnreadableBody,
        "cannot be",
    ),
    "too much": (
        httpx.Response(206, headers={"Content-Range": "bytes 0-3/9"}, content=WAV),
        UnreadableBody,
        "other content",
    ),
    "no content": (httpx.Response(204), RequestRefused, "HTTP 204"),
    "not ready": (httpx.Response(202, content=b"{}"), RequestRefused, "HTTP 202"),
    "nowhere": (httpx.Response(302), RequestRefused, "HTTP 302"),
    "a file": (httpx.Response(302, headers={"Location": "file:///etc/passwd"}), RequestRefused, "no http"),
    "no address": (httpx.Response(307, headers={"Location": "http://[::1"}), RequestRefused, "no http"),
    "a circle": (httpx.Response(308, headers={"Location": "/again"}), RequestRefused, "more than 5 times"),
    "plain": (
        httpx.Response(301, headers={"Location": "http://a.example/"}),
        RequestRefused,
        "from https to plain",
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_an_answer_that_cannot_be_is_one_line_that_shows_no_address(fetch: Fetching, case: str) -> None:
    given, error, said = MALFORMED[case]

    def answer(request: httpx.Request) -> httpx.Response:
        headers = {"Content-Type": "audio/wav", **given.headers}
        return httpx.Response(given.status_code, headers=headers, stream=httpx.ByteStream(given.content))

    url = "https://calls.example/0912345678.wav?sign=secret"
    one = fetch(url=url, seams={"transport": httpx.MockTransport(answer)})
    with pytest.raises(error, match=said) as raised:
        one.once()
    assert type(raised.value) is error
    assert "0912345678" not in str(raised.value)
    assert "secret" not in str(raised.value)


def test_what_calls_itself_too_large_is_not_read(fetch: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.download.LARGEST_BYTES", 1000)
    written: list[bytes] = []
    monkeypatch.setattr(
        "pipelines.recordings.parts.FilePart.write", lambda part, chunk: written.append(chunk)
    )
    with pytest.raises(RequestRefused, match="sends more than 1000 bytes"):
        fetch().once()
    assert not written


def test_a_body_without_an_end_does_not_fill_the_disk(
    fetch: Fetching, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LARGEST_BYTES >= 2**30
    simulator.recordings.says_length = False
    monkeypatch.setattr("sources.download.LARGEST_BYTES", 1000)
    one = fetch()
    with pytest.raises(RequestRefused, match="sends more than 1000 bytes"):
        one.once()
    with closing(one.part()) as part:
        assert part.size == 0


@pytest.mark.slow
def test_the_pace_of_the_account_is_kept(fetch: Fetching, simulator: Simulator) -> None:
    simulator.recordings.largest_part = 600
    cut(simulator)
    one = fetch(requests_per_second=4, seams={"sleep": time.sleep})
    began = time.monotonic()
    assert one.once() == one.expected()
    took = time.monotonic() - began
    assert len(one.asked) > 4
    # How many come in one second depends on the machine too; that so many took so long does not.
    assert took >= (len(one.asked) - 1) // 4
