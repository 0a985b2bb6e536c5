"""Runs that are killed again and again at any instant end, once one is left alone, as if nothing had been."""

from __future__ import annotations

import os
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from simulator import Simulator
from tests.pipelines.conftest import UNTIL
from tests.pipelines.nursery import Nursery
from tests.pipelines.project import Project, everyone

KILLS = int(os.environ.get("TEST_KILLS", "5"))
ACCOUNTS = everyone("etelecom.main", "voximplant.main")
COMMIT_ROWS, AT_ONCE, DAY_CALLS = 10, 2, 5


@pytest.fixture
def history() -> Iterator[Simulator]:
    """Five days of two providers."""
    with Simulator(calls=5 * DAY_CALLS, seed=5, days=5, until=UNTIL) as running:
        running.settle()
        yield running


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    with Nursery() as running:
        yield running


def configured(project: Project, simulator: Simulator) -> None:
    """Units of two days, and no day but the last two is read again once it is loaded."""
    project.configure(simulator, ACCOUNTS, {"commit_rows": COMMIT_ROWS}, lookback_days=1, concurrency=AT_ONCE)


def death(chance: random.Random, steps: int, size: int, seconds: float) -> dict[str, float]:
    """Where the next run dies: at a step, in the middle of a write, or after a time."""
    return chance.choice(
        [
            {"step": chance.randint(1, steps)},
            {"step": chance.randint(1, steps // 4)},
            {"written": int(size * chance.random())},
            {"seconds": seconds * chance.random()},
        ]
    )


@pytest.mark.slow
def test_killed_again_and_again(
    project: Project, history: Simulator, nursery: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> None:
    seed = int(os.environ.get("TEST_SEED", random.randrange(10**6)))  # noqa: S311 - no secret
    print(f"TEST_SEED={seed} TEST_KILLS={KILLS} makes the same kills")
    chance = random.Random(seed)  # noqa: S311 - no secret
    other = Project(tmp_path_factory.mktemp("undisturbed"))
    configured(other, history)
    began = time.monotonic()
    whole = nursery.run(other.folder, "sync")
    seconds, size = time.monotonic() - began, other.warehouse.stat().st_size
    assert whole.code == 0, whole

    configured(project, history)
    reads: Counter[str] = Counter()
    kills = 0
    while kills < KILLS:
        ended = nursery.run(project.folder, "sync", **death(chance, whole.steps, size, seconds))
        assert ended.was_killed or ended.code == 0, ended
        kills += ended.was_killed
        reads.update(settled(history, ended.said))
        # There is always something to load, for which a run can be killed.
        history.add_late("etelecom", history.now - timedelta(minutes=kills))
    last = nursery.run(project.folder, "sync")
    assert last.code == 0, last
    reads.update(settled(history, last.said))

    again = nursery.run(other.folder, "sync")
    assert again.code == 0, again
    assert project.data() == other.data()
    assert project.run("test").code == 0
    left = [path.name for path in project.folder.iterdir() if path.name.startswith(".warehouse")]
    assert not left
    # Of an account a unit may be on its way into the warehouse, one wait for that and one for the next.
    units = 3 * len(ACCOUNTS) * (COMMIT_ROWS // DAY_CALLS + 1 + AT_ONCE)
    assert sum(reads.values()) - len(reads) <= kills * units


def settled(history: Simulator, said: str) -> list[str]:
    """The windows that a run read and that no later one has to read, with their accounts."""
    read = re.findall(r"(\S+: \S+/(\S+)) \d+ calls?", said)
    lookback = (history.now - timedelta(days=2)).isoformat()
    return [window for window, end in read if end < lookback]
