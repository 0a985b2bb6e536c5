"""The demo needs nothing but the installation: no account, no network, no checkout."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import venv
from pathlib import Path

import duckdb
import pytest

from tests.pipelines.project import ROOT, Project

EVERYTHING = "select provider, count(*) from reporting.calls group by provider order by provider"
LOADED = [("etelecom", 300), ("vbot", 300), ("voximplant", 300)]


def test_the_demo_runs_from_an_empty_directory(project: Project) -> None:
    began = time.monotonic()
    outcome = project.finish("demo", "--calls", "300")
    assert outcome.code == 0, outcome
    assert time.monotonic() - began < 60
    assert "How many calls did we have, and how many did we miss?" in outcome.out
    copy = project.folder / "callsync-demo" / "warehouse.read.duckdb"
    assert project.rows(EVERYTHING, copy) == LOADED
    again = project.finish("demo", "--calls", "20", "--log-format", "json", "--until", "2026-07-01")
    assert again.code == 0, again
    assert project.rows("select count(*), count(distinct account) from reporting.calls", copy) == [(60, 1)]
    # A month that ends at that midnight in Vietnam, whenever the demo is made.
    ((start, until),) = project.rows("select distinct range_start, range_end from reporting.coverage", copy)
    assert start.isoformat() == "2026-05-31T17:00:00+00:00"
    assert until.isoformat() == "2026-06-30T17:00:00+00:00"


@pytest.mark.slow
def test_the_demo_knows_of_no_accounts_and_no_warehouse_but_its_own(project: Project) -> None:
    users = project.folder / "users.duckdb"
    theirs = {
        "DESTINATION__DUCKDB__CREDENTIALS": str(users),
        "CALLSYNC__ACCOUNTS": "vbot.x",
        "CALLSYNC__PHONE_PRIVACY": "hash",
        "SOURCES__VBOT__MAIN__BASE_URL": "https://vbot.invalid/v3.0",
    }
    outcome = project.finish("demo", "--calls", "20", **theirs)
    assert outcome.code == 0, outcome
    assert not users.exists()


@pytest.mark.parametrize("folder", [".", ""])
def test_the_demo_replaces_no_project_but_a_demos(folder: str, loaded: Project) -> None:
    before = {file: file.read_bytes() for file in loaded.folder.rglob("*") if file.is_file()}
    outcome = loaded.finish("demo", "--calls", "20", "--folder", folder)
    assert outcome.code == 2
    assert outcome.err == ". holds a project that no demo made; name another with --folder\n"
    assert {file: file.read_bytes() for file in loaded.folder.rglob("*") if file.is_file()} == before


@pytest.mark.slow
def test_a_demo_that_is_told_to_end_leaves_no_simulator(project: Project) -> None:
    process = project.start("demo", "--calls", "100000")
    (line,) = (process.stdout.readline() for _ in "1" if process.stdout)
    port = int(line.rsplit(":", 1)[1].strip(" .\n"))
    process.terminate()
    process.communicate(timeout=30)
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


@pytest.mark.parametrize(
    ("until", "says"),
    [
        ("2999-01-01", "is not past"),
        ("soon", "takes a date"),
        ("0001-01-01", "takes a date"),
        ("0001-01-02", "is too early"),
        ("0500-01-01", "is too early"),
        ("1899-12-31", "--until 1899-12-31 is too early: a demo ends in 1900 or later"),
    ],
)
def test_the_demo_ends_in_the_past_that_can_be_simulated(project: Project, until: str, says: str) -> None:
    outcome = project.run("demo", "--until", until)
    assert outcome.code == 2
    (line,) = outcome.lines
    assert says in line
    assert not list(project.folder.iterdir())


@pytest.mark.parametrize(
    ("says", "fault"),
    [
        ("", "it gave no reason"),
        ("Traceback (most recent call last):\nOSError: no port", "OSError: no port"),
    ],
)
def test_a_simulator_that_dies_at_once_is_one_line(
    says: str, fault: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = project.folder / "python"
    dying.write_text(f"#!/bin/sh\nprintf '{says}' >&2\nexit 1\n")
    dying.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(dying))
    outcome = project.run("demo")
    assert outcome.code == 1
    assert outcome.err == f"the simulator ended before it began: {fault}\n"
    assert list(project.folder.iterdir()) == [dying]


@pytest.mark.slow
def test_the_demo_may_end_when_a_zones_offset_had_seconds(project: Project) -> None:
    outcome = project.finish("demo", "--calls", "3", "--until", "1900-01-01T00:00:00Z")
    assert outcome.code == 0, outcome


@pytest.mark.slow
def test_the_demo_runs_from_an_installed_wheel(tmp_path: Path) -> None:
    for needed in ("build", "hatchling", "pip"):
        pytest.importorskip(needed)
    checkout = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".*", "build", "dist", "__pycache__", "benchmarks")
    shutil.copytree(ROOT, checkout, ignore=ignored)
    shutil.copy(ROOT / ".gitignore", checkout)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            str(tmp_path / "dist"),
            str(checkout),
        ],
        check=True,
        capture_output=True,
    )
    (wheel,) = (tmp_path / "dist").glob("callsync-*.whl")
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--target",
            str(packages),
            str(wheel),
        ],
        check=True,
        capture_output=True,
    )
    # What callsync depends on comes from the environment of the tests; callsync itself must not.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    found = subprocess.run(
        [
            str(python),
            "-I",
            "-c",
            "import pipelines.cli as cli; print(cli.__file__); cli.main()",
            "demo",
            "--calls",
            "300",
        ],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found
    assert found.stdout.startswith(str(packages))
    with duckdb.connect(str(elsewhere / "callsync-demo" / "warehouse.read.duckdb"), read_only=True) as copy:
        assert copy.execute(EVERYTHING).fetchall() == LOADED
