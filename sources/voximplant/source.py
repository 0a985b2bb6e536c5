"""Voximplant's dlt source, for a pipeline of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dlt
from dlt.extract import DltResource

from sources.loading import sync_source
from sources.voximplant import PROVIDER
from sources.voximplant.options import PAGE_SIZE


@dlt.source(name="voximplant", section="voximplant")
def voximplant(
    account: str = "main",
    credentials: Any = dlt.secrets.value,
    start_date: str = dlt.config.value,
    end_date: str | None = None,
    base_url: str = "https://api.voximplant.com/platform_api",
    page_size: int = PAGE_SIZE,
    timezone: str = "Etc/GMT",
    refresh_days: float = 7,
    recording_hosts: Sequence[str] = ("*.voximplant.com",),
    filter: Mapping[str, Any] | None = None,
    lookback_days: float = 3,
    window_days: int = 1,
    concurrency: int = 8,
    requests_per_second: float = 10,
    timeout_seconds: float = 30,
    max_attempts: int = 6,
    allow_http: bool = False,
) -> DltResource:
    """Call sessions of a Voximplant account since the last run of the pipeline.

    Fills `call_sessions`, `call_sessions__calls`, `call_sessions__records`,
    `call_sessions__other_resource_usage`, `account_info`, `applications` and `users`; what was read is kept
    in the pipeline's state, so each run reads what is new, the lookback, and sessions that were unfinished.

    Args:
        account: name of the account, written to every row.
        credentials: path of credentials.json, or its table (account_id, key_id, private_key).
        start_date: first instant to read, ISO 8601; UTC where it names no offset.
        end_date: reads `[start_date, end_date)` once, as a backfill, instead of everything until now.
        base_url: address of the API.
        page_size: sessions a page, 1000 at most (Voximplant documents, GetCallHistory).
        timezone: zone that times are asked in.
        refresh_days: age up to which unfinished or unbilled sessions are read again by id.
        recording_hosts: hosts besides the API's that get a token when callsync fetches recordings.
        filter: passed through to GetCallHistory.
        lookback_days: days read again by every run.
        window_days: widest window of one request chain.
        concurrency: windows read at once, at most.
        requests_per_second: pace; 0 is no limit.
        timeout_seconds: patience with one answer.
        max_attempts: how often one request is sent at most.
        allow_http: whether `base_url` may send keys unencrypted to another machine.
    """
    return sync_source(PROVIDER, locals())
