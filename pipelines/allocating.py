"""How a run has its memory from the system: what one unit freed is to serve the next, or to go back."""

from __future__ import annotations

import ctypes
import os

_ARENA_MAX = -8
"""glibc's number for the setting (malloc.h, M_ARENA_MAX)."""

_ARENAS = 2
"""Heaps that all threads share. Otherwise nearly each has its own, and what is free there serves no other."""


def ask_the_system() -> None:
    """From here on, Arrow allocates as everything else does; before it is imported.

    Its own allocator keeps what a unit freed, and the next unit's peak comes on top of it.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def share_heaps() -> None:
    """From here on, threads share heaps; before the threads are started."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Give the system what is free now, also between what is not: the next peak need not lie there."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
