"""What has come of recordings so far, on disk: the bytes, and beside them what is known of them.

    <name>.part    the bytes, mode 600
    <name>.json    which recording they are of, what the server said, and once they are whole, their sum

Either may be lost: without the other it counts for nothing, and the recording is begun again.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from sources.audio import SNIFFED_BYTES
from sources.download import About
from sources.errors import NoRoom, TargetError

KEPT_SECONDS = 7 * 86_400.0
"""A part that nobody went on with for so long is of a recording that nobody wants any more."""

RESERVE_BYTES = 512 * 2**20
RESERVE_SHARE = 10
"""So much of a disk is left to others, of a small one a tenth: the warehouse may be on it, and its copies."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_NOTHING = About()


@dataclass(frozen=True)
class Whole:
    """A part that is whole: where it belongs below the target, its length and its sum."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class _Known:
    source: str
    about: About = _NOTHING
    whole: Whole | None = None


_KNOWN = msgspec.json.Decoder(_Known)
"""Made once: see `sources.forms`."""


class FilePart:
    """What has come of one recording; used by one thread.

    Args:
        folder: where parts are.
        name: of the part.
        source: what the recording is asked by; a part of another one is dropped.
    """

    def __init__(self, folder: Path, name: str, source: str) -> None:
        self._folder = folder
        self.file = folder / f"{name}.part"
        self._notes = folder / f"{name}.json"
        self._known = _read(self._notes)
        if self._known.source != source:
            self.discard()
            self._known = _Known(source)
        descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600)
        # Unbuffered: what a full disk did not take must not be tried again when the file is closed.
        self._bytes = os.fdopen(descriptor, "r+b", buffering=0)
        self.size = self._bytes.seek(0, os.SEEK_END)
        if self.whole and self.size not in (0, self.whole.bytes):
            self.begin(_NOTHING)

    @property
    def about(self) -> About:
        """What the server said of the recording."""
        return self._known.about

    @property
    def whole(self) -> Whole | None:
        """What is known once everything has come; the bytes may be in their place already."""
        return self._known.whole

    def tail(self, length: int) -> bytes:
        """The last bytes."""
        self._bytes.seek(self.size - length)
        return self._bytes.read(length)

    def head(self) -> bytes:
        """The first bytes, enough to tell what it is."""
        self._bytes.seek(0)
        return self._bytes.read(SNIFFED_BYTES)

    def begin(self, about: About) -> None:
        """Drop what has come."""
        # The bytes go first: new notes over old bytes would make one recording of two.
        self._bytes.truncate(0)
        self.size = 0
        self._note(_Known(self._known.source, about))

    def note(self, about: About) -> None:
        """Learn more of the same content."""
        if about != self.about:
            self._note(replace(self._known, about=about))

    def write(self, chunk: bytes) -> None:
        """Add what comes next; it outlives a kill of this process.

        Raises:
            NoRoom: it does not fit.
        """
        self.see_room(len(chunk))
        with no_room(self._folder):
            self._bytes.seek(self.size)
            left = memoryview(chunk)
            while left:
                left = left[self._bytes.write(left) :]
        self.size += len(chunk)

    def see_room(self, length: int) -> None:
        """See that so many more bytes leave others their share of the disk.

        Raises:
            NoRoom: they do not.
        """
        disk = shutil.disk_usage(self._folder)
        # Some file systems of the network do not tell how large they are.
        if disk.total and length > disk.free - min(RESERVE_BYTES, disk.total // RESERVE_SHARE):
            raise _does_not_fit(self._folder)

    def finish(self, path: str) -> Whole:
        """Everything has come: make it outlive a loss of power, and remember its sum and its place."""
        os.fsync(self._bytes.fileno())
        self._bytes.seek(0)
        digest = hashlib.file_digest(self._bytes, "sha256").hexdigest()
        whole = Whole(path, self.size, digest)
        self._note(replace(self._known, whole=whole))
        return whole

    def close(self) -> None:
        """Give the file back."""
        self._bytes.close()

    def discard(self) -> None:
        """Forget everything."""
        for file in (self.file, self._notes):
            file.unlink(missing_ok=True)

    def _note(self, known: _Known) -> None:
        self._known = known
        temporary = self._notes.with_suffix(".tmp")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(known))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self._notes)


@contextmanager
def no_room(folder: Path) -> Iterator[None]:
    """A disk or a share of it that is full, as an error of the recording that found it so."""
    try:
        yield
    except OSError as fault:
        if fault.errno not in _FULL:
            raise
        raise _does_not_fit(folder) from None


def _does_not_fit(folder: Path) -> NoRoom:
    return NoRoom(f"it does not fit into {folder}; make room on the disk")


def sweep(folder: Path) -> None:
    """Delete the parts that were left long ago.

    Raises:
        TargetError: the folder is not ours to read.
    """
    try:
        files = list(folder.iterdir())
    except OSError as fault:
        raise TargetError(
            f"{folder} cannot be read: {fault.strerror}; make it belong to the user who runs callsync"
        ) from None
    for file in files:
        with suppress(OSError):
            is_ours = file.suffix in (".part", ".json", ".tmp")
            if is_ours and time.time() - file.stat().st_mtime > KEPT_SECONDS:
                file.unlink()


def _read(notes: Path) -> _Known:
    try:
        return _KNOWN.decode(notes.read_bytes())
    except (OSError, msgspec.DecodeError):
        return _Known("")
