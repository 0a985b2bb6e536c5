"""The copy of the warehouse that every reader opens: replaced by an atomic rename, never changed in place."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from contextlib import closing, suppress
from pathlib import Path

import duckdb

from pipelines.warehouse import Files, newest_change, reading
from sources.errors import CallsyncError, WarehouseError

CHEAP_COPY_BYTES = 64 * 2**20
"""Up to this size the copy is renewed even when a run brought nothing but its own line in `callsync.runs`."""

_FICLONE = 0x40049409
"""Linux ioctl that shares a file's blocks instead of copying them, where the file system can (btrfs, XFS)."""


def publish(warehouse: Path, newest: str | None, *, is_whole: bool = True) -> bool:
    """Renew the readers' copy from the warehouse file, closed and still held; True when it was renewed.

    A copy that lacks `newest`, the newest run that changed anything, is always renewed; one that lacks only
    the line of an idle run is renewed where that is cheap. A warehouse that is not whole is shown to nobody:
    the copy stays as it is until a later run has made it good.

    Raises:
        WarehouseError: the copy cannot be written; the one before it is untouched.
    """
    files = Files(warehouse)
    if not is_whole:
        return False
    if files.log.exists():
        raise WarehouseError(
            f"{files.published.name} is not renewed: {warehouse.name} could not be written to its end; "
            "make room on the disk, and the next run goes on from there"
        )
    if warehouse.stat().st_size > CHEAP_COPY_BYTES and _published_change(warehouse) == (newest,):
        return False
    for left_by_a_killed_run in warehouse.parent.glob(f".{files.published.name}.*.tmp"):
        with suppress(OSError):
            left_by_a_killed_run.unlink()
    temporary = files.published.with_name(f".{files.published.name}.{os.getpid()}.tmp")
    try:
        _copy(warehouse, temporary)
        os.replace(temporary, files.published)
    except BlockingIOError:
        raise WarehouseError(
            f"{files.published.name} is not renewed: another program writes {warehouse.name}; "
            "the next run renews it"
        ) from None
    except OSError as error:
        raise WarehouseError(f"{files.published.name} cannot be published: {error.strerror}") from None
    finally:
        with suppress(OSError):
            temporary.unlink()
    return True


def _published_change(warehouse: Path) -> tuple[str | None] | None:
    try:
        with closing(reading(warehouse)) as connection:
            return (newest_change(connection),)
    except (CallsyncError, duckdb.Error):
        return None


def _copy(source: Path, target: Path) -> None:
    with (
        source.open("rb") as whole,
        open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as copy,
    ):
        # DuckDB's own lock: another program cannot begin to write what is being copied.
        fcntl.lockf(whole, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if not _share_blocks(whole.fileno(), copy.fileno()):
            shutil.copyfileobj(whole, copy, 4 * 2**20)
        copy.flush()
        os.fsync(copy.fileno())


def _share_blocks(source: int, target: int) -> bool:
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True
