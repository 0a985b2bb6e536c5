"""Settings are found where dlt finds them, although dlt is not loaded for that."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from dlt.common.runtime.run_context import RunContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import scaffold
from pipelines.settings import FILES, Settings
from sources.errors import ConfigError
from tests.pipelines.project import powerless

WHERE = ("sources", "vbot", "main")
KEY = "api_key"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of somebody who is not root, and works in an empty directory."""
    for name in ("DLT_PROJECT_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    home, project = tmp_path / "home", tmp_path / "project"
    for folder in (home, project):
        folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(project)
    return home


def dlts(key: str, *sections: str) -> Any:
    """What dlt finds."""
    for provider in RunContext(None).initial_providers():
        found, _ = provider.get_value(key, Any, "", *sections)
        if found is not None:
            return found
    return None


def write(folder: Path, name: str, said: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(tomlkit.dumps(said), "utf-8")


def saying(value: str) -> Mapping[str, Any]:
    return {"sources": {"vbot": {"main": {KEY: value}}}}


def found() -> Any:
    ours = Settings().value(KEY, *WHERE)
    assert ours == dlts(KEY, *WHERE)
    return ours


def test_the_environment_comes_before_secrets_and_these_before_the_rest(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found() is None
    write(Path(".dlt"), "config.toml", saying("of the configuration"))
    assert found() == "of the configuration"
    write(Path(".dlt"), "secrets.toml", saying("of the secrets"))
    assert found() == "of the secrets"
    monkeypatch.setenv("SOURCES__VBOT__MAIN__API_KEY", "of the environment")
    assert found() == "of the environment"


def test_the_project_comes_before_the_user(home: Path) -> None:
    write(home / ".dlt", "config.toml", saying("of the user"))
    assert found() == "of the user"
    write(Path(".dlt"), "config.toml", {"sources": {"vbot": {"other": {KEY: "another's"}}}})
    assert found() == "of the user"
    write(Path(".dlt"), "config.toml", saying("of the project"))
    assert found() == "of the project"


def test_a_user_may_keep_data_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    write(home / "data" / "dlt", "secrets.toml", saying("elsewhere"))
    assert found() == "elsewhere"


def test_a_project_may_be_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLT_PROJECT_DIR", str(home / "project"))
    write(home / "project" / ".dlt", "secrets.toml", saying("elsewhere"))
    assert found() == "elsewhere"


def test_root_has_a_place_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    write(home / ".dlt", "config.toml", saying("not root's"))
    assert found() is None


NAMES = st.sampled_from(["sources", "vbot", "main", KEY, "callsync"])
VALUES = st.one_of(
    st.text('aZ0 "\\\n\u0111', max_size=4),
    st.integers(-(2**53), 2**53),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(),
    st.dates(),
    st.lists(st.integers(0, 9), max_size=3),
)
DOCUMENTS = st.recursive(
    st.dictionaries(NAMES, VALUES, max_size=3),
    lambda inner: st.dictionaries(NAMES, st.one_of(VALUES, inner), max_size=3),
    max_leaves=6,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    documents=st.tuples(DOCUMENTS, DOCUMENTS, DOCUMENTS, DOCUMENTS),
    path=st.lists(NAMES, min_size=1, max_size=4),
)
def test_whatever_the_files_say_dlt_finds_the_same(
    home: Path, documents: tuple[Mapping[str, Any], ...], path: list[str]
) -> None:
    places = itertools.product((Path(".dlt"), home / ".dlt"), FILES)
    for (folder, name), said in zip(places, documents, strict=True):
        write(folder, name, said)
    *sections, key = path
    assert Settings().value(key, *sections) == dlts(key, *sections)


@pytest.mark.parametrize("name", FILES)
def test_a_byte_order_mark_is_no_part_of_a_file(home: Path, name: str) -> None:
    Path(".dlt").mkdir()
    Path(".dlt", name).write_text('[sources.vbot.main]\napi_key = "a key"\n', "utf-8-sig")
    assert Settings().value(KEY, *WHERE) == "a key"


def test_a_file_that_is_nested_too_deep_is_named(home: Path) -> None:
    Path(".dlt").mkdir()
    Path(".dlt/config.toml").write_text(f"key = {'[' * 3_000}{']' * 3_000}\n")
    with pytest.raises(ConfigError, match=r"\.dlt/config\.toml cannot be read: it is nested too deep"):
        Settings()


def test_a_variable_that_is_nested_too_deep_is_a_text(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__VBOT__MAIN__FILTER__A", "[" * 100_000)
    assert Settings().value("filter", *WHERE) == {"a": "[" * 100_000}


def test_a_file_that_is_broken_is_named_with_its_line(home: Path) -> None:
    Path(".dlt").mkdir()
    Path(".dlt/secrets.toml").write_text("[sources]\nkey = \n")
    with pytest.raises(ConfigError, match=r"\.dlt/secrets\.toml cannot be read: .*line 2"):
        Settings()


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_place_of_a_file_is_named(home: Path, name: str) -> None:
    Path(".dlt", name).mkdir(parents=True)
    with pytest.raises(ConfigError, match=rf"configuration in \.dlt/{name} cannot be read: .*Is a directory"):
        Settings()


def test_a_folder_that_nobody_may_enter_is_named(home: Path) -> None:
    Path(".dlt").mkdir(mode=0)
    with powerless(), pytest.raises(ConfigError, match=r"\.dlt/secrets\.toml cannot be read: .*Permission"):
        Settings()
    with powerless(), pytest.raises(ConfigError, match=r"\.dlt/config\.toml cannot be written: Permission"):
        scaffold.write()


def test_no_folder_at_all_holds_no_settings(home: Path) -> None:
    Path(".dlt").touch()
    assert Settings().value(KEY, *WHERE) is None
