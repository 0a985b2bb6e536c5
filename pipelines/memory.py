"""How much memory DuckDB has in a run: a part of what is configured, and all of it for what needs more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import duckdb

from pipelines.warehouse import root_cause

PART_TRIED = 0.625
"""The part of its memory that DuckDB gets while a run loads. It is enough for packages of the usual size;
more would only keep more of the file in memory."""

_Result = TypeVar("_Result")


class Memory:
    """The memory of a run's DuckDB.

    Args:
        connection: the warehouse.
        megabytes: what DuckDB may use where less does not suffice.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, megabytes: int) -> None:
        self._connection = connection
        self._megabytes = megabytes
        self._all_given = threading.Lock()

    def give_a_part(self) -> None:
        """From here on, DuckDB has the part that is tried first."""
        self._give(self._megabytes * PART_TRIED)

    def enough_for(
        self, work: Callable[[], _Result], *, again: Callable[[], _Result] | None = None
    ) -> _Result:
        """Work in a part of the memory, and once more, in all of it, where that part did not suffice.

        Args:
            work: what leaves nothing behind where it fails, or comes to the same when it is done again.
            again: what to do the second time, if not the same.
        """
        try:
            return work()
        except Exception as fault:
            if not isinstance(root_cause(fault), duckdb.OutOfMemoryException):
                raise
        with self._all_given:
            self._give(self._megabytes)
            result = (again or work)()
            self.give_a_part()
            return result

    def _give(self, megabytes: float) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(f"set memory_limit = '{megabytes}MB'")
