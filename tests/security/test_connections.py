"""Keys go to the configured server alone, encrypted, and only once its certificate is known to be its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.tls import loopback_context
from tests.pipelines.project import Project
from tests.security.hostile import Hostile, answer
from tests.security.test_answers import configure

REFUSED = answer(b"{}", b"HTTP/1.1 401 No\r\nConnection: close\r\n")
KEY = "a-key-of-many-letters-0123456789"


def configure_at(project: Project, url: str, **more: str) -> None:
    configure(project, 1)
    text = (project.folder / ".dlt" / "config.toml").read_text().replace("http://127.0.0.1:1/v1/shop", url)
    project.write("config.toml", text + "".join(f"{key} = {value}\n" for key, value in more.items()))


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {
            "PYTHONHTTPSVERIFY": "0",
            "CURL_CA_BUNDLE": "",
            "REQUESTS_CA_BUNDLE": "",
            "SSL_CERT_DIR": "/nowhere",
        },
    ],
)
def test_a_certificate_that_nobody_vouches_for_is_never_believed(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    context, _ = loopback_context(tmp_path)
    with Hostile(lambda asked: REFUSED, context) as server:
        configure_at(project, f"https://localhost:{server.port}/v1/shop")
        outcome = project.run("check")
        assert outcome.code == 1
        assert "certificate" in outcome.err.lower()
        assert server.heard == []


def test_an_authority_of_ones_own_may_be_named(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = loopback_context(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with Hostile(lambda asked: REFUSED, context) as server:
        configure_at(project, f"https://localhost:{server.port}/v1/shop")
        assert "HTTP 401" in project.run("check").err
        assert KEY.encode() in server.heard[0]


@pytest.mark.parametrize("command", ["check", "sync"])
@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "HTTPS_PROXY"])
def test_an_environment_that_cannot_be_used_is_one_line(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str, command: str
) -> None:
    monkeypatch.setenv(name, "nonsense://user:password@/nowhere")
    configure_at(project, "https://localhost:1/v1/shop")
    outcome = project.run(command)
    assert outcome.code == 1
    assert "SSL_CERT_FILE" in outcome.err
    assert "password" not in outcome.err


def test_what_is_on_this_machine_passes_no_proxy_and_no_netrc_speaks_for_us(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login stranger password stranger\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Hostile(lambda asked: REFUSED) as proxy, Hostile(lambda asked: REFUSED) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.port}")
        configure(project, server.port)
        project.run("check")
        assert proxy.heard == []
    assert b"Basic" not in server.heard[0]
    assert KEY.encode() in server.heard[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_no_key_anywhere(project: Project, status: int) -> None:
    with Hostile(lambda asked: answer(b"{}")) as other:
        moved = answer(
            b"",
            f"HTTP/1.1 {status} Moved\r\nConnection: close\r\n".encode(),
            f"Location: http://localhost:{other.port}/",
        )
        with Hostile(lambda asked: moved) as server:
            configure(project, server.port)
            outcome = project.run("check")
        assert other.heard == []
    assert outcome.code == 1
    assert f"HTTP {status}" in outcome.err


def test_what_a_server_would_have_remembered_is_forgotten(project: Project) -> None:
    with Hostile(
        lambda asked: answer(
            b'{"code":"internal"}', b"HTTP/1.1 500 No\r\nConnection: close\r\n", "Set-Cookie: a=b"
        )
    ) as server:
        configure_at(project, f"http://127.0.0.1:{server.port}/v1/shop")
        text = (project.folder / ".dlt" / "config.toml").read_text()
        project.write("config.toml", text.replace("max_attempts = 1", "max_attempts = 2"))
        project.run("check")
    assert len(server.heard) == 2
    assert b"cookie" not in server.heard[1].lower()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://pbx.example/v1/shop", "allow_http = true"),
        ("http://127.0.0.1.example.com/v1", "allow_http = true"),
        ("http://localhost.example.com/v1", "allow_http = true"),
        ("http://127.example.com/v1", "allow_http = true"),
        ("https://user:word@pbx.example/v1", "no user and no password"),
        ("https://pbx.example/v1?key=word", "must begin with https://"),
        ("ftp://pbx.example", "must begin with https://"),
    ],
)
def test_a_base_url_that_shows_the_key_is_refused(project: Project, url: str, says: str) -> None:
    configure_at(project, url)
    outcome = project.run("check")
    assert (outcome.code, len(outcome.lines)) == (2, 1)
    assert "sources.etelecom.main.base_url" in outcome.err
    assert says in outcome.err
    assert "word" not in outcome.err.replace("password", "")


@pytest.mark.parametrize(
    "url", ["http://localhost:1/v1", "http://127.0.0.2:1/v1", "http://[::1]:1/v1", "https://pbx.example/v1"]
)
def test_this_machine_and_https_are_fine(project: Project, url: str) -> None:
    configure_at(project, url)
    project.done("sync", "--dry-run")


@pytest.mark.parametrize(("said", "code"), [("true", 0), ("false", 2), ('"maybe"', 2)])
def test_plain_http_may_be_allowed(project: Project, said: str, code: int) -> None:
    configure_at(project, "http://pbx.example/v1", allow_http=said)
    assert project.run("sync", "--dry-run").code == code
