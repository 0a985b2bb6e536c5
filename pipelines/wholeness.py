"""The mark of a warehouse that holds half of something: of a package, or of what follows from its calls.

It is set before a run loads its first package, and taken away when everything stands. Between, also after a
kill or a fault, nobody is shown the warehouse, and the next run makes good what is missing.
"""

from __future__ import annotations

import duckdb

from pipelines import warehouse

_KEY = "derived"
_HALF, _WHOLE = "behind", "level"


def mark_half(connection: duckdb.DuckDBPyConnection) -> None:
    """From here on, a run that ends has not brought everything."""
    warehouse.remember(connection, _KEY, _HALF)


def mark_whole(connection: duckdb.DuckDBPyConnection) -> None:
    """Everything stands."""
    if not is_whole(connection):
        warehouse.remember(connection, _KEY, _WHOLE)


def is_whole(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether nobody left the warehouse in between."""
    return warehouse.meta(connection, _KEY) != _HALF
