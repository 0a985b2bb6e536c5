"""What every measurement stands on: a simulator, a project folder, and a process whose cost is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent

CALLSYNC = ("-c", "from pipelines.cli import main; main()")
"""The command line of this checkout, installed or not."""

Counts = Mapping[str, int]
"""Rows by table name."""


class BenchmarkError(Exception):
    """A process failed, or loaded something else than the provider has."""


@dataclass(frozen=True)
class Cost:
    """What a process took from its start to its end.

    Attributes:
        wall_seconds: start of the interpreter included.
        cpu_seconds: user and system time, of processes it waited for too.
        peak_mb: the most memory it held at once (resident set, 10⁶ bytes).
    """

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True)
class History:
    """The calls a simulator has of each provider: so many, in the days before midnight UTC."""

    calls: int
    days: int
    etelecom_page: int = 100

    @property
    def until(self) -> datetime:
        """Midnight UTC, so that windows of one day are whole and every call is over."""
        return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    @property
    def start(self) -> datetime:
        """No call starts earlier."""
        return self.until - timedelta(days=self.days)


@contextmanager
def simulator(history: History) -> Iterator[Mapping[str, Any]]:
    """The simulator in a process of its own, and each provider's address and credentials."""
    arguments = ["-m", "simulator", "--port", "0", "--calls", str(history.calls), "--days", str(history.days)]
    arguments += ["--until", history.until.isoformat(), "--etelecom-max-limit", str(history.etelecom_page)]
    with _python(arguments, ROOT, stdout=subprocess.PIPE) as process:
        try:
            line = process.stdout.readline() if process.stdout else b""
            if not line:
                raise BenchmarkError("the simulator did not start")
            yield json.loads(line)["providers"]
        finally:
            process.kill()


def write_project(folder: Path, providers: Mapping[str, Any], history: History, *names: str) -> None:
    """A folder configured as a user would, for one account of each named provider, without a pace."""
    (folder / ".dlt").mkdir(parents=True)
    config = [f"[callsync]\naccounts = {json.dumps([f'{name}.main' for name in names])}\n"]
    secrets = []
    for name in names:
        said = providers[name]
        config.append(
            f'[sources.{name}.main]\nbase_url = "{said["base_url"]}"\n'
            f'start_date = "{history.start:%Y-%m-%d}T00:00:00Z"\nrequests_per_second = 0\n'
        )
        if name == "etelecom":
            config.append(f"page_size = {history.etelecom_page}\n")
        if name == "voximplant":
            secrets.append("[sources.voximplant.main.credentials]\n")
            secrets += [f"{key} = {json.dumps(value)}\n" for key, value in said["credentials"].items()]
        else:
            secrets.append(f"[sources.{name}.main]\napi_key = {json.dumps(said['api_key'])}\n")
    (folder / ".dlt" / "config.toml").write_text("".join(config))
    (folder / ".dlt" / "secrets.toml").write_text("".join(secrets))


def measured(arguments: Sequence[str], folder: Path) -> Cost:
    """Run Python in a folder to its end.

    Raises:
        BenchmarkError: it ended with another code than 0.
    """
    log = folder / "output.log"
    with log.open("wb") as output:
        began = time.monotonic()
        process = _python(arguments, folder, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = log.read_text()[-2000:]
        raise BenchmarkError(f"{' '.join(arguments)} ended with {process.returncode}:\n{said}")
    # Linux counts kilobytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6)


def answer(arguments: Sequence[str]) -> Any:
    """What a module of this checkout prints as JSON.

    In its own process: a child's peak memory starts at that of its parent, which has to stay small.
    """
    with _python(arguments, ROOT, stdout=subprocess.PIPE) as process:
        printed, _ = process.communicate()
    if process.returncode:
        raise BenchmarkError(f"{' '.join(arguments)} ended with {process.returncode}")
    return json.loads(printed)


def truth(history: History) -> Counts:
    """Rows that eTelecom's tables must have."""
    until = history.until.isoformat()
    counts: Counts = answer(
        ["-m", "benchmarks.counting", "truth", str(history.calls), str(history.days), until]
    )
    return counts


def loaded(warehouse: Path, schema: str) -> Counts:
    """Rows that they have in a DuckDB file."""
    counts: Counts = answer(["-m", "benchmarks.counting", "loaded", str(warehouse), schema])
    return counts


def _python(arguments: Sequence[str], folder: Path, **streams: Any) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, cwd=folder, env=environment, **streams)  # noqa: S603 - our own interpreter
