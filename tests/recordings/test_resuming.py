"""A recording that was cut is gone on with where it was cut, and never joined to other content."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import httpx
import pytest

from simulator import FaultKind, Simulator
from simulator.audio import wav
from sources.download import OVERLAP_BYTES, About
from sources.errors import NetworkFault
from tests.recordings.held import Chunks, Fetching, cut

CUTS = [
    FaultKind.SHORT_BODY,
    FaultKind.RESET,
    FaultKind.RESET_AFTER_HEADERS,
    FaultKind.RESET_MID_BODY,
    FaultKind.HANG_MID_BODY,
]


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
