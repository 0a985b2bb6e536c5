"""Whatever a process finds as its standard streams: the data comes first, and nothing ends in a trace."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.pipelines.project import COMMAND, ROOT, Project

pytestmark = [
    pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full"),
    pytest.mark.slow,
]


def shell(
    project: Project, arguments: str, streams: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """A command in a shell that gives it these streams."""
    program = " ".join(f"'{part}'" for part in COMMAND)
    return subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", f"{program} {arguments} {streams}"],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("streams", ["<&- >&- 2>&-", "2>/dev/full", "2>&1 >/dev/null | true"])
def test_a_sync_that_nobody_can_be_told_of_loads_all_the_same(streams: str, configured: Project) -> None:
    outcome = shell(configured, "sync", streams)
    assert outcome.returncode == 0, outcome
    assert "Traceback" not in outcome.stderr
    assert configured.rows("select count(*) from reporting.calls") == [(900,)]
    ((error,),) = configured.rows("select error from callsync.runs")
    assert error is None


@pytest.mark.parametrize(
    "command", ['sql "select 1"', "sql --format csv 'from reporting.calls'", "status", "--help"]
)
def test_an_answer_that_cannot_be_written_is_one_line(command: str, loaded: Project) -> None:
    outcome = shell(loaded, command, ">/dev/full")
    assert outcome.returncode == 1
    assert outcome.stderr == "the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("command", ["status", 'sql "select 1"', "check"])
def test_a_command_without_an_output_is_no_error(command: str, loaded: Project) -> None:
    outcome = shell(loaded, command, ">&-")
    assert (outcome.returncode, outcome.stderr) == (0, ""), outcome


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_letters_that_a_terminal_lacks_are_shown_by_their_codes(encoding: str, loaded: Project) -> None:
    outcome = shell(loaded, "sql \"select 'Đà Nẵng' as city\"", "", PYTHONIOENCODING=encoding)
    assert outcome.returncode == 0, outcome
