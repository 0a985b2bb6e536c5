"""What the content of a window comes to: how many calls, and a fingerprint by which it is known again.

A window that can be held until its end is known by one digest of it all, whatever the order of its calls. A
larger one is known by the digests of its parts, as they were shaped: each can be compared when it comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from sources.shaping import Sums
from sources.units import Rejection

_PARTS = "parts "
_PART_LENGTH = 16
"""Characters of a part's digest: the ledger has them all, some hundred of a window of a million calls."""


def compact(keys: pa.ChunkedArray) -> pa.ChunkedArray:
    """The keys as numbers, which take a third of the memory, where numbers are what their text says."""
    try:
        numbers = keys.cast(pa.int64())
    except pa.ArrowInvalid:
        return keys
    return numbers if numbers.cast(keys.type).equals(keys) else keys


def distinct(keys: Sequence[pa.ChunkedArray]) -> int:
    """How many different keys there are, each part of them compact or as it came."""
    chunks = [chunk for key in keys for chunk in key.chunks]
    if len({chunk.type for chunk in chunks}) > 1:
        chunks = [chunk.cast(pa.string()) for chunk in chunks]
    if not sum(map(len, chunks)):
        return 0
    # In order, equal ones are neighbours: a table of them all would take several times the memory.
    every = pa.concat_arrays(chunks)
    ordered = every.take(pc.sort_indices(every))
    return 1 + (pc.sum(pc.not_equal(ordered[1:], ordered[:-1])).as_py() or 0)


def fingerprint_of(content: Sums | None, rejections: Sequence[Rejection]) -> str:
    """The fingerprint of a window's calls and of its rejected records, whatever their order."""
    return f"{content.digest() if content is not None else 'empty'}:{_rejected(rejections)}"


def part_of(content: Sums) -> str:
    """The digest of some calls of a window, as a fingerprint of parts has it."""
    return content.digest()[:_PART_LENGTH]


def fingerprint_of_parts(parts: Collection[str], rejections: Sequence[Rejection]) -> str:
    """The fingerprint of a window that is too large to be held."""
    return f"{_PARTS}{' '.join(sorted(set(parts)))}:{_rejected(rejections)}"


def parts_of(fingerprint: str | None) -> frozenset[str] | None:
    """The parts that a fingerprint is made of; None where it is of a whole window, or there is none."""
    if fingerprint is None or not fingerprint.startswith(_PARTS):
        return None
    return frozenset(fingerprint.removeprefix(_PARTS).partition(":")[0].split())


def _rejected(rejections: Sequence[Rejection]) -> str:
    payloads = sorted(rejection.rejected.payload for rejection in rejections)
    return hashlib.blake2b(b"\0".join(payloads), digest_size=8).hexdigest() if payloads else ""
