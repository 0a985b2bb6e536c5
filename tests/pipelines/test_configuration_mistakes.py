"""What is wrong with a configuration is one line and exit 2, before any request is sent."""

from __future__ import annotations

import os
import subprocess
import sys
import typing
from dataclasses import fields

import pytest

from pipelines import config
from simulator import Simulator
from sources.registry import PROVIDERS
from tests.pipelines.project import ROOT, Project

WRONG = {
    "unknown account": (["sync", "etelecom.hanoi"], {}, "etelecom.hanoi is not configured"),
    "unknown selector": (["sync", "etelecm"], {}, "did you mean etelecom.main?"),
    "bad date": (
        ["backfill", "vbot", "--from", "2026-02-30", "--to", "2026-03-01"],
        {},
        "--from and --to take a date",
    ),
    "empty range": (["backfill", "vbot", "--from", "2026-02-02", "--to", "2026-02-02"], {}, "is not before"),
    "unknown zone": (["sync"], {"CALLSYNC__REPORTING_TIMEZONE": "Mars/Olympus"}, "is no IANA time zone"),
    "a folder of zones": (["sync"], {"CALLSYNC__REPORTING_TIMEZONE": "Europe"}, "is no IANA time zone"),
    "a folder of VBot's zones": (
        ["sync"],
        {"SOURCES__VBOT__MAIN__TIMEZONE": "Europe"},
        "sources.vbot.main.timezone is no IANA time zone",
    ),
    "a long zone of Voximplant's": (
        ["sync"],
        {"SOURCES__VOXIMPLANT__MAIN__TIMEZONE": "a" * 5_000},
        "sources.voximplant.main.timezone is no IANA time zone",
    ),
    "unknown region": (["sync"], {"CALLSYNC__DEFAULT_REGION": "vn"}, "is no country code"),
    "unknown provider": (["sync"], {"CALLSYNC__ACCOUNTS": "etelcom.main"}, "did you mean etelecom?"),
    "no provider": (["sync"], {"CALLSYNC__ACCOUNTS": "main"}, "not of the form provider.account"),
    "no number": (
        ["sync"],
        {"SOURCES__VBOT__MAIN__PAGE_SIZE": "many"},
        "sources.vbot.main.page_size must be a whole",
    ),
    "no finite number": (
        ["sync"],
        {"CALLSYNC__SERVICE_LEVEL_SECONDS": "inf"},
        "callsync.service_level_seconds must be a number",
    ),
    "no window": (
        ["sync"],
        {"SOURCES__VBOT__MAIN__WINDOW_DAYS": "0"},
        "sources.vbot.main.window_days must be at least 1",
    ),
    "no start": (
        ["sync"],
        {"SOURCES__VBOT__MAIN__START_DATE": "soon"},
        "sources.vbot.main.start_date must be a date",
    ),
    "no moment": (["sync"], {"SOURCES__VBOT__MAIN__START_DATE": "now"}, "start_date must be a date"),
    "before time": (
        ["sync"],
        {"SOURCES__VBOT__MAIN__START_DATE": "0001-01-01"},
        "start_date must be a date",
    ),
    "an interval": (
        ["backfill", "vbot", "--from", "2026-02-01/P1D", "--to", "2026-03-01"],
        {},
        "--from and --to take a date",
    ),
    "no version": (["sync"], {"SOURCES__VBOT__MAIN__API_VERSION": "v9"}, "sources.vbot.main.api_version"),
    "no file": (
        ["sync"],
        {"DESTINATION__DUCKDB__CREDENTIALS": ":memory:"},
        "must be the path of a DuckDB file",
    ),
    "no name": (
        ["sync"],
        {"DESTINATION__DUCKDB__CREDENTIALS": ""},
        "destination.duckdb.credentials must be the path of a DuckDB file",
    ),
    "a schema's name": (
        ["sync"],
        {"DESTINATION__DUCKDB__CREDENTIALS": "reporting.duckdb"},
        "destination.duckdb.credentials must not be reporting.duckdb: ",
    ),
    "no path": (
        ["sync"],
        {"SOURCES__ETELECOM__MAIN__BASE_URL": "https://api.etelecom.vn/"},
        "sources.etelecom.main.base_url must have a path",
    ),
    "no list": (["sync"], {"CALLSYNC__ACCOUNTS": "[" * 100_000}, "callsync.accounts must be a list"),
    "a list in a list": (
        ["sync"],
        {"CALLSYNC__ACCOUNTS": '[["vbot.main"]]'},
        "callsync.accounts must be a list",
    ),
    "an account called like a key": (
        ["sync"],
        {"CALLSYNC__ACCOUNTS": "etelecom.filter"},
        "callsync.accounts names etelecom.filter, but filter is a key of its provider",
    ),
    "an unknown default in the environment": (
        ["sync"],
        {"SOURCES__ETELECOM__WINDOW_DAY": "2"},
        "sources.etelecom.window_day is not a key of callsync; did you mean window_days?",
    ),
    "an empty key": (
        ["sync"],
        {"SOURCES__ETELECOM__MAIN__API_KEY": ""},
        "sources.etelecom.main.api_key is missing; set it in .dlt/secrets.toml under [sources.etelecom.main]",
    ),
    "a blank key": (
        ["sync"],
        {"SOURCES__VBOT__MAIN__API_KEY": "  "},
        "sources.vbot.main.api_key is missing; set",
    ),
    "a key of two lines": (
        ["sync"],
        {"SOURCES__ETELECOM__MAIN__API_KEY": "abc\ndef"},
        "sources.etelecom.main.api_key holds what no header may",
    ),
    "a key with an accent": (
        ["sync"],
        {"SOURCES__VBOT__MAIN__API_KEY": "khóa"},
        "sources.vbot.main.api_key holds what no header may",
    ),
    "empty credentials": (
        ["sync"],
        {"SOURCES__VOXIMPLANT__MAIN__CREDENTIALS": ""},
        "sources.voximplant.main.credentials is missing; set it in .dlt/secrets.toml",
    ),
    "an account that TOML has to quote": (
        ["sync"],
        {"CALLSYNC__ACCOUNTS": "etelecom.Hà Nội"},
        'api_key is missing; set it in .dlt/secrets.toml under [sources.etelecom."Hà Nội"], or as ',
    ),
    "no credentials": (
        ["sync"],
        {"SOURCES__VOXIMPLANT__MAIN__CREDENTIALS": "nowhere.json"},
        "sources.voximplant.main.credentials",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_one_line_and_no_request(
    case: str, configured: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, environment, said = WRONG[case]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    outcome = configured.run(*arguments)
    assert outcome.code == 2
    assert len(outcome.lines) == 1
    assert said in outcome.err
    assert outcome.out == ""
    assert not simulator.requests.select()
    assert not configured.warehouse.exists()


@pytest.mark.parametrize(
    "command", ["sync", "sync --dry-run", "status", "sql from[1]", "test", "verify", "rejects", "recordings"]
)
def test_no_command_takes_a_table_of_text_for_the_warehouse(
    command: str, configured: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = configured.folder / "credentials.json"
    theirs.write_text('{"account_id": 1}')
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", theirs.name)
    outcome = configured.run(*command.split())
    assert outcome.code == 2
    assert outcome.err == (
        "destination.duckdb.credentials must be another path: credentials.json is no DuckDB file, "
        "and is left as it is; set it in .dlt/config.toml under [destination.duckdb], "
        "or as DESTINATION__DUCKDB__CREDENTIALS\n"
    )
    assert theirs.read_text() == '{"account_id": 1}'
    assert not simulator.requests.select()
    assert {path.name for path in configured.folder.iterdir()} == {".dlt", theirs.name}


TABLES: dict[str, type] = {
    "callsync": config.General,
    **{f"sources.{name}.main": provider.options for name, provider in PROVIDERS.items()},
}
NUMBERS = [
    pytest.param(f"{where}.{key}", field.metadata["least"], field.metadata["most"], id=f"{where}.{key}")
    for where, kind in TABLES.items()
    for key, hint in typing.get_type_hints(kind).items()
    if {int, float} & {hint, *typing.get_args(hint)}
    for field in fields(kind)
    if field.name == key
]


@pytest.mark.parametrize(("key", "least", "most"), NUMBERS)
def test_every_number_has_a_least_and_a_most(
    key: str, least: float, most: float, configured: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value, said in (
        (least - 1, f"{key} must be at least {least}"),
        (most + 1, f"{key} must be at most {most}"),
        (10**400, f"{key} must be "),
        ("inf", f"{key} must be a "),
    ):
        monkeypatch.setenv(key.replace(".", "__").upper(), str(value))
        outcome = configured.run("sync", "--dry-run")
        assert outcome.code == 2
        (line,) = outcome.lines
        assert line.startswith(said)


def test_a_working_directory_that_is_gone_is_one_line(project: Project) -> None:
    leave = "import os, pathlib, runpy; pathlib.Path().absolute().rmdir(); "
    start = "runpy.run_module('pipelines', run_name='__main__')"
    for arguments in (["sync"], ["status"], ["sql", "select 1"]):
        folder = project.folder / "gone"
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", leave + start, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2
        assert done.stderr == "the working directory is not there any more; enter one that is\n"


@pytest.mark.parametrize("key", ["api_key"])
def test_a_missing_key_says_where_it_belongs(key: str, configured: Project, simulator: Simulator) -> None:
    secrets = configured.folder / ".dlt" / "secrets.toml"
    lines = secrets.read_text().splitlines()
    lines.remove(next(line for line in lines if line.startswith(key)))
    secrets.write_text("\n".join(lines))
    outcome = configured.run("sync")
    assert outcome.code == 2
    (line,) = outcome.lines
    assert "sources.vbot.main.api_key" in line
    assert ".dlt/secrets.toml" in line
    assert "SOURCES__VBOT__MAIN__API_KEY" in line
    assert not simulator.requests.select()


@pytest.mark.parametrize(
    ("section", "key", "near"),
    [
        ("callsync", "reporting_timezon", "reporting_timezone"),
        ("sources.etelecom.main", "pagesize", "page_size"),
        ("sources.etelecom", "lookback_day", "lookback_days"),
    ],
)
def test_an_unknown_key_suggests_the_nearest(section: str, key: str, near: str, configured: Project) -> None:
    file = configured.folder / ".dlt" / "config.toml"
    text = file.read_text()
    header = f"[{section}]\n"
    file.write_text(
        text.replace(header, f"{header}{key} = 1\n") if header in text else f"{text}{header}{key} = 1\n"
    )
    outcome = configured.run("sync")
    assert outcome.code == 2
    assert outcome.err == f"{section}.{key} is not a key of callsync; did you mean {near}?\n"


def test_broken_toml_is_one_line(configured: Project) -> None:
    configured.write("config.toml", "[callsync\naccounts = ")
    outcome = configured.finish("sync")
    assert outcome.code == 2
    assert len(outcome.lines) == 1
    assert ".dlt" in outcome.err


def test_a_wrong_key_fails_its_account_alone(
    configured: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__ETELECOM__MAIN__API_KEY", "wrong-key-of-hanoi")
    outcome = configured.run("sync")
    assert outcome.code == 1
    errors = [line for line in outcome.lines if "check api_key under [sources.etelecom.main]" in line]
    assert len(errors) == 1
    assert errors[0].startswith("etelecom.main: ")
    assert "wrong-key-of-hanoi" not in outcome.out + outcome.err
    found = configured.rows(
        "select provider, count(*) from reporting.calls group by provider order by provider"
    )
    assert found == [("vbot", 300), ("voximplant", 300)]
    assert configured.rows("select account from callsync.run_accounts where status = 'failed'") == [
        ("etelecom.main",)
    ]
