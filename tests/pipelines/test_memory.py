"""Too little memory for DuckDB: one line that says what to raise, and a next run that goes on from there."""

from __future__ import annotations

import pytest

from pipelines import config
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
