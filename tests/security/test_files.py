"""What callsync makes is its owner's alone, whatever the umask; a file that a user names follows it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import private_files
from simulator import Simulator
from tests.pipelines.project import ROOT, Project, everyone


@pytest.fixture(params=["000", "022"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(int(request.param, 8))
    yield int(request.param, 8)
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """Every file and folder that others may do anything with."""
    return {
        str(path.relative_to(folder)): stat.filemode(path.stat().st_mode)
        for path in folder.rglob("*")
        if path.stat().st_mode & 0o077
    }


@pytest.mark.slow
def test_everything_made_is_its_owners_alone(project: Project, simulator: Simulator, umask: int) -> None:
    project.done("init")
    assert modes(project.folder) == {}
    (project.folder / ".dlt").chmod(0o700)
    project.configure(simulator, everyone())
    for file in (project.folder / ".dlt").iterdir():
        file.chmod(0o600)
    project.done("sync")
    project.done("recordings", "--limit", "3")
    assert modes(project.folder) == {}
    assert (project.warehouse.exists(), project.published.exists()) == (True, True)


@pytest.mark.slow
def test_so_is_what_a_killed_run_leaves(project: Project, simulator: Simulator, umask: int) -> None:
    project.configure(simulator, everyone("etelecom.main"))
    for path in ((project.folder / ".dlt"), *(project.folder / ".dlt").iterdir()):
        path.chmod(0o700 if path.is_dir() else 0o600)
    dies = (
        "import os; from dlt.pipeline.pipeline import Pipeline; from pipelines import cli; "
        "Pipeline.load = lambda *args, **more: os.kill(os.getpid(), 9); cli.main(['sync'])"
    )
    died = subprocess.run(
        [sys.executable, "-c", dies],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
    )
    assert died.returncode == -9, died
    assert list(project.working.rglob("*.parquet"))
    assert modes(project.folder) == {}


def test_an_answer_in_a_file_follows_the_umask(loaded: Project, umask: int) -> None:
    loaded.done("sql", "select 1 as n", "-o", "answer.csv")
    answer = loaded.folder / "answer.csv"
    assert stat.S_IMODE(answer.stat().st_mode) == 0o666 & ~umask
    # One that is there already keeps the mode its owner gave it.
    answer.chmod(0o640)
    loaded.done("sql", "select 2 as n", "-o", "answer.csv")
    assert stat.S_IMODE(answer.stat().st_mode) == 0o640


def test_the_umask_is_the_users_again_afterwards(umask: int) -> None:
    with private_files.private_files():
        assert private_files.users_mode() == 0o666 & ~umask
        Path("private").touch()
    Path("theirs").touch()
    assert stat.S_IMODE(Path("private").stat().st_mode) == 0o600
    assert stat.S_IMODE(Path("theirs").stat().st_mode) == 0o666 & ~umask
