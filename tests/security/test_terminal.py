"""What a provider sends is data: it steers no terminal, breaks no SQL and names no file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from pipelines.plain_text import plain
from tests.pipelines.project import Project
from tests.security.hostile import Hostile, answer
from tests.security.test_answers import configure, log

EVIL = (
    "'\"; drop table x --\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp\u2066\u200b\x00\x7f\x85\u2028[red]\r\n"
    "new line"
)
STEERING = [
    "\x1b]0;owned",
    "\x1b[2J",
    "\x9b",
    "\x07",
    "\u202e",
    "\u2066",
    "\u200b",
    "\x00",
    "\x7f",
    "\x85",
    "\u2028",
    "\r",
]
ID = f"../../{EVIL}"


def page(asked: bytes) -> list[bytes]:
    target = {"target_number": EVIL, "trunk_name": EVIL, "status": EVIL, "end_reason": EVIL}
    whole = log(
        id=ID, caller=EVIL, callee="101", note=EVIL, call_state=EVIL, direction=EVIL, call_targets=[target],
        recording_urls=[f"https://127.0.0.1:1/{EVIL}"], **{EVIL: EVIL},
    )  # fmt: skip
    rejected = log(id="", note=EVIL, **{EVIL: EVIL})
    body = {"paging": {"next": ""}, "call_logs": [whole, rejected], "extensions": []}
    return answer(json.dumps(body).encode())


def shows_nothing_that_steers(text: str, *, but: str = "") -> None:
    assert text
    assert [code for code in STEERING if code in text and code != but] == []


@pytest.fixture
def read(project: Project) -> Iterator[Project]:
    """A project that has read a hostile call, while its provider still answers."""
    with Hostile(page) as server:
        configure(project, server.port)
        project.done("sync")
        yield project


@pytest.mark.slow
def test_nothing_steers_a_terminal(read: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (reject,) = json.loads(read.done("rejects", "list", "--json").out)
    commands = [
        ["sync"], ["sync", "--log-format", "json"], ["status"], ["status", "--json"], ["rejects"],
        ["rejects", "show", reject["reject_id"]], ["rejects", "replay"], ["verify"], ["verify", "--json"],
        ["test"], ["recordings"], ["recordings", "--log-format", "json"],
        ["sql", "from etelecom.call_logs"], ["sql", "from etelecom.call_logs__call_targets"],
        ["sql", "from reporting.calls"], ["sql", "select error(note) from etelecom.call_logs"],
        ["sql", "select cast(note as integer) from etelecom.call_logs"],
        ["sql", "select 1 as \"\x1b]0;owned\x07\""],
    ]  # fmt: skip
    for command in commands:
        outcome = read.run(*command)
        shows_nothing_that_steers(outcome.out + outcome.err)
    monkeypatch.setenv("FORCE_COLOR", "1")
    for command in (
        ["backfill", "etelecom", "--from", "2026-01-01", "--to", "2026-12-01", "--force"],
        ["status"],
    ):
        outcome = read.run(*command)
        # The live display goes back to the beginning of its own lines.
        shows_nothing_that_steers(outcome.out + outcome.err.replace("\x1b[2K", ""), but="\r")


def test_nor_do_the_formats_for_machines_on_one(read: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.formats.sys", SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True)))
    for form in ("table", "csv", "json"):
        shows_nothing_that_steers(read.done("sql", "from etelecom.call_logs", "--format", form).out)


def test_what_differs_is_named_without_its_codes(read: Project) -> None:
    with duckdb.connect(str(read.published)) as copy:
        copy.execute("update etelecom.call_logs set note = 'other'")
    outcome = read.run("verify")
    assert outcome.code == 4
    assert "1 changed: ../../" in outcome.out
    shows_nothing_that_steers(outcome.out)


@pytest.mark.parametrize("command", ["check", "sync"])
def test_an_error_of_the_provider_is_one_line_without_codes(project: Project, command: str) -> None:
    body = json.dumps({"code": EVIL, "msg": EVIL}).encode()
    with Hostile(lambda asked: answer(body, b"HTTP/1.1 400 Bad\r\nConnection: close\r\n")) as server:
        configure(project, server.port)
        outcome = project.run(command)
    assert outcome.code == 1
    shows_nothing_that_steers(outcome.out + outcome.err)
    assert (
        len([line for line in outcome.lines if line.startswith("etelecom.main: ") and "drop table" in line])
        == 1
    )


def test_it_reaches_the_tables_as_it_came_and_sql_never(read: Project) -> None:
    kept = EVIL
    assert read.rows("select id, note, caller from etelecom.call_logs") == [(ID, kept, kept)]
    assert read.rows("select call_id from reporting.calls") == [(f"etelecom/main/{ID}",)]


def test_no_file_is_named_by_it(read: Project) -> None:
    read.run("recordings")
    for path in read.folder.rglob("*"):
        assert re.fullmatch(r"[\w.-]+", path.name), path
        assert "owned" not in path.name


def test_plain_text_stays_as_it_is() -> None:
    text = "Nguyễn Văn Ánh 漢字 🙂 — +84 912\nvà dòng hai"
    assert plain(text) == text
    assert plain(EVIL).count("\n") == 1


def test_an_account_may_be_named_anything(project: Project, tmp_path: Path) -> None:
    name = "etelecom.o'brien; drop table x --"
    with Hostile(page) as server:
        configure(project, server.port)
        for file in ("config.toml", "secrets.toml"):
            text = (project.folder / ".dlt" / file).read_text()
            text = text.replace("[sources.etelecom.main]", f'[sources.etelecom."{name.partition(".")[2]}"]')
            project.write(file, text.replace('"etelecom.main"', json.dumps(name)))
        project.done("sync")
        project.done("status")
        project.run("recordings")
    assert project.rows("select distinct account from reporting.calls") == [(name.partition(".")[2],)]
