"""Files that are lost, cut short or replaced: the next run makes good whatever is not the truth itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from pipelines import opening
from pipelines.warehouse import Files
from simulator import Simulator
from tests.pipelines.project import Project, everyone
from tests.pipelines.test_stopping import dies_at

BEFORE_THE_BLOCKS = 3 * 4096
"""Bytes of a DuckDB file's three headers."""


def files_of(folder: Path, pattern: str) -> list[Path]:
    found = [path for path in folder.rglob(pattern) if path.is_file()]
    assert found, pattern
    return found


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def into_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.fixture
def pending(project: Project, simulator: Simulator) -> Project:
    """A project whose only run died with a package on its way."""
    project.configure(simulator, everyone("etelecom.main"))
    dies_at(project, "load:before")
    return project


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        pytest.param("*.parquet", halve, id="parquet cut short"),
        pytest.param("state.json", halve, id="state cut short", marks=pytest.mark.slow),
        pytest.param("*.schema.json", empty, id="schema empty", marks=pytest.mark.slow),
        pytest.param("state.json", into_folder, id="folder for a file", marks=pytest.mark.slow),
        pytest.param("*.follows", into_folder, id="folder for our note", marks=pytest.mark.slow),
    ],
)
def test_a_package_that_lost_a_file_is_read_again(
    pattern: str, damage: Callable[[Path], None], pending: Project, undisturbed: dict[str, list[str]]
) -> None:
    for path in files_of(pending.working, pattern):
        damage(path)
    outcome = pending.done("sync")
    assert "etelecom: a package of an interrupted run is read again" in outcome.err
    assert_same(pending, undisturbed)
    assert pending.done("sync").err.count("interrupted run") == 0


def test_a_package_is_not_finished_in_another_warehouse(
    loaded: Project, simulator: Simulator, undisturbed: dict[str, list[str]]
) -> None:
    start, end = (moment.date().isoformat() for moment in (simulator.since, simulator.now))
    dies_at(loaded, "load:before", "backfill", "etelecom", "--from", start, "--to", end, "--force")
    # Its ledger says that all the time before is in the warehouse; in a new one nothing is.
    loaded.warehouse.unlink()
    loaded.done("sync")
    assert loaded.data() == undisturbed


@pytest.mark.slow
def test_a_kill_while_a_directory_goes_does_not_stop_the_next_run(
    pending: Project, undisturbed: dict[str, list[str]]
) -> None:
    shutil.rmtree(pending.working / "warehouse/pipelines/callsync_etelecom/load/normalized")
    (pending.working / "warehouse/pipelines/discarded").write_text("in the way")
    pending.done("sync")
    assert_same(pending, undisturbed)


def test_what_stands_in_the_way_of_publishing_is_removed_or_named(loaded: Project) -> None:
    before = loaded.data()
    left = loaded.folder / ".warehouse.read.duckdb.1.tmp"
    left.mkdir()
    loaded.published.unlink()
    loaded.done("sync")
    assert loaded.data() == before
    loaded.published.unlink()
    loaded.published.mkdir()
    outcome = loaded.run("sync")
    assert outcome.code == 1
    assert outcome.lines[-1].startswith("warehouse.read.duckdb cannot be published: ")


@pytest.mark.parametrize("content", [b"", b"garbage" * 5000], ids=["empty", "garbage"])
def test_a_damaged_warehouse_is_named_and_left_alone(content: bytes, loaded: Project) -> None:
    loaded.warehouse.write_bytes(content)
    copy = loaded.published.read_bytes()
    outcome = loaded.run("sync")
    assert outcome.code == 1
    (line,) = outcome.lines
    assert line.startswith(f"{loaded.warehouse} cannot be opened: ")
    assert loaded.warehouse.read_bytes() == content
    assert loaded.published.read_bytes() == copy


@pytest.mark.parametrize("name", ["calls.duckdb", "calls.json", "calls.csv"])
def test_a_warehouse_that_became_text_leaves_its_copy_readable(
    name: str, loaded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", name)
    warehouse = loaded.folder / name
    loaded.published.rename(Files(warehouse).published)
    warehouse.write_text("[1]\n")
    outcome = loaded.run("sync")
    assert outcome.code == 1
    (line,) = outcome.lines
    assert line.startswith(f"{warehouse} cannot be opened: ")
    assert warehouse.read_text() == "[1]\n"
    assert "900" in loaded.done("sql", "select count(*) as n from reporting.calls").out


@pytest.mark.parametrize("seed", range(3))
def test_a_file_that_the_disk_has_damaged_is_named_by_every_command(seed: int, loaded: Project) -> None:
    whole = loaded.published.read_bytes()
    damaged, spots = bytearray(whole), Random(seed)  # noqa: S311 - no secret
    for block in range(BEFORE_THE_BLOCKS, len(whole), opening.BLOCK_BYTES):
        if spots.random() < 0.5:
            damaged[block + spots.randrange(opening.BLOCK_BYTES)] ^= 255
    loaded.published.write_bytes(damaged)
    loaded.warehouse.write_bytes(damaged)
    for command in ("status", "rejects", "verify", "sql from reporting.calls", "sync"):
        outcome = loaded.run(*command.split(maxsplit=1))
        assert outcome.code in (0, 1, 2), command
        assert outcome.code == 0 or "Corrupt" in outcome.lines[-1] or "checksum" in outcome.lines[-1], outcome
    assert outcome.code == 1
    loaded.warehouse.write_bytes(whole)
    loaded.done("sync")


def assert_same(project: Project, undisturbed: dict[str, list[str]]) -> None:
    """The account has all its calls and names, whatever other accounts have elsewhere."""
    found = project.data()
    names = [name for name in undisturbed if name.startswith("etelecom.")]
    assert {name: found[name] for name in names} == {name: undisturbed[name] for name in names}
    assert project.run("test").code == 0
