"""Any history, read in any way, under any passing faults, ends as the provider's truth.

The provider is a simulator on a socket, the reader is the real one. Most examples merge what it reads as dlt
does, a root row by its key and child rows by their parent's; a few go through the whole of a run.
TEST_HISTORIES says how many.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import time_machine
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelines import running
from pipelines.config import Config, General
from pipelines.planning import Plan
from simulator import REMOVED, Simulator
from simulator.etelecom_records import NO_TIME
from simulator.faults import PASSING
from sources.account import Account, options_of
from sources.errors import ProviderError
from sources.ledger import Ledger
from sources.reading import AccountReader
from sources.registry import PROVIDERS
from sources.shaping import shape
from sources.shaping.fields import RecordType
from sources.units import Span, UnitSize
from sources.vbot.options import VERSIONS

ROUNDS = int(os.environ.get("TEST_HISTORIES", "10"))
KEYS = {"vbot": "group_id", "etelecom": "id", "voximplant": "call_session_history_id"}
LISTS = {
    ("vbot", "v3"): "call/get-all",
    ("vbot", "v2"): "historycall/getAll",
    ("etelecom", None): "ListCallLogs",
    ("voximplant", None): "GetCallHistory",
}
BORDERS = [
    datetime(2026, 1, 31, 17, tzinfo=UTC),  # midnight in Vietnam
    datetime(2026, 3, 8, 7, tzinfo=UTC),  # New York's clocks go forward
    datetime(2026, 3, 29, 1, tzinfo=UTC),  # Berlin's too
    datetime(2026, 10, 25, 1, tzinfo=UTC),  # and back
]
DATA_FAULTS = {
    "vbot": ["short_page", "empty_page", "repeated_cursor", "endless"],
    "voximplant": ["short_page", "empty_page", "repeated_cursor", "endless"],
    # An empty page is its only end, and nothing counts its list.
    "etelecom": ["short_page", "repeated_cursor", "endless"],
}
TEXTS = st.sampled_from(
    ["", "Đặng Thị Hồng Nhung ☎️", "'; drop table calls; --", "\u0000\u202e\ud7ff", "x" * 5000]
)
NUMBERS: st.SearchStrategy[Any] = st.sampled_from(
    [0, -1, 2**31, 2**63 - 1, -(2**63), 0.5, 1e300, "12", "", None, [], {}]
)
ODD: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "vbot": {
        "postage": NUMBERS,
        "time_call": NUMBERS,
        "disposition": TEXTS,
        "new": NUMBERS,
        "hotline": TEXTS,
    },
    "etelecom": {
        "duration": NUMBERS,
        "note": TEXTS,
        "call_targets": st.sampled_from([[], None, {}]),
        "started_at": st.just(NO_TIME),
        "new": TEXTS,
    },
    "voximplant": {
        "duration": NUMBERS,
        "custom_data": TEXTS,
        "calls": st.sampled_from([[], None, REMOVED]),
        "finish_reason": st.sampled_from([None, REMOVED, "Timeout"]),
    },
}


@dataclass(frozen=True)
class Change:
    """What happens to the call of a number, counted round; or a call that comes so many seconds later."""

    kind: str
    number: int = 0
    seconds: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """A provider with calls, how they are read, and what happens to them between two reads."""

    provider: str
    version: str | None
    seed: int
    calls: int
    until: datetime
    before: Sequence[Change]
    between: Sequence[Change]
    options: Mapping[str, Any]
    unit_rows: int
    share: float
    data_faults: Sequence[str | None]
    backfill_hours: tuple[int, int] | None
    limits: Mapping[str, Any]


def changes(provider: str) -> st.SearchStrategy[list[Change]]:
    numbers, seconds = st.integers(0, 60), st.sampled_from([0, 0, 1, -1, 3599, -3600, 7200, -86_400, 5])
    kinds = [
        st.builds(Change, st.just("late"), numbers, seconds),
        st.builds(Change, st.just("hide"), numbers),
        st.builds(Change, st.just("drop_legs"), numbers, st.integers(0, 2)),
        st.builds(
            Change, st.just("spoil"), numbers, fields=st.fixed_dictionaries({}, optional=ODD[provider])
        ),
    ]
    return st.lists(st.one_of(kinds), max_size=6)


@st.composite
def histories(draw: st.DrawFn) -> History:
    provider, version = draw(st.sampled_from(list(LISTS)))
    limits: dict[str, Any] = {}
    if provider == "vbot":
        limits = {
            "max_size": draw(st.sampled_from([1, 7, 100])),
            "time_unit": draw(st.sampled_from(["s", "ms", "none"])),
        }
        limits["repeats_last_page"] = draw(st.booleans())
    if provider == "voximplant":
        limits = {"answers_in_zone": draw(st.sampled_from([None, "Asia/Ho_Chi_Minh", "Etc/GMT-8"]))}
    hours = st.integers(0, 72)
    return History(
        provider,
        version,
        seed=draw(st.integers(0, 2**16)),
        calls=draw(st.integers(1, 50)),
        until=draw(st.sampled_from(BORDERS)) + timedelta(seconds=draw(st.sampled_from([0, 1, 3600, 7261]))),
        before=draw(changes(provider)),
        between=draw(changes(provider)),
        options={
            "page_size": draw(st.sampled_from([1, 2, 3, 10, 50])),
            "window_days": draw(st.integers(1, 4)),
            "concurrency": draw(st.integers(1, 4)),
            "lookback_days": 30,
        },
        unit_rows=draw(st.sampled_from([1, 10, 1000])),
        share=draw(st.sampled_from([0, 0, 0.2])),
        data_faults=draw(st.lists(st.sampled_from([None, None, *DATA_FAULTS[provider]]), max_size=8)),
        backfill_hours=draw(st.none() | st.tuples(hours, hours)),
        limits=limits,
    )


class Merged:
    """What is read, merged by key."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._rows: dict[str, dict[Any, list[dict[str, Any]]]] = {}

    def run(self, account: Account, wanted: Span, unit_rows: int) -> None:
        provider = PROVIDERS[account.provider]
        connection = provider.connect(account, self.ledger.findings)
        reader = AccountReader(
            provider, account, connection, self.ledger, now=wanted.end, unit_size=UnitSize(rows=unit_rows)
        )
        try:
            for unit in reader.units(wanted):
                for record_type, shaped in unit.data:
                    for name, table in shaped.tables.items():
                        kept = self._rows.setdefault(name, {})
                        key = record_type.key_column
                        keys = shaped.tables[record_type.table].column(key).to_pylist()
                        kept |= {key: [] for key in keys}
                        for row in table.to_pylist():
                            kept[row[key]].append(row)
                self.ledger = Ledger.from_json(json.loads(json.dumps(unit.ledger.to_json())))
        finally:
            connection.close()

    def rows(self, provider: str, name: str, wanted: pa.Table) -> list[str]:
        return sorted(repr(row) for rows in self._rows.get(name, {}).values() for row in rows)

    @staticmethod
    def shown(wanted: pa.Table) -> list[str]:
        return sorted(map(repr, wanted.to_pylist()))


