"""Where recordings are kept: a folder, or any store of fsspec's. A file is there whole or not at all."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from pipelines.warehouse import one_line
from sources.errors import CallsyncError, ConfigError, TargetError

_WHERE = "callsync.recordings_target"

_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oci", "oss"})
"""What is put there appears when all of it has come; elsewhere a rename sees to that."""

_AZURE = frozenset({"az", "abfs", "abfss", "wasb", "wasbs"})
"""What stands before the host of theirs is a container."""

_USERS = re.compile(r"([^:/]+)://([^/?#]*)@")
"""Of each address of a chain such as `simplecache::ftp://…`."""

_FOLDERS_OF_A_DAY = 3


class Target(Protocol):
    """A place for recordings."""

    @property
    def parts(self) -> Path:
        """The folder where what has come of a recording waits until it is whole."""

    def place(self, file: Path, path: str) -> None:
        """Put a file where it belongs below the target.

        Raises:
            TargetError: it cannot be written.
        """

    def location(self, path: str) -> str:
        """Where that is: a path or a URL."""


class Folder:
    """A folder of this machine, readable by its owner alone."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.parts = root / ".parts"
        with _faults(str(root)):
            _make(self.parts, root)

    def location(self, path: str) -> str:
        """An absolute path."""
        return str(self._root / path)

    def place(self, file: Path, path: str) -> None:
        """Rename the file."""
        final = self._root / path
        with _faults(str(self._root)):
            _make(final.parent, self._root)
            os.replace(file, final)
            _sync(final.parent)


class Store:
    """A file system of fsspec."""

    def __init__(self, url: str, home: Path) -> None:
        self._url = url.rstrip("/")
        with _faults(self._url):
            self._system, self._root = _opened(url)
        protocol = self._system.protocol
        names = {protocol} if isinstance(protocol, str) else set(protocol)
        self._is_object_store = bool(names & _OBJECT_STORES)
        self._lock = threading.Lock()
        self.parts = home / "recordings"
        with _faults(str(self.parts)):
            _make(self.parts, home)

    def location(self, path: str) -> str:
        """A URL."""
        return f"{self._url}/{path}"

    def place(self, file: Path, path: str) -> None:
        """Send the file, and see that all of it has come."""
        final = f"{self._root.rstrip('/')}/{path}"
        with _faults(self._url):
            if self._is_object_store:
                self._system.put_file(str(file), final)
            else:
                # Few of the others may be used by several threads.
                with self._lock:
                    self._put_and_rename(str(file), final)
            if (sent := self._system.info(final)["size"]) != (size := file.stat().st_size):
                raise OSError(f"{sent} of {size} bytes are there")

    def _put_and_rename(self, file: str, final: str) -> None:
        parent, _, name = final.rpartition("/")
        temporary = f"{parent}/.{name}.part"
        self._system.makedirs(parent, exist_ok=True)
        self._system.put_file(file, temporary)
        if self._system.exists(final):
            self._system.rm_file(final)
        self._system.mv(temporary, final)


def opened(target: str, home: Path) -> Target:
    """The configured target, made where it is missing.

    Raises:
        ConfigError: it is none that can be used.
        TargetError: it cannot be written.
    """
    if not target.strip():
        raise ConfigError(f"{_WHERE} is empty; name a folder, or a URL such as s3://bucket/calls")
    scheme = target.partition("://")[0].lower() if "://" in target else ""
    if scheme in ("", "file", "local"):
        path = unquote(target.partition("://")[2]) if scheme else target
        with _faults(target):
            folder = Path(path).expanduser().absolute()
        return Folder(folder)
    if any(":" in user or protocol.lower() not in _AZURE for protocol, user in _USERS.findall(target)):
        raise ConfigError(f"{_WHERE} must hold no user and no password; fsspec's own configuration may")
    return Store(target, home)


def size_of(location: str) -> int | None:
    """The length of a file that was placed, or None where it is not there.

    Raises:
        TargetError: nobody can tell.
    """
    with _faults(location):
        try:
            if "://" not in location:
                return Path(location).stat().st_size
            system, path = _opened(location, called=location)
            return int(system.info(path)["size"])
        except FileNotFoundError:
            return None


def delete(location: str) -> None:
    """Delete a file that was placed, and the folders of its day, month and year where they are empty now.

    Raises:
        TargetError: it cannot be deleted.
    """
    with _faults(location):
        if "://" in location:
            system, path = _opened(location, called=location)
            with suppress(FileNotFoundError):
                system.rm_file(path)
            return
        file = Path(location)
        file.unlink(missing_ok=True)
        with suppress(OSError):
            for folder in list(file.parents)[:_FOLDERS_OF_A_DAY]:
                folder.rmdir()


def _opened(url: str, *, called: str = _WHERE) -> tuple[Any, str]:
    # It is loaded for whoever has a store: most have a folder.
    import fsspec  # type: ignore[import-untyped]  # it ships no types

    try:
        system, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise ConfigError(f"{called} needs a package that is not there: {one_line(error)}") from None
    except ValueError as error:
        raise ConfigError(f"{called} cannot be used: {one_line(error)}") from None
    return system, str(path)


@contextmanager
def _faults(place: str) -> Iterator[None]:
    """Every fault of a place as one line; each store has errors of its own."""
    try:
        yield
    except CallsyncError:
        raise
    except Exception as fault:
        why = fault.strerror if isinstance(fault, OSError) and fault.strerror else one_line(fault)
        if isinstance(fault, FileExistsError | NotADirectoryError):
            why = f"{fault.filename} is no folder"
        raise TargetError(f"{place} cannot be used for recordings: {why}") from None


def _make(folder: Path, root: Path) -> None:
    """Make a folder below the root, and the root, for their owner alone."""
    root.parent.mkdir(parents=True, exist_ok=True)
    between = [root / parent for parent in reversed(folder.relative_to(root).parents)]
    for path in (*between, folder):
        path.mkdir(mode=0o700, exist_ok=True)


def _sync(folder: Path) -> None:
    """Make a rename outlive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
