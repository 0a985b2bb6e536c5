"""dlt's load packages between runs: how they are numbered, and the one that an interrupted run left on disk.

    <working>/callsync_etelecom/          dlt's directory of a package on its way
    <working>/callsync_etelecom.follows   the package after which it is to come
    <working>/discarded/                  a directory that nobody needs any more

A package brings the ledgers of its accounts. It is finished only in the warehouse it was made for, as that
was then: a new or a restored one would take the ledgers for what it holds itself.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.warehouse import pipeline_name

if TYPE_CHECKING:
    import dlt

_NONE = "none"


def newest(connection: duckdb.DuckDBPyConnection, schema: str) -> str:
    """The id of the newest package that was loaded into a schema; `none` before the first."""
    try:
        rows = connection.execute(f"select max(load_id) from {schema}._dlt_loads").fetchall()
    except duckdb.CatalogException:
        return _NONE
    return str(rows[0][0]) if rows[0][0] is not None else _NONE


def number_on(connection: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Let dlt give the next package a higher id than the newest has, also when the clock was set back since.

    An id is the time it was given, and dlt takes the state with the highest id for the newest.
    """
    from dlt.common.time import increasing_precise_time

    last = newest(connection, schema)
    if last != _NONE and increasing_precise_time() <= float(last):
        # dlt's clock never goes back within a process; across processes it knows nothing of the time before.
        increasing_precise_time._last = float(last)


def note(working: Path, schema: str, last: str) -> None:
    """Note the package of a schema that the next one follows."""
    file = _note(working, pipeline_name(schema))
    if file.is_dir():
        _remove(file)
    file.write_text(last)


def may_be_finished(pipeline: dlt.Pipeline, working: Path, last: str) -> bool:
    """Whether what is pending follows the newest package, or is that one and only lacks its end."""
    pending = {*pipeline.list_extracted_load_packages(), *pipeline.list_normalized_load_packages()}
    try:
        return last in pending or last == _note(working, pipeline.pipeline_name).read_text()
    except OSError:
        return False


def is_left(working: Path, schema: str) -> bool:
    """Whether a run has left dlt's directory of a schema: it ended before its package did."""
    return (working / pipeline_name(schema)).exists()


def discard(working: Path, schema: str) -> None:
    """Remove dlt's directory of a schema; a kill meanwhile leaves it whole, or out of the way."""
    if not working.is_dir():
        _remove(working)
        return
    folder, discarded = working / pipeline_name(schema), working / "discarded"
    _remove(discarded)
    if folder.exists():
        folder.rename(discarded)
        _remove(discarded)


def _note(working: Path, pipeline: str) -> Path:
    return working / f"{pipeline}.follows"


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
