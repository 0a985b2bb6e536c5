"""A disk without room: a line a fault, the copy of before, and a next run that goes on when there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import Simulator
from tests.pipelines.project import Outcome, Project, everyone

KB = 1024


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(disk)]
    try:
        subprocess.run(mounting, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small file system can be mounted by root alone")
    yield disk
    unmounting = ["umount", "--lazy", str(disk)]
    subprocess.run(unmounting, check=True)


def leave(disk: Path, size: int) -> Path:
    """Fill a disk but for some bytes; the file that fills it."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    ballast.write_bytes(bytes(free.f_bavail * free.f_frsize - size))
    return ballast


def faults(outcome: Outcome) -> list[str]:
    """What was said, without the lines of progress."""
    return [line for line in outcome.lines if not line.startswith("20")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("room", "said"),
    [
        pytest.param(4 * KB, "cannot be created: ", id="for no warehouse"),
        pytest.param(20 * KB, "cannot be written: ", id="for no table"),
        pytest.param(1000 * KB, "the warehouse could not be written: ", id="for no package"),
        pytest.param(4000 * KB, "warehouse.read.duckdb ", id="for no copy"),
    ],
)
def test_a_first_run_without_room(
    room: int, said: str, small: Path, simulator: Simulator, undisturbed: dict[str, list[str]]
) -> None:
    project = Project(small)
    project.configure(simulator, everyone())
    ballast = leave(small, room)
    outcome = project.finish("sync")
    assert outcome.code == 1
    (line,) = faults(outcome)
    assert said in line
    # What was read and loaded stands, whether or not it can be shown.
    assert outcome.out.count("calls read") == (3 if "read" in said else 0)
    ballast.unlink()
    project.done("sync")
    assert project.data() == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("room", [4 * KB, 200 * KB, 2000 * KB])
def test_a_later_run_without_room_leaves_the_copy(
    room: int, small: Path, simulator: Simulator, undisturbed: dict[str, list[str]]
) -> None:
    project = Project(small)
    project.configure(simulator, everyone())
    project.done("sync", "vbot")
    before = project.published.read_bytes()
    ballast = leave(small, room)
    outcome = project.finish("sync")
    assert outcome.code == 1
    assert len(faults(outcome)) == 1
    assert project.published.read_bytes() == before
    ballast.unlink()
    project.done("sync")
    assert project.data() == undisturbed
