"""What the shell of `callsync sql` suggests; `|` is the cursor."""

from __future__ import annotations

import duckdb
import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from pipelines import completion, shell

CATALOGUE = completion.Catalogue(
    {
        "reporting.calls": {"call_id": "varchar", "is_missed": "boolean"},
        "reporting.daily_calls": {"local_date": "date", "missed_calls": "bigint"},
        "callsync.rejects": {'"window"': "varchar", "call_id": "varchar"},
    },
    functions=("count", "countif", "sum"),
    keywords=("from", "select", "where", "window", "isnull"),
    reserved=frozenset({"from", "select", "where", "window"}),
)


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("sel|", ["select"]),
        ("SEL|", ["SELECT"]),
        ("select cou|", ["count", "countif"]),
        ("select * from |", ["reporting.calls", "reporting.daily_calls", "callsync.rejects"]),
        ("select * from rep|", ["reporting.calls", "reporting.daily_calls"]),
        ("select * from dai|", ["reporting.daily_calls"]),
        ("select * from reporting.calls, rej|", ["callsync.rejects"]),
        ("describe dai|", ["reporting.daily_calls"]),
        ("select * from reporting.|", ["calls", "daily_calls"]),
        ("select * from reporting.calls.|", ["call_id", "is_missed"]),
        ("select c.| from reporting.calls as c", ["call_id", "is_missed"]),
        ("select calls.is| from reporting.calls", ["is_missed"]),
        ("select d.m| from reporting.calls c join reporting.daily_calls d", ["missed_calls"]),
        ("select is| from reporting.calls", ["is_missed", "isnull"]),
        ("select mis|", ["missed_calls"]),
        ("select * from callsync.rejects where w|", ['"window"', "where", "window"]),
        ("with late as (select 1) select * from la|", ["late"]),
        ("select 1; sel|", ["select"]),
        ("select * from reporting.calls where call_id = 'sel|", []),
        ("select 'it''s', sel|", ["select"]),
        ("select 1 -- sel|", []),
        ("select 1 /* sel|", []),
        ("select 1 -- why\n sel|", ["select"]),
        ("select (|", []),
    ],
)
def test_what_is_suggested_at_the_cursor(typed: str, suggested: list[str]) -> None:
    before, after = typed.split("|")
    found = completion.suggest(CATALOGUE, before, after, asked=False)
    assert [each.text for each in found] == suggested


def test_all_is_suggested_to_who_asks_for_it() -> None:
    found = [each.text for each in completion.suggest(CATALOGUE, "select ")]
    assert found[:4] == ["call_id", "is_missed", "local_date", "missed_calls"]
    assert {"select", "count"} < set(found)


def test_the_catalogue_is_that_of_the_database() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema reporting; create schema callsync; create schema staging;
            create view staging.stg_calls as select 1 as call_id;
            create table callsync.rejects ("window" integer);
            create table callsync._dlt_loads (load_id integer);
            create view reporting.calls as select * from staging.stg_calls;
            """
        )
        catalogue = completion.read(connection)
    assert list(catalogue.relations) == ["reporting.calls", "callsync.rejects", "staging.stg_calls"]
    assert catalogue.relations["callsync.rejects"] == {'"window"': "integer"}
    assert {"count", "date_trunc"} < set(catalogue.functions)
    assert catalogue.keywords[-1] not in catalogue.reserved


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        (".t", [".tables", ".timer"]),
        (".schema rej", ["callsync.rejects"]),
        (".schema reporting.d", ["daily_calls"]),
        (".format ", ["table", "csv", "json"]),
        (".timer o", ["on", "off"]),
        (".once f", []),
        ("select * from call", ["reporting.calls", "callsync.rejects"]),
        ("  select * from dai", ["reporting.daily_calls"]),
    ],
)
def test_the_completer_completes_commands_and_questions(typed: str, suggested: list[str]) -> None:
    completer = completion.WordCompleter(lambda: CATALOGUE, shell.COMMANDS)
    found = completer.get_completions(Document(typed), CompleteEvent(completion_requested=True))
    assert [each.text for each in found] == suggested
