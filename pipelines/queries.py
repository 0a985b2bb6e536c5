"""Read-only questions to the published copy: what is asked, and how it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import click
import duckdb

from pipelines import formats, opening
from pipelines.formats import explained
from pipelines.plain_text import is_utf_8
from pipelines.warehouse import Files
from sources.errors import ConfigError

_INTERRUPT_SECONDS = 0.05


def ask(path: Path, text: str, *, form: str | None, output: Path | None, zone: str) -> None:
    """Ask what a text holds and write the answer to `output`, or to standard output.

    Several questions are answered one after another, as tables only. Without a format, the ending of `output`
    chooses it.

    Raises:
        ConfigError: a query, or the output, is unusable.
        WarehouseError: nothing was published yet.
        KeyboardInterrupt: the query was interrupted.
    """
    form = form or formats.format_of(output)
    if output is not None and Files(path.resolve()).has(output.resolve()):
        raise ConfigError(f"{output} belongs to the warehouse; name another file")
    with closing(open_copy(path, zone)) as connection:
        asked = statements(connection, text)
        questions = sum(is_question(statement) for statement in asked)
        if not questions:
            raise ConfigError("the query returns no rows; callsync sql is for questions")
        if questions > 1 and (form != "table" or output is not None):
            raise ConfigError(f"{questions} questions are answered as tables, one below the other; ask one")

        def answer() -> None:
            for number, relation in enumerate(answers(connection, asked)):
                if number:
                    click.echo()
                formats.write(relation, form, output)

        interruptibly(connection, answer)


def open_copy(path: Path, zone: str) -> duckdb.DuckDBPyConnection:
    """The published copy, showing times in the reporting zone, with no way to files or the network."""
    connection = opening.reading(path)
    connection.execute("set enable_external_access = false")
    connection.execute(f"set timezone = '{zone}'")
    connection.execute("set lock_configuration = true")
    return connection


def statements(connection: duckdb.DuckDBPyConnection, text: str) -> list[duckdb.Statement]:
    """The statements of a text.

    Raises:
        ConfigError: it is no SQL.
    """
    if not is_utf_8(text):
        raise ConfigError("the query is refused: it is not UTF-8")
    with explained("the query is refused"):
        return connection.extract_statements(text)


def is_question(statement: duckdb.Statement) -> bool:
    """Whether a statement is there for its rows; pivot is one, though DuckDB makes several of it."""
    return statement.type == duckdb.StatementType.MULTI or statement.expected_result_type == [
        duckdb.ExpectedResultType.QUERY_RESULT
    ]


def answers(
    connection: duckdb.DuckDBPyConnection, asked: Sequence[duckdb.Statement]
) -> Iterator[duckdb.DuckDBPyRelation]:
    """Run statements in their order and give the rows of the questions among them.

    Raises:
        ConfigError: one is refused.
    """
    for statement in asked:
        with explained("the query is refused"):
            relation = connection.sql(statement)
        if is_question(statement):
            yield relation


def interruptibly(connection: duckdb.DuckDBPyConnection, work: Callable[[], None]) -> None:
    """Do work that queries the connection; Ctrl-C ends the query, and the connection stays usable.

    The work is done in a thread of its own: DuckDB keeps the thread it runs in from hearing Ctrl-C.

    Raises:
        KeyboardInterrupt: after the work has ended.
    """
    done = threading.Event()
    faults: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as fault:
            faults.append(fault)
        finally:
            done.set()

    thread = threading.Thread(target=run, name="query", daemon=True)
    try:
        thread.start()
        done.wait()
    except KeyboardInterrupt:
        # A query that was only about to begin did not hear the first call.
        while thread.is_alive() and not done.is_set():
            connection.interrupt()
            done.wait(_INTERRUPT_SECONDS)
        raise
    if faults:
        raise faults[0]
