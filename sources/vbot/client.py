"""The questions that the VBot API answers, whatever its version: a page of a list, and a count."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from sources.credentials import ApiKey, Credential
from sources.errors import RequestRefused
from sources.http import Api, Request
from sources.vbot.answers import number_of, records_of, refusal
from sources.vbot.options import VbotOptions
from sources.vbot.token import PasswordToken

WITH_AND_WITHOUT_HOTLINE = 1
"""`has_hotline`: blank shows only calls with a hotline, which loses internal ones (v3, call-transaction)."""


class VbotClient:
    """Asks for pages and counts of one account.

    Args:
        options: the account's.
        seams: for tests, as in `Api`.

    Attributes:
        page_size: records a page that are asked for.
    """

    def __init__(self, options: VbotOptions, **seams: Any) -> None:
        self._options = options
        self._version = options.version
        self.page_size = options.page_size or self._version.page_size
        self._api = Api.of(options, credential(options), refusal, **seams)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def page(
        self,
        path: str,
        number: int,
        wanted: Mapping[str, Any],
        *,
        size: int | None = None,
        attempts: int | None = None,
    ) -> list[bytes]:
        """A page of a list, of `page_size` records unless said otherwise."""
        paging = {"page": number, "size": size or self.page_size}
        return self.records(path, {**wanted, **paging}, attempts=attempts)

    def records(self, path: str, wanted: Mapping[str, Any], *, attempts: int | None = None) -> list[bytes]:
        """The records that one request shows: all of a list that has no pages."""
        records = partial(records_of, is_v1=self._options.api_version == "v1")
        return self._api.call(self._request(path, wanted), records, attempts=attempts)

    def count(self, wanted: Mapping[str, Any]) -> int | None:
        """The provider's own count of calls, or None where it does not give one."""
        try:
            return self._api.call(self._request(self._version.count_path, wanted), number_of)
        except RequestRefused:
            return None

    def _request(self, path: str, wanted: Mapping[str, Any]) -> Request:
        options = self._options
        parameters = dict(wanted)
        if options.api_version == "v3":
            if "m-cdr" in path:
                parameters["has_hotline"] = WITH_AND_WITHOUT_HOTLINE
        else:
            own = {"vbot_id": options.vbot_id, "project_code": options.project_code}
            parameters = {key: value for key, value in own.items() if value} | parameters
        body = parameters if self._version.has_body else None
        return Request("GET", f"{options.address}{path}", params=parameters, json=body)


def credential(options: VbotOptions) -> Credential:
    """What proves who we are: the key of v3, or the token of v1 and v2."""
    if options.api_version == "v3":
        return ApiKey("X-API-Key", options.api_key or "")
    if options.access_token:
        return ApiKey("Authorization", f"Bearer {options.access_token}")
    return PasswordToken(f"{options.address}/token", options.username or "", options.password or "")
