"""`callsync sql`: read-only questions to the published copy, as a table, CSV, JSON or Parquet."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, redirect_stdout
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


def ask(path: Path, query: str, *, form: str, output: Path | None, zone: str) -> None:
    """Run a query and write its result to `output`, or to standard output.

    Raises:
        ConfigError: the query, or the output, is unusable.
        WarehouseError: nothing was published yet.
    """
    with closing(open_copy(path, zone)) as connection:
        try:
            relation = connection.sql(query)
        except duckdb.Error as error:
            raise ConfigError(f"the query is refused: {_first_line(error)}") from None
        if relation is None:
            raise ConfigError("the query returns no rows; callsync sql is for questions")
        try:
            write(relation, form, output)
        except duckdb.Error as error:
            raise ConfigError(f"the query failed: {_first_line(error)}") from None


def open_copy(path: Path, zone: str) -> duckdb.DuckDBPyConnection:
    """The published copy, showing times in the reporting zone, with no way to files or the network."""
    connection = warehouse.reading(path)
    connection.execute("set enable_external_access = false")
    connection.execute(f"set timezone = '{zone}'")
    connection.execute("set lock_configuration = true")
    return connection


def write(relation: duckdb.DuckDBPyRelation, form: str, output: Path | None) -> None:
    """A result in one of the formats; a file appears whole or not at all."""
    if form == "table" and output is None:
        click.echo(shown(relation))
        return
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise ConfigError("Parquet is not for a terminal; name a file with -o")
    if output is None:
        _write(relation, form, sys.stdout.buffer)
        return
    folder = output.parent
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{output.name}.", delete=False) as file:
            try:
                _write(relation, form, file)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, output)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise ConfigError(f"{output} cannot be written: {error.strerror}") from None


def shown(relation: duckdb.DuckDBPyRelation) -> str:
    """A result as text for a person: control characters of provider texts never reach the terminal."""
    # Where nobody looks at a screen, no column is left out for want of room.
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDEST
    buffer = io.StringIO()
    with redirect_stdout(buffer):
        relation.show(max_rows=MOST_ROWS_SHOWN, max_width=width)
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in buffer.getvalue().rstrip("\n"))


def _write(relation: duckdb.DuckDBPyRelation, form: str, file: Any) -> None:
    if form == "table":
        file.write((shown(relation) + "\n").encode())
    elif form == "json":
        separator = b"[\n"
        for row in _json_rows(relation):
            file.write(separator + row.encode())
            separator = b",\n"
        file.write(b"[]\n" if separator == b"[\n" else b"\n]\n")
    elif form == "csv":
        flat = _projected(relation, _csv_column)
        _write_batches(flat, file, pyarrow.csv.CSVWriter)
    else:
        _write_batches(relation, file, pyarrow.parquet.ParquetWriter)


def _write_batches(relation: duckdb.DuckDBPyRelation, file: Any, kind: Any) -> None:
    reader: pa.RecordBatchReader = relation.to_arrow_reader(10 * _AT_ONCE)
    try:
        with kind(file, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConfigError(f"the format cannot hold the result: {warehouse.one_line(error)}") from None


def _json_rows(relation: duckdb.DuckDBPyRelation) -> Iterator[str]:
    """Each row as a JSON object by DuckDB itself: decimals keep their digits, times are ISO 8601."""
    rows = _select(_projected(relation, _json_column), "answer", "select to_json(answer) from answer")
    for batch in rows.to_arrow_reader(_AT_ONCE):
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
    if kind != "TIMESTAMP WITH TIME ZONE":
        return name
    iso = f"replace(cast({name} as varchar), ' ', 'T')"
    return f"regexp_replace({iso}, '([+-][0-9]{{2}})$', '\\1:00')"


def _csv_column(name: str, kind: str) -> str:
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        return f"cast(to_json({name}) as varchar)"
    if kind in ("BLOB", "BIT", "INTERVAL", "HUGEINT", "UHUGEINT", "TIME WITH TIME ZONE"):
        return f"cast({name} as varchar)"
    return _json_column(name, kind)


def _standard(row: str) -> str:
    """JSON knows no NaN and no infinity: they become null."""
    if "NaN" not in row and "Infinity" not in row:
        return row
    return json.dumps(json.loads(row, parse_constant=lambda _: None), ensure_ascii=False)


def _first_line(error: duckdb.Error) -> str:
    return " ".join(str(error).split("LINE ", 1)[0].split())
