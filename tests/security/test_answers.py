"""Answers without an end, bombs and deep nesting: one line, exit 1, and bounded memory."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable

import pytest

from sources import bodies
from tests.pipelines.project import ROOT, Outcome, Project
from tests.security.hostile import OK, Hostile, answer

MIB = 2**20
NESTED = 100_000
NOISE = random.Random(7).randbytes(MIB)  # noqa: S311 - the same noise every time


def log(**more: object) -> dict[str, object]:
    return {"id": "1", "started_at": "2026-06-30T08:00:00Z", "created_at": "2026-06-30T08:00:00Z", **more}


def page(record: bytes) -> bytes:
    return b'{"paging":{"next":""},"call_logs":[' + record + b"]}"


def bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(b" " * MIB) for _ in range(200)), packer.flush()])


def chunked(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def deep(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


HOSTILE: dict[str, tuple[Callable[[], Iterable[bytes]], str]] = {
    "a body without an end": (
        lambda: itertools.chain([OK + b"\r\n"], itertools.repeat(b" " * 65536)), "sends more than 64 MiB",
    ),
    "chunks without an end": (
        lambda: itertools.chain(
            [OK + b"Transfer-Encoding: chunked\r\n\r\n"], itertools.repeat(chunked(b"[" * 65536))
        ),
        "sends more than 64 MiB",
    ),
    "a bomb": (lambda: answer(bomb(), OK, "Content-Encoding: gzip"), "sends more than 64 MiB"),
    "a bomb in a bomb": (
        lambda: answer(gzip.compress(bomb()), OK, "Content-Encoding: gzip, gzip"), "cannot be unpacked",
    ),
    "a packed body cut short": (
        lambda: answer(gzip.compress(page(b""))[:-9], OK, "Content-Encoding: gzip"), "cut short",
    ),
    "deep lists": (lambda: answer(deep(NESTED)), "the answer"),
    "deep objects": (lambda: answer(b'{"x":' * NESTED + b"1" + b"}" * NESTED), "nested too deep"),
    "deep without an end": (lambda: answer(b'{"call_logs":' + b"[" * NESTED), "nested too deep"),
    "a deep error": (
        lambda: answer(b'{"msg":' + deep(NESTED) + b"}", b"HTTP/1.1 400 Bad\r\n"), "HTTP 400",
    ),
    "a flood of headers": (
        lambda: itertools.chain([OK], (f"X-{n}: {'x' * 100}\r\n".encode() for n in range(100_000))),
        "could not be reached",
    ),
    "one header without an end": (
        lambda: itertools.chain([OK, b"X: "], itertools.repeat(b"x" * 65536)), "could not be reached",
    ),
    "random bytes": (lambda: answer(NOISE), "the answer"),
    "no HTTP": (lambda: [NOISE], "could not be reached"),
    "a number of a million digits": (lambda: answer(b'{"code":' + b"9" * MIB + b"}"), "documented form"),
}  # fmt: skip


def configure(project: Project, port: int) -> None:
    project.write(
        "config.toml",
        '[callsync]\naccounts = ["etelecom.main"]\n[sources.etelecom.main]\n'
        f'base_url = "http://127.0.0.1:{port}/v1/shop"\nmax_attempts = 1\nrequests_per_second = 0\n'
        'start_date = "2026-06-30"\nwindow_days = 400\nconcurrency = 1',
    )
    project.write("secrets.toml", '[sources.etelecom.main]\napi_key = "a-key-of-many-letters-0123456789"')


def is_one_line(outcome: Outcome, says: str) -> None:
    assert outcome.code == 1, outcome
    errors = [line for line in outcome.lines if line.startswith("etelecom.main: ")]
    assert len(errors) == 1, outcome.err
    assert says in errors[0]
    assert "Traceback" not in outcome.err
    assert "Error" not in outcome.err


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_answer_is_one_line_and_exit_1(
    project: Project, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, says = HOSTILE[kind]
    monkeypatch.setattr(bodies, "LARGEST_BODY_BYTES", 2 * MIB)
    with Hostile(lambda asked: make()) as server:
        configure(project, server.port)
        is_one_line(project.run("check"), says.replace("64", "2"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
@pytest.mark.parametrize("kind", ["a body without an end", "a bomb"])
def test_memory_is_bounded(project: Project, kind: str) -> None:
    make, says = HOSTILE[kind]
    # Not ru_maxrss: that of a child begins with what its parent held.
    program = (
        "import re, sys; from pipelines.cli import _code_of; code = _code_of(['check']); "
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) // 1024); "
        "sys.exit(code)"
    )
    with Hostile(lambda asked: make()) as server:
        configure(project, server.port)
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=project.folder, env={"PYTHONPATH": str(ROOT), "PATH": ""},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 1, done
    assert says in done.stderr
    assert int(done.stdout.split()[-1]) < 500


@pytest.mark.parametrize("depth", [150, 850, 950, NESTED])
def test_a_deep_record_is_kept_or_refused_but_never_breaks_the_run(project: Project, depth: int) -> None:
    record = json.dumps(log(note="fine"))[:-1].encode() + b',"odd":' + deep(depth) + b"}"
    with Hostile(lambda asked: answer(page(record))) as server:
        configure(project, server.port)
        outcome = project.run("sync")
    assert "Traceback" not in outcome.err
    assert "Error" not in outcome.err
    if outcome.code == 0:
        (kept,) = project.rows("select count(*) from etelecom.call_logs")[0]
        (rejected,) = project.rows("select count(*) from callsync.rejected_records")[0]
        assert kept + rejected == 1
    else:
        is_one_line(outcome, "nested too deep")


@pytest.mark.slow
def test_one_string_of_many_megabytes_is_kept(project: Project) -> None:
    record = json.dumps(log(odd="x" * (8 * MIB))).encode()
    with Hostile(lambda asked: answer(page(record))) as server:
        configure(project, server.port)
        project.done("sync")
    ((length,),) = project.rows("select length(extra) from etelecom.call_logs")
    assert length > 8 * MIB
