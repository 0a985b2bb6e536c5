"""Copies of a large file: shared with it, brought in step with it, or written whole."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

_PIECE_BYTES = 256 * 2**10
"""How much of two files is compared at a time: small enough to stay in the processor's caches."""

_PART_BYTES = 16 * 2**10
"""How much is written where a piece differs: it has to reach the disk before the copy is shown."""

_COMPARING = 2
"""Threads among which the pieces are dealt out."""

_FICLONE = 0x40049409
"""Linux ioctl that shares a file's blocks instead of copying them, where the file system can (btrfs, XFS)."""


def share(source: Path, target: Path) -> bool:
    """Make `target` a file that shares the blocks of `source`; False where the file system cannot."""
    if sys.platform != "linux":
        return False
    with _locked(source) as whole, _new(target) as copy:
        try:
            fcntl.ioctl(copy, _FICLONE, whole)
        except OSError:
            return False
        os.fsync(copy)
    return True


def write_whole(source: Path, target: Path) -> None:
    """Make `target` a copy of `source`.

    Raises:
        BlockingIOError: another program writes `source`.
        OSError: it cannot be copied.
    """
    with _locked(source) as whole, _new(target) as copy:
        with open(whole, "rb", closefd=False) as reading, open(copy, "wb", closefd=False) as writing:
            shutil.copyfileobj(reading, writing, 4 * 2**20)
        os.fsync(copy)


def is_ours_alone(file: Path) -> bool:
    """Whether a file has one name and nobody else has it open: only then Linux grants a lease to write."""
    if sys.platform != "linux" or not file.exists():
        return False
    with _opened(file, os.O_RDWR) as descriptor:
        if os.fstat(descriptor).st_nlink != 1:
            return False
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except OSError:
            return False
    return True


def bring_in_step(source: Path, target: Path) -> None:
    """Make `target` a copy of `source` by writing only where the two differ.

    Both are read. The checksums that begin DuckDB's blocks would be read sooner, but cannot tell: words that
    changed places leave them the same.

    Raises:
        BlockingIOError: another program writes `source`.
        OSError: it cannot be read or written.
    """
    with _locked(source) as whole, _opened(target, os.O_RDWR) as copy:
        size = os.fstat(whole).st_size
        os.truncate(copy, size)

        def write_what_differs(first: int) -> None:
            wanted, found = bytearray(_PIECE_BYTES), bytearray(_PIECE_BYTES)
            for offset in range(first * _PIECE_BYTES, size, _COMPARING * _PIECE_BYTES):
                length, known = os.preadv(whole, [wanted], offset), os.preadv(copy, [found], offset)
                if known == length and found == wanted:
                    continue
                for start in range(0, length, _PART_BYTES):
                    part = wanted[start : min(start + _PART_BYTES, length)]
                    if part != found[start : min(start + _PART_BYTES, known)]:
                        _write(copy, memoryview(part), offset + start)

        with ThreadPoolExecutor(_COMPARING) as threads:
            list(threads.map(write_what_differs, range(_COMPARING)))
        os.fsync(copy)


def _write(descriptor: int, left: memoryview, offset: int) -> None:
    # A full disk first takes a part, and then refuses.
    while left:
        written = os.pwrite(descriptor, left, offset)
        left, offset = left[written:], offset + written


@contextmanager
def _locked(source: Path) -> Iterator[int]:
    with _opened(source, os.O_RDONLY) as descriptor:
        # DuckDB's own lock: another program cannot begin to write what is being copied.
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield descriptor


@contextmanager
def _new(target: Path) -> Iterator[int]:
    with _opened(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
        yield descriptor


@contextmanager
def _opened(file: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(file, flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
