"""A recording comes whole and as it is, whatever the network and the server do to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from simulator import Simulator
from simulator.audio import wav
from sources.download import LARGEST_BYTES, About
from sources.errors import (
    AccessDenied,
    IncompleteRead,
    NotThere,
    ProviderError,
    RequestRefused,
    ServerFault,
    UnreadableBody,
)
from tests.recordings.held import Chunks, Fetching, cut
from tests.sources.accounts import requests_of

ENDPOINTS = {"vbot": "record", "etelecom": "recording", "voximplant": "recording"}


@pytest.mark.parametrize("version", ["v3", None], ids=["vbot", "others"])
@pytest.mark.parametrize("provider", ["vbot", "etelecom", "voximplant"])
def test_a_recording_comes_as_it_is(fetch: Fetching, provider: str, version: str | None) -> None:
    one = fetch(provider, version=version if provider == "vbot" else None)
    assert one.once() == one.expected()
    assert len(one.asked) == 1


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
