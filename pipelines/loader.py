"""Units into the warehouse: each call of `load` is one dlt load package, whole or not at all.

dlt's working directory holds nothing but a package on its way. One that an interrupted run left is finished
first (see `packages`); then its directory goes, because the warehouse has the state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dlt
import duckdb
from dlt.common.runtime import signals
from dlt.common.schema import Schema
from dlt.common.storages import LiveSchemaStorage
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines import fading, package_files, packages, warehouse
from pipelines.destination import Warehouse
from pipelines.dlt_surroundings import bare
from pipelines.interrupts import is_interrupt
from pipelines.memory import Memory
from sources.loading import source
from sources.provider import Provider
from sources.units import Unit


class Loader:
    """Loads packages of one run.

    Args:
        connection: the warehouse.
        memory: what DuckDB has of it.
        working: the directory for packages on their way.
        run_id: written to the window rows.
        say: told what an operator should read.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        memory: Memory,
        working: Path,
        run_id: str,
        say: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._memory = memory
        self._working = working
        self._run_id = run_id
        self._say = say
        self._pipelines: dict[str, dlt.Pipeline] = {}

    def finish_pending(self, provider: str) -> bool:
        """Load the package that an interrupted run left in the working directory; True when there was one."""
        try:
            with bare(), _signals_heard():
                return self._finish(provider)
        except Exception as fault:
            # A kill or a full disk may have cut any file short, and every library reads some.
            why = warehouse.one_line(warehouse.root_cause(fault))
            self._say(f"{provider}: a package of an interrupted run is read again ({why})")
            return False

    def _finish(self, provider: str) -> bool:
        pipeline = self._pipeline(provider)
        if not pipeline.has_pending_data:
            return False
        if not packages.may_be_finished(pipeline, self._working, packages.newest(self._connection, provider)):
            self._say(f"{provider}: a package of an interrupted run is read again (the warehouse is another)")
            return False
        self._say(f"{provider}: finishing a package that an interrupted run left")
        pipeline.run(loader_file_format="parquet")
        return True

    def load(self, provider: Provider, units: list[Unit]) -> None:
        """Load units, at most one of each account, as one package.

        The list is emptied: once extracted, a unit is in a file and takes no memory on its behalf.

        Raises:
            WarehouseError: nothing of it is loaded, or the next run finishes it.
        """
        with bare(), package_files.written(), _signals_heard(), _faults_named():
            if provider.name not in self._pipelines:
                self._pipelines[provider.name] = self._pipeline(provider.name)
            packages.note(self._working, provider.name, packages.newest(self._connection, provider.name))
            package = source(provider, fading.kept(self._connection, units), run_id=self._run_id)
            units.clear()
            self._pipelines[provider.name].run(package, loader_file_format="parquet")

    def _pipeline(self, provider: str) -> dlt.Pipeline:
        self._working.mkdir(parents=True, exist_ok=True, mode=0o700)
        packages.number_on(self._connection, provider)
        pipeline = dlt.pipeline(
            warehouse.pipeline_name(provider),
            destination=Warehouse(self._connection, self._memory),
            dataset_name=provider,
            pipelines_dir=str(self._working),
        )
        pipeline._schema_storage = _Schemas(pipeline._schema_storage.config)
        return pipeline


class _Schemas(LiveSchemaStorage):
    """The schemas of a pipeline, in whose directory nobody else writes.

    dlt looks on disk whenever it needs one, ten times a package, and checks each time what it finds: a fifth
    of what a package costs.
    """

    def __getitem__(self, name: str) -> Schema:
        return self.live_schemas[name] if name in self.live_schemas else super().__getitem__(name)


@contextmanager
def _signals_heard() -> Iterator[None]:
    """Let dlt end its step when Ctrl-C comes, and raise it then: dlt forgets it where no step looks."""
    with signals.intercepted_signals():
        try:
            yield
        finally:
            if signals.was_signal_received():
                raise KeyboardInterrupt


@contextmanager
def _faults_named() -> Iterator[None]:
    """Name what a step of dlt failed for, which is DuckDB, the disk or Ctrl-C."""
    try:
        yield
    except PipelineStepFailed as fault:
        cause = warehouse.root_cause(fault)
        if is_interrupt(cause):
            raise KeyboardInterrupt from None
        raise warehouse.unwritable(cause) from None
