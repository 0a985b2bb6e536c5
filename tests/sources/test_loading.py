from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt.extract import DltSource

from simulator import Simulator
from sources import etelecom, vbot, voximplant
from sources.registry import PROVIDERS
from tests.sources.accounts import ids

SOURCES: dict[str, Callable[..., DltSource]] = {
    "etelecom": etelecom.etelecom,
    "vbot": vbot.vbot,
    "voximplant": voximplant.voximplant,
}


class Plain:
    """A user's own dlt pipeline, with nothing of callsync but a source."""

    def __init__(self, folder: Path, provider: str, simulator: Simulator, **options: Any) -> None:
        self.file = folder / "warehouse.duckdb"
        self.provider = provider
        self.options = options
        self.until = simulator.until
        self.given = {
            name: value
            for name, value in simulator.credentials(provider).items()
            if name in ("api_key", "base_url", "credentials")
        }
        self.pipeline = dlt.pipeline(
            f"own_{provider}", destination=dlt.destinations.duckdb(str(self.file)), dataset_name="own"
        )

    def run(self, **options: Any) -> None:
        start = (self.until - timedelta(days=5)).isoformat()
        given = {"start_date": start, "requests_per_second": 0} | self.given | self.options | options
        self.pipeline.run(SOURCES[self.provider](**given))

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Columns of a table, the first of them as text."""
        with duckdb.connect(str(self.file)) as connection:
            rows = connection.table(f"own.{table}").project(", ".join(columns)).fetchall()
        return sorted((str(key), *others) for key, *others in rows)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """600 calls until now: a source reads until now whatever day it is."""
    with Simulator(calls=600, seed=7, days=4) as running:
        running.settle()
        yield running


@pytest.fixture
def plain(tmp_path: Path, simulator: Simulator) -> Callable[..., Plain]:
    return lambda provider, **options: Plain(tmp_path, provider, simulator, **options)


CHILDREN = {
    "etelecom": ("call_logs", "id", {"call_targets": "target_number", "recording_urls": "value"}),
    "voximplant": ("call_sessions", "call_session_history_id", {"calls": "call_id", "records": "record_id"}),
    "vbot": ("calls", "group_id", {"caller": "number", "callee": "number"}),
}


def expected_children(simulator: Simulator, provider: str, name: str, value: str) -> list[tuple[str, Any]]:
    found = []
    for record in simulator.truth(provider):
        if provider == "vbot":
            party = record[f"{name}_info"]
            children = [party] if party else []
        else:
            children = record.get(name) or []
        key = str(record[CHILDREN[provider][1]])
        found += [(key, child[value] if isinstance(child, dict) else child) for child in children]
    return sorted(found)


@pytest.mark.parametrize("provider", ["etelecom", "voximplant", "vbot"])
def test_a_plain_dlt_pipeline_holds_each_call_once_and_its_children_exactly(
    plain: Callable[..., Plain], simulator: Simulator, provider: str
) -> None:
    own = plain(provider)
    root, key, children = CHILDREN[provider]
    loser = str(simulator.truth(provider)[-5][key])
    for turn in range(2):
        own.run()
        assert own.rows(root, key) == [(known,) for known in sorted(ids(simulator.truth(provider), provider))]
        for name, value in children.items():
            rows = own.rows(f"{root}__{name}", key, value)
            assert rows == expected_children(simulator, provider, name, value), name
        if turn == 0:
            simulator.drop_legs(provider, loser)
            simulator.advance(60)
    assert (loser,) not in own.rows(f"{root}__{next(iter(children))}", key)


def test_the_trace_that_dlt_keeps_of_a_pipeline_holds_no_key(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = simulator.credentials("vbot")
    monkeypatch.setenv("SOURCES__VBOT__API_KEY", given["api_key"])
    pipeline = dlt.pipeline(
        "own_traced",
        destination=dlt.destinations.duckdb(str(tmp_path / "warehouse.duckdb")),
        pipelines_dir=str(tmp_path),
    )
    pipeline.run(
        vbot.vbot(base_url=given["base_url"], start_date=(simulator.until - timedelta(hours=1)).isoformat())
    )
    (trace,) = tmp_path.rglob("trace.pickle")
    assert given["api_key"].encode() not in trace.read_bytes()


def test_into_files_come_calls_and_no_marks_of_what_is_to_be_deleted(
    simulator: Simulator, tmp_path: Path
) -> None:
    given = simulator.credentials("etelecom")
    pipeline = dlt.pipeline(
        "own_files",
        destination=dlt.destinations.filesystem(tmp_path.as_uri()),
        dataset_name="own",
        pipelines_dir=str(tmp_path / "dlt"),
    )
    source = etelecom.etelecom(
        api_key=given["api_key"],
        base_url=given["base_url"],
        start_date=(simulator.until - timedelta(days=5)).isoformat(),
        requests_per_second=0,
    )
    pipeline.run(source, loader_file_format="parquet")
    files = [str(file) for file in (tmp_path / "own" / "call_logs__recording_urls").glob("*.parquet")]
    table = duckdb.read_parquet(files)
    assert "is_tombstone" not in table.columns
    assert sorted(map(str, table.project("value").fetchall())) == sorted(
        str((url,)) for record in simulator.truth("etelecom") for url in record.get("recording_urls") or []
    )


def test_a_range_with_an_end_is_a_backfill_that_is_read_once(
    plain: Callable[..., Plain], simulator: Simulator
) -> None:
    own = plain("etelecom", end_date=(simulator.until - timedelta(days=1)).isoformat())
    own.run()
    assert 0 < len(own.rows("call_logs", "id")) < 600
    simulator.requests.clear()
    own.run()
    assert simulator.requests.count("etelecom", "ListCallLogs") == 0


def test_two_accounts_of_one_pipeline_keep_their_own_state(tmp_path: Path) -> None:
    with Simulator(calls=60, seed=7, days=2, accounts=2) as simulator:
        simulator.settle()
        pipeline = dlt.pipeline(
            "own", destination=dlt.destinations.duckdb(str(tmp_path / "warehouse.duckdb")), dataset_name="own"
        )
        start = (simulator.until - timedelta(days=5)).isoformat()
        for number in (0, 1, 0):
            found = simulator.credentials("etelecom", account=number)
            pipeline.run(
                etelecom.etelecom(
                    f"shop{number}",
                    found["api_key"],
                    start,
                    base_url=found["base_url"],
                    requests_per_second=0,
                )
            )
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        counted = connection.sql("select account, count(*) from own.call_logs group by all order by all")
        assert counted.fetchall() == [("shop0", 60), ("shop1", 60)]
    state = pipeline.state["sources"]["etelecom"]["resources"]["call_logs"]["accounts"]
    assert sorted(state) == ["shop0", "shop1"]
    assert "secret" not in json.dumps(state)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_source_takes_every_option_of_its_provider_with_the_same_default(provider: str) -> None:
    options = {option.name: option for option in fields(PROVIDERS[provider].options)}
    parameters = dict(inspect.signature(SOURCES[provider]).parameters)
    assert set(parameters) == set(options) | {"account", "start_date", "end_date"}
    assert parameters["account"].default == "main"
    assert parameters["end_date"].default is None
    for name, option in options.items():
        default = parameters[name].default
        if name == "start_date" or (option.default is MISSING and option.default_factory is MISSING):
            assert default in (dlt.config.value, dlt.secrets.value), name
        elif option.default_factory is not MISSING:
            assert default is None, name
        else:
            assert default == option.default, name


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_source_says_what_each_of_its_arguments_means(provider: str) -> None:
    text = SOURCES[provider].__doc__ or ""
    missing = [name for name in inspect.signature(SOURCES[provider]).parameters if f"  {name}: " not in text]
    assert not missing


def test_every_provider_is_found_under_its_own_name() -> None:
    assert {name: provider.name for name, provider in PROVIDERS.items()} == {name: name for name in SOURCES}
