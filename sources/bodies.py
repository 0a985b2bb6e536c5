"""The body of an answer: as large and as slow as a page may be, and no more.

A body is unpacked here and not by the HTTP client, which unpacks whatever it is sent and however often it is
packed: some kilobytes would fill the memory.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable

import httpx

from sources.errors import NetworkFault, RequestRefused, UnreadableBody

LARGEST_BODY_BYTES = 64 * 2**20
"""Unpacked; a thousand Voximplant sessions (the largest page) of fifty kilobytes each are less."""

PACKINGS = ("gzip", "x-gzip", "deflate")
ASKED_PACKING = "gzip"
_EITHER_HEADER = 32 + zlib.MAX_WBITS


def whole_body(answer: httpx.Response, place: str, *, within_seconds: float) -> bytes:
    """The body of an answer.

    Args:
        answer: begun, its body still to be read.
        place: what errors call it.
        within_seconds: how long it may take, however regularly a drop of it comes.

    Raises:
        RequestRefused: it is larger than any page.
        UnreadableBody: it cannot be unpacked.
        NetworkFault: it does not end in time.
    """
    packing = answer.headers.get("Content-Encoding", "").strip().lower()
    if packing not in ("", "identity", *PACKINGS):
        raise UnreadableBody(f"{place} answered with a body that cannot be unpacked")
    packed = _in_time(answer.iter_raw(), place, time.monotonic() + within_seconds)
    parts, size = [], 0
    for part in _unpacked(packed, place) if packing in PACKINGS else packed:
        size += len(part)
        if size > LARGEST_BODY_BYTES:
            most = f"{LARGEST_BODY_BYTES >> 20} MiB"
            raise RequestRefused(f"{place} sends more than {most}; a smaller page_size asks for less at once")
        parts.append(part)
    return b"".join(parts)


def _in_time(chunks: Iterable[bytes], place: str, ends_at: float) -> Iterable[bytes]:
    for chunk in chunks:
        yield chunk
        if time.monotonic() > ends_at:
            raise NetworkFault(f"{place} gave no whole answer in time (it came drop by drop)")


def _unpacked(chunks: Iterable[bytes], place: str) -> Iterable[bytes]:
    unpacker = zlib.decompressobj(_EITHER_HEADER)
    came = False
    try:
        for chunk in chunks:
            came = came or bool(chunk)
            # One byte more than may be, so that too much is told from just enough.
            yield unpacker.decompress(chunk, LARGEST_BODY_BYTES + 1)
    except zlib.error:
        raise UnreadableBody(f"{place} answered with a body that cannot be unpacked") from None
    if came and not unpacker.eof:
        raise UnreadableBody(f"{place} answered with a packed body that was cut short")
