"""The shell that `callsync sql` opens on a terminal: a prompt, its history and completion, and few commands.

    prompt ──text──▶ a dot: a command
                     else: statements ──▶ the newest published copy ──▶ screen, or the file of `.once`

A run may replace the copy between two questions, so each question looks whether it did.
"""

from __future__ import annotations

import os
import shutil
import textwrap
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import click
import duckdb
from prompt_toolkit import PromptSession
from prompt_toolkit.filters import Condition, completion_is_selected
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.styles import Style
from pygments.lexers.sql import PostgresLexer

from pipelines import completion, formats, queries, warehouse
from pipelines.plain_text import is_utf_8, plain
from pipelines.streams import complain
from sources.errors import CallsyncError, ConfigError

PROMPT = "callsync> "
CONTINUED = "... ".rjust(len(PROMPT))
HISTORY = "sql_history"
"""File of the questions asked, in the warehouse's own folder: it may hold phone numbers."""

FORMATS = ("table", "csv", "json")
COMMANDS = {
    ".help": ("", "show this list"),
    ".tables": ("", "list what can be read"),
    ".schema": ("NAME", "list the columns of a table or view"),
    ".format": ("|".join(FORMATS), "how results are shown"),
    ".once": ("FILE", "write the next result to a file; .csv, .json or .parquet chooses its format"),
    ".timer": ("on|off", "say how long a question takes"),
    ".quit": ("", "leave; Ctrl-D does too"),
}
_LEAVING_WORDS = ("exit", "quit", "\\q")
_STYLE = Style.from_dict(
    {
        "pygments.keyword": "bold",
        "pygments.literal.string": "ansigreen",
        "pygments.literal.number": "ansicyan",
        "pygments.comment": "ansibrightblack",
    }
)


def run(path: Path, zone: str, form: str = "table") -> None:
    """Ask until the user leaves.

    Args:
        path: the warehouse.
        zone: the reporting zone, in which times are shown.
        form: how results are shown at first.

    Raises:
        WarehouseError: nothing was published yet.
    """
    Shell(path, zone, form).run()


def is_complete(text: str) -> bool:
    """Whether Enter ends a text: a command, nothing at all, no UTF-8, or SQL that ends with a semicolon."""
    if not text.strip() or _is_command(text) or not is_utf_8(text):
        return True
    tokens = [at for at, kind in duckdb.tokenize(text) if kind != duckdb.token_type.comment]
    if not tokens or text.encode()[tokens[-1]] != ord(";"):
        return False
    # DuckDB 1.5 makes no token of a string that is still open, nor of a comment.
    rest = text.encode()[tokens[-1] + 1 :].strip()
    return not rest or rest.startswith((b"--", b"/*"))


