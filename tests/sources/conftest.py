from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator import Simulator
from tests.sources.accounts import UNTIL


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Three providers with 600 calls in four days, all of them over and billed."""
    with Simulator(calls=600, seed=7, days=4, until=UNTIL) as running:
        running.settle()
        yield running
