"""`callsync.phone_numbers`: one row a distinct raw number, read once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa
import pytest

from pipelines import layout, phone_numbers, phone_texts

Rows = list[tuple[str, str | None, str | None, str, bool]]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        layout.create_tables(opened, [])
        yield opened


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The numbers that were read, in order."""
    asked: list[str] = []

    def noted(number: str, region: str) -> phone_texts.PhoneNumber:
        asked.append(number)
        return phone_texts.read(number, region)

    monkeypatch.setattr(phone_numbers, "read", noted)
    return asked


def add(connection: duckdb.DuckDBPyConnection, *columns: Sequence[str | None], region: str = "VN") -> None:
    phone_numbers.add(connection, [pa.chunked_array([pa.array(c, pa.string())]) for c in columns], region)


def rows(connection: duckdb.DuckDBPyConnection) -> Rows:
    return connection.execute("from callsync.phone_numbers order by number").fetchall()


def test_each_distinct_number_gets_a_row_and_is_read_once(
    connection: duckdb.DuckDBPyConnection, read: list[str]
) -> None:
    add(connection, ["0912345678", None, "101", "0912345678"], ["101", "84912345678"])
    add(connection, ["0912345678", "anonymous"])
    assert rows(connection) == [
        ("0912345678", "+84912345678", "VN", "mobile", True),
        ("101", None, None, "short", False),
        ("84912345678", "+84912345678", "VN", "mobile", True),
        ("anonymous", None, None, "withheld", False),
    ]
    assert sorted(read) == ["0912345678", "101", "84912345678", "anonymous"]


def test_the_rows_of_what_was_brought_are_at_hand_known_before_or_not(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    add(connection, ["0912345678", "101"])
    add(connection, ["101", None, "0987654321", "101"])
    found = connection.execute("select number, e164 from found_numbers order by number").fetchall()
    assert found == [("0987654321", "+84987654321"), ("101", None)]


@pytest.mark.parametrize("at_once", [1, 2, 5, 6, 100])
def test_however_few_are_held_in_memory_each_is_read(
    at_once: int, connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_numbers, "_READ_AT_ONCE", at_once)
    numbers = [f"091234567{digit}" for digit in range(6)]
    add(connection, numbers)
    assert [(row[0], row[1]) for row in rows(connection)] == [
        (number, f"+84{number[1:]}") for number in numbers
    ]


def test_no_number_at_all_is_no_fault(connection: duckdb.DuckDBPyConnection) -> None:
    add(connection, [], [None])
    add(connection)
    assert rows(connection) == []


def test_numbers_are_read_anew_only_when_that_is_wanted(
    connection: duckdb.DuckDBPyConnection, read: list[str]
) -> None:
    connection.execute("create table calls as select '0912345678' as caller, '2025550123' as callee")
    columns = [("calls", "caller"), ("calls", "callee")]
    for region, found in (("VN", ["+84912345678", None]), ("US", [None, "+12025550123"])):
        phone_numbers.refresh(connection, columns, region, anew=True)
        assert [e164 for _, e164, *_ in rows(connection)] == found
        read.clear()
        phone_numbers.refresh(connection, columns, region)
        assert read == []
