"""What the content of a window comes to: how many calls, and a fingerprint by which it is known again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from sources.shaping import Shaped, digest
from sources.units import Rejection


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


def fingerprint_of(content: Shaped | None, rejections: Sequence[Rejection]) -> str:
    """The fingerprint of a window's calls and of its rejected records, whatever their order."""
    rejected = sorted(rejection.rejected.payload for rejection in rejections)
    return f"{digest(content) if content is not None else 'empty'}:{_hash(rejected)}"


def _hash(payloads: Sequence[bytes]) -> str:
    return hashlib.blake2b(b"\0".join(payloads), digest_size=8).hexdigest() if payloads else ""
