"""`callsync test`: the data tests on the published copy; rows that come back are offenders.

They are the files of `sql/tests/`, and for every provider those of `table_tests`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines import formats, opening, table_tests, warehouse
from pipelines.views import View, selects_of
from sources.registry import PROVIDERS

MOST_OFFENDERS = 20


@dataclass(frozen=True)
class Verdict:
    """How a data test went: no offenders is a pass; `shown` are the first of them as text."""

    name: str
    offenders: int
    shown: str = ""
    error: str | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing offends."""
        return not self.offenders and self.error is None

    @property
    def summary(self) -> str:
        """What is wrong, in some words."""
        return self.error or f"{self.offenders} offending {'row' if self.offenders == 1 else 'rows'}"


def all_tests() -> list[View]:
    """Every test, by its name: a select that returns the rows that offend it."""
    of_tables = [test for provider in PROVIDERS.values() for test in table_tests.of(provider)]
    return sorted([*(View(*file) for file in selects_of("tests")), *of_tables], key=lambda test: test.name)


def run(path: Path) -> Iterator[Verdict]:
    """Run the tests one by one.

    Raises:
        WarehouseError: nothing was published yet.
    """
    with closing(opening.reading(path)) as connection:
        for test in all_tests():
            yield _verdict(connection, test)


def _verdict(connection: duckdb.DuckDBPyConnection, test: View) -> Verdict:
    try:
        offenders = connection.execute(f"select count(*) from ({test.select}) as offenders").fetchall()[0][0]
        if not offenders:
            return Verdict(test.name, 0)
        return Verdict(test.name, offenders, formats.shown(connection.sql(test.select).limit(MOST_OFFENDERS)))
    except duckdb.Error as error:
        return Verdict(test.name, 0, error=warehouse.one_line(error))
