"""What follows from loaded calls: their numbers in E.164 and their rows in the reports.

It is made beside the loader, over a connection of its own, of the same units while they are loaded:

    loader    │ package 1 │ package 2 │ package 3 │
    Derived   │ rows of 1 │ rows of 2 │ rows of 3 │

A run that ends in between leaves the mark of `wholeness`; the next run makes everything anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import duckdb

from pipelines import origins, reported_calls, warehouse, wholeness
from pipelines.memory import Memory
from sources.provider import Provider
from sources.registry import PROVIDERS
from sources.units import Unit

_NUMBERS = "phone_numbers"
"""Key in `callsync.meta`: the region and the rules by which the phone numbers were read."""
_RULES = 2
"""To be raised when `phone_texts` begins to read any text otherwise, so that every warehouse follows."""


class Derived:
    """A run's derived rows. Leaving it waits until they stand, unless a package could not be loaded.

    Args:
        connection: the warehouse.
        memory: what DuckDB has of it.
        region: country of numbers that name none.
        run_id: as in `callsync.runs`.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, memory: Memory, region: str, run_id: str
    ) -> None:
        self._connection = connection
        self._memory = memory
        self._beside = connection.cursor()
        self._region = region
        self._worker = ThreadPoolExecutor(1, "derived")
        self._has_begun = self._is_loading = False
        self._began_whole = False
        self._renewal = reported_calls.Renewal(self._beside)
        self._origins = origins.Recorder(self._beside, run_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None and (self._is_loading or not isinstance(error, KeyboardInterrupt)):
                self._beside.interrupt()
                return
            if self._has_begun:
                # The readers are done, and leave a processor to the search among all calls.
                self._connection.execute(f"set threads = {warehouse.THREADS_ALONE}")
                warehouse.shorten_log(self._connection, warehouse.LONGEST_LOG_AT_END_BYTES)
                self._memory.enough_for(self._renewal.finish)
                self._memory.enough_for(self._origins.enter)
            if error is None or self._began_whole:
                wholeness.mark_whole(self._connection)
        finally:
            self._worker.shutdown(cancel_futures=True)
            self._beside.close()

    def catch_up(self) -> bool:
        """Make everything anew where an earlier run ended before it, or it follows otherwise now.

        Returns:
            whether anything was made anew, be it a call that time has made unknown.
        """
        began_whole = wholeness.is_whole(self._connection)
        read_as = f"{self._region} by rules {_RULES}"
        anew = warehouse.meta(self._connection, _NUMBERS) != read_as
        if anew or not began_whole:
            # The library's metadata takes a tenth of a second to load, and most runs bring no number.
            from pipelines import phone_numbers

            wholeness.mark_half(self._connection)
            phone_numbers.refresh(self._connection, _phone_columns(), self._region, anew=anew)
            reported_calls.rebuild(self._connection)
            warehouse.remember(self._connection, _NUMBERS, read_as)
            changed = True
        else:
            changed = self._renewal.settle()
        origins.refresh(self._connection, is_whole=began_whole)
        self._began_whole = began_whole
        return changed

    @contextmanager
    def beside(self, provider: Provider, units: list[Unit]) -> Iterator[None]:
        """Derive from the units of a package while the body loads it; the list is emptied when done."""
        if not self._has_begun:
            wholeness.mark_half(self._connection)
            self._memory.give_a_part()
        self._has_begun = self._is_loading = True
        named = [unit.account for unit in units if reported_calls.brings_names(provider, unit)]
        derived = self._worker.submit(self._derive, provider, units)
        yield
        # Where it was too little, the loader is out of the way by now, too.
        self._memory.enough_for(derived.result, again=lambda: self._derive(provider, units))
        self._memory.enough_for(lambda: self._renewal.follow_names(provider, named))
        warehouse.shorten_log(self._connection, warehouse.LONGEST_LOG_BYTES)
        self._is_loading = False

    def _derive(self, provider: Provider, units: list[Unit]) -> None:
        """Derive from the units of a package; again with the same result, where it failed before."""
        from pipelines import phone_numbers

        columns = [
            shaped.tables[table].column(column)
            for unit in units
            for record_type, shaped in unit.data
            for table, names in record_type.phone_columns().items()
            for column in names
        ]
        phone_numbers.add(self._beside, columns, self._region, found=reported_calls.NUMBERS)
        self._renewal.add(provider, units)
        self._origins.add(provider, units)
        units.clear()


def _phone_columns() -> list[tuple[str, str]]:
    """Every column of the providers' tables that names a side of a call, with its table."""
    return [
        (f"{name}.{table}", column)
        for name, provider in PROVIDERS.items()
        for table, column in provider.phone_columns()
    ]
