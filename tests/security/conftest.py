"""Projects, simulators and warehouses as the tests of the runs have them."""

from __future__ import annotations

from tests.pipelines.conftest import (
    _quiet,
    _shared,
    _synced,
    changing,
    configured,
    loaded,
    project,
    simulator,
)

__all__ = ["_quiet", "_shared", "_synced", "changing", "configured", "loaded", "project", "simulator"]
