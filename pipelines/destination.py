"""The warehouse as a dlt destination: DuckDB over the connection that the run holds.

dlt's own way to merge first copies a package into tables of a second schema, and from there into place. Here
each file of a package is merged as it stands, which writes every row once:

    package ──▶ file of a table ──▶ delete what has its keys, insert its rows: one transaction
"""

from __future__ import annotations

import copy
import threading
from typing import Any, cast

import dlt
import duckdb
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.client import LoadJob, RunnableLoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema import Schema
from dlt.destinations.impl.duckdb.duck import DuckDbClient
from dlt.destinations.job_client_impl import SqlJobClientBase

from pipelines.memory import Memory

_MERGING = threading.Lock()
"""dlt starts the jobs of a package at once. At work side by side they would take memory and no less time."""


class Warehouse(dlt.destinations.duckdb):
    """The DuckDB destination of dlt, which merges files and resolves what it is and can once.

    dlt asks for its capabilities and configuration some thirty times a load package and resolves all of it
    each time, which is a fifth of what a package costs.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, memory: Memory) -> None:
        super().__init__(connection)
        self._memory = memory
        self._known: dict[type[Any], DestinationCapabilitiesContext] = {}
        self._resolved: dict[tuple[Any, ...], Any] = {}

    @property
    def client_class(self) -> type[WarehouseClient]:
        """The client that makes the load jobs."""
        return WarehouseClient

    def client(self, schema: Schema, initial_config: Any = None) -> WarehouseClient:
        """A client with what its jobs need."""
        client = cast(WarehouseClient, super().client(schema, initial_config))
        client.memory = self._memory
        return client

    def configuration(self, initial_config: Any, accept_partial: bool = False) -> Any:
        """The configuration of a dataset."""
        dataset = (initial_config.dataset_name, initial_config.default_schema_name, accept_partial)
        if dataset not in self._resolved:
            self._resolved[dataset] = super().configuration(initial_config, accept_partial)
        return self._resolved[dataset]

    def capabilities(self, config: Any = None, naming: Any = None) -> DestinationCapabilitiesContext:
        """What DuckDB can do; a copy, because dlt changes what it is given."""
        if type(naming) not in self._known:
            self._known[type(naming)] = super().capabilities(None, naming)
        return copy.copy(self._known[type(naming)])


class WarehouseClient(DuckDbClient):
    """dlt's DuckDB client, with tables that are merged file by file."""

    memory: Memory

    def should_load_data_to_staging_dataset(self, table_name: str) -> bool:
        """Never: a merge reads the file itself."""
        return False

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """The job that brings a file of a package into its table."""
        if table["write_disposition"] == "merge" and file_path.endswith(".parquet"):
            return MergeJob(file_path, self.memory)
        return super().create_load_job(table, file_path, load_id, restore)


class MergeJob(RunnableLoadJob):
    """Merges one Parquet file into its table: whole or not at all, and again with the same result.

    Rows go whose primary or merge key the file has; its rows come, but for those that are marked as deleted.
    No two files of a package may have rows of one key.
    """

    _job_client: SqlJobClientBase

    def __init__(self, file_path: str, memory: Memory) -> None:
        super().__init__(file_path)
        self._memory = memory

    def run(self) -> None:
        """Delete and insert."""
        with _MERGING:
            self._memory.enough_for(self._merge)

    def _merge(self) -> None:
        client, table = self._job_client.sql_client, self._load_table
        target = client.make_qualified_table_name(self.load_table_name)
        columns = table["columns"].values()
        keys = [column["name"] for column in columns if column.get("primary_key") or column.get("merge_key")]
        same = " and ".join(f'brought."{name}" = kept."{name}"' for name in keys)
        deleted = next((column["name"] for column in columns if column.get("hard_delete")), None)
        left = f'where "{deleted}" is not true' if deleted else ""
        # The name of the file is dlt's own: the table, an id and a number.
        file = self._file_path.replace("'", "''")
        brought = f"read_parquet('{file}')"
        with client.begin_transaction():
            client.execute_sql(
                f"delete from {target} as kept where exists (select 1 from {brought} as brought where {same})"
            )
            client.execute_sql(f"insert into {target} by name select * from {brought} {left}")
