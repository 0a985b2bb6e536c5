"""What the documents show is real: commands parse, questions are answered, links lead somewhere."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest

from docs import answers
from pipelines import config, upgrading, views
from pipelines.cli import cli
from sources.registry import PROVIDERS

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    ROOT / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "docs/design.md",
        "docs/recordings.md",
        "docs/security.md",
        "sql/README.md",
    )
]
README = (ROOT / "README.md").read_text("utf-8")


def fenced(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


COMMANDS = [
    line for block in fenced("console") for line in block.splitlines() if line.startswith("callsync ")
]
QUERIES = [
    asked
    for command in COMMANDS
    if command.startswith("callsync sql ") and not (asked := shlex.split(command)[2]).startswith("-")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_readme_is_one_that_the_command_line_takes(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    name, *arguments = shlex.split(command)[1:]
    cli.commands[name].make_context(name, arguments)


def test_each_command_is_shown_in_the_readme() -> None:
    assert {shlex.split(command)[1] for command in COMMANDS} | {"demo"} == set(cli.commands)


@pytest.mark.parametrize("query", QUERIES)
def test_each_question_of_the_readme_is_answered(query: str, warehouse: duckdb.DuckDBPyConnection) -> None:
    assert warehouse.sql(query).columns


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    fill(connection)
    return connection


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    """Make an empty warehouse."""
    upgrading.bring_up_to_date(connection)
    views.refresh(connection, PROVIDERS, config.General())


def test_the_readme_lists_the_reporting_relations(warehouse: duckdb.DuckDBPyConnection) -> None:
    listed = set(re.findall(r"^\| `(reporting\.\w+)` \|", README, flags=re.MULTILINE))
    assert listed == {view.name for view in views.sql_views() if view.name.startswith("reporting.")}


def test_the_readme_asks_ten_questions_in_their_own_words() -> None:
    assert len(answers.questions()) == 10
    for file in answers.questions():
        first, *_ = file.read_text("utf-8").splitlines()
        assert re.fullmatch(r"-- [A-Z].*\?", first), file.name


@pytest.mark.slow
def test_the_answers_of_the_readme_are_those_of_the_demo_it_names(tmp_path: Path) -> None:
    assert f"`callsync {shlex.join(answers.DEMO)}`" in README
    assert answers.section(README) == answers.answers(answers.make_demo(tmp_path))


def test_the_python_of_the_readme_opens_the_copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with duckdb.connect("warehouse.read.duckdb") as connection:
        fill(connection)
    (code,) = (block for block in fenced("python") if "warehouse.read.duckdb" in block)
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102 - it is the README's own
    assert "contact_number" in found["missed"].column_names


def test_the_readme_shows_configuration_that_parses() -> None:
    for block in fenced("toml"):
        assert tomllib.loads(block)


@pytest.mark.parametrize(
    "target", re.findall(r"^make ([\w -]+)$", "\n".join(fenced("console")), flags=re.MULTILINE)
)
def test_each_make_target_of_the_readme_exists(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert all(re.search(rf"^{name}:", makefile, flags=re.MULTILINE) for name in target.split())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_place_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text("utf-8")
    links = [document.parent / link for link in re.findall(r"\]\((?!http)([^)#]+)\)", text)]
    places = [
        ROOT / place
        for place in re.findall(
            r"`((?:sources|pipelines|sql|simulator|docs|tests|benchmarks)/[\w./-]*\w)`", text
        )
    ]
    assert [str(path) for path in (*links, *places) if not path.exists()] == []


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_help_teaches(name: str) -> None:
    command = cli.commands[name]
    with click.Context(command, info_name=f"callsync {name}") as context:
        assert len(command.get_help(context).splitlines()) > 3
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help or parameter.name == "form"
