"""No secret reaches a screen, a log or a file, in whatever form a server repeats it, however a run ends."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

import pytest

from simulator import Simulator
from sources.redaction import redacted, without_secrets
from tests.pipelines.project import ROOT, Outcome, Project
from tests.security.hostile import Hostile, answer
from tests.security.test_answers import log

KEY = "sk/live+Key=with&signs %0123456789abcdef"
USER, PASSWORD = "0912345678user", 'pass"word/+&ü 42'


def forms(secret: str) -> list[str]:
    """How a server may repeat a secret."""
    raw = secret.encode()
    return [
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret)[1:-1].replace("/", "\\/"),
        quote(secret, safe=""),
        quote_plus(secret),
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        base64.b64encode(b"Bearer " + raw).decode(),
        base64.b64encode(b"user:" + raw + b"!").decode(),
    ]


def traces(secret: str) -> list[str]:
    """Texts that give a secret away."""
    raw = secret.encode()
    middle = [base64.b64encode(b"\0" * n + raw).decode()[4:-6] for n in range(3)]
    lines = [line for line in secret.splitlines() if len(line) > 20 and "KEY" not in line]
    return [text for text in (*forms(secret)[:5], *lines, *middle) if len(text) >= 8]


@pytest.mark.parametrize(
    "secret", [KEY, PASSWORD, "line one of a key 0123456789\nline two of a key 0123456789\n"]
)
@pytest.mark.parametrize("length", [30, 90, 10_000])
def test_every_form_is_blacked_out_even_when_it_is_cut(secret: str, length: int) -> None:
    from sources.printing import printable

    for form in forms(secret):
        for text in (form, printable(form), f"before {form} after"):
            shown = redacted(text, (secret,)).replace("***", "")
            assert [trace for trace in traces(secret) if trace in shown] == [], shown
        cut = printable("x" * (199 - min(length, 60)) + form)
        assert secret[:12] not in redacted(cut, (secret,))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2ln refused", "token *** refused"),
        ("Authorization: Bearer abc.def-ghi_jkl", "Authorization: Bearer ***"),
        ("no user 0912345678 here", "no user (number) here"),
        ("no user +84912345678", "no user (number)"),
        ("remote_number 79031234567 is not allowed", "remote_number (number) is not allowed"),
        ("number 0912 345 678 is blocked", "number (number) is blocked"),
        ("HTTP 400: 912345678", "HTTP 400: (number)"),
        ("num 1900636001, 0912.345.678", "num (number), (number)"),
        ("rec/0912345678.wav and call-0912345678", "rec/(number).wav and call-(number)"),
        ("sip:0912345678@x, (+84) 24-3822-3344", "sip:(number)@x, (number)"),
        ("0912 345 678 0987-654-321 on 2026-01-31", "(number) on 2026-01-31"),
        ("79031234567 2026-01-31, 79031234567/31.01.2026", "(number) 2026-01-31, (number)/31.01.2026"),
        ("of 10000, 20000 and 30000", ...),
        ("192.168.100.200 asked from 2026-01-31 00:00:00 to 2026-01-31T08:00:00.000+07:00, 20260131", ...),
        ("error 10004: 12345678 of 4096 bytes, 123e4567-e89b-42d3-a456-091234567800", ...),
        ("127.0.0.1/v1 answered HTTP 500 at 2026-06-30T08:00:00Z, id 300620261554430000197601", ...),
    ],
)
def test_tokens_of_anybody_and_numbers_are_blacked_out_too(text: str, shown: object) -> None:
    assert redacted(text, ()) == (text if shown is ... else shown)


def test_what_a_provider_repeats_of_a_key_is_no_data() -> None:
    body = json.dumps({"note": KEY, "url": f"https://x/?k={quote(KEY, safe='')}", "name": "short"}).encode()
    cleared = without_secrets(body, (KEY, "short"))
    assert json.loads(cleared) == {"note": "***", "url": "https://x/?k=***", "name": "short"}


# Whole runs


def configure(project: Project, simulator: Simulator, port: int) -> list[str]:
    """Three accounts of a hostile server; their secrets."""
    given = simulator.credentials("voximplant", None, 0)["credentials"]
    url = f"http://127.0.0.1:{port}/v1"
    more = "max_attempts = 2\nrequests_per_second = 0\nconcurrency = 1\nwindow_days = 400"
    project.write(
        "config.toml",
        '[callsync]\naccounts = ["etelecom.main", "vbot.main", "voximplant.main"]\n'
        + "".join(
            f'[sources.{name}.main]\nbase_url = "{url}"\nstart_date = "2026-06-30"\n{more}\n{own}\n'
            for name, own in (("etelecom", ""), ("vbot", 'api_version = "v2"'), ("voximplant", ""))
        ),
    )
    project.write(
        "secrets.toml",
        f"[sources.etelecom.main]\napi_key = {json.dumps(KEY)}\n"
        f"[sources.vbot.main]\nusername = {json.dumps(USER)}\npassword = {json.dumps(PASSWORD)}\n"
        "[sources.voximplant.main.credentials]\n"
        + "".join(f"{name} = {json.dumps(value)}\n" for name, value in given.items()),
    )
    return [KEY, USER, PASSWORD, given["private_key"]]


def given_away(project: Project, secrets: list[str], outcomes: list[Outcome]) -> list[str]:
    places = {
        f"the screen of run {number}": outcome.out + outcome.err for number, outcome in enumerate(outcomes)
    }
    for path in project.folder.rglob("*"):
        if path.is_file() and ".dlt" not in path.relative_to(project.folder).parts:
            places[str(path)] = path.read_bytes().decode("utf-8", "replace")
    found = [
        f"{place}: {trace} in {text[-4000:]}"
        for place, text in places.items()
        for secret in secrets
        for trace in traces(secret)
        if trace in text
    ]
    tokens = [place for place, text in places.items() if re.search(r"eyJ[\w-]{8,}\.eyJ", text)]
    return found + tokens


def repeated(asked: bytes, secrets: list[str]) -> str:
    """Everything that the server of an account knows, as it may show it in an error."""
    line = asked.partition(b"\r\n")[0]
    whose = slice(0, 1) if b"/v1." in line else slice(3, 4) if b"/v1/Get" in line else slice(1, 3)
    authorization = re.search(rb"(?i)authorization: ([^\r]*)", asked)
    known = [*secrets[whose], *([authorization[1].decode("latin-1")] if authorization else [])]
    return " ".join(form for secret in known for form in forms(secret))


FAULTS: dict[str, Callable[[str], Iterable[bytes]]] = {
    "a refusal": lambda said: answer(said.encode(), b"HTTP/1.1 401 No\r\nConnection: close\r\n"),
    "an error in 200": lambda said: answer(
        json.dumps({"error": {"code": 400, "msg": said}, "code": "internal", "msg": said}).encode()
    ),
    "a server fault": lambda said: answer(said.encode(), b"HTTP/1.1 500 No\r\nConnection: close\r\n"),
    "HTML": lambda said: answer(f"<html>{said}</html>".encode()),
    "a redirect": lambda said: answer(
        said.encode(), b"HTTP/1.1 302 No\r\nConnection: close\r\n",
        f"Location: http://127.0.0.1:1/?key={quote(said)}", f"Set-Cookie: key={quote(said)}",
    ),
    "another form": lambda said: answer(json.dumps({"call_logs": said, "error": said, "result": 1}).encode()),
    "no HTTP": lambda said: [f"HTTP/1.1 {said}\r\n{said}\r\n\r\n".encode()],
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_run_gives_no_secret_away(project: Project, simulator: Simulator, fault: str) -> None:
    secrets: list[str] = []
    with Hostile(lambda asked: FAULTS[fault](repeated(asked, secrets))) as server:
        secrets += configure(project, simulator, server.port)
        outcomes = [project.run("sync"), project.run("check")]
        assert len(server.heard) >= 6
    outcomes.append(project.run("status"))
    assert [outcome.code for outcome in outcomes] == [1, 1, 0]
    assert "Traceback" not in outcomes[0].err
    assert given_away(project, secrets, outcomes) == []


def test_nor_does_one_that_reaches_nobody(project: Project, simulator: Simulator) -> None:
    with Hostile(lambda asked: []) as server:
        port = server.port
    secrets = configure(project, simulator, port)
    outcomes = [project.run("sync", "--log-format", "json"), project.run("check")]
    assert [outcome.code for outcome in outcomes] == [1, 1]
    assert given_away(project, secrets, outcomes) == []


def test_a_file_that_cannot_be_read_is_not_quoted(project: Project, simulator: Simulator) -> None:
    secrets = configure(project, simulator, 1)
    text = (project.folder / ".dlt" / "secrets.toml").read_text()
    for broken in (text.replace("[sources.vbot", "sources.vbot"), text + text, f"{text}\napi_key = {KEY}\n"):
        project.write("secrets.toml", broken)
        outcome = project.finish("sync")
        assert outcome.code == 2, outcome
        assert given_away(project, secrets, [outcome]) == []


@pytest.mark.slow
def test_a_package_that_a_killed_run_left_holds_none(project: Project, simulator: Simulator) -> None:
    page = {
        "paging": {"next": ""},
        "extensions": [],
        "call_logs": [log(note=KEY, odd=f"?{quote(KEY)}"), log(id="", note=KEY)],
    }
    dies = (
        "import os; from dlt.pipeline.pipeline import Pipeline; from pipelines import cli; "
        "Pipeline.load = lambda *args, **more: os.kill(os.getpid(), 9); cli.main(['sync', 'etelecom'])"
    )
    with Hostile(lambda asked: answer(json.dumps(page).encode())) as server:
        secrets = configure(project, simulator, server.port)
        died = subprocess.run(
            [sys.executable, "-c", dies],
            cwd=project.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert died.returncode == -9, died
        assert list(project.working.rglob("*.parquet"))
        killed = Outcome(died.returncode, died.stdout, died.stderr)
        assert given_away(project, secrets, [killed]) == []
        project.done("sync", "etelecom")
    assert project.rows("select note from etelecom.call_logs") == [("***",)]
    assert given_away(project, secrets, []) == []
