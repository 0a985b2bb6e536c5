"""Whatever value a provider sends in whatever field, the run goes through and every report can be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulator import Simulator
from sources.registry import PROVIDERS
from sources.shaping.fields import RecordType
from sources.vbot.options import VERSIONS
from tests.pipelines.conftest import UNTIL
from tests.pipelines.project import Project

EXTREMES: list[Any] = [
    2**31,
    2**53,
    2**63 - 1,
    -(2**63),
    999_999_999.999,
    -999_999_999.999,
    1e300,
    "596523:14:07",
    "0002-01-02T00:00:00Z",
    "9999-12-29T23:59:59.999999Z",
    "9999-12-29 23:59:59",
    "\u0000",
]
CALLS = 600


def spoilt(record_type: RecordType, records: list[Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Records, each with what it sends instead: every extreme in every field but the key."""
    remaining = iter(records)
    for field in record_type.fields:
        if field.name != record_type.key:
            yield from ((next(remaining), {field.wire_name: extreme}) for extreme in EXTREMES)
    for child in record_type.children:
        for field in child.fields:
            for extreme in EXTREMES:
                item = extreme if child.is_scalar else {field.wire_name: extreme}
                yield next(remaining), {child.source: item if child.single else [item, item, item]}


@pytest.mark.parametrize(
    ("provider", "version"), [("vbot", "v3"), ("vbot", "v2"), ("etelecom", None), ("voximplant", None)]
)
def test_any_value_in_any_field_leaves_every_report_readable(
    provider: str, version: str | None, project: Project
) -> None:
    record_type = VERSIONS[version].record_type if version else PROVIDERS[provider].calls
    with Simulator(calls=CALLS, seed=11, days=3, until=UNTIL) as simulator:
        simulator.settle()
        key = "group_id" if provider == "vbot" else record_type.key
        for record, fields in spoilt(record_type, simulator.truth(provider, version=version)):
            simulator.spoil(provider, record[key], **fields)
        project.configure(simulator, {f"{provider}.main": (version, 0)})
        project.done("sync")
    ((loaded, rejected),) = project.rows(
        "select (select count(*) from reporting.calls), (select count(*) from callsync.rejected_records)"
    )
    assert loaded + rejected == CALLS
    reports = project.rows("select view_name from duckdb_views() where schema_name = 'reporting'")
    assert len(reports) > 10
    for (report,) in reports:
        project.rows(f"from reporting.{report}")
