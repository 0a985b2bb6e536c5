"""An account and the options every provider shares.

A provider's options are a frozen dataclass that inherits `Options`; its fields are the configuration keys, so
the command line, the dlt sources and the documentation all read the same table.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from sources.client import is_loopback
from sources.errors import ConfigError
from sources.shaping.privacy import Privacy
from sources.windows import instant
from sources.zones import NO_ZONE, is_zone

FIRST_DAY = "2026-01-01"
"""What `start_date` is by default: midnight there where a bare date is read."""

_HOST = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+|localhost", re.IGNORECASE)

AnyOptions = TypeVar("AnyOptions", bound="Options")


MOST_DAYS = 36_500
"""A century: more is a slip of the hand, and leaves the calendar before long."""

MOST_SECONDS = 86_400
"""A day: no wait of a run is longer, and from 25 days on a socket cannot be told of it."""

MOST_AT_ONCE = 1_000
"""Each has a thread of its own."""

_SLOWEST_PACE = 0.001
"""A request in a quarter of an hour; 0 would be the next, and is no limit."""


def option(
    help_text: str,
    default: Any = ...,
    *,
    secret: bool = False,
    header: bool = False,
    scope: bool = False,
    least: float | None = None,
    most: float | None = None,
) -> Any:
    """A configuration key: its meaning, its default, and whether it belongs in `secrets.toml`.

    Those of `header` are sent in one as they are. Of `scope` are those that say which calls an account shows,
    or what their times mean: where one of them changes, everything is read again. Every number has the least
    and the most that it may be.
    """
    metadata = {
        "help": help_text, "secret": secret, "header": header, "scope": scope, "least": least, "most": most,
    }  # fmt: skip
    if default is ...:
        return field(metadata=metadata, repr=not secret)
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata, repr=not secret)
    return field(default=default, metadata=metadata, repr=not secret)


def unusable_secrets(values: Any) -> list[tuple[str, str]]:
    """The secrets among a dataclass's options that are blank, or that no header may hold."""
    found = []
    for known in fields(values):
        value = getattr(values, known.name)
        if not known.metadata["secret"] or not isinstance(value, str):
            continue
        # One that may be left out counts as left out where it is empty.
        if not value.strip() and (value or known.default is MISSING):
            found.append((known.name, "is missing"))
        elif known.metadata["header"] and not _may_be_sent(value):
            found.append((known.name, "holds what no header may: a line break, a blank at an end, an accent"))
    return found


def _may_be_sent(value: str) -> bool:
    """Whether a header may hold a text as it is (RFC 9110, 5.5)."""
    return value.isascii() and value.isprintable() and value == value.strip()


def out_of_bounds(values: Any) -> list[tuple[str, str]]:
    """The numbers among a dataclass's options that are less than their least or more than their most."""
    found = []
    for known in fields(values):
        value, least, most = getattr(values, known.name), known.metadata["least"], known.metadata["most"]
        if value is None:
            continue
        if least is not None and not value >= least:
            found.append((known.name, f"must be at least {least}"))
        if most is not None and not value <= most:
            found.append((known.name, f"must be at most {most}"))
    return found


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of an account of any provider.

    Attributes:
        start_date: aware, the first instant a first sync reads.
    """

    start_date: datetime = option("first day a first sync reads", instant(FIRST_DAY))
    lookback_days: float = option(
        "days read again by every sync, because calls change after the fact", 3, least=0, most=MOST_DAYS
    )
    window_days: int = option("widest window of one request chain, in days", 1, least=1, most=MOST_DAYS)
    concurrency: int = option("windows read at once, at most", 8, least=1, most=MOST_AT_ONCE)
    requests_per_second: float = option("pace of the account; 0 is no limit", 10, least=0, most=10_000)
    timeout_seconds: float = option("patience with one answer", 30, least=0.001, most=MOST_SECONDS)
    max_attempts: int = option("how often one request is sent at most", 6, least=1, most=100)
    allow_http: bool = option("whether base_url may send keys unencrypted to another machine", False)

    @property
    def lookback(self) -> timedelta:
        """The lookback as a length of time."""
        return timedelta(days=self.lookback_days)

    @property
    def scope(self) -> str:
        """What tells the scope of these options from another one; nothing of a filter can be read from it."""
        scope = {known.name: getattr(self, known.name) for known in fields(self) if known.metadata["scope"]}
        return hashlib.blake2b(msgspec.json.encode(scope, order="sorted"), digest_size=8).hexdigest()

    def problems(self) -> list[tuple[str, str]]:
        """Keys whose values cannot work together, each with what is wrong."""
        found = unusable_secrets(self) + out_of_bounds(self)
        if 0 < self.requests_per_second < _SLOWEST_PACE:
            found.append(("requests_per_second", f"must be 0, or at least {_SLOWEST_PACE}"))
        if not is_zone(getattr(self, "timezone", "UTC")):
            found.append(("timezone", NO_ZONE))
        base_url = getattr(self, "base_url", None)
        if base_url is not None and (problem := self._problem_of(base_url)):
            found.append(("base_url", problem))
        for host in getattr(self, "recording_hosts", ()):
            if not _HOST.fullmatch(host):
                found.append(("recording_hosts", f"takes a.example.com or *.example.com, not {host!r}"))
        return found

    def _problem_of(self, base_url: str) -> str | None:
        address = re.fullmatch(r"(https?)://(?:([^/@?#\s]*)@)?([^/@?#\s]+)(?:/[^?#\s]*)?", base_url)
        if address is None:
            return "must begin with https:// (or http://) and name a host"
        scheme, user, host = address.groups()
        if user is not None:
            return "must hold no user and no password"
        if scheme == "http" and not self.allow_http and not is_loopback(_without_port(host)):
            return (
                "must begin with https://, or whoever listens reads the key; "
                "if that is meant, set allow_http = true beside it"
            )
        return None


@dataclass(frozen=True)
class Account:
    """One account of one provider.

    Attributes:
        options: the provider's own dataclass.
        privacy: what is kept of persons' numbers; None keeps them as they come.
    """

    provider: str
    name: str
    options: Any
    privacy: Privacy | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """The selector: `provider.account`."""
        return f"{self.provider}.{self.name}"


def _without_port(host: str) -> str:
    return re.sub(r":\d*$", "", host).strip("[]")


def options_of(kind: type[AnyOptions], arguments: Mapping[str, Any]) -> AnyOptions:
    """The options among a source's arguments; None takes the default, dates may be text.

    Raises:
        ConfigError: the first of the values that cannot work.
    """
    given = {
        known.name: arguments[known.name] for known in fields(kind) if arguments.get(known.name) is not None
    }
    if isinstance(given.get("start_date"), str):
        given["start_date"] = instant(given["start_date"])
    options = kind(**given)
    for key, problem in options.problems():
        raise ConfigError(f"{key} {problem}")
    return options
