"""Recordings: a short tone as WAV, the same for the same name, served whole or in ranges."""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from hashlib import sha256

from simulator.web import Reply, Request

_RATE = 8000
_SAMPLES = _RATE // 2
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


@lru_cache(maxsize=64)
def wav(name: str) -> bytes:
    """Half a second of 8-bit mono PCM at 8 kHz, its pitch and its last bytes made from the name."""
    digest = sha256(name.encode()).digest()
    period = 10 + digest[0] % 30
    samples = bytes(96 + 64 * (index // period % 2) for index in range(_SAMPLES - len(digest))) + digest
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


def recording_reply(request: Request, name: str) -> Reply:
    """The recording of that name, or the part of it a Range header asks for."""
    body = wav(name)
    headers = {"Accept-Ranges": "bytes"}
    asked = _RANGE.match(request.headers.get("range", ""))
    if not asked or not any(asked.groups()):
        return Reply(body, content_type="audio/wav", headers=headers)
    first, last = asked.groups()
    start = int(first) if first else max(0, len(body) - int(last))
    stop = min(int(last) + 1 if first and last else len(body), len(body))
    if start >= stop:
        return Reply(b"", 416, "audio/wav", {"Content-Range": f"bytes */{len(body)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(body)}"
    return Reply(body[start:stop], 206, "audio/wav", headers)