class Shell:
    """The shell of one terminal."""

    def __init__(self, path: Path, zone: str, form: str) -> None:
        self._copy = _Copy(path, zone)
        self._zone = zone
        self._form = form
        self._once: Path | None = None
        self._is_timed = False
        self._session: PromptSession[str] = PromptSession(
            PROMPT,
            history=history(warehouse.Files(path).home),
            completer=completion.WordCompleter(lambda: self._copy.catalogue, COMMANDS),
            lexer=PygmentsLexer(PostgresLexer),
            style=_STYLE,
            include_default_pygments_style=False,
            key_bindings=_bindings(),
            prompt_continuation=CONTINUED,
            enable_suspend=True,
        )
        buffer = self._session.default_buffer
        self._session.multiline = Condition(lambda: not is_complete(buffer.text))

    def run(self) -> None:
        """Ask until the user leaves."""
        with closing(self._copy):
            self._copy.open_newest()
            click.echo(f"{self._copy.file.name}, read-only; times in {self._zone}")
            _whisper(
                "A question ends with ; and Enter. Tab completes, .help lists the commands, Ctrl-D leaves."
            )
            with suppress(EOFError):
                while True:
                    self._ask_once()

    def _ask_once(self) -> None:
        try:
            text = self._session.prompt().strip()
        except KeyboardInterrupt:
            return
        try:
            if _is_command(text):
                self._obey(text.rstrip("; "))
            elif text:
                self._ask(text)
        except KeyboardInterrupt:
            complain("interrupted")
        except CallsyncError as error:
            complain(str(error))

    def _ask(self, text: str) -> None:
        if self._copy.open_newest():
            _whisper("(a run has renewed the copy)")
        connection = self._copy.connection
        asked = queries.statements(connection, text)
        began = time.perf_counter()
        queries.interruptibly(connection, lambda: self._answer(connection, asked))
        if self._is_timed:
            _whisper(f"{time.perf_counter() - began:.3f} s")

    def _answer(self, connection: duckdb.DuckDBPyConnection, asked: Sequence[duckdb.Statement]) -> None:
        for relation in queries.answers(connection, asked):
            if self._once is not None:
                file, self._once = self._once, None
                formats.write(relation, formats.format_of(file), file)
                _whisper(f"(written to {file})")
            elif self._form == "table":
                formats.write(relation, self._form, None)
            else:
                rows = formats.write(relation.limit(formats.MOST_ROWS_SHOWN), self._form, None)
                if rows == formats.MOST_ROWS_SHOWN:
                    _whisper(f"(no more than {rows:,} rows are shown; .once FILE writes all)")

    def _obey(self, line: str) -> None:
        name, _, argument = line.partition(" ")
        argument = argument.strip()
        match name.lower():
            case ".help":
                for command, (of, does) in COMMANDS.items():
                    click.echo(f"{command} {of}".ljust(24) + does)
                click.echo("Enter".ljust(24) + "run what ends with ;, else begin a new line")
                click.echo("Alt-Enter".ljust(24) + "run it as it is")
                click.echo("Ctrl-C".ljust(24) + "clear the line, or stop a query")
            case ".tables":
                self._list_relations()
            case ".schema":
                self._list_columns(argument)
            case ".format" if argument in FORMATS:
                self._form = argument
            case ".once" if argument:
                self._once = Path(argument).expanduser()
            case ".timer" if argument in ("on", "off"):
                self._is_timed = argument == "on"
            case ".quit" | "exit" | "quit" | "\\q":
                raise EOFError
            case known if known in COMMANDS:
                raise ConfigError(f"write it as {known} {COMMANDS[known][0]}")
            case _:
                raise ConfigError(f"there is no {plain(name)}; .help lists the commands")

    def _list_relations(self) -> None:
        schemas: dict[str, list[str]] = {}
        for relation in self._copy.catalogue.relations:
            schema, _, name = relation.partition(".")
            schemas.setdefault(schema, []).append(name)
        margin = max(map(len, schemas)) + 2
        for schema, names in schemas.items():
            click.echo(
                textwrap.fill(
                    "  ".join(names),
                    shutil.get_terminal_size().columns,
                    initial_indent=schema.ljust(margin),
                    subsequent_indent=" " * margin,
                    break_long_words=False,
                )
            )

    def _list_columns(self, asked: str) -> None:
        relations = self._copy.catalogue.relations
        found = [name for name in relations if asked.lower() in (name, name.partition(".")[2])]
        if not found:
            raise ConfigError(f"there is no {plain(asked) or 'name'}; .tables lists what there is")
        columns = relations[found[0]]
        margin = max(map(len, columns)) + 2
        click.secho(found[0], bold=True)
        for column, kind in columns.items():
            click.echo(f"  {column.ljust(margin)}{kind}")
        if found[1:]:
            _whisper(f"(there are also {' and '.join(found[1:])})")


class _Copy:
    """The published copy, opened anew when a run has replaced it."""

    connection: duckdb.DuckDBPyConnection
    catalogue: completion.Catalogue

    def __init__(self, path: Path, zone: str) -> None:
        self.file = warehouse.Files(path).published
        self._path = path
        self._zone = zone
        self._opened: tuple[int, int, int] | None = None

    def open_newest(self) -> bool:
        """Open the copy unless the newest one is open; True when it replaces another.

        Raises:
            WarehouseError: there is none.
        """
        newest = self._identity()
        # A copy that somebody took away can still be read by who has it open.
        if self._opened is not None and newest in (self._opened, None):
            return False
        replaced = self._opened is not None
        # DuckDB gives out the database that it already has open under a path.
        self.close()
        self.connection = queries.open_copy(self._path, self._zone)
        self._opened = newest
        self.catalogue = completion.read(self.connection)
        return replaced

    def close(self) -> None:
        """Let go of the copy."""
        if self._opened is not None:
            self.connection.close()
        self._opened = None

    def _identity(self) -> tuple[int, int, int] | None:
        try:
            status = self.file.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_mtime_ns


class _History(FileHistory):
    """Questions in a file; one that cannot be written any more is no reason to stop."""

    def store_string(self, string: str) -> None:
        with suppress(OSError):
            super().store_string(string)


def history(folder: Path) -> History:
    """What was asked before, in a file that the user alone can read; in memory where none can be written."""
    file = folder / HISTORY
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return InMemoryHistory()
    os.close(descriptor)
    return _History(str(file))


def _bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter", filter=completion_is_selected)
    def take_completion(event: KeyPressEvent) -> None:
        """Enter takes a chosen completion and does not yet run the question."""
        event.current_buffer.complete_state = None

    return bindings


def _is_command(text: str) -> bool:
    text = text.strip()
    return text.startswith(".") or text.rstrip("; ").lower() in _LEAVING_WORDS


def _whisper(text: str) -> None:
    click.secho(text, dim=True)
