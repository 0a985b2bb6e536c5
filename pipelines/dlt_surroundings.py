"""What dlt finds around a load package of ours: no settings, no telemetry, no HTTP client.

A package is made the same way whatever `.dlt` and the environment say. Otherwise dlt asks every file and the
environment for some hundred keys a package, which nobody has set, and loads an HTTP library for its own use.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from dlt.common import logger
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from dlt.common.runtime.run_context import RunContext

_NOBODY = logging.Logger("dlt", logging.CRITICAL + 1)
"""A logger that makes no record, and so asks nobody where it was called from."""


class _Bare(RunContext):
    """A run context in which everything is as dlt has it by default, and nothing is told to anybody."""

    def initial_providers(self) -> list[ConfigProvider]:
        return []

    def initialize_runtime(self, runtime_config: RuntimeConfiguration | None = None) -> None:
        # Where a step fails, dlt needs a logger to say so.
        logger.LOGGER = _NOBODY
        self._runtime_config = runtime_config or RuntimeConfiguration(dlthub_telemetry=False)


@contextmanager
def bare() -> Iterator[None]:
    """Meanwhile dlt works in bare surroundings, in every thread; then in those it had before."""
    surroundings = PluggableRunContext(_Bare("."))
    # They would be further places to look for settings.
    surroundings.extras_added = True
    with Container().injectable_context(surroundings):
        yield
