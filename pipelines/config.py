"""Configuration: dlt's settings (`.dlt/config.toml`, `.dlt/secrets.toml`, environment) into frozen values.

An account's key is looked for in `[sources.<provider>.<account>]`, then in `[sources.<provider>]`, in dlt's
order of providers: environment first. Every key is known by name; one that is not is an error that names its
nearest.
"""

from __future__ import annotations

import difflib
import json
import re
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any

from pipelines import privacy
from pipelines.config_values import typed
from pipelines.settings import Settings, variables
from pipelines.warehouse_path import path_of
from sources.account import (
    FIRST_DAY,
    MOST_AT_ONCE,
    MOST_DAYS,
    MOST_SECONDS,
    Account,
    Options,
    option,
    out_of_bounds,
)
from sources.errors import AccessDenied, ConfigError
from sources.provider import Provider
from sources.registry import PROVIDERS
from sources.shaping import Privacy
from sources.windows import instant
from sources.zones import NO_ZONE, is_zone

DEFAULT_WAREHOUSE = "warehouse.duckdb"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
NO_ACCOUNT = "no account is configured; name some in [callsync] accounts (callsync init writes a sample)"


@dataclass(frozen=True, kw_only=True)
class General:
    """The keys of `[callsync]`."""

    accounts: tuple[str, ...] = option("provider.account, any number of them", ())
    reporting_timezone: str = option("zone of local dates, and of dates you type", "Asia/Ho_Chi_Minh")
    default_region: str = option("country of numbers that name none, for E.164", "VN")
    phone_privacy: str = option("how persons' numbers are stored: keep, mask or hash", privacy.KEEP)
    phone_hash_key: str | None = option(
        "what phone_privacy = hash is keyed with, 16 characters or more; whoever has it can find numbers out",
        None,
        secret=True,
    )
    accounts_at_once: int = option("accounts read at once", 8, least=1, most=MOST_AT_ONCE)
    commit_rows: int = option(
        "calls gathered before they are loaded together", 40_960, least=1, most=10_000_000
    )
    commit_seconds: float = option("or seconds, whichever comes first", 20, least=0, most=MOST_SECONDS)
    freshness_hours: float = option(
        "an account read until longer ago than this counts as stale", 24, least=0, most=24 * MOST_DAYS
    )
    service_level_seconds: float = option(
        "a call answered within so long was answered in time", 20, least=0, most=MOST_SECONDS
    )
    short_abandon_seconds: float = option(
        "a caller who rings for less does not count as offered", 5, least=0, most=MOST_SECONDS
    )
    duckdb_memory_mb: int = option(
        "memory DuckDB may use while a run writes, at least 128", 128, least=128, most=10_000_000
    )
    warehouse_patience_seconds: float = option(
        "patience with someone who has the warehouse file open", 30, least=0, most=MOST_SECONDS
    )
    recordings_target: str = option("folder, or URL such as s3://bucket/calls, of recordings", "recordings")
    recordings_at_once: int = option("recordings fetched at once", 4, least=1, most=MOST_AT_ONCE)
    recordings_retention_days: float = option(
        "age of a call that ends its recordings; 0 keeps them", 0, least=0, most=MOST_DAYS
    )


@dataclass(frozen=True)
class Config:
    """Everything a run needs to know; made before any request is sent."""

    general: General
    warehouse: Path
    accounts: tuple[Account, ...]

    @property
    def privacy(self) -> str:
        """What is kept of persons' numbers, as the warehouse remembers it."""
        general = self.general
        return privacy.named(general.phone_privacy, general.default_region, general.phone_hash_key or "")

    def selected(self, selectors: Sequence[str]) -> tuple[Account, ...]:
        """The accounts that `provider` or `provider.account` name; all without any.

        Raises:
            ConfigError: a selector names nothing that is configured.
        """
        if not self.accounts:
            raise ConfigError(NO_ACCOUNT)
        chosen: dict[str, Account] = {}
        for selector in selectors or [str(account) for account in self.accounts]:
            found = [account for account in self.accounts if selector in (str(account), account.provider)]
            if not found:
                known = [str(account) for account in self.accounts]
                raise ConfigError(
                    f"{selector} is not configured{_nearest(selector, known)}; there are {', '.join(known)}"
                )
            chosen |= {str(account): account for account in found}
        return tuple(chosen.values())


def load() -> Config:
    """Read and check the configuration of the working directory.

    Raises:
        ConfigError: the first key that is missing, unknown or unusable.
    """
    settings = Settings()
    general = _general(settings)
    # Who only reads the warehouse needs no key.
    if general.phone_privacy == privacy.HASH and len(general.phone_hash_key or "") < privacy.SHORTEST_KEY:
        missing = f"must have at least {privacy.SHORTEST_KEY} characters where phone_privacy is hash"
        raise _unusable("callsync", "phone_hash_key", missing, is_secret=True)
    kept = privacy.of(general.phone_privacy, general.default_region, general.phone_hash_key or "")
    accounts = tuple(_account(settings, name, general.reporting_timezone, kept) for name in general.accounts)
    return Config(general, _warehouse(settings), accounts)


def load_warehouse() -> tuple[General, Path]:
    """What a reader needs: no account has to be configured right for it."""
    settings = Settings()
    return _general(settings), _warehouse(settings)


def explained(error: Exception, account: Account) -> str:
    """The text of an account's error; where its secret is refused, with the keys to look at."""
    if not isinstance(error, AccessDenied):
        return str(error)
    options = account.options
    keys = [
        known.name
        for known in fields(options)
        if known.metadata["secret"] and getattr(options, known.name) != known.default
    ]
    section = _header(f"sources.{account}")
    return f"{error}; check {' and '.join(keys)} under {section} in .dlt/secrets.toml"


