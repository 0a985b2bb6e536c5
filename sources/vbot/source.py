"""VBot's dlt source, for a pipeline of one's own."""

from __future__ import annotations

from collections.abc import Sequence

import dlt
from dlt.extract import DltResource

from sources.loading import sync_source
from sources.vbot import PROVIDER


@dlt.source(name="vbot", section="vbot")
def vbot(
    account: str = "main",
    start_date: str = dlt.config.value,
    end_date: str | None = None,
    api_version: str = "v3",
    api_key: dlt.TSecretStrValue | None = None,
    username: dlt.TSecretStrValue | None = None,
    password: dlt.TSecretStrValue | None = None,
    access_token: dlt.TSecretStrValue | None = None,
    base_url: str | None = None,
    project_code: str | None = None,
    vbot_id: str | None = None,
    phones: Sequence[str] = (),
    time_unit: str = "auto",
    page_base: int | None = None,
    page_size: int | None = None,
    timezone: str = "Asia/Ho_Chi_Minh",
    currency: str = "VND",
    recording_hosts: Sequence[str] = ("*.vbot.vn",),
    lookback_days: float = 3,
    window_days: int = 1,
    concurrency: int = 8,
    requests_per_second: float = 10,
    timeout_seconds: float = 30,
    max_attempts: int = 6,
    allow_http: bool = False,
) -> DltResource:
    """Calls of a VBot account since the last run of the pipeline.

    Fills `calls`, `calls__caller`, `calls__callee`, `calls__record_file`, `hotlines` and `members`; what was
    read is kept in the pipeline's state, so each run reads what is new and the lookback.

    Args:
        account: name of the account, written to every row.
        start_date: first instant to read, ISO 8601; UTC where it names no offset.
        end_date: reads `[start_date, end_date)` once, as a backfill, instead of everything until now.
        api_version: v3, or the deprecated v2 and v1.
        api_key: API key (v3).
        username: user of the token endpoint (v1, v2).
        password: its password (v1, v2).
        access_token: a token from elsewhere instead of user and password (v1, v2).
        base_url: address of the API; by default that of the version.
        project_code: group code (v1, v2).
        vbot_id: the customer's VBotID (v1, v2).
        phones: read only these numbers (v1, v2).
        time_unit: unit of from/to in v2: s, ms, none, or auto to find out.
        page_base: number of the first page; by default it is found out.
        page_size: calls a page.
        timezone: zone of `date_create` in v1 and v2.
        currency: currency of the postage, written to every call.
        recording_hosts: hosts besides the API's that get the key or token when callsync fetches recordings.
        lookback_days: days read again by every run.
        window_days: widest window of one request chain.
        concurrency: windows read at once, at most.
        requests_per_second: pace; 0 is no limit.
        timeout_seconds: patience with one answer.
        max_attempts: how often one request is sent at most.
        allow_http: whether `base_url` may send keys unencrypted to another machine.
    """
    return sync_source(PROVIDER, locals())
