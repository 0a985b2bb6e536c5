"""What is measured side by side: callsync, the floor and the peers, each into an empty file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import python
from benchmarks.processes import CALLSYNC, ROOT, Cost, History, Served, answer, measured, write_project
from benchmarks.tables import PROVIDERS, tables

PEERS = ROOT / "benchmarks" / "peers"


@dataclass(frozen=True)
class Load:
    """One load to be done: of this provider, from this simulator, into this folder."""

    folder: Path
    provider: str
    served: Served
    history: History

    @property
    def said(self) -> Mapping[str, object]:
        """The provider's address and credentials."""
        found: Mapping[str, object] = self.served.providers[self.provider]
        return found


@dataclass(frozen=True)
class System:
    """A program that loads calls.

    Attributes:
        name: in the tables of results.
        run: does a load.
        file: what it loads, in the folder.
        tables: of a provider, by what `benchmarks.serving` counts.
        providers: whose calls it loads here.
        environments: those below `.envs` that it needs.
        note: how it is set up, and what its tables are.
    """

    name: str
    run: Callable[[Load], Cost]
    file: str
    tables: Callable[[str], Mapping[str, str]]
    providers: Sequence[str] = ("etelecom",)
    environments: Sequence[str] = ()
    note: str = ""


def _callsync(load: Load) -> Cost:
    write_project(load.folder, load.served, load.history, load.provider)
    return measured(load.folder, [*CALLSYNC, "sync"])


def _floor(load: Load) -> Cost:
    window = (load.history.start.isoformat(), load.history.until.isoformat())
    record_type = answer("benchmarks.record_types", load.provider)
    arguments = (load.provider, record_type, json.dumps(load.said), str(load.history.page_size), *window)
    return measured(load.folder, [sys.executable, "-m", "benchmarks.peers.floor", *arguments])


def _dlt(load: Load) -> Cost:
    arguments = (json.dumps(load.said), str(load.history.page_size))
    return measured(load.folder, [sys.executable, "-m", "benchmarks.peers.dlt_rest_api", *arguments])


def _singer(load: Load) -> Cost:
    page_size, start = load.history.page_size, load.history.start.isoformat()
    tap = {**load.said, "page_size": page_size, "start_date": start}
    target = {"path": str(load.folder / "singer.duckdb"), "default_target_schema": load.provider}
    for name, config in (("tap.json", tap), ("target.json", target)):
        (load.folder / name).write_text(json.dumps(config))
    tap_command = [str(python("singer-tap")), str(PEERS / "singer_tap.py"), "--config", "tap.json"]
    target_command = [str(python("singer-target").with_name("target-duckdb")), "--config", "target.json"]
    return measured(load.folder, tap_command, target_command)


def _pyairbyte(load: Load) -> Cost:
    arguments = (json.dumps(load.said), str(load.history.page_size))
    return measured(load.folder, [str(python("pyairbyte")), str(PEERS / "pyairbyte.py"), *arguments])


def _singer_tables(provider: str) -> dict[str, str]:
    return {name: table.lower() for name, table in tables(provider).items()}


CALLSYNC_SYSTEM = System(
    name="callsync",
    run=_callsync,
    file="warehouse.duckdb",
    tables=tables,
    providers=PROVIDERS,
    note="one sync, publishing included",
)
FLOOR = System(
    name="floor",
    run=_floor,
    file="floor.duckdb",
    tables=tables,
    providers=PROVIDERS,
    note="no program: httpx, Arrow's JSON reader and kernels, DuckDB inserts, nothing else",
)
PEERS_OF_CALLSYNC = (
    System(
        name="dlt rest_api",
        run=_dlt,
        file="dlt.duckdb",
        tables=tables,
        note="JSON cursor paginator, Parquet, uncompressed extract files, merge by id; nested tables of dlt",
    ),
    System(
        name="Singer",
        run=_singer,
        file="singer.duckdb",
        tables=_singer_tables,
        environments=("singer-tap", "singer-target"),
        note="a tap of singer-sdk into target-duckdb, merge by key; each list's stream reads the calls again",
    ),
    System(
        name="PyAirbyte",
        run=_pyairbyte,
        file="pyairbyte.duckdb",
        tables=tables,
        environments=("pyairbyte",),
        note="a low-code manifest into its DuckDB cache; each list's stream reads the calls again",
    ),
)
SYSTEMS = (CALLSYNC_SYSTEM, FLOOR, *PEERS_OF_CALLSYNC)
