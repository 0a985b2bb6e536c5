"""Read-only questions to the published copy, and their answers as a table, CSV, JSON or Parquet."""

from __future__ import annotations

import codecs
import io
import os
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import click
import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from pipelines import warehouse
from sources.errors import ConfigError

FORMATS = ("table", "csv", "json", "parquet")
MOST_ROWS_SHOWN = 1000
"""Rows of a table that are shown; the other formats always have all."""

WIDEST = 100_000
"""Characters of a line of a table that goes to a file or a pipe."""

_AT_ONCE = 10_000
_INTERRUPT_SECONDS = 0.05
_NOT_FINITE = re.compile(r'"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b')


def ask(path: Path, text: str, *, form: str | None, output: Path | None, zone: str) -> None:
    """Ask what a text holds and write the answer to `output`, or to standard output.

    Several questions are answered one after another, as tables only. Without a format, the ending of `output`
    chooses it.

    Raises:
        ConfigError: a query, or the output, is unusable.
        WarehouseError: nothing was published yet.
        KeyboardInterrupt: the query was interrupted.
    """
    form = form or format_of(output)
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
                write(relation, form, output)

        interruptibly(connection, answer)


def format_of(output: Path | None) -> str:
    """The format that the name of a file asks for; a table where it says none."""
    ending = output.suffix.lower().removeprefix(".") if output else ""
    return ending if ending in FORMATS else "table"


def open_copy(path: Path, zone: str) -> duckdb.DuckDBPyConnection:
    """The published copy, showing times in the reporting zone, with no way to files or the network."""
    connection = warehouse.reading(path)
    # DuckDB would draw it into the output of whoever it takes for interactive.
    connection.execute("set enable_progress_bar = false")
    connection.execute("set enable_external_access = false")
    connection.execute(f"set timezone = '{zone}'")
    connection.execute("set lock_configuration = true")
    return connection


def statements(connection: duckdb.DuckDBPyConnection, text: str) -> list[duckdb.Statement]:
    """The statements of a text.

    Raises:
        ConfigError: it is no SQL.
    """
    with _explained("the query is refused"):
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
        with _explained("the query is refused"):
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


def write(relation: duckdb.DuckDBPyRelation, form: str, output: Path | None) -> int | None:
    """A result in one of the formats, and its number of rows where that is known.

    A file appears whole or not at all.

    Raises:
        ConfigError: the query fails on the way, or the output is unusable.
    """
    with _explained("the query failed"):
        if output is not None:
            return _write_file(relation, form, output)
        if not sys.stdout.isatty():
            return _write(relation, form, sys.stdout.buffer)
        if form == "parquet":
            raise ConfigError("Parquet is not for a terminal; name a file")
        return _write(relation, form, _Terminal())


def shown(relation: duckdb.DuckDBPyRelation) -> str:
    """A result as text for a person: control characters of provider texts never reach the terminal."""
    if relation.columns == ["explain_key", "explain_value"]:
        return printable("\n".join(str(plan) for _, plan in relation.fetchall()).rstrip("\n"))
    # Where nobody looks at a screen, no column is left out for want of room.
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDEST
    buffer = io.StringIO()
    with redirect_stdout(buffer):
        relation.show(max_rows=MOST_ROWS_SHOWN, max_width=width)
    return printable(buffer.getvalue().rstrip("\n"))


def printable(text: str) -> str:
    """A text of lines without what could steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


class _Terminal(io.BufferedIOBase):
    """The terminal as a file that bytes can be written to, and nothing but printable text arrives."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        click.echo(printable(self._decoder.decode(bytes(data))), nl=False)
        return len(data)


def _write_file(relation: duckdb.DuckDBPyRelation, form: str, output: Path) -> int | None:
    try:
        if output.exists() and not output.is_file():
            # A device or a pipe is written to, not replaced.
            with output.open("wb") as stream:
                return _write(relation, form, stream)
        # A link stays one, and what it leads to is replaced.
        target = output.resolve()
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            try:
                rows = _write(relation, form, file)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, target)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise ConfigError(f"{output} cannot be written: {error.strerror}") from None
    return rows


