from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from simulator import Simulator
from tests.simulator.clients import Etelecom, Vbot, Voximplant

UNTIL = datetime(2026, 1, 31, 3, 0, tzinfo=UTC)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(calls=600, seed=7, days=6, until=UNTIL) as running:
        running.settle()
        yield running


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=5) as client:
        yield client


@pytest.fixture
def etelecom(simulator: Simulator, http: httpx.Client) -> Etelecom:
    return Etelecom(simulator, http)


@pytest.fixture
def v3(simulator: Simulator, http: httpx.Client) -> Vbot:
    return Vbot(simulator, http, "v3")


@pytest.fixture
def v2(simulator: Simulator, http: httpx.Client) -> Vbot:
    return Vbot(simulator, http, "v2")


@pytest.fixture
def v1(simulator: Simulator, http: httpx.Client) -> Vbot:
    return Vbot(simulator, http, "v1")


@pytest.fixture
def voximplant(simulator: Simulator, http: httpx.Client) -> Voximplant:
    return Voximplant(simulator, http)
