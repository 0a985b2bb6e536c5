"""What the configuration says of the warehouse, as the path of a file that can be one."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from pipelines.warehouse import Files
from sources.errors import ConfigError
from sources.registry import PROVIDERS

_NO_FILE = re.compile(r":memory:|md:|motherduck:|[a-z][a-z0-9+.-]*://", re.IGNORECASE)

_LONGEST_NAME = 200
"""Bytes; a file system takes 255, and the names of the files beside the warehouse are longer than its own."""

_MAGIC = slice(8, 12), b"DUCK"
"""Where a DuckDB file says that it is one; also one that is encrypted, or that a newer DuckDB has written."""

SCHEMAS = frozenset(
    {"callsync", "staging", "intermediate", "reporting", *PROVIDERS, "information_schema", "pg_catalog"}
)
"""DuckDB names a database for its file, and cannot tell `reporting.calls` from a table of that database."""


def path_of(said: Any) -> Path:
    """The absolute path of the warehouse; nothing has to be there, and no file of another kind may be.

    Raises:
        ValueError: what is said cannot be a warehouse; the text goes on from the name of the key.
        ConfigError: the path is relative to a working directory that is gone.
    """
    text = said.removeprefix("duckdb:///").removeprefix("duckdb:") if isinstance(said, str) else ""
    if not text.strip() or _NO_FILE.match(text):
        raise ValueError("must be the path of a DuckDB file")
    path = _absolute(text)
    if path.name == ".." or os.path.isdir(path):
        raise ValueError("must be the path of a file, and not of a folder")
    _refuse_unusable(path)
    if _is_foreign(path):
        raise ValueError(f"must be another path: {path.name} is no DuckDB file, and is left as it is")
    if _database(path) in SCHEMAS:
        raise ValueError(
            f"must not be {path.name}: DuckDB would take its schema {_database(path)} for the file; "
            f"calls_{path.name.lstrip('.')} would do"
        )
    return path


def _absolute(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError("begins with the home of a user who is not there") from None
    except FileNotFoundError:
        raise ConfigError("the working directory is not there any more; enter one that is") from None


def _refuse_unusable(path: Path) -> None:
    if len(os.fsencode(path.name)) > _LONGEST_NAME:
        raise ValueError(f"must have a file name of at most {_LONGEST_NAME} bytes")
    try:
        path.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise ValueError(f"cannot be used: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"cannot be used: {error}") from None


def _is_foreign(path: Path) -> bool:
    """Whether somebody else's file is there, such as a table of text: DuckDB would open it as a database.

    A file with a published copy beside it is a warehouse that was damaged: the copy can be read all the same.
    """
    where, magic = _MAGIC
    try:
        if not path.is_file() or Files(path).published.exists():
            return False
        with path.open("rb") as file:
            begins = file.read(where.stop)
    except OSError:
        # Whoever opens it says why that cannot be.
        return False
    return begins != b"" and begins[where] != magic


def _database(path: Path) -> str:
    return path.name.lstrip(".").partition(".")[0].lower()
