"""The files of a load package: what is written is read again, with dictionaries where values repeat."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
from dlt.common.data_writers import writers
from hypothesis import given
from hypothesis import strategies as st

from pipelines import package_files
from pipelines.package_files import PackageFile

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def _written(*tables: pa.Table) -> io.BytesIO:
    file = io.BytesIO()
    writer = PackageFile(file)
    writer.write_header({})
    for table in tables:
        writer.write_data([table])
    writer.close()
    file.seek(0)
    return file


def _calls(count: int) -> pa.Table:
    return pa.table(
        {
            "id": [f"call-{index}" for index in range(count)],
            "created_at": [BEGIN + timedelta(seconds=index) for index in range(count)],
            "status": ["answered" if index % 3 else "missed" for index in range(count)],
            "extra": pa.nulls(count, pa.string()),
        }
    )


def test_only_what_repeats_has_a_dictionary() -> None:
    group = pq.ParquetFile(_written(_calls(5_000))).metadata.row_group(0)
    columns = [group.column(index) for index in range(group.num_columns)]
    assert {column.path_in_schema: column.has_dictionary_page for column in columns} == {
        "id": False,
        "created_at": False,
        "status": True,
        "extra": True,
    }
    assert {column.compression for column in columns} == {"UNCOMPRESSED"}


@given(
    st.lists(
        st.lists(st.tuples(st.none() | st.text(), st.none() | st.sampled_from("ab")), max_size=5),
        min_size=1,
        max_size=3,
    )
)
def test_what_is_written_is_read_again(tables: list[list[tuple[str | None, str | None]]]) -> None:
    schema = pa.schema([("text", pa.string()), ("word", pa.string())])
    rows = [[{"text": text, "word": word} for text, word in table] for table in tables]
    file = _written(*(pa.Table.from_pylist(table, schema=schema) for table in rows))
    assert pq.read_table(file).to_pylist() == [row for table in rows for row in table]


def test_other_pipelines_of_the_process_have_the_writer_of_dlt() -> None:
    kind = PackageFile.writer_spec()
    with package_files.written():
        assert writers.WRITER_SPECS[kind] is PackageFile
    assert writers.WRITER_SPECS[kind] is writers.ArrowToParquetWriter
