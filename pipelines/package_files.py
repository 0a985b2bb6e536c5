"""How the files of a load package are written: for one reader, who comes at once.

dlt's own writer makes a dictionary of every column and notes the least and the greatest value of each. Of ids
and times a dictionary is given up only when it is large, which is half of what a file costs; and a merge
reads the whole file, so that nothing is skipped by what was noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from dlt.common.data_writers import writers

_LOOKED_AT = 1_000
"""Rows by which a column is judged."""

_REPEATED = 2
"""How often each value has to come there, on average, for a dictionary to be worth while."""


class PackageFile(writers.ArrowToParquetWriter):
    """A Parquet file of Arrow tables, as dlt writes one, but uncompressed and with few dictionaries."""

    def write_data(self, items: Sequence[Any]) -> None:
        """Write tables of one schema, by the first of which all columns are judged."""
        if self.writer is None and items:
            few = items[0].slice(0, _LOOKED_AT)
            self._repeating = [name for name in few.column_names if _repeats(few.column(name))]
        super().write_data(items)

    def _create_writer(self, schema: pa.Schema) -> pq.ParquetWriter:
        # A file is read once, soon, and then gone: to pack it takes longer than to write it.
        return pq.ParquetWriter(
            self._f, schema, compression="none", use_dictionary=self._repeating, write_statistics=False
        )


@contextmanager
def written() -> Iterator[None]:
    """Meanwhile dlt writes Arrow tables as `PackageFile`, in every thread."""
    kind = PackageFile.writer_spec()
    before = writers.WRITER_SPECS[kind]
    writers.WRITER_SPECS[kind] = PackageFile
    try:
        yield
    finally:
        writers.WRITER_SPECS[kind] = before


def _repeats(column: pa.ChunkedArray) -> bool:
    known = len(column) - column.null_count
    return bool(pc.count_distinct(column).as_py() * _REPEATED <= known)
