"""The memory DuckDB is given: what a run does to keep within, and what it says where that is too little."""

from __future__ import annotations

import duckdb
import pytest

from pipelines import config, warehouse
from simulator import Simulator
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
    monkeypatch.setitem(config._LEAST, "duckdb_memory_mb", 1)
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

    def watched(connection: duckdb.DuckDBPyConnection) -> None:
        before.append(log.exists() and log.stat().st_size)
        shorten_log(connection)
        after.append(log.exists() and log.stat().st_size)

    monkeypatch.setattr(warehouse, "LONGEST_LOG_BYTES", 20_000)
    monkeypatch.setattr(warehouse, "shorten_log", watched)
    project.configure(simulator, everyone(), {"commit_rows": 50})
    project.done("sync")
    assert max(before) > 20_000 > max(after)
    assert project.data() == undisturbed