def _write(relation: duckdb.DuckDBPyRelation, form: str, file: Any) -> int | None:
    if form == "table":
        file.write((shown(relation) + "\n").encode())
        return None
    if form == "json":
        return _write_json(relation, file)
    if form == "csv":
        return _write_batches(_projected(relation, _csv_column), file, pyarrow.csv.CSVWriter)
    return _write_batches(relation, file, pyarrow.parquet.ParquetWriter)


def _write_json(relation: duckdb.DuckDBPyRelation, file: Any) -> int:
    rows = 0
    for row in _json_rows(relation):
        file.write((",\n" if rows else "[\n").encode() + row.encode())
        rows += 1
    file.write(b"\n]\n" if rows else b"[]\n")
    return rows


def _write_batches(relation: duckdb.DuckDBPyRelation, file: Any, kind: Any) -> int:
    reader: pa.RecordBatchReader = relation.to_arrow_reader(10 * _AT_ONCE)
    rows = 0
    try:
        with kind(file, reader.schema) as writer:
            for batch in _batches(reader):
                writer.write_batch(batch)
                rows += batch.num_rows
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConfigError(f"the format cannot hold the result: {_one_line(error)}") from None
    return rows


def _batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except (OSError, pa.ArrowException) as error:
            # A query that fails on its way comes out of Arrow like a fault of a file.
            raise ConfigError(f"the query failed: {_one_line(error)}") from None
        yield batch


def _json_rows(relation: duckdb.DuckDBPyRelation) -> Iterator[str]:
    """Each row as a JSON object by DuckDB itself: decimals keep their digits, times are ISO 8601."""
    rows = _select(_projected(relation, _json_column), "answer", "select to_json(answer) from answer")
    for batch in _batches(rows.to_arrow_reader(_AT_ONCE)):
        for row in batch.column(0).to_pylist():
            yield _standard(row)


def _projected(
    relation: duckdb.DuckDBPyRelation, column: Callable[[str, str], str]
) -> duckdb.DuckDBPyRelation:
    """The relation with each column as `column(quoted name, type)` says; repeated names are numbered."""
    unique = _select(relation, "asked", "select * from asked")
    columns = []
    for name, kind in zip(unique.columns, unique.types, strict=True):
        quoted = '"' + name.replace('"', '""') + '"'
        columns.append(f"{column(quoted, str(kind))} as {quoted}")
    return unique.project(", ".join(columns))


def _select(relation: duckdb.DuckDBPyRelation, name: str, query: str) -> duckdb.DuckDBPyRelation:
    """A select from the relation under a name, which no relation inside it may have (DuckDB 1.5)."""
    found = relation.query(name, query)
    if found is None:
        raise ConfigError("the query returns no rows")
    return found


def _json_column(name: str, kind: str) -> str:
    if not kind.startswith("TIMESTAMP"):
        return name
    iso = f"replace(cast({name} as varchar), ' ', 'T')"
    return f"regexp_replace({iso}, '([+-][0-9]{{2}})$', '\\1:00')" if kind.endswith("ZONE") else iso


def _csv_column(name: str, kind: str) -> str:
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        return f"cast(to_json({name}) as varchar)"
    # Arrow writes small decimals with an exponent, and more digits of a time than there are.
    if kind.startswith(("DECIMAL", "TIME")) and not kind.startswith("TIMESTAMP"):
        return f"cast({name} as varchar)"
    if kind in ("BLOB", "BIT", "INTERVAL", "HUGEINT", "UHUGEINT"):
        return f"cast({name} as varchar)"
    return _json_column(name, kind)


def _standard(row: str) -> str:
    """JSON knows no NaN and no infinity: they become null."""
    if "NaN" not in row and "Infinity" not in row:
        return row
    return _NOT_FINITE.sub(lambda found: found[0] if found[0].startswith('"') else "null", row)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise ConfigError(f"{what}: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    """What an error says, without the place in the query and without what a provider's text could do."""
    return printable(" ".join(str(error).split("LINE ", 1)[0].split()))