class Loaded:
    """What is read, in a warehouse after whole runs."""

    def __init__(self, folder: Path) -> None:
        self._warehouse = folder / "warehouse.duckdb"

    def run(self, account: Account, wanted: Span, unit_rows: int) -> None:
        config = Config(General(accounts=(str(account),), commit_rows=unit_rows), self._warehouse, (account,))
        is_sync = wanted.kind == "sync"
        plan = Plan("sync") if is_sync else Plan("backfill", wanted.start, wanted.end)
        with time_machine.travel(wanted.end + timedelta(days=0 if is_sync else 9)):
            report = running.run(config, [account], plan, "a test")
        errors = [report.error, *(reported.error for reported in report.accounts)]
        if any(errors):
            raise ProviderError(str(errors))

    def rows(self, provider: str, name: str, wanted: pa.Table) -> list[str]:
        with duckdb.connect(str(self._warehouse), read_only=True) as connection:
            return self._texts(connection.table(f"{provider}.{name}"), wanted)

    def shown(self, wanted: pa.Table) -> list[str]:
        with duckdb.connect() as connection:
            return self._texts(connection.from_arrow(wanted), wanted)

    @staticmethod
    def _texts(relation: duckdb.DuckDBPyRelation, wanted: pa.Table) -> list[str]:
        columns = ", ".join(f'cast("{name}" as varchar)' for name in wanted.column_names)
        return sorted(map(repr, relation.project(columns).fetchall()))


