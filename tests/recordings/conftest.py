from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator import Simulator
from simulator.audio import Recordings
from tests.pipelines.project import Project
from tests.recordings.held import Fetch, accounts

UNTIL = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep dlt's own surroundings quiet, which a process of callsync never has and these tests do."""
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "CRITICAL")


def _served() -> Simulator:
    return Simulator(calls=40, seed=3, days=4, until=UNTIL)


@pytest.fixture(scope="session")
def _shared() -> Iterator[Simulator]:
    with _served() as running:
        running.settle()
        yield running


def idle(simulator: Simulator) -> None:
    """Wait until nobody is answered any more."""
    give_up_at = time.monotonic() + 20
    while sum(simulator.requests.in_flight.values()):
        assert time.monotonic() < give_up_at, "the simulator still answers somebody"
        time.sleep(0.01)


@pytest.fixture
def simulator(_shared: Simulator) -> Iterator[Simulator]:
    """Three providers with 40 calls in four days; tests must not change its records."""
    yield _shared
    _shared.faults.clear()
    _shared.faults.latency_ms = 0
    idle(_shared)
    _shared.requests.clear()
    vars(_shared.recordings).update(vars(Recordings()))


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


@pytest.fixture(scope="session")
def _synced(_shared: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("synced"))
    project.configure(_shared, accounts())
    project.done("sync")
    # What dlt worked with is of no use to anybody any more, and much to copy.
    shutil.rmtree(project.working)
    _shared.requests.clear()
    return project


@pytest.fixture
def loaded(project: Project, simulator: Simulator, _synced: Project) -> Project:
    """A project whose calls are read, with an account of each provider and of each version of VBot."""
    shutil.copytree(_synced.folder, project.folder, dirs_exist_ok=True)
    return project


@pytest.fixture
def fetch(simulator: Simulator, tmp_path: Path) -> Iterator[Callable[..., Fetch]]:
    """Fetching one recording of an account."""
    opened: list[Fetch] = []

    def make(*arguments: Any, of: Simulator = simulator, **options: Any) -> Fetch:
        opened.append(Fetch(of, tmp_path / "parts", *arguments, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.close()
