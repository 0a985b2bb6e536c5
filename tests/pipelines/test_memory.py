"""What a run does to keep within its memory, and what it says where DuckDB is given too little."""

from __future__ import annotations

import gc
import queue
import time
import weakref
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from pipelines import callers, config, phone_numbers, reported_calls, running, warehouse
from pipelines.callers import Changed
from pipelines.destination import MergeJob
from pipelines.loader import Loader
from pipelines.memory import PART_TRIED
from pipelines.origins import Recorder
from pipelines.reported_calls import Renewal
from simulator import Simulator
from sources import jobs
from sources.gathering import Gathered
from sources.provider import Provider
from sources.units import Unit
from tests.pipelines.conftest import UNTIL
from tests.pipelines.kept_rows import are_as_defined
from tests.pipelines.project import Project, everyone


@pytest.mark.parametrize(
    "megabytes", [pytest.param(4, id="for no table"), pytest.param(10, id="for no package")]
)
def test_what_does_not_fit_into_memory_says_what_to_raise(
    megabytes: int,
    project: Project,
    simulator: Simulator,
    undisturbed: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(config, "out_of_bounds", lambda general: [])
    project.configure(simulator, everyone(), {"duckdb_memory_mb": megabytes})
    outcome = project.run("sync")
    assert outcome.code == 1
    (line,) = [line for line in outcome.lines if not line.startswith("20")]
    assert "be written: Out of Memory Error: " in line
    assert line.endswith("; raise duckdb_memory_mb under [callsync] in .dlt/config.toml")
    project.configure(simulator, everyone())
    project.done("sync")
    assert project.data() == undisturbed


def test_a_long_log_is_brought_into_the_warehouse_while_a_run_goes_on(
    project: Project,
    simulator: Simulator,
    undisturbed: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shorten_log, log = warehouse.shorten_log, warehouse.Files(project.warehouse).log
    before, after = [], []

    def watched(connection: duckdb.DuckDBPyConnection, longest: int) -> None:
        before.append(log.exists() and log.stat().st_size)
        shorten_log(connection, longest)
        after.append(log.exists() and log.stat().st_size)

    monkeypatch.setattr(warehouse, "LONGEST_LOG_BYTES", 20_000)
    monkeypatch.setattr(warehouse, "shorten_log", watched)
    project.configure(simulator, everyone(), {"commit_rows": 50})
    project.done("sync")
    assert max(before) > 20_000 > max(after)
    assert project.data() == undisturbed


def test_a_reader_gathers_no_further_than_one_unit_that_waits(
    project: Project,
    simulator: Simulator,
    undisturbed: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, taken, most_waiting = [0], [0], [0]
    make, load = Gathered.unit, Loader.load

    class Watched(queue.Queue[Unit | None]):
        def _get(self) -> Unit | None:
            item = super()._get()
            taken[0] += item is not None
            return item

    def making(gathered: Gathered, *arguments: Any) -> Unit:
        made[0] += 1
        most_waiting[0] = max(most_waiting[0], made[0] - taken[0])
        return make(gathered, *arguments)

    def slowly(*arguments: Any) -> None:
        time.sleep(0.2)
        load(*arguments)

    monkeypatch.setattr(running, "queue", SimpleNamespace(Queue=Watched, Empty=queue.Empty))
    monkeypatch.setattr(Gathered, "unit", making)
    monkeypatch.setattr(Loader, "load", slowly)
    project.configure(simulator, everyone(), {"commit_rows": 20})
    project.done("sync", "etelecom")
    assert made[0] > 3
    assert most_waiting == [1]
    project.done("sync")
    assert project.data() == undisturbed


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Rows and bytes of each package that is loaded."""
    load, sizes = Loader.load, []

    def measured(loader: Loader, provider: Provider, units: list[Unit]) -> None:
        sizes.append((sum(unit.rows for unit in units), sum(unit.nbytes for unit in units)))
        load(loader, provider, units)

    monkeypatch.setattr(Loader, "load", measured)
    return sizes


def test_a_unit_is_little_more_than_full(
    project: Project,
    simulator: Simulator,
    packages: list[tuple[int, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "SHAPED_AT_ONCE", 5)
    project.configure(simulator, everyone("etelecom.main"), {"commit_rows": 60}, page_size=10)
    first, last = (f"{UNTIL + timedelta(days=days):%Y-%m-%d}" for days in (-4, 1))
    for _ in range(2):
        packages.clear()
        project.done("backfill", "etelecom.main", "--from", first, "--to", last, "--force")
        assert len(packages) > 2
        assert max(packages)[0] < 80


def test_nor_is_it_larger_where_windows_were_held_whole(
    project: Project,
    changing: Simulator,
    packages: list[tuple[int, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "SHAPED_AT_ONCE", 5)
    project.configure(
        changing, everyone("etelecom.main"), {"commit_rows": 150}, page_size=10, lookback_days=6
    )
    project.done("sync")
    for call in changing.truth("etelecom"):
        changing.change("etelecom", call["id"], note="changed")
    packages.clear()
    project.done("sync")
    assert sum(rows for rows, _ in packages) >= 300
    assert max(packages)[0] < 170


def test_a_unit_of_large_calls_is_full_before_it_has_the_rows(
    project: Project,
    simulator: Simulator,
    packages: list[tuple[int, int]],
    undisturbed: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "SHAPED_BYTES", 5_000)
    monkeypatch.setattr(running, "PART_A_UNIT_TAKES", 25_000 / (128 * 2**20))
    project.configure(simulator, everyone(), page_size=10)
    project.done("sync")
    assert len(packages) > 6
    assert max(nbytes for _, nbytes in packages) < 60_000
    assert project.data() == undisturbed


@pytest.fixture
def _garbage_stays() -> Iterator[None]:
    """Python looks for none, so that only what nobody refers to goes."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_garbage_stays")
def test_nobody_holds_a_unit_that_is_loaded(
    project: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[weakref.ref[pa.Table]] = []
    still_held: list[int] = []
    load = Loader.load

    def watched(loader: Loader, provider: Provider, units: list[Unit]) -> None:
        still_held.append(sum(table() is not None for table in loaded))
        tables = (shaped.tables.values() for unit in units for _, shaped in unit.data)
        loaded.extend(weakref.ref(table) for some in tables for table in some)
        load(loader, provider, units)

    monkeypatch.setattr(Loader, "load", watched)
    project.configure(simulator, everyone(), {"commit_rows": 50})
    project.done("sync")
    assert len(still_held) > 6
    assert not any(still_held)
    assert not any(table() for table in loaded)


def test_the_files_of_a_package_are_merged_one_at_a_time(
    project: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work: set[str] = set()
    most: list[int] = []
    execute = DuckDbSqlClient.execute_sql

    def slowly(client: DuckDbSqlClient, sql: str, *arguments: Any, **named: Any) -> Any:
        if "read_parquet(" not in sql:
            return execute(client, sql, *arguments, **named)
        at_work.add(sql)
        most.append(len(at_work))
        time.sleep(0.02)
        try:
            return execute(client, sql, *arguments, **named)
        finally:
            at_work.remove(sql)

    monkeypatch.setattr(DuckDbSqlClient, "execute_sql", slowly)
    project.configure(simulator, everyone())
    project.done("sync")
    assert len(most) > 10
    assert max(most) == 1


def test_duckdb_gets_a_part_of_its_memory_where_that_suffices(
    project: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, finish = Loader.load, Renewal.finish
    limits: list[tuple[str, str]] = []

    def note(what: str, connection: duckdb.DuckDBPyConnection) -> None:
        ((limit,),) = connection.execute("select current_setting('memory_limit')").fetchall()
        limits.append((what, limit))

    def loading(loader: Loader, *arguments: Any) -> None:
        note("load", loader._connection)
        load(loader, *arguments)

    def finishing(renewal: Renewal) -> None:
        note("finish", renewal._connection)
        finish(renewal)

    monkeypatch.setattr(Loader, "load", loading)
    monkeypatch.setattr(Renewal, "finish", finishing)
    project.configure(simulator, everyone(), {"commit_rows": 50, "duckdb_memory_mb": 200})
    project.done("sync")
    assert len(limits) > 6
    *loads, last = limits
    part = f"{200e6 * PART_TRIED / 2**20:.1f} MiB"
    assert set(loads) == {("load", part)}
    assert last == ("finish", part)


@pytest.mark.parametrize(
    ("owner", "step"),
    [
        pytest.param(MergeJob, "_merge"),
        pytest.param(phone_numbers, "_read", marks=pytest.mark.slow),
        pytest.param(Renewal, "_gather"),
        pytest.param(Renewal, "_renew_account", marks=pytest.mark.slow),
        pytest.param(Changed, "note"),
        pytest.param(Changed, "_renew_some", marks=pytest.mark.slow),
        pytest.param(callers, "rebuild", marks=pytest.mark.slow),
        pytest.param(Recorder, "_gather", marks=pytest.mark.slow),
    ],
)
def test_what_does_not_fit_into_a_part_of_the_memory_is_done_again_in_all_of_it(
    owner: Any,
    step: str,
    project: Project,
    simulator: Simulator,
    undisturbed: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    do = getattr(owner, step)
    failed: list[str] = []

    def short_of_memory(*arguments: Any, **named: Any) -> Any:
        result = do(*arguments, **named)
        if not failed:
            failed.append(step)
            raise duckdb.OutOfMemoryException("Out of Memory Error: failed to pin block")
        return result

    one_day, next_day, last = (f"{UNTIL - timedelta(days=days):%Y-%m-%d}" for days in (2, 1, 0))
    project.configure(simulator, everyone(), {"commit_rows": 50})
    project.done("backfill", "etelecom.main", "--from", one_day, "--to", next_day)
    monkeypatch.setattr(reported_calls, "MOST_CHANGED", 0 if step == "rebuild" else 100)
    monkeypatch.setattr(owner, step, short_of_memory)
    project.done("backfill", "etelecom.main", "--from", next_day, "--to", last)
    assert are_as_defined(project)
    project.done("sync")
    assert failed
    assert project.data() == undisturbed
