"""Runs of a reader over simulated and scripted accounts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sources.account import Account
from sources.etelecom.fields import CALL_LOGS
from sources.ledger import Ledger
from sources.provider import Finding, Page
from sources.reading import AccountReader
from sources.registry import PROVIDERS
from sources.shaping.fields import RecordType
from sources.units import Span, Unit
from sources.windows import Window
from tests.sources.accounts import UNTIL, account_of, connect

START, END = UNTIL - timedelta(days=5), UNTIL
SYNC = Span("sync", START, END)


def reader(account: Account, connection: Any, ledger: Ledger | None = None, **options: Any) -> AccountReader:
    given = {"now": END} | options
    return AccountReader(PROVIDERS[account.provider], account, connection, ledger or Ledger(), **given)


def read(
    account: Account, ledger: Ledger | None = None, wanted: Span = SYNC, **options: Any
) -> tuple[list[Unit], Ledger]:
    """One run over a simulated account: its units, and the ledger as it is saved."""
    connection = connect(account, dict(ledger.findings) if ledger else {})
    try:
        units = list(reader(account, connection, ledger, **options).units(wanted))
    finally:
        connection.close()
    saved = units[-1].ledger if units else ledger
    return units, Ledger.from_json(json.loads(json.dumps(saved.to_json() if saved else {})))


def rows(units: Sequence[Unit], table: str) -> list[dict[str, Any]]:
    return [
        row
        for unit in units
        for _, shaped in unit.data
        for row in shaped.tables.get(table, _NONE).to_pylist()
    ]


class _Nothing:
    def to_pylist(self) -> list[dict[str, Any]]:
        return []


_NONE: Any = _Nothing()


def call_log(at: datetime, number: int = 0) -> bytes:
    """A call log whose id is its second, and a number for more than one a second."""
    return json.dumps({"id": f"{at.timestamp():.0f}{number:03}", "started_at": at.isoformat()}).encode()


class Scripted:
    """A connection whose windows are answered by a function."""

    calls: RecordType = CALL_LOGS
    zone = "UTC"
    constants: Mapping[str, str] = {}
    findings: Mapping[str, str] = {}

    def __init__(self, answer: Callable[[Window], Iterable[Page]], *, walks: bool = False) -> None:
        self.answer = answer
        self.walks = walks
        self.asked: list[Window] = []

    def pages(self, window: Window) -> Iterator[Page]:
        self.asked.append(window)
        yield from self.answer(window)

    def pages_of(self, ids: Sequence[str]) -> Iterator[Page]:
        raise NotImplementedError

    def names(self) -> Iterator[tuple[RecordType, Iterator[Page]]]:
        return iter(())

    def check(self) -> Iterator[Finding]:
        return iter(())

    def close(self) -> None:
        return None


def scripted_account(**options: Any) -> Account:
    return account_of("etelecom", **{"api_key": "1:secret", "lookback_days": 1} | options)


def one_call(window: Window) -> list[Page]:
    return [Page([call_log(window.start)], total=1)]
