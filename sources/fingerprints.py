"""What the content of a window comes to: how many calls, and a fingerprint by which it is known again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from sources.shaping import Shaped, digest
from sources.units import Rejection


def distinct(keys: Sequence[pa.ChunkedArray]) -> int:
    """How many different keys there are."""
    if not keys:
        return 0
    return int(
        pc.count_distinct(
            pa.chunked_array([chunk for key in keys for chunk in key.chunks], keys[0].type)
        ).as_py()
    )


def fingerprint_of(content: Shaped | None, rejections: Sequence[Rejection]) -> str:
    """The fingerprint of a window's calls and of its rejected records, whatever their order."""
    rejected = sorted(rejection.rejected.payload for rejection in rejections)
    return f"{digest(content) if content is not None else 'empty'}:{_hash(rejected)}"


def _hash(payloads: Sequence[bytes]) -> str:
    return hashlib.blake2b(b"\0".join(payloads), digest_size=8).hexdigest() if payloads else ""
