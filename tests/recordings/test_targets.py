"""Where recordings go: folders, stores, names, and the end of their retention."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import fsspec  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.recordings.naming import path_of, safe
from pipelines.recordings.target import Store
from simulator import Simulator
from sources import audio
from sources.errors import TargetError
from sources.recordings import Recording
from tests.pipelines.project import Project
from tests.recordings.held import accounts, asked_names, counts, files, rows, whole


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def test_a_store_of_fsspec_holds_them_too(
    loaded: Project, simulator: Simulator, memory: fsspec.AbstractFileSystem
) -> None:
    loaded.done("recordings", "etelecom", "--target", "memory://calls/heard/")
    held = rows(loaded, "path, bytes, sha256", "status = 'held'")
    for path, size, digest in held:
        body = memory.cat_file(path.removeprefix("memory:/"))
        assert (len(body), hashlib.sha256(body).hexdigest()) == (size, digest)
    assert len(memory.find("/")) == len(held) == len(asked_names(simulator))
    assert all(path.startswith("memory://calls/heard/etelecom/main/20") for path, _, _ in held)
    assert not list((loaded.working / "warehouse" / "recordings").iterdir())


def test_a_store_that_takes_half_of_a_file_holds_nothing(
    loaded: Project,
    simulator: Simulator,
    memory: fsspec.AbstractFileSystem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put = memory.put_file

    def half(self: object, file: str, path: str) -> None:
        put(file, path)
        memory.pipe_file(path, memory.cat_file(path)[:100])
        raise ConnectionResetError(104, "Connection reset by peer")

    monkeypatch.setattr(type(memory), "put_file", half)
    outcome = loaded.run("recordings", "etelecom", "--limit", "1", "--target", "memory://calls")
    assert outcome.code == 1
    assert outcome.lines[-1] == "memory://calls cannot be used for recordings: Connection reset by peer"
    assert rows(loaded) == []
    assert [path for path in memory.find("/") if not path.endswith(".part")] == []
    monkeypatch.undo()
    monkeypatch.chdir(loaded.folder)
    loaded.done("recordings", "etelecom", "--limit", "1", "--target", "memory://calls")
    assert len(simulator.recordings.asked) == 1, "what came over the network is kept"
    assert counts(loaded) == {"held": 1}


def test_a_file_url_is_a_folder(loaded: Project) -> None:
    target = loaded.folder / "a b" / "recordings"
    loaded.done("recordings", "etelecom", "--limit", "2", "--target", f"file://{target}")
    assert all(Path(path).is_relative_to(target) and Path(path).exists() for (path,) in rows(loaded, "path"))


def test_a_store_whose_package_is_missing_is_one_line(
    loaded: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    outcome = loaded.run("recordings", "--target", "s3://bucket/calls")
    assert outcome.code == 2
    assert outcome.lines == [
        "callsync.recordings_target needs a package that is not there: Install s3fs to access S3"
    ]
    assert not simulator.recordings.asked


def test_a_target_that_cannot_be_made_is_one_line(loaded: Project, simulator: Simulator) -> None:
    (loaded.folder / "taken").write_text("a file")
    outcome = loaded.run("recordings", "--target", "taken/recordings")
    assert outcome.code == 1
    (line,) = outcome.lines
    taken = f"{loaded.folder}/taken"
    assert line == f"{taken}/recordings cannot be used for recordings: {taken} is no folder"
    assert not simulator.recordings.asked


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("ftp://127.0.0.1:1/calls", "Connection refused"),
        ("ftp://nowhere.invalid/calls", ""),
        ("~nobody-of-that-name/calls", "Could not determine home directory"),
        ("nul\0", "embedded null byte"),
    ],
)
def test_a_target_that_cannot_be_reached_is_one_line(
    loaded: Project, simulator: Simulator, target: str, why: str
) -> None:
    outcome = loaded.run("recordings", "--target", target)
    assert outcome.code == 1
    (line,) = outcome.lines
    assert " cannot be used for recordings: " in line
    assert why in line
    assert not simulator.recordings.asked


def test_parts_that_nobody_goes_on_with_are_swept(loaded: Project) -> None:
    parts = loaded.folder / "recordings" / ".parts"
    parts.mkdir(parents=True)
    old, new, other = (parts / name for name in ("a.part", "b.part", "notes.txt"))
    for file in (old, new, other):
        file.write_text("x")
    for file in (old, other):
        os.utime(file, (time.time() - 8 * 86_400,) * 2)
    loaded.done("recordings", "etelecom", "--limit", "1")
    assert [path.name for path in (old, new, other) if path.exists()] == ["b.part", "notes.txt"]


def test_parts_of_another_user_are_one_line(
    loaded: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, listed = loaded.folder / "recordings" / ".parts", Path.iterdir

    def iterdir(folder: Path) -> Iterator[Path]:
        if folder == parts:
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    # Whoever runs the tests may be root, who is refused nothing.
    monkeypatch.setattr(Path, "iterdir", iterdir)
    outcome = loaded.run("recordings", "etelecom")
    assert outcome.code == 1
    assert outcome.lines == [
        f"{parts} cannot be read: Permission denied; make it belong to the user who runs callsync"
    ]
    assert not simulator.recordings.asked


def test_the_end_of_the_retention(
    loaded: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded.done("recordings", "etelecom", "--from", "2020-01-01")
    before = files(loaded)
    monkeypatch.setenv("CALLSYNC__RECORDINGS_RETENTION_DAYS", "2")
    day = timedelta(days=1)
    ended = [row for row in rows(loaded, "path, started_at") if row[1] < datetime.now(UTC) - 2 * day]
    assert 1 < len(ended) < len(before)
    changed, gone = Path(ended[0][0]), Path(ended[1][0])
    changed.write_text("somebody's own")
    gone.unlink()
    other = changed.with_name("notes.txt")
    other.write_text("a user's own")
    assert f", {len(ended)} to delete" in loaded.done("recordings", "etelecom", "--dry-run").out
    simulator.recordings.asked.clear()
    outcome = loaded.done("recordings", "etelecom", "vbot.v3")
    assert f"{len(ended)} deleted at the end of their retention" in outcome.out
    assert f"{changed} is left in its place: somebody has changed it" in outcome.err
    expired = rows(loaded, "path, expired_at is null", "status = 'expired'")
    assert expired == [(None, False)] * len(ended)
    left = {path for path in files(loaded) if path.is_relative_to(loaded.folder / "recordings" / "etelecom")}
    assert left == set(before) - {Path(path) for path, _ in ended} | {changed, other}
    folders = [path for path in (loaded.folder / "recordings" / "etelecom").rglob("*") if path.is_dir()]
    assert all(any(folder.iterdir()) for folder in folders)
    fetched = rows(loaded, "started_at", "provider = 'vbot' and status = 'held'")
    assert fetched[0][0] > datetime.now(UTC) - 2 * day, "what is past it is not fetched at all"
    assert "deleted" not in loaded.done("recordings", "etelecom").out
    monkeypatch.setenv("CALLSYNC__RECORDINGS_RETENTION_DAYS", "0")
    simulator.recordings.asked.clear()
    loaded.done("recordings", "etelecom")
    assert not simulator.recordings.asked, "what was deleted for good was fetched again"


def test_the_retention_reaches_stores_too(
    loaded: Project, memory: fsspec.AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSYNC__RECORDINGS_TARGET", "memory://calls")
    loaded.done("recordings", "voximplant")
    monkeypatch.setenv("CALLSYNC__RECORDINGS_RETENTION_DAYS", "0.001")
    loaded.done("recordings", "voximplant")
    assert memory.find("/") == []
    assert counts(loaded).keys() == {"expired"}


def test_a_file_that_cannot_be_deleted_stays_on_the_list(
    loaded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded.done("recordings", "etelecom", "--limit", "2")
    monkeypatch.setenv("CALLSYNC__RECORDINGS_RETENTION_DAYS", "0.001")

    def refused(location: str) -> None:
        raise TargetError(f"{location} cannot be used for recordings: Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.recordings.running.delete", refused)
        outcome = loaded.run("recordings", "etelecom")
    assert outcome.code == 1
    assert outcome.lines[-1].startswith("etelecom.main: ")
    assert outcome.lines[-1].endswith("cannot be used for recordings: Permission denied")
    assert counts(loaded) == {"held": 2}
    loaded.done("recordings", "etelecom")
    assert counts(loaded) == {"expired": 2}
    assert whole(loaded)


def test_a_store_that_cannot_be_opened_any_more_stops_no_run(
    loaded: Project, memory: fsspec.AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded.done("recordings", "etelecom", "--from", "2020-01-01", "--target", "memory://calls")
    for file in (loaded.warehouse, loaded.published):
        with duckdb.connect(str(file)) as connection:
            connection.execute("update callsync.recording_files set path = replace(path, 'memory:', 's3:')")
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.setenv("CALLSYNC__RECORDINGS_RETENTION_DAYS", "2")
    outcome = loaded.run("recordings", "etelecom", "vbot.v3")
    assert outcome.code == 1
    assert "s3://calls/etelecom/main/20" in outcome.lines[-1]
    assert "needs a package that is not there: Install s3fs to access S3" in outcome.lines[-1]
    assert rows(loaded, "path", "provider = 'vbot' and status = 'held'")
    assert not rows(loaded, "path", "status = 'expired'")


def test_a_retention_is_of_accounts_that_are_no_longer_configured_too(
    loaded: Project, simulator: Simulator
) -> None:
    loaded.done("recordings", "vbot.v3", "etelecom")
    left = {name: known for name, known in accounts().items() if name != "etelecom.main"}
    loaded.configure(simulator, left, {"recordings_retention_days": 0.001})
    before = len(rows(loaded, "path", "provider = 'etelecom'"))
    loaded.done("recordings", "vbot")
    assert len(rows(loaded, "path", "provider = 'etelecom' and status = 'held'")) == before
    assert (
        f"etelecom.main: 0 recordings to fetch, {before} to delete"
        in loaded.done("recordings", "--dry-run").out
    )
    outcome = loaded.done("recordings")
    assert f"etelecom.main: nothing to fetch, {before} deleted at the end of their retention" in outcome.out
    assert files(loaded) == []
    assert counts(loaded).keys() == {"expired"}


def test_object_stores_are_known_by_their_protocol(tmp_path: Path, memory: fsspec.AbstractFileSystem) -> None:
    file = tmp_path / "x.part"
    file.write_bytes(b"sound")
    store = Store("memory://calls", tmp_path)
    store.place(file, "a/b.wav")
    assert store.location("a/b.wav") == "memory://calls/a/b.wav"
    assert memory.find("/") == ["/calls/a/b.wav"]
    assert file.exists()


def recording(call_id: str, position: int = 0, account: str = "main") -> Recording:
    return Recording(call_id, position, "vbot", account, None, None, datetime(2026, 1, 30, 18, tzinfo=UTC))


def test_a_plain_id_is_its_name() -> None:
    path = path_of(recording("vbot/main/0604202616-1825_266"), "wav", "Asia/Ho_Chi_Minh")
    assert path == "vbot/main/2026/01/31/0604202616-1825_266-0.wav"


@given(st.text(max_size=300), st.text(min_size=1, max_size=100), st.integers(0, 2**40))
def test_any_other_id_stays_a_name(call_id: str, account: str, position: int) -> None:
    path = path_of(recording(call_id, position, account), "wav", "UTC")
    parts = path.split("/")
    assert len(parts) == 6
    assert path.isascii()
    assert all(part.strip(".") and len(part) <= 110 and part.lower() == part for part in parts)
    assert all(character.isalnum() or character in "-_." for part in parts for character in part)


@given(st.lists(st.text(max_size=120), unique=True, max_size=30))
def test_no_two_ids_share_a_name(ids: list[str]) -> None:
    names = [safe(text) for text in [*ids, *map(safe, ids)]]
    assert len({name.casefold() for name in names}) == len(set(ids) | set(map(safe, ids)))


def test_a_call_without_a_time_has_a_place() -> None:
    undated = Recording("vbot/main/1", 2, "vbot", "main", None, None, None)
    assert path_of(undated, "mp3", "UTC") == "vbot/main/undated/1-2.mp3"


@pytest.mark.parametrize(
    ("first", "content_type", "extension"),
    [
        (b"RIFF\x24\x0f\0\0WAVEfmt ", "audio/mpeg", "wav"),
        (b"ID3\x04", "", "mp3"),
        (b"\xff\xfb\x90\x64", "", "mp3"),
        (b"\xff\xf3\x40\xc0", "application/octet-stream", "mp3"),
        (b"\xff\xf1\x50\x80", "", "aac"),
        (b"\xff\xfe<\0h\0", "audio/mpeg", "mp3"),
        (b"\xff\xfe<\0h\0", "", "bin"),
        (b"OggS\0\x02", "", "ogg"),
        (b"fLaC", "", "flac"),
        (b"#!AMR\n", "", "amr"),
        (b"\0\0\0\x20ftypM4A ", "", "m4a"),
        (b"\0\0\0\x20ftypisom", "", "mp4"),
        (b"\x1aE\xdf\xa3", "", "webm"),
        (b"....", "audio/x-wav", "wav"),
        (b"....", "audio/../../x", "bin"),
        (b"", "", "bin"),
    ],
)
def test_the_bytes_of_a_file_name_it_before_its_type_does(
    first: bytes, content_type: str, extension: str
) -> None:
    assert audio.extension(first, content_type) == extension


@pytest.mark.parametrize(
    ("first", "is_text"),
    [
        (b'{"error": 1}', True),
        (b" \r\n\t[]", True),
        (b"\xef\xbb\xbf<html>", True),
        ("\ufeff<html>".encode("utf-16-le"), True),
        (b"<" + bytes(range(40)), False),
        (b"RIFF\x24\x0f\0\0WAVEfmt ", False),
        (b"....", False),
        (b"", False),
    ],
)
def test_a_text_is_known_by_its_beginning(first: bytes, is_text: bool) -> None:
    assert audio.is_text(first, "audio/wav") == is_text
