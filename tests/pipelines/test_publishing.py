"""The readers' copy of a large warehouse: exact, cheap, and never changed while somebody has it open."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import file_copies, publishing
from pipelines.warehouse import Files
from sources.errors import WarehouseError

ROWS = 1_000_000

contents = st.lists(st.tuples(st.binary(min_size=1, max_size=8), st.integers(1, 60_000)), max_size=12).map(
    lambda parts: b"".join(part * times for part, times in parts)
)
"""What two files may hold: up to some pieces long, alike in places."""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """A warehouse of some megabytes that counts as large, on a file system that shares no blocks."""
    monkeypatch.setattr(publishing, "CHEAP_COPY_BYTES", 0)
    monkeypatch.setattr(file_copies, "share", lambda source, target: False)
    found = Files(tmp_path / "warehouse.duckdb")
    found.home.mkdir(parents=True)
    with duckdb.connect(str(found.warehouse)) as connection:
        connection.execute("create schema callsync")
        connection.execute(
            "create table callsync.runs (run_id varchar, started_at timestamptz, changed bool)"
        )
        connection.execute(
            f"create table calls as select range as id, hash(range) as what from range({ROWS})"
        )
    return found


@pytest.fixture
def change(files: Files) -> Callable[[int], None]:
    """Changes one call and publishes."""

    def changed(number: int) -> None:
        with duckdb.connect(str(files.warehouse)) as connection:
            connection.execute("update calls set what = what + 1 where id = ?", [number])
            connection.execute("insert into calls values (?, 0)", [ROWS + number])
        assert publishing.publish(files.warehouse, f"run {number}", is_whole=True)

    return changed


def in_step(files: Files) -> bool:
    return files.published.read_bytes() == files.warehouse.read_bytes()


def rows(file: Path) -> int:
    with duckdb.connect(str(file), read_only=True) as connection:
        (row,) = connection.execute("select count(*) from calls").fetchall()
    return int(row[0])


def test_each_copy_equals_the_warehouse_and_two_files_take_turns(
    files: Files, change: Callable[[int], None]
) -> None:
    inodes = []
    for number in range(6):
        change(number)
        assert in_step(files)
        inodes.append(files.published.stat().st_ino)
    assert len(set(inodes)) == 2
    assert inodes[1:] == [inodes[1], inodes[2]] * 2 + [inodes[1]]


def test_a_small_change_writes_little(
    files: Files, change: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    change(0)
    change(1)
    written = []
    write = file_copies._write

    def counted(descriptor: int, content: memoryview, offset: int) -> None:
        written.append(len(content))
        write(descriptor, content, offset)

    monkeypatch.setattr(file_copies, "_write", counted)
    change(2)
    assert in_step(files)
    assert 0 < sum(written) < files.warehouse.stat().st_size / 2


@pytest.mark.parametrize("client", ["DuckDB", "any program"])
def test_what_a_reader_has_open_stays_as_it_was(
    client: str, files: Files, change: Callable[[int], None]
) -> None:
    change(0)
    if client == "DuckDB":
        with duckdb.connect(str(files.published), read_only=True) as reader:
            for number in range(1, 4):
                change(number)
                assert reader.execute("select count(*) from calls").fetchall() == [(ROWS + 1,)]
                assert in_step(files)
    else:
        with files.published.open("rb") as reader:
            before = os.pread(reader.fileno(), 10**9, 0)
            for number in range(1, 4):
                change(number)
                assert in_step(files)
            assert os.pread(reader.fileno(), 10**9, 0) == before
    change(9)
    assert rows(files.published) == ROWS + 5


@pytest.mark.parametrize("left", [b"", b"garbage", b"\0" * 50_000_000], ids=["empty", "garbage", "longer"])
def test_a_damaged_spare_does_no_harm(left: bytes, files: Files, change: Callable[[int], None]) -> None:
    change(0)
    change(1)
    files.spare.write_bytes(left)
    change(2)
    assert in_step(files)


def test_a_run_killed_while_it_exchanged_the_names_leaves_nothing_wrong(
    files: Files, change: Callable[[int], None]
) -> None:
    change(0)
    change(1)
    os.link(files.published, files.next_spare)
    shown = files.published.stat().st_ino
    with duckdb.connect(str(files.published), read_only=True) as reader:
        change(2)
        assert in_step(files)
        assert reader.execute("select count(*) from calls").fetchall() == [(ROWS + 2,)]
    assert files.spare.stat().st_ino == shown
    assert not files.next_spare.exists()
    change(3)
    assert in_step(files)


def test_a_run_killed_while_it_brought_the_spare_in_step_leaves_nothing_wrong(
    files: Files, change: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    change(0)
    change(1)

    class Killed(BaseException):
        """Nothing of the program runs after it."""

    def half(descriptor: int, content: memoryview, offset: int) -> None:
        os.pwrite(descriptor, content[: len(content) // 2], offset)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(file_copies, "_write", half)
        patch.setattr(Path, "unlink", lambda path, missing_ok=False: None)
        with pytest.raises(Killed):
            change(2)
    assert rows(files.published) == ROWS + 2
    change(3)
    assert in_step(files)
    assert not list(files.published.parent.glob(".*.tmp"))


def test_words_that_changed_places_are_seen(tmp_path: Path) -> None:
    # DuckDB's checksum of a block stays the same then.
    source, target = tmp_path / "source", tmp_path / "target"
    words = [number.to_bytes(8, "little") for number in range(100_000)]
    target.write_bytes(b"".join(words))
    words[50_000], words[50_001] = words[50_001], words[50_000]
    source.write_bytes(b"".join(words))
    file_copies.bring_in_step(source, target)
    assert target.read_bytes() == source.read_bytes()


def test_of_a_piece_that_differs_only_the_part_that_does_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(700_000))
    target.write_bytes(bytes(300_000) + b"!" + bytes(399_999))
    written = []
    write = os.pwrite

    def noted(descriptor: int, content: memoryview, offset: int) -> int:
        written.append((offset, len(content)))
        return write(descriptor, content, offset)

    monkeypatch.setattr("pipelines.file_copies.os.pwrite", noted)
    file_copies.bring_in_step(source, target)
    assert target.read_bytes() == source.read_bytes()
    assert written == [(300_000 // 16_384 * 16_384, 16_384)]


@given(before=contents, after=contents)
def test_any_file_is_brought_in_step_with_any_other(before: bytes, after: bytes) -> None:
    with tempfile.TemporaryDirectory() as home:
        source, target = Path(home, "source"), Path(home, "target")
        source.write_bytes(after)
        target.write_bytes(before)
        file_copies.bring_in_step(source, target)
        assert target.read_bytes() == after


def test_a_disk_that_fills_up_leaves_the_copy_as_it_was(
    files: Files, change: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    change(0)
    change(1)
    before = files.published.read_bytes()

    def full(descriptor: int, content: memoryview, offset: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.file_copies.os.pwrite", full)
        with pytest.raises(WarehouseError, match=r"cannot be published: No space left on device$"):
            change(2)
    assert files.published.read_bytes() == before
    change(3)
    assert in_step(files)


def test_a_spare_that_is_the_copy_itself_is_not_touched(files: Files, change: Callable[[int], None]) -> None:
    change(0)
    files.spare.unlink(missing_ok=True)
    os.link(files.published, files.spare)
    shown = files.published.stat().st_ino
    change(1)
    assert files.published.stat().st_ino != shown
    assert in_step(files)


def test_where_blocks_can_be_shared_no_spare_is_kept(
    files: Files, change: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def shared(source: Path, target: Path) -> bool:
        file_copies.write_whole(source, target)
        return True

    monkeypatch.setattr(file_copies, "share", shared)
    change(0)
    change(1)
    assert in_step(files)
    assert not files.spare.exists()
