"""The options of a VBot account, and what differs between the versions of the API."""

from __future__ import annotations

from dataclasses import dataclass

from sources.account import Options, option
from sources.shaping.fields import RecordType
from sources.vbot.fields import CALLS, LEGACY_CALLS

UNITS = {"s": 1, "ms": 1000}
"""Of `from` and `to`: so many a second."""


@dataclass(frozen=True)
class Version:
    """What differs between the versions of the API, as data."""

    base_url: str
    list_path: str
    count_path: str
    page_base: int
    page_size: int
    record_type: RecordType
    time_unit: str
    has_body: bool = False
    """Whether the parameters stand in a JSON body too, as v1's document shows them."""


VERSIONS = {
    "v3": Version(
        base_url="https://open-api-h01.vbot.vn/v3.0",
        list_path="/m-cdr/api/call/get-all",
        count_path="/m-cdr/api/call/count-all",
        page_base=0,
        page_size=100,
        record_type=CALLS,
        time_unit="ms",
    ),
    "v2": Version(
        base_url="https://open-api-h01.vbot.vn/v2.0",
        list_path="/api/crm/historycall/getAll",
        count_path="/api/crm/historycall/countAll",
        page_base=1,
        page_size=50,
        record_type=LEGACY_CALLS,
        time_unit="auto",
    ),
    "v1": Version(
        base_url="https://open-api-h01.vbot.vn/v2.0",
        list_path="/api/crm/historycall/getAll",
        count_path="/api/crm/historycall/countAll",
        page_base=1,
        page_size=50,
        record_type=LEGACY_CALLS,
        time_unit="none",
        has_body=True,
    ),
}


@dataclass(frozen=True, kw_only=True)
class VbotOptions(Options):
    """Options of a VBot account."""

    api_version: str = option("v3, or the deprecated v2 and v1", "v3")
    base_url: str | None = option("address of the API; by default that of the version", None)
    project_code: str | None = option("group code (v1, v2)", None, scope=True)
    vbot_id: str | None = option("the customer's VBotID (v1, v2)", None, scope=True)
    phones: tuple[str, ...] = option(
        "read only these numbers, one walk each (v1, v2); none: all calls", (), scope=True
    )
    time_unit: str = option("unit of from/to in v2: s, ms, none (not understood), auto (find out)", "auto")
    page_base: int | None = option(
        "number of the first page; by default found out, or 0 for v3, else 1", None, least=0, most=1_000
    )
    page_size: int | None = option("calls a page; by default 100 for v3, else 50", None, least=1, most=10_000)
    timezone: str = option("zone of date_create in v1 and v2", "Asia/Ho_Chi_Minh", scope=True)
    currency: str = option("currency of postage", "VND")
    recording_hosts: tuple[str, ...] = option(
        "hosts besides base_url's that get the key or token when recordings are fetched", ("*.vbot.vn",)
    )
    api_key: str | None = option("API key (v3)", None, secret=True, header=True)
    username: str | None = option("user of the token endpoint (v1, v2)", None, secret=True)
    password: str | None = option("password of the token endpoint (v1, v2)", None, secret=True)
    access_token: str | None = option(
        "a token from elsewhere instead of user and password (v1, v2)", None, secret=True, header=True
    )

    @property
    def version(self) -> Version:
        """The API version as data."""
        return VERSIONS[self.api_version]

    @property
    def address(self) -> str:
        """The address of the API, without a slash at its end."""
        return (self.base_url or self.version.base_url).rstrip("/")

    def problems(self) -> list[tuple[str, str]]:
        """Keys whose values cannot work together."""
        if self.api_version not in VERSIONS:
            return [("api_version", f"must be one of {', '.join(VERSIONS)}")]
        found = super().problems()
        if self.api_version == "v3" and not self.api_key:
            found.append(("api_key", "is missing; make one in VBot's console, group settings, API Key"))
        if self.api_version != "v3" and not self.access_token:
            found += [(key, "is missing") for key in ("username", "password") if not getattr(self, key)]
        if self.time_unit not in ("auto", "none", *UNITS):
            found.append(("time_unit", "must be auto, s, ms or none"))
        return found
