"""A user's project: a folder with `.dlt/`, a warehouse, and callsync run in it as a user runs it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from pipelines.cli import main
from simulator import Simulator

ROOT = Path(__file__).parent.parent.parent
COMMAND = (sys.executable, "-m", "pipelines")
SECRETS = ("api_key", "password", "private_key", "access_token", "username")


@dataclass(frozen=True)
class Outcome:
    """What a run left on the screen, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of standard error."""
        return self.err.splitlines()


class Project:
    """A folder with a configuration for accounts of a simulator."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warehouse = folder / "warehouse.duckdb"
        self.published = folder / "warehouse.read.duckdb"
        self.working = folder / ".callsync"

    def configure(
        self,
        simulator: Simulator,
        accounts: Mapping[str, tuple[str | None, int]],
        callsync: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """Write `.dlt/`: accounts by selector, with VBot's API version and the simulator's number of each."""
        start = (simulator.since - timedelta(days=1)).date().isoformat()
        common = {"requests_per_second": 0, "start_date": start, "max_attempts": 3, **options}
        config = ["[callsync]", f"accounts = {json.dumps(list(accounts))}", *_pairs(callsync or {})]
        secrets = []
        for selector, (version, number) in accounts.items():
            provider = selector.split(".")[0]
            given = simulator.credentials(provider, version, number)
            dated = {"api_version": version} if version else {}
            public = {key: given[key] for key in ("base_url", "project_code", "vbot_id") if key in given}
            config += [f"[sources.{selector}]", *_pairs(common | dated | public)]
            secrets += [
                f"[sources.{selector}]",
                *_pairs({key: given[key] for key in SECRETS if key in given}),
            ]
            if "credentials" in given:
                secrets += [f"[sources.{selector}.credentials]", *_pairs(given["credentials"])]
        self.write("config.toml", "\n".join(config))
        self.write("secrets.toml", "\n".join(secrets))

    def write(self, name: str, text: str) -> None:
        """Write a file of `.dlt/`."""
        (self.folder / ".dlt").mkdir(exist_ok=True)
        (self.folder / ".dlt" / name).write_text(text + "\n")

    def run(self, *arguments: str) -> Outcome:
        """Run the command line in this process."""
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        code = 0
        with chdir(self.folder), redirect_stdout(out), redirect_stderr(err):
            # dlt reads its files when the process starts; here another project begins.
            Container()[PluggableRunContext].reload(str(self.folder))
            try:
                main(arguments)
            except SystemExit as leave:
                code = int(leave.code or 0)
        return Outcome(code, _text(out), _text(err))

    def done(self, *arguments: str) -> Outcome:
        """Run the command line and expect that all went well."""
        outcome = self.run(*arguments)
        assert outcome.code == 0, outcome
        return outcome

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the command line as a process of its own."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, *arguments: str, **environment: str) -> Outcome:
        """Run the command line as a process of its own."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=120)
        return Outcome(process.returncode, out, err)

    def rows(self, query: str, file: Path | None = None) -> list[tuple[Any, ...]]:
        """The answer of the published copy, or of another file."""
        with duckdb.connect(str(file or self.published), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.execute(query).fetchall()

    def dump(self, *schemas: str, file: Path | None = None) -> dict[str, list[str]]:
        """Every row of every table or view of some schemas, without dlt's own; as sorted text."""
        named = ", ".join(f"'{schema}'" for schema in schemas)
        tables = self.rows(
            "select table_schema, table_name from information_schema.tables "
            f"where table_schema in ({named}) and not starts_with(table_name, '_dlt') order by all",
            file,
        )
        return {
            f"{schema}.{table}": sorted(map(repr, self.rows(f"from {schema}.{table}", file)))
            for schema, table in tables
        }

    def data(self) -> dict[str, list[str]]:
        """All calls, names and reports, without the windows and times of the runs that brought them."""
        dump = self.dump("vbot", "etelecom", "voximplant", "reporting")
        by_run = ("callsync_windows", "callsync_rejects", "freshness", "coverage")
        dump |= self.dump_of("callsync.phone_numbers")
        return {name: rows for name, rows in dump.items() if name.split(".")[1] not in by_run}

    def dump_of(self, table: str) -> dict[str, list[str]]:
        """Every row of one table."""
        return {table: sorted(map(repr, self.rows(f"from {table}")))}


@contextmanager
def powerless() -> Iterator[None]:
    """What this process does meanwhile, it does as somebody whom file modes bind; root is bound by none."""
    is_root = os.getuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def everyone(*accounts: str) -> dict[str, tuple[str | None, int]]:
    """The first account of each provider, or of those named, as `configure` takes them."""
    names = accounts or ("vbot.main", "etelecom.main", "voximplant.main")
    return dict.fromkeys(names, (None, 0))


def secrets_of(simulator: Simulator, accounts: Mapping[str, tuple[str | None, int]]) -> list[str]:
    """Texts that must appear nowhere."""
    found = []
    for selector, (version, number) in accounts.items():
        given = simulator.credentials(selector.split(".")[0], version, number)
        given = {**given, **given.get("credentials", {})}
        found += [given[key] for key in ("api_key", "password", "private_key") if key in given]
    # A key in lines is found by any of them.
    return [line for secret in found for line in secret.splitlines() if len(line) > 8 and "KEY" not in line]


def _pairs(values: Mapping[str, Any]) -> Sequence[str]:
    return [f"{key} = {json.dumps(value)}" for key, value in values.items()]


def _text(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
