"""Numbers inside texts: of which record they are known, and which spellings are found."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import privacy
from sources.etelecom.fields import CALL_LOGS
from sources.shaping import Privacy, Shaped, concat, digest, shape

ABROAD = "79031234567"
"""Written so, nobody in Vietnam can tell it from another thing; beside a call of this number it is one."""


def kept(setting: str, region: str = "VN") -> Privacy:
    found = privacy.of(setting, region, "0123456789abcdef")
    assert found is not None
    return found


def log(number: int, **more: Any) -> bytes:
    at = "2026-06-30T08:00:00Z"
    return json.dumps(
        {"id": str(number), "started_at": at, "caller": "101", "callee": "102", "note": "", **more}
    ).encode()


def shaped(records: list[bytes], setting: str = "hash", region: str = "VN") -> Shaped:
    return shape(CALL_LOGS, records, account="main", zone="UTC", privacy=kept(setting, region))


def notes(records: list[bytes], setting: str = "hash", region: str = "VN") -> list[str]:
    return list(shaped(records, setting, region).tables["call_logs"].column("note").to_pylist())


# Whose numbers a text is searched for


@pytest.mark.parametrize("setting", ["mask", "hash"])
@pytest.mark.parametrize(
    "own",
    [{"caller": ABROAD}, {"call_targets": [{"target_number": "102"}, {"target_number": ABROAD}]}],
    ids=["in its row", "in a child"],
)
def test_a_text_is_searched_for_the_numbers_of_its_own_record(setting: str, own: dict[str, Any]) -> None:
    asks = f"asks {ABROAD} back"
    found = shaped(
        [log(1, note=asks, recording_urls=[f"https://rec.example/{ABROAD}.wav"], **own), log(2, note=asks)],
        setting,
    )
    number = kept(setting).number(ABROAD)
    assert found.tables["call_logs"].column("note").to_pylist() == [f"asks {number} back", asks]
    assert found.tables["call_logs__recording_urls"].column("value").to_pylist() == [
        f"https://rec.example/{number}.wav"
    ]


NUMBERS = st.sampled_from(["101", ABROAD, "0912345678", "+84912345678", "4312345678", "1234567"])
TEXTS = st.lists(st.sampled_from(["call", ABROAD, "912345678", "12345-67", "4312345678"])).map(" ".join)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {"caller": NUMBERS, "note": st.none() | TEXTS},
        optional={"more": st.fixed_dictionaries({"phone": NUMBERS, "said": TEXTS}), "call_targets": st.lists(
            st.fixed_dictionaries({"target_number": NUMBERS, "end_reason": TEXTS}), max_size=3
        )},
    ),
    min_size=2,
    max_size=3,
)  # fmt: skip


@given(records=RECORDS, cut=st.integers(1, 2), setting=st.sampled_from(["mask", "hash"]))
def test_a_record_becomes_the_same_whatever_is_shaped_beside_it(
    records: list[dict[str, Any]], cut: int, setting: str
) -> None:
    wire = [log(number, **record) for number, record in enumerate(records, 1)]
    together = shaped(wire, setting)
    parts = [shaped(part, setting) for part in (wire[:cut], wire[cut:])]
    assert digest(concat(CALL_LOGS, parts)) == digest(together)
    for name, table in together.tables.items():
        apart = pa.concat_tables([shaped([record], setting).tables[name] for record in wire])
        assert apart.to_pylist() == table.to_pylist()
