"""What every measurement stands on: a simulator, and processes whose cost is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent

CALLSYNC = (sys.executable, "-m", "pipelines")
"""The command line of this checkout, installed or not."""


class BenchmarkError(Exception):
    """A process failed, or loaded something else than the provider has."""


@dataclass(frozen=True)
class Cost:
    """What processes took from their start to their end.

    Attributes:
        wall_seconds: start of the interpreter included.
        cpu_seconds: user and system time, of processes they waited for too.
        peak_mb: the most memory each held at once (resident set, 10⁶ bytes), added up.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float


def _midnight() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class History:
    """The calls a simulator has of each provider: so many, in the days before `until`.

    Attributes:
        page_size: the most records that eTelecom and VBot give a page, and what is asked of all three.
        latency_ms: how long each answer takes besides the work.
        until: midnight UTC, so that windows of one day are whole and every call is over.
    """

    calls: int
    days: int
    page_size: int = 100
    latency_ms: float = 0
    until: datetime = field(default_factory=_midnight)

    @property
    def start(self) -> datetime:
        """No call starts earlier."""
        return self.until - timedelta(days=self.days)


class Served:
    """A simulator in a process of its own.

    Attributes:
        port: where it listens.
        providers: each provider's address and credentials.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        said = self._line()
        self.port: int = said["port"]
        self.providers: Mapping[str, Any] = said["providers"]

    def ask(self, question: str, **arguments: Any) -> Any:
        """What `benchmarks.serving` answers."""
        if self._process.stdin:
            self._process.stdin.write(json.dumps({"question": question, **arguments}).encode() + b"\n")
            self._process.stdin.flush()
        return self._line()

    def _line(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout else b""
        if not line:
            raise BenchmarkError("the simulator ended")
        return json.loads(line)


@contextmanager
def simulator(history: History, port: int = 0) -> Iterator[Served]:
    """The simulator, as long as the block lasts; the same port gives the same bytes."""
    arguments = {
        "calls": history.calls,
        "days": history.days,
        "until": history.until.isoformat(),
        "latency_ms": history.latency_ms,
        "page_size": history.page_size,
        "port": port,
    }
    command = [sys.executable, "-m", "benchmarks.serving", json.dumps(arguments)]
    with _started(command, ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


def write_project(
    folder: Path, served: Served, history: History, *names: str, **options: Mapping[str, object]
) -> None:
    """A folder configured as a user would, for one account of each named provider, without a pace.

    Args:
        folder: is made where there is none.
        served: the providers.
        history: what they have.
        names: providers.
        options: by provider, keys of its account beside those; as `callsync`, keys of all of it.
    """
    (folder / ".dlt").mkdir(parents=True, exist_ok=True)
    config = [f"[callsync]\naccounts = {json.dumps([f'{name}.main' for name in names])}\n"]
    config += [f"{key} = {json.dumps(value)}\n" for key, value in options.get("callsync", {}).items()]
    secrets = []
    for name in names:
        said = served.providers[name]
        keys: dict[str, object] = {
            "base_url": said["base_url"],
            "start_date": f"{history.start:%Y-%m-%d}T00:00:00Z",
            "requests_per_second": 0,
        }
        keys |= {"page_size": history.page_size, **options.get(name, {})}
        config += [f"[sources.{name}.main]\n", *(f"{key} = {json.dumps(keys[key])}\n" for key in keys)]
        if name == "voximplant":
            secrets.append("[sources.voximplant.main.credentials]\n")
            secrets += [f"{key} = {json.dumps(value)}\n" for key, value in said["credentials"].items()]
        else:
            secrets.append(f"[sources.{name}.main]\napi_key = {json.dumps(said['api_key'])}\n")
    (folder / ".dlt" / "config.toml").write_text("".join(config))
    (folder / ".dlt" / "secrets.toml").write_text("".join(secrets))


def measured(folder: Path, *commands: Sequence[str]) -> Cost:
    """Run commands in a folder to their end, each reading what the one before writes.

    Raises:
        BenchmarkError: one ended with another code than 0.
    """
    log = folder / "output.log"
    processes: list[subprocess.Popen[bytes]] = []
    with log.open("wb") as output:
        began = time.monotonic()
        for command in commands:
            source = processes[-1].stdout if processes else subprocess.DEVNULL
            target = output if command is commands[-1] else subprocess.PIPE
            processes.append(_started(command, folder, stdin=source, stdout=target, stderr=output))
            if processes[1:] and processes[-2].stdout:
                # The reader alone holds the pipe now, so that its end ends the writer.
                processes[-2].stdout.close()
        ends = [os.wait4(process.pid, 0) for process in processes]
        wall = time.monotonic() - began
    for process, (_, status, _) in zip(processes, ends, strict=True):
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said = log.read_text(errors="replace")[-2000:]
            raise BenchmarkError(f"{process.args!r} ended with {process.returncode}:\n{said}")
    # Linux counts kilobytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    usages = [usage for _, _, usage in ends]
    return Cost(
        wall,
        sum(usage.ru_utime + usage.ru_stime for usage in usages),
        sum(usage.ru_maxrss * unit / 1e6 for usage in usages),
    )


def answer(*arguments: str) -> Any:
    """What a module of this checkout prints as JSON.

    In its own process: a child's peak memory starts at that of its parent, which has to stay small.
    """
    with _started([sys.executable, "-m", *arguments], ROOT, stdout=subprocess.PIPE) as process:
        printed, _ = process.communicate()
    if process.returncode:
        raise BenchmarkError(f"{' '.join(arguments)} ended with {process.returncode}")
    return json.loads(printed)


def _started(command: Sequence[str], folder: Path, **streams: Any) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    return subprocess.Popen(command, cwd=folder, env=environment, **streams)  # noqa: S603 - our own commands
