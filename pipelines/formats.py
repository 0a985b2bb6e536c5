"""Answers as a table, CSV, JSON or Parquet, on the screen, in a pipe or in a file."""

from __future__ import annotations

import codecs
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import click
import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from pipelines.plain_text import plain
from pipelines.private_files import users_mode
from sources.errors import ConfigError

FORMATS = ("table", "csv", "json", "parquet")
MOST_ROWS_SHOWN = 1000
"""Rows of a table that are shown; the other formats always have all."""

WIDEST = 100_000
"""Characters of a line of a table that goes to a file or a pipe."""

_AT_ONCE = 10_000
_NOT_FINITE = re.compile(r'"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b')


def format_of(output: Path | None) -> str:
    """The format that the name of a file asks for; a table where it says none."""
    ending = output.suffix.lower().removeprefix(".") if output else ""
    return ending if ending in FORMATS else "table"


def write(relation: duckdb.DuckDBPyRelation, form: str, output: Path | None) -> int | None:
    """A result in one of the formats, and its number of rows where that is known.

    A file appears whole or not at all.

    Raises:
        ConfigError: the query fails on the way, or the output is unusable.
    """
    with explained("the query failed"):
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
        return plain("\n".join(str(plan) for _, plan in relation.fetchall()).rstrip("\n"))
    # Where nobody looks at a screen, no column is left out for want of room.
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDEST
    buffer = io.StringIO()
    with redirect_stdout(buffer):
        relation.show(max_rows=MOST_ROWS_SHOWN, max_width=width)
    return plain(buffer.getvalue().rstrip("\n"))


class _Terminal(io.BufferedIOBase):
    """The terminal as a file that bytes can be written to, and nothing but printable text arrives."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        click.echo(plain(self._decoder.decode(bytes(data))), nl=False)
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
                os.fchmod(file.fileno(), target.stat().st_mode if target.exists() else users_mode())
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
    return _write_batches(_projected(relation, lambda name, kind: name), file, pyarrow.parquet.ParquetWriter)


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
    projected = _projected(relation, _json_column)
    name = _free_name(projected.columns)
    rows = _select(projected, name, f"select to_json({name}) from {name}")
    for batch in _batches(rows.to_arrow_reader(_AT_ONCE)):
        for row in batch.column(0).to_pylist():
            yield _standard(row)


def _free_name(columns: Sequence[str]) -> str:
    """A name that no column has: where one has it, DuckDB takes a row's name for that column."""
    taken, name = {column.lower() for column in columns}, "answer"
    while name in taken:
        name += "_"
    return name


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
    """A value as JSON shall have it: moments are ISO 8601, also those in lists."""
    if not kind.startswith("TIMESTAMP"):
        return name
    if kind.endswith("[]"):
        # Each list inside a list takes a name of its own for what it holds.
        item = f"item_{kind.count('[]')}"
        return f"list_transform({name}, lambda {item}: {_json_column(item, kind.removesuffix('[]'))})"
    if kind.endswith("]"):
        return name
    iso = f"replace(cast({name} as varchar), ' ', 'T')"
    return f"regexp_replace({iso}, '([+-][0-9]{{2}})$', '\\1:00')" if kind.endswith("ZONE") else iso


def _csv_column(name: str, kind: str) -> str:
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        return f"cast(to_json({_json_column(name, kind)}) as varchar)"
    # Arrow writes small decimals with an exponent, more digits of a time than there are, and not every date.
    if kind.startswith(("DECIMAL", "DATE", "TIME")) and not kind.startswith("TIMESTAMP"):
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
def explained(what: str) -> Iterator[None]:
    """Make an error of DuckDB one line that begins with `what`."""
    try:
        yield
    except duckdb.Error as error:
        raise ConfigError(f"{what}: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    """What an error says, without the place in the query and without what a provider's text could do."""
    return plain(" ".join(str(error).split("LINE ", 1)[0].split()))
