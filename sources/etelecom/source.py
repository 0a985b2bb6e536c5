"""eTelecom's dlt source, for a pipeline of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dlt
from dlt.extract import DltResource

from sources.etelecom import PROVIDER
from sources.etelecom.options import PAGE_SIZE
from sources.loading import sync_source


@dlt.source(name="etelecom", section="etelecom")
def etelecom(
    account: str = "main",
    api_key: str = dlt.secrets.value,
    start_date: str = dlt.config.value,
    end_date: str | None = None,
    base_url: str = "https://api.etelecom.vn/v1/shop",
    service: str = "Etelecom",
    page_size: int = PAGE_SIZE,
    recording_hosts: Sequence[str] = (),
    filter: Mapping[str, Any] | None = None,
    lookback_days: float = 3,
    window_days: int = 1,
    concurrency: int = 8,
    requests_per_second: float = 10,
    timeout_seconds: float = 30,
    max_attempts: int = 6,
    allow_http: bool = False,
) -> DltResource:
    """Call logs of an eTelecom account since the last run of the pipeline.

    Fills `call_logs`, `call_logs__call_targets`, `call_logs__recording_urls` and `extensions`; what was read
    is kept in the pipeline's state, so each run reads what is new and the lookback.

    Args:
        account: name of the account, written to every row.
        api_key: a shop's api_key, or a partner's shop_key.
        start_date: first instant to read, ISO 8601; UTC where it names no offset.
        end_date: reads `[start_date, end_date)` once, as a backfill, instead of everything until now.
        base_url: address up to the service name.
        service: service name; white labels have their own.
        page_size: call logs a page, 100 at most (eTelecom documents, "Get call history").
        recording_hosts: hosts besides the API's that get the key when callsync fetches recordings.
        filter: passed through to ListCallLogs.
        lookback_days: days read again by every run.
        window_days: widest window of one request chain.
        concurrency: windows read at once, at most.
        requests_per_second: pace; 0 is no limit.
        timeout_seconds: patience with one answer.
        max_attempts: how often one request is sent at most.
        allow_http: whether `base_url` may send keys unencrypted to another machine.
    """
    return sync_source(PROVIDER, locals())
