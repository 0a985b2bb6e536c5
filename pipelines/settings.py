"""dlt's settings, found where dlt finds them, without dlt: it takes longer to load than an idle run does.

    environment ──▶ secrets.toml ──▶ config.toml        the first that has a key says what it is

Each file is that of the project (`.dlt`) over that of the user (dlt documentation, "Configuration
providers").
What dlt would ask of a notebook is not looked for.
"""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sources.errors import ConfigError

FILES = ("secrets.toml", "config.toml")
"""The strongest first."""

Table = Mapping[str, Any]


class Settings:
    """What the environment and the files say, as they were when this was made.

    Raises:
        ConfigError: a file cannot be read.
    """

    def __init__(self) -> None:
        folder = os.environ.get("DLT_CONFIG_FOLDER", ".dlt")
        project = Path(os.environ.get("DLT_PROJECT_DIR", "."), folder)
        user = _folder_of_user(folder)
        self._files = [_over(_read(project / name), _read(user / name)) for name in FILES]

    def value(self, key: str, *sections: str) -> Any:
        """The strongest value, or None; a table may stand in several environment variables."""
        if parts := variables(key, *sections):
            return parts
        said = os.environ.get("__".join((*sections, key)).upper())
        if said is not None:
            return said
        return next((value for file in self._files if (value := _at(file, *sections, key)) is not None), None)

    def table(self, key: str, *sections: str) -> dict[str, Any]:
        """What the files hold under a section, all together."""
        merged: dict[str, Any] = {}
        for file in self._files:
            found = _at(file, *sections, key)
            merged = {**found, **merged} if isinstance(found, Mapping) else merged
        return merged


def variables(key: str, *sections: str) -> dict[str, Any]:
    """What environment variables below a key say: `FILTER__DIRECTION=in` is `{"direction": "in"}`."""
    prefix = "__".join((*sections, key, "")).upper()
    found = {}
    for name, value in os.environ.items():
        if name.startswith(prefix):
            is_json = value.lstrip().startswith(("[", "{"))
            found[name.removeprefix(prefix).lower()] = _json(value) if is_json else value
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _folder_of_user(folder: str) -> Path:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/dlt")
    home = Path(os.path.expanduser("~"))
    if not os.access(home, os.W_OK):
        return Path(tempfile.gettempdir(), "dlt")
    usual = home / folder
    elsewhere = os.environ.get("XDG_DATA_HOME")
    return usual if elsewhere is None or usual.is_dir() else Path(elsewhere, "dlt")


def _read(file: Path) -> Table:
    try:
        # Some editors begin a file with a byte order mark.
        return tomllib.loads(file.read_text("utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except RecursionError:
        raise ConfigError(f"the configuration in {file} cannot be read: it is nested too deep") from None
    except (OSError, ValueError) as error:
        why = " ".join(str(error).split())
        raise ConfigError(f"the configuration in {file} cannot be read: {why}") from None


def _over(strong: Table, weak: Table) -> Table:
    """Both, table by table; where both say something, the strong one counts."""
    both = {**weak, **strong}
    for key in strong.keys() & weak.keys():
        if isinstance(strong[key], Mapping) and isinstance(weak[key], Mapping):
            both[key] = _over(strong[key], weak[key])
    return both


def _at(table: Table, *path: str) -> Any:
    found: Any = table
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found
