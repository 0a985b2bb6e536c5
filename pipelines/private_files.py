"""What callsync makes is its owner's alone, whatever the umask; a file that a user names follows the user's.

Libraries make files too (DuckDB's write-ahead log and what it puts on disk for want of memory, dlt's
packages), so the umask of the whole process says it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_OTHERS = 0o077
_users_umask: list[int] = []


@contextmanager
def private_files() -> Iterator[None]:
    """Make files of mode 600 and folders of mode 700 meanwhile."""
    before = os.umask(_OTHERS)
    _users_umask.append(before)
    try:
        yield
    finally:
        _users_umask.pop()
        os.umask(before)


def users_mode() -> int:
    """The mode of a file that a user asked for by name, as any other program of theirs would make it."""
    if _users_umask:
        return 0o666 & ~_users_umask[-1]
    current = os.umask(0)
    os.umask(current)
    return 0o666 & ~current
