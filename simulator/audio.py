"""Recordings: a tone as WAV, the same for the same name, served whole or in ranges."""

from __future__ import annotations

import re
import struct
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TypeVar

from simulator.web import Reply, Request

_RATE = 8000
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
_KEPT = 100_000

T = TypeVar("T")


@lru_cache(maxsize=16)
def wav(name: str, seconds: float = 0.5) -> bytes:
    """A tone of 8-bit mono PCM at 8 kHz, its pitch and its last bytes made from the name."""
    digest = sha256(name.encode()).digest()
    period = 10 + digest[0] % 30
    count = max(0, int(_RATE * seconds) - len(digest))
    wave = bytes(96 + 64 * (index // period % 2) for index in range(2 * period))
    samples = (wave * (count // len(wave) + 1))[:count] + digest
    form = struct.pack("<HHIIHH", 1, 1, _RATE, _RATE, 1, 8)
    chunks = (
        b"WAVEfmt "
        + struct.pack("<I", len(form))
        + form
        + b"data"
        + struct.pack("<I", len(samples))
        + samples
    )
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


@dataclass(frozen=True)
class Asked:
    """A request for a recording: its name, the host it was sent to, and the headers that matter."""

    name: str
    host: str
    range: str
    if_range: str
    has_credentials: bool


class Recordings:
    """The recordings of every provider, and the manners of their server.

    Switches:
        seconds: how long each is, at 8000 bytes a second.
        edition: another number is other content of the same length, under the same name.
        heeds_if_range: False sends the part that is asked for although the content is new.
        takes_ranges: False answers the whole whatever is asked.
        misstates_ranges: says of a part that it begins a byte later than it does.
        largest_part: the most bytes of an answer to a range; 0 is any number.
        has_validators: whether ETag and Last-Modified are sent.
        says_length: False leaves Content-Length out.
        content_type: what they are called.
        statuses: by a text in their names: the status that is answered instead.
        redirects: by a text in their names: the address that is answered instead.

    Attributes:
        asked: the last requests.
    """

    def __init__(self) -> None:
        self.seconds = 0.5
        self.edition = 0
        self.heeds_if_range = True
        self.takes_ranges = True
        self.misstates_ranges = False
        self.largest_part = 0
        self.has_validators = True
        self.says_length = True
        self.content_type = "audio/wav"
        self.statuses: dict[str, int] = {}
        self.redirects: dict[str, str] = {}
        self.asked: deque[Asked] = deque(maxlen=_KEPT)

    def body(self, name: str) -> bytes:
        """What a recording holds now."""
        return wav(f"{name}#{self.edition}" if self.edition else name, self.seconds)

    def reply(self, request: Request, name: str) -> Reply:
        """The recording of a name, or the part of it that a Range header asks for."""
        wanted = request.headers.get("range", "")
        self.asked.append(
            Asked(
                name,
                request.headers.get("host", ""),
                wanted,
                request.headers.get("if-range", ""),
                bool({"authorization", "x-api-key"} & request.headers.keys()),
            )
        )
        if status := _of(self.statuses, name):
            return Reply(b"<html>no recording</html>", status, "text/html")
        if location := _of(self.redirects, name):
            return Reply(b"", 302, "text/html", {"Location": location})
        body = self.body(name)
        tag = f'"{sha256(body).hexdigest()[:16]}"'
        headers = {"Accept-Ranges": "bytes"} if self.takes_ranges else {}
        if self.has_validators:
            changed = "Mon, 05 Jan 2026 08:00:00 GMT" if not self.edition else "Tue, 06 Jan 2026 08:00:00 GMT"
            headers |= {"ETag": tag, "Last-Modified": changed}
        asked = _RANGE.match(wanted) if self.takes_ranges else None
        is_new = self.heeds_if_range and request.headers.get("if-range", tag) != tag
        if not asked or not any(asked.groups()) or is_new:
            return Reply(body, 200, self.content_type, headers, self.says_length)
        return self._part(body, asked[1], asked[2], headers)

    def _part(self, body: bytes, first: str, last: str, headers: dict[str, str]) -> Reply:
        start = int(first) if first else max(0, len(body) - int(last))
        stop = min(int(last) + 1 if first and last else len(body), len(body))
        if start >= stop:
            headers["Content-Range"] = f"bytes */{len(body)}"
            return Reply(b"", 416, self.content_type, headers)
        if self.largest_part:
            stop = min(stop, start + self.largest_part)
        said = start + 1 if self.misstates_ranges else start
        headers["Content-Range"] = f"bytes {said}-{stop - 1}/{len(body)}"
        return Reply(body[start:stop], 206, self.content_type, headers, self.says_length)


def _of(by_text: Mapping[str, T], name: str) -> T | None:
    return next((value for text, value in by_text.items() if text in name), None)