def record_type_of(history: History) -> RecordType:
    return VERSIONS[history.version].record_type if history.version else PROVIDERS[history.provider].calls


def truth(simulator: Simulator, history: History) -> dict[str, bytes]:
    """The records by key, as the provider shows them now."""
    return {
        str(record[KEYS[history.provider]]): json.dumps(record).encode()
        for record in simulator.truth(history.provider, version=history.version)
    }


def apply(simulator: Simulator, history: History, what: Sequence[Change]) -> None:
    provider = history.provider
    for change in what:
        if change.kind == "late":
            simulator.add_late(
                provider, history.until - timedelta(hours=2) + timedelta(seconds=change.seconds)
            )
            continue
        ids = [str(record[KEYS[provider]]) for record in simulator.truth(provider)]
        if len(ids) < 2:
            continue
        chosen = ids[change.number % len(ids)]
        if change.kind == "hide":
            simulator.hide(provider, chosen)
        elif change.kind == "drop_legs":
            with suppress(KeyError, TypeError):
                simulator.drop_legs(provider, chosen, keep=change.seconds)
        else:
            simulator.spoil(provider, chosen, **change.fields)


def check(store: Merged | Loaded, history: History, known: Mapping[str, bytes]) -> None:
    record_type = record_type_of(history)
    wanted = shape(
        record_type, list(known.values()), account="main", zone=zone_of(history), constants=constants(history)
    )
    for name, table in wanted.tables.items():
        assert store.rows(history.provider, name, table) == store.shown(table), name


def zone_of(history: History) -> str:
    return "Asia/Ho_Chi_Minh" if history.provider == "vbot" else "UTC"


def constants(history: History) -> dict[str, str]:
    return {"currency": "VND"} if history.provider == "vbot" else {}


def account_of(simulator: Simulator, history: History) -> Account:
    given = {
        **simulator.credentials(history.provider, history.version),
        **({"api_version": history.version} if history.version else {}),
        **history.options,
        "requests_per_second": 0,
        "max_attempts": 9,
        "timeout_seconds": 0.5,
        "start_date": simulator.since - timedelta(days=1),
    }
    return Account(history.provider, "main", options_of(PROVIDERS[history.provider].options, given))


@pytest.fixture(scope="module", autouse=True)
def _impatient() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sources.http.FIRST_WAIT_SECONDS", 0.005)
        patch.setattr("sources.pace.Pace.slow_down", lambda pace: None)
        yield


def play(history: History, store: Merged | Loaded) -> None:
    with Simulator(calls=history.calls, seed=history.seed, days=2, until=history.until) as simulator:
        provider, faults = simulator.providers[history.provider], simulator.faults
        for name, value in history.limits.items():
            setattr(provider, name, value)
        simulator.settle()
        apply(simulator, history, history.before)
        account = account_of(simulator, history)
        start: datetime = account.options.start_date

        def sync() -> None:
            store.run(account, Span("sync", start, simulator.now + timedelta(seconds=1)), history.unit_rows)

        def mix() -> None:
            faults.clear()
            if history.share:
                faults.mix(PASSING, history.share, seconds=0.01)

        mix()
        endpoint = LISTS[history.provider, history.version]
        faults.next(*history.data_faults, provider=history.provider, endpoint=endpoint)
        # A list that never is as the provider counts it may fail the sync; one that does not fail is exact.
        try:
            sync()
        except ProviderError:
            assert any(history.data_faults)
        else:
            check(store, history, truth(simulator, history))
        mix()
        sync()
        known = truth(simulator, history)
        check(store, history, known)
        apply(simulator, history, history.between)
        simulator.advance(60)
        if history.backfill_hours:
            first, last = sorted(history.backfill_hours)
            wanted = Span("backfill", start + timedelta(hours=first), start + timedelta(hours=last + 1))
            store.run(account, wanted, history.unit_rows)
        sync()
        check(store, history, known | truth(simulator, history))


@given(histories())
@settings(max_examples=ROUNDS, suppress_health_check=list(HealthCheck))
def test_any_history_is_read_exactly(history: History) -> None:
    play(history, Merged())


@pytest.mark.slow
@given(histories())
@settings(max_examples=max(2, ROUNDS // 10), phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_any_history_is_loaded_exactly(history: History) -> None:
    with TemporaryDirectory() as folder:
        play(history, Loaded(Path(folder)))