def _general(settings: Settings) -> General:
    where = "callsync"
    _refuse_unknown(settings.table("callsync"), fields(General), where)
    _refuse_unknown(variables("callsync"), fields(General), where)
    general = General(**_values(settings, General, [("callsync",)], where, "UTC"))
    if not is_zone(general.reporting_timezone):
        raise _unusable(where, "reporting_timezone", NO_ZONE)
    if not _is_region(general.default_region):
        raise _unusable(where, "default_region", "is no country code of two capital letters, such as VN")
    if general.phone_privacy not in privacy.SETTINGS:
        raise _unusable(where, "phone_privacy", f"must be one of {', '.join(privacy.SETTINGS)}")
    for key, problem in out_of_bounds(general):
        raise _unusable(where, key, problem)
    if repeated := {name for name in general.accounts if general.accounts.count(name) > 1}:
        raise _unusable(where, "accounts", f"names {', '.join(sorted(repeated))} twice")
    return general


def _is_region(text: str) -> bool:
    if text == General.default_region:
        # The library's tables take a moment to load; who keeps the default is spared it.
        return True
    import phonenumbers

    return text in phonenumbers.SUPPORTED_REGIONS


def _account(settings: Settings, selector: str, zone: str, kept: Privacy | None) -> Account:
    provider_name, dot, name = selector.partition(".")
    if not dot or not name or "." in name:
        raise _unusable(
            "callsync", "accounts", f"holds {selector!r}, which is not of the form provider.account"
        )
    if provider_name not in PROVIDERS:
        raise ConfigError(
            f"callsync.accounts names {selector}, but there is no provider {provider_name}"
            f"{_nearest(provider_name, PROVIDERS)}; there are {', '.join(PROVIDERS)}"
        )
    provider = PROVIDERS[provider_name]
    if name in (known.name for known in fields(provider.options)):
        # Its section would be the default of that key for all accounts.
        raise _unusable("callsync", "accounts", f"names {selector}, but {name} is a key of its provider")
    where = f"sources.{selector}"
    _refuse_unknown(settings.table(name, "sources", provider_name), fields(provider.options), where)
    named = {key.split("__")[0]: None for key in variables(name, "sources", provider_name)}
    _refuse_unknown(named, fields(provider.options), where)
    _refuse_unknown_defaults(settings, provider)
    sections = [("sources", provider_name, name), ("sources", provider_name)]
    given = _values(settings, provider.options, sections, where, zone)
    options = provider.options(**{"start_date": instant(FIRST_DAY, zone), **given})
    for key, problem in options.problems():
        raise _unusable(where, key, problem, is_secret=_is_secret(provider.options, key))
    return Account(provider_name, name, options, kept)


def _refuse_unknown_defaults(settings: Settings, provider: Provider) -> None:
    """Tables in a provider's section are accounts; whatever else stands there is a default for them all."""
    known = {known.name for known in fields(provider.options)}
    defaults = {
        key: value
        for key, value in settings.table(provider.name, "sources").items()
        if key in known or not isinstance(value, Mapping)
    }
    # Variables with more to their name are of an account, or of a key that is a table.
    said = variables(provider.name, "sources")
    defaults |= {key: value for key, value in said.items() if "__" not in key}
    _refuse_unknown(defaults, fields(provider.options), f"sources.{provider.name}")


def _warehouse(settings: Settings) -> Path:
    said = settings.value("credentials", "destination", "duckdb")
    if isinstance(said, Mapping):
        said = said.get("database")
    try:
        return path_of(DEFAULT_WAREHOUSE if said is None else said)
    except ValueError as error:
        raise _unusable("destination.duckdb", "credentials", str(error)) from None


def _values(
    settings: Settings, kind: type, sections: Sequence[tuple[str, ...]], where: str, zone: str
) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for known in fields(kind):
        found = next(
            (value for section in sections if (value := settings.value(known.name, *section)) is not None),
            None,
        )
        if found is None:
            if known.default is MISSING and known.default_factory is MISSING:
                raise _unusable(where, known.name, "is missing", is_secret=known.metadata["secret"])
            continue
        try:
            values[known.name] = typed(found, hints[known.name], zone)
        except (TypeError, ValueError) as error:
            raise _unusable(where, known.name, str(error), is_secret=known.metadata["secret"]) from None
    return values


def _refuse_unknown(table: Mapping[str, Any], known: Sequence[Field[Any]], where: str) -> None:
    names = [field.name for field in known]
    for key in table:
        if key not in names:
            raise ConfigError(f"{where}.{key} is not a key of callsync{_nearest(key, names)}")


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""


def _is_secret(kind: type[Options], key: str) -> bool:
    return any(known.name == key and known.metadata["secret"] for known in fields(kind))


def _unusable(where: str, key: str, problem: str, *, is_secret: bool = False) -> ConfigError:
    file = "secrets.toml" if is_secret else "config.toml"
    variable = "__".join([*where.split("."), *key.split(".")]).upper()
    return ConfigError(
        f"{where}.{key} {problem}; set it in .dlt/{file} under {_header(where)}, or as {variable}"
    )


def _header(where: str) -> str:
    """A section as a file names it: what TOML takes for no bare key stands in quotes."""
    parts = (
        part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False)
        for part in where.split(".")
    )
    return f"[{'.'.join(parts)}]"
