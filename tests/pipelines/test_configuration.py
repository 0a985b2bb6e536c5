"""What a configuration may look like: files or the environment, and what init writes for both."""

from __future__ import annotations

import json
import os
import socket
import stat
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from pipelines import config, scaffold
from simulator import Simulator
from sources.registry import PROVIDERS
from tests.pipelines.project import Project, everyone, secrets_of


@pytest.mark.parametrize("as_list", [json.dumps, ", ".join])
def test_the_environment_alone_is_enough(
    as_list: object, project: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(as_list)
    monkeypatch.setenv("CALLSYNC__ACCOUNTS", as_list(["vbot.main", "etelecom.hanoi"]))
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", "elsewhere.duckdb")
    start = simulator.since.date().isoformat()
    for section, provider in (("VBOT__MAIN", "vbot"), ("ETELECOM__HANOI", "etelecom")):
        given = simulator.credentials(provider)
        monkeypatch.setenv(f"SOURCES__{section}__API_KEY", given["api_key"])
        monkeypatch.setenv(f"SOURCES__{section}__BASE_URL", given["base_url"])
        monkeypatch.setenv(f"SOURCES__{section}__START_DATE", start)
    project.done("sync")
    assert (project.folder / "elsewhere.read.duckdb").exists()
    assert not project.warehouse.exists()


@pytest.mark.parametrize("variable", ["DATA_WRITER__FILE_MAX_ITEMS", "LOAD__WORKERS", "NORMALIZE__WORKERS"])
def test_dlts_own_settings_change_no_package(
    variable: str, configured: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "many")
    configured.done("sync")


def test_nothing_is_reported_to_the_makers_of_dlt(
    configured: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNTIME__DLTHUB_TELEMETRY")
    # What goes to another machine goes through a proxy, and what callsync asks here does not.
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.setblocking(False)
        outcome = configured.finish("sync", HTTPS_PROXY=f"http://127.0.0.1:{proxy.getsockname()[1]}")
        assert outcome.code == 0, outcome
        with pytest.raises(BlockingIOError):
            proxy.accept()


@pytest.mark.parametrize("form", ["path", "text", "table"])
def test_voximplants_credentials_in_each_form(
    form: str, project: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.configure(simulator, everyone("voximplant.main"))
    if form != "table":
        project.write("secrets.toml", "")
        text = json.dumps(simulator.credentials("voximplant")["credentials"])
        (project.folder / "credentials.json").write_text(text)
        value = "credentials.json" if form == "path" else text
        monkeypatch.setenv("SOURCES__VOXIMPLANT__MAIN__CREDENTIALS", value)
    assert "300 calls read" in project.done("sync").out


def test_accounts_inherit_what_their_provider_says(project: Project, simulator: Simulator) -> None:
    project.configure(simulator, everyone("etelecom.main"))
    file = project.folder / ".dlt" / "config.toml"
    file.write_text(file.read_text() + "[sources.etelecom]\npage_size = 37\n")
    project.done("sync")
    limits = {entry.parameters for entry in simulator.requests.select("etelecom", "call_logs")} or {
        entry.parameters for entry in simulator.requests.select("etelecom")
    }
    assert any("37" in said for said in limits)


def test_no_secret_is_shown_or_kept(
    configured: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__VBOT__MAIN__MAX_ATTEMPTS", "1")
    simulator.faults.sometimes("500", 1.0, provider="vbot")
    simulator.faults.next(None, None, "error_body", provider="etelecom")
    simulator.faults.next(None, None, "html", provider="voximplant")
    outcome = configured.run("sync", "--log-format", "json")
    assert outcome.code == 1
    simulator.faults.clear()
    shown = outcome.out + outcome.err + configured.run("check").out + configured.run("status").out
    kept = b"".join(
        path.read_bytes()
        for path in configured.folder.rglob("*")
        if path.is_file() and ".dlt" not in path.relative_to(configured.folder).parts
    )
    for secret in secrets_of(simulator, everyone()):
        assert secret not in shown
        assert secret.encode() not in kept


def test_init_writes_files_of_ones_own_and_never_again(project: Project) -> None:
    assert project.done("init").out.startswith("Wrote ")
    files = [project.folder / scaffold.CONFIG, project.folder / scaffold.SECRETS]
    for file in files:
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
        assert tomllib.loads(file.read_text()) is not None
    before = [file.read_bytes() for file in files]
    outcome = project.run("init")
    assert outcome.code == 2
    assert len(outcome.lines) == 1
    files[0].unlink()
    assert project.run("init").code == 2
    assert not files[0].exists()
    assert files[1].read_bytes() == before[1]


def test_every_key_that_init_shows_is_known(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(
        line.removeprefix("# ") if " = " in line or line.startswith("# [") else line
        for line in (scaffold.config_text() + scaffold.secrets_text()).splitlines()
    )
    shown: dict[str, set[str]] = {}
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif " = " in line and not line.startswith("#"):
            shown.setdefault(section, set()).add(line.split(" = ")[0])
    known = {field.name for field in fields(config.General)}
    assert shown["callsync"] == known
    for name, provider in PROVIDERS.items():
        keys = shown[f"sources.{name}"] | shown[f"sources.{name}.main"] | shown["sources.vbot"]
        assert {field.name for field in fields(provider.options)} <= keys


@pytest.mark.parametrize("key", ["page_base", "page_size", "project_code", "access_token"])
def test_an_empty_value_is_none_where_init_shows_it_for_none(
    key: str, configured: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = "backfill", "vbot", "--from", "2026-02-01", "--to", "2026-02-03", "--dry-run"
    planned = configured.done(*days).out
    monkeypatch.setenv(f"SOURCES__VBOT__MAIN__{key.upper()}", "")
    assert configured.done(*days).out == planned


def test_without_a_start_a_first_sync_begins_at_midnight_of_the_reporting_zone(
    configured: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = configured.folder / ".dlt/config.toml"
    lines = [line for line in file.read_text().splitlines() if not line.startswith("start_date")]
    file.write_text("\n".join(lines))
    for zone, start in (
        ("Asia/Ho_Chi_Minh", "2025-12-31T17:00:00Z"),
        ("Europe/Berlin", "2025-12-31T23:00:00Z"),
    ):
        monkeypatch.setenv("CALLSYNC__REPORTING_TIMEZONE", zone)
        first = configured.done("sync", "etelecom", "--dry-run").out.splitlines()[1]
        assert first.strip().startswith(start)


def test_a_fresh_init_says_what_to_do_next(project: Project) -> None:
    project.done("init")
    outcome = project.run("sync")
    assert outcome.code == 2
    assert "no account is configured" in outcome.err
    assert Path("warehouse.duckdb").exists() is False
