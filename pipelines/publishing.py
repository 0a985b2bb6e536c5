"""The copy of the warehouse that every reader opens: replaced by an atomic rename, never changed while open.

A large warehouse is not copied whole for a small change. The copy before the last is kept as a spare; once
nobody has it open any more it is brought in step, which writes what differs, and takes the copy's place:

    warehouse ──(what differs)──▶ spare ──(rename)──▶ copy ──▶ the next spare
"""

from __future__ import annotations

import os
from contextlib import closing, suppress
from pathlib import Path

import duckdb

from pipelines import file_copies
from pipelines.opening import reading
from pipelines.warehouse import Files, newest_change
from sources.errors import CallsyncError, WarehouseError

CHEAP_COPY_BYTES = 64 * 2**20
"""A smaller file is copied whole, even when a run brought nothing but its own line in `callsync.runs`."""


def publish(warehouse: Path, newest: str | None, *, is_whole: bool) -> bool:
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
    is_large = warehouse.stat().st_size > CHEAP_COPY_BYTES
    if is_large and _published_change(warehouse) == (newest,):
        return False
    for left_by_a_killed_run in warehouse.parent.glob(f".{files.published.name}.*.tmp"):
        with suppress(OSError):
            left_by_a_killed_run.unlink()
    temporary = files.published.with_name(f".{files.published.name}.{os.getpid()}.tmp")
    try:
        if is_large:
            _renew_large(files, temporary)
        else:
            file_copies.write_whole(warehouse, temporary)
            os.replace(temporary, files.published)
            files.spare.unlink(missing_ok=True)
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


def _renew_large(files: Files, temporary: Path) -> None:
    if file_copies.share(files.warehouse, temporary):
        os.replace(temporary, files.published)
        return
    if file_copies.is_ours_alone(files.spare):
        file_copies.bring_in_step(files.warehouse, files.spare)
        os.replace(files.spare, temporary)
    else:
        file_copies.write_whole(files.warehouse, temporary)
    # At no moment is there no copy: it gets a second name before the first one is taken.
    with suppress(OSError):
        os.link(files.published, files.next_spare)
    os.replace(temporary, files.published)
    with suppress(OSError):
        os.replace(files.next_spare, files.spare)


def _published_change(warehouse: Path) -> tuple[str | None] | None:
    try:
        with closing(reading(warehouse)) as connection:
            return (newest_change(connection),)
    except (CallsyncError, duckdb.Error):
        return None
