from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator import Simulator
from tests.pipelines.project import Project, everyone


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep dlt's own surroundings quiet, which a process of callsync never has and these tests do."""
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "CRITICAL")


UNTIL = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=12)
"""The simulators' clock stands some hours back, so that what they add is of the past for callsync too."""


def _served() -> Simulator:
    return Simulator(calls=300, seed=11, days=3, until=UNTIL, accounts=2)


@pytest.fixture(scope="session")
def _shared() -> Iterator[Simulator]:
    with _served() as running:
        running.settle()
        yield running


@pytest.fixture
def simulator(_shared: Simulator) -> Iterator[Simulator]:
    """Three providers with 300 calls in three days, two accounts each, all of them over and billed.

    Tests share its records and must not change them; its faults and its journal are their own.
    """
    yield _shared
    _shared.faults.clear()
    _shared.faults.latency_ms = 0
    # Requests of a process that a test ended must not look like those of the next test's.
    give_up_at = time.monotonic() + 20
    while sum(_shared.requests.in_flight.values()):
        assert time.monotonic() < give_up_at, "the simulator still answers somebody"
        time.sleep(0.01)
    _shared.requests.clear()


@pytest.fixture
def changing() -> Iterator[Simulator]:
    """A simulator like `simulator` whose records a test may change."""
    with _served() as running:
        running.settle()
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty folder."""
    return Project(tmp_path)


@pytest.fixture
def configured(project: Project, simulator: Simulator) -> Project:
    """A project with one account of each provider."""
    project.configure(simulator, everyone())
    return project


@pytest.fixture(scope="session")
def _synced(_shared: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("synced"))
    project.configure(_shared, everyone())
    project.done("sync")
    _shared.requests.clear()
    return project


@pytest.fixture
def loaded(configured: Project, _synced: Project) -> Project:
    """A project after a sync of everything."""
    shutil.copytree(_synced.folder, configured.folder, dirs_exist_ok=True)
    return configured


@pytest.fixture
def undisturbed(_synced: Project) -> dict[str, list[str]]:
    """The data of a project that nobody disturbs."""
    return _synced.data()
