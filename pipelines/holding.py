"""One run at a time: the lock of a warehouse, and who holds it.

The operating system frees a lock when its holder ends, however it ends: a lock is never stale.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import filelock

from pipelines.warehouse import Files
from sources.errors import WarehouseBusy, WarehouseError

BRIEF_SECONDS = 10
"""Whoever holds the warehouse briefly is done by then."""


@contextmanager
def held(warehouse: Path, command: str, *, briefly: bool = False) -> Iterator[None]:
    """Keep every other run away that writes the warehouse, from before it is opened until it is published.

    One that holds it only `briefly` is waited for by the others, for a few seconds.

    Raises:
        WarehouseBusy: another run has it.
        WarehouseError: its directory cannot be used.
    """
    with _lock(Files(warehouse).home, "", f"{warehouse.name} is held by", command, briefly):
        yield


@contextmanager
def recording(warehouse: Path, command: str) -> Iterator[None]:
    """Keep every other download of recordings away; the runs that read the providers go on.

    Raises:
        WarehouseBusy: another download is at work.
        WarehouseError: its directory cannot be used.
    """
    with _lock(Files(warehouse).home, "recordings.", "recordings are being fetched by", command, False):
        yield


@contextmanager
def _lock(home: Path, prefix: str, taken: str, command: str, briefly: bool) -> Iterator[None]:
    note = home / f"{prefix}holder.json"
    try:
        home.parent.parent.mkdir(parents=True, exist_ok=True)
        for folder in (home.parent, home):
            folder.mkdir(exist_ok=True, mode=0o700)
        lock = filelock.FileLock(home / f"{prefix}lock", mode=0o600)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            if not _said(note).get("briefly"):
                raise
            lock.acquire(timeout=BRIEF_SECONDS)
    except filelock.Timeout:
        raise WarehouseBusy(f"{taken} {_holder(note)}; try again when it is done") from None
    except OSError as error:
        raise WarehouseError(f"{home} cannot be used: {error.strerror}") from None
    try:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        holder = {"pid": os.getpid(), "command": command, "started_at": started, "briefly": briefly}
        with suppress(OSError):
            note.write_text(json.dumps(holder))
        yield
    finally:
        with suppress(OSError):
            note.unlink()
        lock.release()


def _holder(note: Path) -> str:
    try:
        holder = _said(note)
        return f"callsync {holder['command']} (pid {holder['pid']}, since {holder['started_at']})"
    except KeyError:
        return "another run of callsync"


def _said(note: Path) -> dict[str, Any]:
    """What a holder wrote of itself; it may be about to write it."""
    try:
        holder = json.loads(note.read_text())
    except (OSError, ValueError):
        return {}
    return holder if isinstance(holder, dict) else {}
