"""eTelecom through PyAirbyte: a low-code manifest into its DuckDB cache.

`python pyairbyte.py SAID PAGE_SIZE`, in its own environment, loads `pyairbyte.duckdb` in the working
directory. A declarative stream gives one table, so each list is a stream too: it reads the calls again, and
its rows bear their call's id. Rows of a list have no number of their own, and so no key: they are appended.
"""

# airbyte is not in the environment that mypy looks into.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
import os
import sys
from typing import Any

# Nothing is to be reported to, or looked up at, Airbyte.
os.environ |= {"DO_NOT_TRACK": "1", "AIRBYTE_OFFLINE_MODE": "1"}

import airbyte
from airbyte.caches import DuckDBCache

TEXT = {"type": ["null", "string"]}
NUMBER = {"type": ["null", "integer"]}
TIME = {"type": ["null", "string"], "format": "date-time"}

CALL_LOGS = {
    **dict.fromkeys(
        ("id", "external_id", "external_session_id", "user_id", "extension_id", "contact_id"), TEXT
    ),
    **dict.fromkeys(("caller", "callee", "direction", "call_state", "call_status", "note"), TEXT),
    **dict.fromkeys(("started_at", "ended_at", "created_at", "updated_at"), TIME),
    "duration": NUMBER,
}
CALL_TARGETS = {
    **dict.fromkeys(("id", "end_reason", "status", "target_number", "trunk_name"), TEXT),
    **dict.fromkeys(("add_time", "ring_time", "answered_time", "ended_time"), TIME),
    **dict.fromkeys(("ring_duration", "fail_code"), NUMBER),
}
RECORDING_URLS = {"id": TEXT, "value": TEXT}


def stream(name: str, columns: dict[str, Any], inner: str, said: dict[str, Any], size: int) -> dict[str, Any]:
    """A stream of the manifest: the records of the answers, or those of a list inside them."""
    extractor: dict[str, Any] = {"type": "DpathExtractor", "field_path": ["call_logs"]}
    if inner:
        extractor["record_expander"] = {
            "type": "RecordExpander",
            "expand_records_from_field": [inner],
            "parent_fields": [{"type": "ParentFieldPath", "parent_path": ["id"], "record_path": ["id"]}],
        }
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": [] if inner else ["id"],
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester",
                "url_base": f"{said['base_url']}.Etelecom/ListCallLogs",
                "http_method": "POST",
                "authenticator": {"type": "BearerAuthenticator", "api_token": said["api_key"]},
                "request_body_json": {
                    "paging": {"limit": size, "after": "{{ next_page_token['next_page_token'] or '' }}"}
                },
            },
            "record_selector": {"type": "RecordSelector", "extractor": extractor},
            "paginator": {
                "type": "DefaultPaginator",
                "pagination_strategy": {
                    "type": "CursorPagination",
                    "cursor_value": "{{ response['paging']['next'] }}",
                    "stop_condition": "{{ not response['paging']['next'] }}",
                },
            },
        },
        "schema_loader": {
            "type": "InlineSchemaLoader",
            "schema": {"type": "object", "properties": columns, "additionalProperties": True},
        },
    }


def main(said_json: str, page_size: str) -> None:
    """Load every call log."""
    said, size = json.loads(said_json), int(page_size)
    manifest = {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["call_logs"]},
        "streams": [
            stream("call_logs", CALL_LOGS, "", said, size),
            stream("call_logs__call_targets", CALL_TARGETS, "call_targets", said, size),
            stream("call_logs__recording_urls", RECORDING_URLS, "recording_urls", said, size),
        ],
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
    }
    source = airbyte.get_source("source-etelecom", config={}, source_manifest=manifest)
    source.select_all_streams()
    source.read(cache=DuckDBCache(db_path="pyairbyte.duckdb", schema_name="etelecom"))


if __name__ == "__main__":
    main(*sys.argv[1:])
