"""Names of files, made from what providers send so that none of it reaches a path as it came."""

from __future__ import annotations

import hashlib
import re

from sources.recordings import Recording
from sources.zones import zone_of

LONGEST_NAME = 80
"""Characters of a part of a path; with number and extension it stays below what any file system takes."""

_PLAIN = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST_NAME - 1}}}")
_UNSAFE = re.compile(r"[^a-z0-9]+")


def path_of(recording: Recording, extension: str, zone: str, *, other: str = "") -> str:
    """Where a recording belongs below the target: `vbot/main/2026/01/31/<id>-<position>.wav`.

    The day is that of the call's start in the reporting zone. Where another recording has that name, this
    one's source, as `other`, makes one of its own: `<id>-<position>.<hash>.wav`.
    """
    started = recording.started_at
    day = f"{started.astimezone(zone_of(zone)):%Y/%m/%d}" if started else "undated"
    prefix = f"{recording.provider}/{recording.account}/"
    own = f".{_digest(other)[:8]}" if other else ""
    name = f"{safe(recording.call_id.removeprefix(prefix))}-{recording.position}{own}.{extension}"
    return f"{safe(recording.provider)}/{safe(recording.account)}/{day}/{name}"


def safe(text: str) -> str:
    """The text itself where it is a plain name, else what is plain of it and a hash of all of it.

    No two texts give one name, not even where a file system takes capitals for small letters: a plain name
    holds no dot, any other has one before its hash.
    """
    if _PLAIN.fullmatch(text):
        return text
    digest = _digest(text)
    plain = _UNSAFE.sub("-", text.lower()).strip("-")[: LONGEST_NAME - len(digest) - 1]
    return f"{plain or 'x'}.{digest}"


def part_of(recording: Recording, owner: str) -> str:
    """The name of what has come of a recording; `owner` tells warehouses that share a target apart."""
    return _digest(f"{owner}\0{recording.call_id}\0{recording.position}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
