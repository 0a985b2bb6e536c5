"""Values that a provider empties after a time are kept: Voximplant clears `log_file_url` after a month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from sources.shaping import Shaped
from sources.shaping.fields import RecordType
from sources.units import Unit


def kept(connection: duckdb.DuckDBPyConnection, units: Sequence[Unit]) -> list[Unit]:
    """The units, with what the warehouse still knows where the provider's value has faded."""
    return [
        replace(
            unit,
            data=tuple(
                (kind, _kept(connection, unit.account.provider, kind, shaped)) for kind, shaped in unit.data
            ),
        )
        for unit in units
    ]


def _kept(
    connection: duckdb.DuckDBPyConnection, schema: str, record_type: RecordType, shaped: Shaped
) -> Shaped:
    table = shaped.tables[record_type.table]
    for column in record_type.fading:
        if table.column(column).null_count:
            known = _known(connection, schema, record_type, column, table)
            position = pc.index_in(table.column(record_type.key_column), value_set=known.column("key"))
            value = pc.coalesce(table.column(column), known.column("value").take(position))
            table = table.set_column(table.column_names.index(column), table.schema.field(column), value)
    return replace(shaped, tables={**shaped.tables, record_type.table: table})


def _known(
    connection: duckdb.DuckDBPyConnection, schema: str, record_type: RecordType, column: str, table: pa.Table
) -> pa.Table:
    """Key and value of those of the table's rows that the warehouse has a value for."""
    key = record_type.key_column
    connection.register("faded", table.filter(pc.is_null(table.column(column))).select(["account", key]))
    known = connection.sql(
        f"select held.{key} as key, held.{column} as value from {schema}.{record_type.table} as held "
        f"semi join faded on held.account = faded.account and held.{key} = faded.{key} "
        f"where held.{column} is not null"
    ).to_arrow_table()
    connection.unregister("faded")
    return known
