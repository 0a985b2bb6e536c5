"""eTelecom as a singer-sdk tap: call logs, and the lists inside them as streams with their call's key.

`python singer_tap.py --config tap.json`, in its own environment. Each list's stream reads the calls again: as
child streams of singer-sdk, which are synced anew for each call, they take several times as long.
"""

# singer-sdk is not in the environment that mypy looks into, so its classes have no type there.
# mypy: disable-error-code="import-not-found, misc"

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import requests
from singer_sdk import RESTStream, Stream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import JSONPathPaginator


def _texts(*names: str) -> list[th.Property]:
    return [th.Property(name, th.StringType) for name in names]


def _times(*names: str) -> list[th.Property]:
    return [th.Property(name, th.DateTimeType) for name in names]


class CallLogs(RESTStream):
    """ListCallLogs, newest first, by the cursor."""

    name = "call_logs"
    path = ".Etelecom/ListCallLogs"
    http_method = "POST"
    primary_keys: ClassVar[tuple[str, ...]] = ("id",)
    schema = th.PropertiesList(
        *_texts("id", "external_id", "external_session_id", "user_id", "extension_id", "contact_id"),
        *_texts("caller", "callee", "direction", "call_state", "call_status", "note"),
        *_times("started_at", "ended_at", "created_at", "updated_at"),
        th.Property("duration", th.IntegerType),
    ).to_dict()

    @property
    def url_base(self) -> str:
        """Where the account is."""
        return str(self.config["base_url"])

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        """The key."""
        return BearerTokenAuthenticator(token=self.config["api_key"])

    def get_new_paginator(self) -> JSONPathPaginator:
        """By the cursor, until there is none."""
        return JSONPathPaginator("$.paging.next")

    def prepare_request_payload(
        self, context: Mapping[str, Any] | None, next_page_token: str | None
    ) -> dict[str, Any]:
        """The body of a request."""
        return {"paging": {"limit": self.config["page_size"], "after": next_page_token or ""}}

    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        """The rows of a page."""
        yield from response.json()["call_logs"]


class _List(CallLogs):
    """A list inside call logs."""

    primary_keys: ClassVar[tuple[str, ...]] = ("id", "position")
    source: ClassVar[str]

    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        """The entries in the rows of a page."""
        for call in super().parse_response(response):
            for position, entry in enumerate(call[self.source]):
                row = entry if isinstance(entry, dict) else {"value": entry}
                yield {"id": call["id"], "position": position, **row}


class CallTargets(_List):
    """Who was rung."""

    name = "call_logs__call_targets"
    source = "call_targets"
    schema = th.PropertiesList(
        *_texts("id", "end_reason", "status", "target_number", "trunk_name"),
        *_times("add_time", "ring_time", "answered_time", "ended_time"),
        *(th.Property(name, th.IntegerType) for name in ("position", "ring_duration", "fail_code")),
    ).to_dict()


class RecordingUrls(_List):
    """Where recordings are."""

    name = "call_logs__recording_urls"
    source = "recording_urls"
    schema = th.PropertiesList(*_texts("id", "value"), th.Property("position", th.IntegerType)).to_dict()


class TapEtelecom(Tap):
    """The tap."""

    name = "tap-etelecom"
    config_jsonschema = th.PropertiesList(
        *_texts("base_url", "api_key"), th.Property("page_size", th.IntegerType)
    ).to_dict()

    def discover_streams(self) -> list[Stream]:
        """All three."""
        return [CallLogs(self), CallTargets(self), RecordingUrls(self)]


if __name__ == "__main__":
    TapEtelecom.cli()
