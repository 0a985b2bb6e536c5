"""What `callsync init` writes: a commented configuration, made from the options' own tables."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.config import DEFAULT_WAREHOUSE, General
from sources.account import Options
from sources.errors import ConfigError
from sources.registry import PROVIDERS

CONFIG = Path(".dlt/config.toml")
SECRETS = Path(".dlt/secrets.toml")


def write() -> tuple[Path, Path]:
    """Write both files into the working directory.

    Raises:
        ConfigError: one of them is there already, and nothing is written then; or the folder is unusable.
    """
    try:
        there = [str(path) for path in (CONFIG, SECRETS) if path.exists()]
        if there:
            raise ConfigError(f"{' and '.join(there)} exist already and are never overwritten")
        CONFIG.parent.mkdir(mode=0o700, exist_ok=True)
        for path, text in ((CONFIG, config_text()), (SECRETS, secrets_text())):
            with open(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(text)
    except OSError as error:
        raise ConfigError(f"{error.filename} cannot be written: {error.strerror}") from None
    return CONFIG, SECRETS


def config_text() -> str:
    """The text of `.dlt/config.toml`: every key with its meaning and its default."""
    blocks = [
        "# callsync reads these keys, or the same as environment variables: CALLSYNC__ACCOUNTS,",
        "# SOURCES__ETELECOM__HANOI__PAGE_SIZE. A line that begins with # shows a default.",
        "",
        "[callsync]",
        "# accounts = [" + ", ".join(f'"{name}.main"' for name in PROVIDERS) + "]",
        "accounts = []",
        *_lines(
            field for field in fields(General) if field.name != "accounts" and not field.metadata["secret"]
        ),
        "",
        "[destination.duckdb]",
        f'credentials = "{DEFAULT_WAREHOUSE}"',
    ]
    common = {field.name for field in fields(Options)}
    for number, provider in enumerate(PROVIDERS.values()):
        own = [field for field in fields(provider.options) if field.name not in common]
        shared = fields(Options) if number == 0 else ()
        blocks += [
            "",
            f"# {provider.title}; what stands here holds for all its accounts, unless one says otherwise.",
            *(
                [f"# The keys from {shared[0].name} to {shared[-1].name} are the same for every provider."]
                if shared
                else []
            ),
            f"[sources.{provider.name}]",
            *_lines(field for field in (*shared, *own) if not field.metadata["secret"]),
            f"# [sources.{provider.name}.main]",
        ]
    return "\n".join(blocks) + "\n"


def secrets_text() -> str:
    """The text of `.dlt/secrets.toml`: the secrets of each provider, commented out."""
    blocks = ["# Keep this file to yourself: mode 600, never committed.", ""]
    blocks += ["# [callsync]", *_secret_lines(General), ""]
    for provider in PROVIDERS.values():
        blocks += [f"# [sources.{provider.name}.main]", *_secret_lines(provider.options), ""]
    return "\n".join(blocks)


def _secret_lines(options: type) -> list[str]:
    return [
        f'# {field.name} = ""  # {field.metadata["help"]}'
        for field in fields(options)
        if field.metadata["secret"]
    ]


def _lines(options: Any) -> list[str]:
    return [f"# {field.name} = {_toml(field)}  # {field.metadata['help']}" for field in options]


def _toml(field: Field[Any]) -> str:
    value = field.default if field.default is not MISSING else {}
    if isinstance(value, datetime):
        return f'"{value:%Y-%m-%d}"'
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, bool):
        return str(value).lower()
    return '""' if value is None else str(value)
