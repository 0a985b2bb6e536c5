"""The relations as a whole: their columns, an empty warehouse, and a number's E.164 form."""

import pytest

from pipelines import views
from tests.sql.warehouse import Warehouse, relations, utc

WITHOUT_A_FILE = {*views.KEPT, *(f"intermediate.{entity}" for entity in views.STACKED)}

CONTRACT_COLUMNS = [
    "call_id",
    "provider",
    "account",
    "provider_call_id",
    "started_at",
    "answered_at",
    "ended_at",
    "direction",
    "outcome",
    "is_answered",
    "is_missed",
    "from_number",
    "to_number",
    "from_e164",
    "to_e164",
    "hotline_number",
    "agent_id",
    "ring_seconds",
    "talk_seconds",
    "total_seconds",
    "cost",
    "currency",
    "leg_count",
    "recording_count",
]


def test_calls_have_the_published_columns_in_order() -> None:
    described = Warehouse().rows("describe reporting.calls")
    assert [row["column_name"] for row in described] == CONTRACT_COLUMNS


@pytest.mark.parametrize("entity", views.STACKED)
def test_staging_is_alike_for_every_provider(entity: str) -> None:
    warehouse = Warehouse()
    shapes = {
        tuple((row["column_name"], row["column_type"]) for row in warehouse.rows(f"describe {name}"))
        for name in relations()
        if name.startswith("staging.") and name.endswith(f"__{entity}")
    }
    assert len(shapes) == 1


@pytest.mark.parametrize("name", relations())
def test_an_empty_warehouse_answers_with_no_rows(name: str) -> None:
    assert Warehouse().rows(f"select * from {name}") == []


@pytest.mark.parametrize("name", sorted(relations().keys() - WITHOUT_A_FILE))
def test_every_relation_says_first_what_a_row_is(name: str) -> None:
    assert relations()[name].startswith("-- Grain: one row a")


def test_numbers_are_shown_in_e164_where_known() -> None:
    warehouse = Warehouse()
    warehouse.insert("callsync.phone_numbers", number="0909123456", e164="+84909123456", is_valid=True)
    warehouse.insert(
        "etelecom.call_logs",
        account="hanoi",
        id="1",
        caller="0909123456",
        callee="19001234",
        direction="in",
        started_at=utc("2026-03-02T01:00:00"),
    )
    call = warehouse.one("reporting.calls", "from_e164", "to_e164")
    assert call == {"from_e164": "+84909123456", "to_e164": None}
