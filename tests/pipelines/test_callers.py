"""What is kept of callers is always what its definition gives, whatever calls come, go and change."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from pipelines import callers, upgrading, views
from pipelines.config import General
from sources.registry import PROVIDERS

START = datetime(2026, 3, 2, tzinfo=UTC)
ROUNDS = 25
KEPT = ("first_contacts", "repeat_callers")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        upgrading.bring_up_to_date(opened)
        views.refresh(opened, PROVIDERS, General())
        opened.execute("create temp table later as from callsync.reported_calls")
        yield opened


def difference(connection: duckdb.DuckDBPyConnection) -> list[Any]:
    """Kept rows that are not defined, and rows that are defined and not kept."""
    return [
        row
        for name in KEPT
        for one, other in (("callsync", "intermediate"), ("intermediate", "callsync"))
        for row in connection.execute(f"from {one}.{name} except all from {other}.{name}").fetchall()
    ]


def call(chance: random.Random, number: int) -> dict[str, Any]:
    """A call that may be any other's: few callers, and few instants."""
    direction = chance.choice(("inbound", "inbound", "outbound", "internal"))
    is_answered = chance.random() < 0.4
    outcome = "answered" if is_answered else chance.choice(("missed", "missed", "busy", "in_progress"))
    started = START + timedelta(minutes=chance.choice((0, 1, 2, 60, 1439, 1440, 1441, 3000)))
    contact = chance.choice(("+84901", "+84901", "+84902", None))
    return {
        "provider": chance.choice(("vbot", "vbot", "vbot", "etelecom")),
        "account": chance.choice(("main", "main", "main", "other")),
        "provider_call_id": str(number),
        "started_at": started,
        "local_started_at": (started + timedelta(hours=7)).replace(tzinfo=None),
        "direction": direction,
        "outcome": outcome if direction == "inbound" or outcome != "missed" else "busy",
        "is_answered": is_answered,
        "is_missed": direction == "inbound" and outcome == "missed",
        "from_number": contact and contact.replace("+84", chance.choice(("+84", "0", "84"))),
        "contact_number": None if direction == "internal" else contact,
    }


def change(connection: duckdb.DuckDBPyConnection, changed: callers.Changed, calls: list[Any]) -> None:
    """Put calls in the place of those with their keys, as a run does."""
    connection.execute("delete from later")
    for values in calls:
        names, marks = ", ".join(values), ", ".join("?" for _ in values)
        connection.execute(f"insert into later ({names}) values ({marks})", list(values.values()))
    of_these = "provider_call_id in (select provider_call_id from later)"
    connection.execute(
        f"create or replace temp table earlier as from callsync.reported_calls where {of_these}"
    )
    connection.execute(f"delete from callsync.reported_calls where {of_these}")
    connection.execute("insert into callsync.reported_calls from later where started_at is not null")
    changed.note("earlier", "(from later where started_at is not null)")


@pytest.mark.parametrize("seed", range(2))
def test_callers_whose_calls_come_go_and_change(seed: int, connection: duckdb.DuckDBPyConnection) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    changed = callers.Changed(connection)
    rows = 0
    for _ in range(ROUNDS):
        for _ in range(chance.choice((1, 2))):
            numbers = chance.sample(range(40), chance.choice((1, 3, 10)))
            calls = [call(chance, number) for number in numbers]
            if chance.random() < 0.3:
                calls[0] = {"provider_call_id": calls[0]["provider_call_id"]}
            change(connection, changed, calls)
        changed.renew()
        assert difference(connection) == []
        rows += len(connection.execute("from callsync.first_contacts").fetchall())
    assert rows > ROUNDS, "nobody was contacted"


def test_only_callers_whose_calls_changed_are_made_anew(connection: duckdb.DuckDBPyConnection) -> None:
    chance = random.Random(1)  # noqa: S311 - no secret
    changed = callers.Changed(connection)
    twice = [
        call(chance, number)
        | {
            "provider": "vbot",
            "account": "main",
            "direction": "inbound",
            "outcome": "busy",
            "is_missed": False,
        }
        | {"contact_number": f"+8490{number % 2}"}
        for number in range(4)
    ]
    change(connection, changed, twice)
    changed.renew()
    connection.execute("update callsync.repeat_callers set spellings = 99")
    change(connection, changed, [*twice[:2], twice[2] | {"started_at": START}, twice[3]])
    changed.renew()
    kept = "select contact_number, spellings = 99 from callsync.repeat_callers order by all"
    assert connection.execute(kept).fetchall() == [("+84900", False), ("+84901", True)]


def test_those_of_all_callers_are_made_anew(connection: duckdb.DuckDBPyConnection) -> None:
    chance = random.Random(7)  # noqa: S311 - no secret
    changed = callers.Changed(connection)
    change(connection, changed, [call(chance, number) for number in range(40)])
    changed.note_all()
    changed.renew()
    assert difference(connection) == []
    assert connection.execute("select count(*) > 3 from callsync.repeat_callers").fetchall() == [(True,)]
