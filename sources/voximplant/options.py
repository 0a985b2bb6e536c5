"""The options of a Voximplant account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sources.account import Options, option
from sources.errors import ConfigError
from sources.voximplant.token import read_credentials

PAGE_SIZE = 1000
"""The largest `count` (GetCallHistory)."""


@dataclass(frozen=True, kw_only=True)
class VoximplantOptions(Options):
    """Options of a Voximplant account."""

    credentials: str | Mapping[str, Any] = option("path of credentials.json, or its table", secret=True)
    base_url: str = option("address of the API", "https://api.voximplant.com/platform_api")
    page_size: int = option("sessions a page, 1000 at most", PAGE_SIZE)
    timezone: str = option("zone that times are asked in", "Etc/GMT")
    refresh_days: float = option("age up to which unfinished or unbilled sessions are read again by id", 7)
    recording_hosts: tuple[str, ...] = option(
        "hosts besides base_url's that get a token when recordings are fetched", ("*.voximplant.com",)
    )
    filter: Mapping[str, Any] = option("passed through to GetCallHistory", {})

    def problems(self) -> list[tuple[str, str]]:
        """Keys whose values cannot work; opens the credentials file."""
        found = super().problems()
        if not 1 <= self.page_size <= PAGE_SIZE:
            found.append(("page_size", f"must be from 1 to {PAGE_SIZE}"))
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            found.append(("timezone", f"is no IANA time zone: {self.timezone}"))
        try:
            read_credentials(self.credentials)
        except ConfigError as error:
            found.append(("credentials", str(error)))
        return found
