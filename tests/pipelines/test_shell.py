"""The shell of `callsync sql`: what is typed at its prompt, and what it shows."""

from __future__ import annotations

import os
import select
import signal
import stat
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow.parquet
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from pipelines import shell
from sources.errors import WarehouseError
from tests.pipelines.project import ROOT, Project

ENTER, ALT_ENTER, CTRL_C, CTRL_D = "\r", "\x1b\r", "\x03", "\x04"
ZONE = "Asia/Ho_Chi_Minh"

Asked = Callable[..., list[str]]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose published copy holds one report of two calls, and no folder beside it."""
    project = Project(tmp_path)
    publish(project, 2)
    return project


def publish(project: Project, calls: int) -> None:
    """Put a copy with so many calls in the place of the published one, as a run does."""
    new = project.folder / "new.duckdb"
    with duckdb.connect(str(new)) as connection:
        connection.execute(
            f"""
            create schema reporting; create schema callsync;
            create table reporting.calls as select
                'vbot/main/' || range as call_id, 'Lan' as agent_name, range as ring_seconds,
                timestamptz '2026-06-30 01:00:00+00' as started_at from range({calls});
            create table callsync.rejects as select 1 as "window";
            create table callsync._dlt_loads (load_id integer);
            """
        )
    os.replace(new, project.published)


@pytest.fixture
def ask(project: Project, capsys: pytest.CaptureFixture[str]) -> Asked:
    """Type keys into a shell over the project, leave it, and get the lines it showed after its greeting."""

    def run(*keys: str, form: str = "table") -> list[str]:
        with create_pipe_input() as typed, create_app_session(input=typed, output=DummyOutput()):
            typed.send_text("".join(keys) + CTRL_D)
            shell.run(project.warehouse, ZONE, form)
        shown = capsys.readouterr()
        return [*shown.out.splitlines()[2:], *shown.err.splitlines()]

    return run


@pytest.mark.parametrize(
    "text",
    [
        "", "  \n", "select 1;", "select 1 ; -- why", "select ';';\n", "select $$;$$;", "select 'é' as é;",
        ".tables", ".nonsense", "quit", "EXIT;", "\\q", "select 'caf\udce9'",
    ],
)  # fmt: skip
def test_enter_runs_what_is_complete(text: str) -> None:
    assert shell.is_complete(text)


@pytest.mark.parametrize(
    "text",
    [
        "select 1",
        "select ';",
        "select 1 -- ;",
        "select 1 /* ;",
        "select $$;",
        'select ";',
        "quit 1",
        "select 1; 'a",
    ],
)
def test_enter_continues_what_is_not(text: str) -> None:
    assert not shell.is_complete(text)


def test_a_question_may_take_several_lines(ask: Asked) -> None:
    shown = ask("select count(*) * 111 as n", ENTER, "from reporting.calls", ENTER, ";", ENTER)
    assert [line for line in shown if "222" in line] == ["│   222 │"]


def test_alt_enter_runs_a_question_without_its_semicolon(ask: Asked) -> None:
    assert "│    42 │" in ask("select 42 as n", ALT_ENTER)


def test_several_questions_are_answered_one_after_the_other(ask: Asked) -> None:
    shown = ask("create temp table t as select 7 as a; select a * 11 as n from t; select 78 as m;", ENTER)
    assert [line for line in shown if "7" in line] == ["│    77 │", "│    78 │"]


def test_an_error_is_one_line_and_the_shell_goes_on(ask: Asked) -> None:
    shown = ask(
        "selct 1;", ENTER, "from reporting.callz;", ENTER, "select error(chr(27) || 'x');", ENTER,
        "copy (select 1) to 'out.csv';", ENTER, ".nonsense", ENTER, ".format xml", ENTER,
        "select 42 as n;", ENTER,
    )  # fmt: skip
    assert "│    42 │" in shown
    errors = shown[-6:]
    for error, says in zip(
        errors, ["selct", "calls", "failed", "Permission", ".help", "csv|json"], strict=True
    ):
        assert says in error
    assert not any("\x1b" in error for error in errors)


def test_ctrl_c_clears_the_line_and_nothing_is_asked(ask: Asked) -> None:
    assert ask("select 1 as n;", CTRL_C, "selec", CTRL_C, ENTER) == []


@pytest.mark.parametrize("leave", [".quit", "quit", "EXIT;", "\\q"])
def test_words_that_leave(ask: Asked, leave: str) -> None:
    assert ask(leave, ENTER, "select 1;", ENTER) == []


def test_commands_show_what_can_be_asked(ask: Asked) -> None:
    assert ask(".tables", ENTER) == ["reporting  calls", "callsync   rejects"]
    assert ask(".schema calls", ENTER) == [
        "reporting.calls",
        "  call_id       varchar",
        "  agent_name    varchar",
        "  ring_seconds  bigint",
        "  started_at    timestamp with time zone",
    ]
    assert ask(".schema nobody", ENTER) == ["there is no nobody; .tables lists what there is"]
    assert {line.split()[0] for line in ask(".help", ENTER)} >= set(shell.COMMANDS)


def test_results_come_in_the_format_asked_for(ask: Asked) -> None:
    question = "select ring_seconds, started_at from reporting.calls order by all limit 1;"
    assert ask(".format csv", ENTER, question, ENTER) == [
        '"ring_seconds","started_at"',
        '0,"2026-06-30T08:00:00+07:00"',
    ]
    assert ask(question, ENTER, form="json") == [
        "[",
        '{"ring_seconds":0,"started_at":"2026-06-30T08:00:00+07:00"}',
        "]",
    ]


def test_a_large_result_is_cut_on_the_screen_and_whole_in_a_file(ask: Asked) -> None:
    shown = ask(".format csv", ENTER, "from range(5000);", ENTER)
    assert shown[-2:] == ["999", "(no more than 1,000 rows are shown; .once FILE writes all)"]
    shown = ask(".once all.parquet", ENTER, "from range(5000);", ENTER, "select 42 as n;", ENTER)
    assert shown[0] == "(written to all.parquet)"
    assert "│    42 │" in shown
    assert pyarrow.parquet.read_table("all.parquet").num_rows == 5000


def test_the_timer_says_how_long_a_question_took(ask: Asked) -> None:
    assert ask(".timer on", ENTER, "select 1;", ENTER)[-1].endswith(" s")
    assert not ask(".timer on", ENTER, ".timer off", ENTER, "select 1;", ENTER)[-1].endswith(" s")


def test_questions_are_remembered_for_the_user_alone(ask: Asked, project: Project) -> None:
    home = project.working / "warehouse"
    home.mkdir(parents=True)
    ask("select 1", ENTER, "as n;", ENTER)
    ask(".tables", ENTER)
    (file,) = home.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(shell.history(home).load_history_strings()) == [".tables", "select 1\nas n;"]


def test_without_a_folder_to_remember_in_the_shell_works_all_the_same(ask: Asked, project: Project) -> None:
    assert "│    42 │" in ask("select 42 as n;", ENTER)
    assert not project.working.exists()


def test_before_a_first_run_there_is_nothing_to_open(project: Project) -> None:
    project.published.unlink()
    with (
        create_app_session(input=None, output=DummyOutput()),
        pytest.raises(WarehouseError, match="run callsync sync first"),
    ):
        shell.run(project.warehouse, ZONE)


OWNING_ITS_TERMINAL = """
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from pipelines.cli import main
main()
"""
"""So that the terminal turns Ctrl-C into a signal for it."""


class Terminal:
    """The real command on a terminal of its own."""

    def __init__(self, project: Project) -> None:
        self._ours, self._its = os.openpty()
        termios.tcsetwinsize(self._ours, (40, 120))
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWNING_ITS_TERMINAL, "sql"],
            cwd=project.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "TERM": "xterm",
                "PROMPT_TOOLKIT_NO_CPR": "1",
                "DESTINATION__DUCKDB__CREDENTIALS": str(project.warehouse),
            },
            stdin=self._its,
            stdout=self._its,
            stderr=self._its,
            start_new_session=True,
        )
        self._seen = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def until(self, wanted: str) -> str:
        """Everything shown since the last call, up to and with a text."""
        give_up_at = time.monotonic() + 30
        while wanted not in self._seen:
            assert time.monotonic() < give_up_at, f"{wanted!r} was not shown, but {self._seen!r}"
            if select.select([self._ours], [], [], 0.1)[0]:
                self._seen += os.read(self._ours, 65536).decode(errors="replace")
        shown, self._seen = (
            self._seen[: self._seen.index(wanted) + len(wanted)],
            self._seen.split(wanted, 1)[1],
        )
        return shown

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._ours)
        os.close(self._its)


@contextmanager
def opened(project: Project) -> Iterator[Terminal]:
    terminal = Terminal(project)
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.mark.slow
def test_the_shell_on_a_real_terminal(project: Project) -> None:
    prompt = shell.PROMPT.strip()
    with opened(project) as terminal:
        terminal.until("warehouse.read.duckdb")
        terminal.until(prompt)
        terminal.type("select count(*) + 40 as n from repo")
        terminal.until("reporting.calls")
        terminal.type("\t")
        terminal.until("rting.calls")
        terminal.type(";" + ENTER)
        terminal.until("│    42 │")
        terminal.until(prompt)

        terminal.type("select 40 + 3 as n; select count(*) from range(1000000) a, range(1000000) b")
        terminal.type(" where a.range * b.range % 7 = 3;" + ENTER)
        # The first answer is shown by the query's thread, so the second question is being answered.
        terminal.until("│    43 │")
        terminal.type(CTRL_C)
        terminal.until("interrupted")
        terminal.until(prompt)

        publish(project, 59)
        terminal.type("select count(*) + 40 as n from reporting.calls;" + ENTER)
        terminal.until("renewed")
        terminal.until("│    99 │")
        terminal.until(prompt)
        terminal.type(".format csv" + ENTER + "select chr(27) || 'c' || chr(7) as text;" + ENTER)
        terminal.until('"�c�"')
        terminal.until(prompt)
        terminal.type("half a ques" + CTRL_C + CTRL_D)
        assert terminal.process.wait(30) == 0
