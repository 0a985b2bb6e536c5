"""The options of an eTelecom account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sources.account import Options, option

PAGE_SIZE = 100
"""The largest page the provider serves; it clamps a larger limit without saying so."""

FILTER_KEYS = (
    "direction", "call_state", "hotline_ids", "extension_ids", "user_id", "department_id", "call_number",
    "duration", "external_id", "external_session_id",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class EtelecomOptions(Options):
    """Options of an eTelecom account."""

    api_key: str = option("a shop's api_key, or a partner's shop_key", secret=True, header=True)
    base_url: str = option("address of the API up to the service name", "https://api.etelecom.vn/v1/shop")
    service: str = option("service name; white labels have their own", "Etelecom")
    page_size: int = option(
        "call logs a page; the provider serves 100 at most", PAGE_SIZE, least=1, most=10_000
    )
    recording_hosts: tuple[str, ...] = option(
        "hosts besides base_url's that get the key when recordings are fetched", ()
    )
    filter: Mapping[str, Any] = option("passed through to ListCallLogs", {}, scope=True)

    def problems(self) -> list[tuple[str, str]]:
        """Keys whose values cannot work."""
        found = super().problems()
        # The service name follows after a dot: without a path it would become part of the host's name.
        if re.fullmatch(r"https?://[^/]*/*", self.base_url):
            found.append(("base_url", f"must have a path, as {EtelecomOptions.base_url} has"))
        unknown = sorted(set(self.filter) - set(FILTER_KEYS))
        return found + [(f"filter.{key}", "is not a filter of ListCallLogs") for key in unknown]
