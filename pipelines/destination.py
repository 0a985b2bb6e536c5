"""The warehouse as a dlt destination: DuckDB over the connection that the run holds."""

from __future__ import annotations

import copy
from typing import Any

import dlt
from dlt.common.destination import DestinationCapabilitiesContext


class Warehouse(dlt.destinations.duckdb):
    """The DuckDB destination of dlt, which looks its capabilities up once.

    dlt asks for them some thirty times a load package and resolves its whole configuration each time, which
    is a sixth of what a package costs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known: dict[type[Any], DestinationCapabilitiesContext] = {}

    def capabilities(self, config: Any = None, naming: Any = None) -> DestinationCapabilitiesContext:
        """What DuckDB can do; a copy, because dlt changes what it is given."""
        if config is not None:
            return super().capabilities(config, naming)
        if type(naming) not in self._known:
            self._known[type(naming)] = super().capabilities(None, naming)
        return copy.copy(self._known[type(naming)])
