"""The options of a Voximplant account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sources.account import MOST_DAYS, Options, option
from sources.errors import ConfigError
from sources.voximplant.token import read_credentials

PAGE_SIZE = 1000
"""The largest `count` (GetCallHistory)."""


@dataclass(frozen=True, kw_only=True)
class VoximplantOptions(Options):
    """Options of a Voximplant account."""

    credentials: str | Mapping[str, Any] = option("path of credentials.json, or its table", secret=True)
    base_url: str = option("address of the API", "https://api.voximplant.com/platform_api")
    page_size: int = option("sessions a page, 1000 at most", PAGE_SIZE, least=1, most=PAGE_SIZE)
    timezone: str = option("zone that times are asked in", "Etc/GMT")
    refresh_days: float = option(
        "age up to which unfinished or unbilled sessions are read again by id", 7, least=0, most=MOST_DAYS
    )
    recording_hosts: tuple[str, ...] = option(
        "hosts besides base_url's that get a token when recordings are fetched", ("*.voximplant.com",)
    )
    filter: Mapping[str, Any] = option("passed through to GetCallHistory", {}, scope=True)

    def problems(self) -> list[tuple[str, str]]:
        """Keys whose values cannot work; opens the credentials file."""
        found = super().problems()
        try:
            read_credentials(self.credentials)
        except ConfigError as error:
            found.append(("credentials", str(error)))
        return found
