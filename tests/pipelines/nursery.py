"""Runs of callsync that begin at once and die where a test wants: forks of one that imported everything.

test ──an order, as a line of JSON──▶ nursery ──fork──▶ callsync, dies
     ◀──how it ended, and its lines──
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.pipelines.project import ROOT

FILE_EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "fcntl.lockf")
KILLED = (-signal.SIGKILL, -signal.SIGXFSZ)


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        code: its exit code; negative, the signal that killed it.
        steps: how often it had turned to a file or to DuckDB.
        said: what it wrote to standard output and standard error.
    """

    code: int
    steps: int
    said: str

    @property
    def was_killed(self) -> bool:
        """Whether it died of what was ordered."""
        return self.code in KILLED


class Nursery:
    """The process that runs are forked from."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.pipelines.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def run(
        self,
        folder: Path,
        *arguments: str,
        step: float | None = None,
        written: float | None = None,
        seconds: float | None = None,
    ) -> Ended:
        """Run a command line to its end, or until it dies of what comes first.

        Args:
            folder: the project's.
            arguments: the command line.
            step: it is killed before it turns to a file or to DuckDB for this time.
            written: it is killed when it has written a file to this length in bytes, and would write more.
            seconds: it is killed when it has run for so long.
        """
        order = {"folder": str(folder), "arguments": arguments, "step": step, "written": written}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order | {"seconds": seconds}) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))


def _serve() -> None:
    # Everything that a run needs, so that none spends its time on it.
    for name in ("duckdb", "sqlglot", "pipelines.phone_numbers", "pipelines.progress", "pipelines.running"):
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(_ended(json.loads(line))), flush=True)


def _ended(order: dict[str, Any]) -> dict[str, Any]:
    said, steps = os.memfd_create("said"), os.memfd_create("steps")
    child = os.fork()
    if not child:
        _live(order, said, steps)
    killer = threading.Timer(order["seconds"] or 0, os.kill, (child, signal.SIGKILL))
    if order["seconds"] is not None:
        killer.start()
    _, status = os.waitpid(child, 0)
    killer.cancel()
    found = {
        "code": os.waitstatus_to_exitcode(status),
        "steps": os.fstat(steps).st_size,
        "said": os.pread(said, os.fstat(said).st_size, 0).decode(),
    }
    os.close(said)
    os.close(steps)
    return found


def _live(order: dict[str, Any], said: int, steps: int) -> None:
    import duckdb
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

    from pipelines.cli import main

    lock = threading.Lock()
    taken = 0

    def step(*_: object) -> None:
        nonlocal taken
        with lock:
            taken += 1
            os.write(steps, b".")
            if taken == order["step"]:
                os.kill(os.getpid(), signal.SIGKILL)

    execute = duckdb.DuckDBPyConnection.execute

    def counted(self: duckdb.DuckDBPyConnection, *arguments: Any, **named: Any) -> Any:
        step()
        return execute(self, *arguments, **named)

    code = 99
    try:
        for descriptor in (1, 2):
            os.dup2(said, descriptor)
        os.chdir(order["folder"])
        Container()[PluggableRunContext].reload(order["folder"])
        duckdb.DuckDBPyConnection.execute = counted  # type: ignore[method-assign]  # the seam of every statement
        sys.addaudithook(lambda event, arguments: step() if event in FILE_EVENTS else None)
        if order["written"] is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["written"],) * 2)
        main(order["arguments"])
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
