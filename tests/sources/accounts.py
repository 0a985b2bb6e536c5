"""Accounts of a simulator, opened the way callsync opens them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from simulator import Simulator
from simulator.journal import Entry
from sources.account import Account, options_of
from sources.provider import Connection, Page
from sources.registry import PROVIDERS
from sources.windows import Window

UNTIL = datetime(2026, 1, 31, 3, 0, tzinfo=UTC)
WHOLE = Window(UNTIL - timedelta(days=5), UNTIL + timedelta(days=1))
"""Wider than the history of the `simulator` fixture."""

IDS = {"vbot": "group_id", "etelecom": "id", "voximplant": "call_session_history_id"}


def account_of(provider: str, **options: Any) -> Account:
    """An account without a limit on its pace and with little patience."""
    given = {"requests_per_second": 0, "max_attempts": 3, "timeout_seconds": 5, "start_date": WHOLE.start}
    return Account(provider, "main", options_of(PROVIDERS[provider].options, given | options))


def simulated(simulator: Simulator, provider: str, version: str | None = None, **options: Any) -> Account:
    """The simulator's account, with its credentials."""
    return account_of(provider, **simulator.credentials(provider, version), **dated(version), **options)


def dated(version: str | None) -> dict[str, str]:
    return {"api_version": version} if version else {}


def connect(account: Account, findings: dict[str, str] | None = None, **seams: Any) -> Connection:
    """The account, opened; it waits for nothing."""
    waits: list[float] = []
    seams = {"sleep": waits.append} | seams
    opened: Callable[..., Connection] = PROVIDERS[account.provider].connect
    return opened(account, findings or {}, **seams)


def streamed(body: bytes, status: int = 200, headers: httpx.Headers | None = None) -> httpx.Response:
    """An answer whose body is still to be read, as one from a socket is."""
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


def answering(*answers: Any, seen: list[httpx.Request] | None = None) -> httpx.MockTransport:
    """A transport that gives these answers in turn and the last for ever.

    They are JSON, bytes, whole responses, what makes them, or errors to raise.
    """
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            request.read()
            seen.append(request)
        given = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(given, Exception):
            raise given
        if callable(given):
            made: httpx.Response = given()
            return made
        if isinstance(given, httpx.Response):
            return streamed(given.content, given.status_code, given.headers)
        return streamed(given if isinstance(given, bytes) else json.dumps(given).encode())

    return httpx.MockTransport(answer)


def requests_of(simulator: Simulator, provider: str, endpoint: str | None = None) -> list[Entry]:
    """The requests that came in, once the last of them is in the journal."""
    while sum(simulator.requests.in_flight.values()):
        time.sleep(0.005)
    return simulator.requests.select(provider, endpoint)


def records(pages: Iterable[Page]) -> Iterator[dict[str, Any]]:
    """The records of pages, read."""
    return (json.loads(record) for page in pages for record in page.records)


def sorted_content(found: Iterable[dict[str, Any]]) -> list[str]:
    """Records as comparable text, in an order of their own."""
    return sorted(json.dumps(record, sort_keys=True) for record in found)


def ids(found: Iterable[dict[str, Any]], provider: str) -> set[str]:
    """The ids of records."""
    return {str(record[IDS[provider]]) for record in found}
