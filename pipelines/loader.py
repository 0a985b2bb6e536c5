"""Units into the warehouse: each call of `load` is one dlt load package, whole or not at all.

dlt's working directory holds nothing but a package on its way. One that an interrupted run left is finished
first (see `packages`); then its directory goes, because the warehouse has the state.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import dlt
import duckdb
from dlt.common.runtime import signals

from pipelines import fading, packages, warehouse
from pipelines.destination import Warehouse
from pipelines.dlt_surroundings import bare
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
        self.rows = 0
        """Calls and names that were loaded so far."""

    @property
    def loaded(self) -> Collection[str]:
        """The providers of which anything was loaded."""
        return self._pipelines.keys()

    def finish_pending(self, provider: str) -> bool:
        """Load the package that an interrupted run left; True when there was one."""
        name = pipeline_name(provider)
        is_finished = False
        if (self._working / name).exists():
            try:
                with bare(), _signals_heard():
                    is_finished = self._finish(provider)
            except Exception as fault:
                # A kill or a full disk may have cut any file short, and every library reads some.
                why = warehouse.one_line(warehouse.root_cause(fault))
                self._say(f"{provider}: a package of an interrupted run is read again ({why})")
        packages.discard(self._working, name)
        return is_finished

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
            PipelineStepFailed: nothing of it is loaded, or the next run finishes it.
        """
        rows = sum(unit.rows for unit in units)
        with bare(), _signals_heard():
            if provider.name not in self._pipelines:
                self._pipelines[provider.name] = self._pipeline(provider.name)
            packages.note(
                self._working, pipeline_name(provider.name), packages.newest(self._connection, provider.name)
            )
            package = source(provider, fading.kept(self._connection, units), run_id=self._run_id)
            units.clear()
            self._pipelines[provider.name].run(package, loader_file_format="parquet")
        self.rows += rows

    def _pipeline(self, provider: str) -> dlt.Pipeline:
        self._working.mkdir(parents=True, exist_ok=True, mode=0o700)
        packages.number_on(self._connection, provider)
        return dlt.pipeline(
            pipeline_name(provider),
            destination=Warehouse(self._connection, self._memory),
            dataset_name=provider,
            pipelines_dir=str(self._working),
        )


def pipeline_name(provider: str) -> str:
    """The name under which dlt keeps a provider's state."""
    return f"callsync_{provider}"


@contextmanager
def _signals_heard() -> Iterator[None]:
    """Let dlt end its step when Ctrl-C comes, and raise it then: dlt forgets it where no step looks."""
    with signals.intercepted_signals():
        try:
            yield
        finally:
            if signals.was_signal_received():
                raise KeyboardInterrupt
