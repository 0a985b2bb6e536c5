"""Numbers inside texts: of which record they are known, and which spellings are found."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import privacy
from sources.etelecom.fields import CALL_LOGS
from sources.shaping import Privacy, Shaped, concat, digest, shape
from sources.shaping.privacy import private_payload

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


def private(text: str, region: str = "VN", setting: str = "hash") -> str:
    """What is kept of a text that stands in a rejected record, where no column tells what it is."""
    payload = json.dumps({"note": text}).encode()
    return str(json.loads(private_payload(kept(setting, region), CALL_LOGS, payload))["note"])


BRACKETS = str.maketrans("", "", "()[]")


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


# Spellings that are found, with nothing else of the record to know them by

MOBILE = (
    "0912345678", "0912 345678", "0912-345678", "091 2345678", "0912 345 678", "0912.34.56.78",
    "0912-34-56-78", "0912345.678", "0912 - 345 - 678", "0912/345/678", "0912_345_678", "0912,345,678",
    "0912\u2013345\u2013678", "0912\u00a0345\u00a0678", "0912\u200b345678", "0 912 345 678",
    "09 12 34 56 78", "0 9 1 2 3 4 5 6 7 8", "84912345678", "84 912345678", "84-912345678", "84.912.345.678",
    "+84 912345678", "(+84)912345678", "(+84) 912 345 678", "+84-91-234-5678", "+84 (0)912 345 678",
    "+84 (0) 912 345 678", "0084 912 345 678",
    "０９１２３４５６７８", "＋８４９１２３４５６７８", "٠٩١٢٣٤٥٦٧٨",
)  # fmt: skip
LANDLINE = (
    "024 38223344", "(024) 38223344", "(024)38223344", "024-38223344", "024.38223344", "024 - 3822 3344",
    "(024) 3822-3344", "024-3822-3344", "+84 24 38223344", "+84-24-3822-3344", "+84.24.3822.3344",
    "(84-24) 3822 3344", "84-24-3822-3344", "[024] 3822.3344",
)  # fmt: skip
WITHOUT_ZERO = {
    "US": ("2125551234", [
        "2125551234", "(212) 555-1234", "212-555-1234", "212.555.1234", "+1 212 555 1234", "1-212-555-1234",
        "(212)5551234",
    ]),
    "SG": ("91234567", ["91234567", "9123 4567", "9123-4567", "+65 9123 4567"]),
    "RU": ("+79123456789", ["8 (912) 345-67-89", "8-912-345-67-89", "+7 912 345 67 89"]),
    "ES": ("612345678", ["612 345 678", "612 34 56 78", "(34) 612345678"]),
}  # fmt: skip
SPELLED = [
    *(("VN", "0912345678", text) for text in MOBILE),
    *(("VN", "02438223344", text) for text in LANDLINE),
    *((region, number, text) for region, (number, texts) in WITHOUT_ZERO.items() for text in texts),
]


@pytest.mark.parametrize(("region", "number", "text"), SPELLED)
@pytest.mark.parametrize(
    "around", ["{}", "call {} back", "call:{}, please", "({}).", "at 08:30 {} and 09:00"]
)
def test_a_number_is_found_however_it_is_spelled(region: str, number: str, text: str, around: str) -> None:
    found = private(around.format(text), region)
    expected = around.format(kept("hash", region).number(number))
    # Brackets around a number may go with it.
    assert found.translate(BRACKETS) == expected.translate(BRACKETS)


def test_numbers_one_after_the_other_are_found_each() -> None:
    one, other = (kept("hash").number(number) for number in ("0912345678", "02438223344"))
    for between in (" ", ", ", "/", "; ", " - ", "\n", "-", " ext. 12, "):
        assert private(f"0912 345 678{between}(024) 38223344") == f"{one}{between}{other}"


# What stays

FIGURES = (
    "2026-01-31 08:00:00", "2026-01-31T08:00:00.123456+07:00", "20260131T080000Z", "09-08-2026 12:30",
    "31/01/2026 08h30", "08:30 09/08/2026", "09.08.26 12 h", "9/8/2026 12345", "20260131 080000",
    "1.234.567", "1,234,567,890.50 VND", "912.345.678", "2,125,551,234", "0.912345678", "0,2438223344",
    "10.762622, 106.660172", "912345.67", "192.168.100.200", "91.23.45.67", "1751276083", "1751276083000",
    "300620261554430000197601", "7f0912345678abcdef0912345678abcd", "123e4567-e89b-42d3-a456-091234567800",
    "12 of 345, 678 and 90", "1-2-3-4-5-6-7", "order 77-91234567", "#91234567", "T91234567", "912345678",
    "113", "+84******84 12345678", "%0912345", "1900 6360",
)  # fmt: skip


@pytest.mark.parametrize("region", ["VN", "SG"])
@pytest.mark.parametrize("text", FIGURES)
def test_a_figure_stays_what_it_is(text: str, region: str) -> None:
    assert private(text, region) == text
    assert private(f"it was {text}, they say", region) == f"it was {text}, they say"


@given(st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31)), st.sampled_from(["VN", "US", "SG", "ES"]))
def test_a_time_is_no_number(at: datetime, region: str) -> None:
    for form in ("%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d.%m.%y %H:%M", "%Y%m%d"):
        assert private(at.strftime(form), region) == at.strftime(form)


@given(st.integers(0, 10**12), st.sampled_from([".", ","]))
def test_an_amount_is_no_number_unless_it_begins_with_the_countrys_code(amount: int, by: str) -> None:
    text = f"{amount:,}".replace(",", by)
    assert private(text) == text or text.startswith("84")


@pytest.mark.parametrize("value", [2125551234, 212555.1234, 9.1234567, [2125551234]])
def test_a_json_number_is_an_id_or_a_figure_unless_its_name_says_otherwise(value: Any) -> None:
    found = shaped([log(1, more={"seen": value, "order_id": "2125551234", "phone": 2125551234})], region="US")
    extra = json.loads(found.tables["call_logs"].column("extra").to_pylist()[0])["more"]
    number = kept("hash", "US").number("2125551234")
    assert extra == {"seen": value, "order_id": "2125551234", "phone": number}


@pytest.mark.slow
@pytest.mark.parametrize("part", ["0", "0 ", "09 (12) ", "1.234."])
def test_a_long_text_is_gone_through_once(part: str) -> None:
    text = (part * 1_000_000)[:1_000_000]
    begun = time.process_time()
    private(text)
    assert time.process_time() - begun < 60


@given(
    st.text(st.sampled_from("0123456789+ -./_,():%84ab*"), max_size=60), st.sampled_from(["VN", "SG", "US"])
)
def test_what_was_kept_of_a_text_once_is_kept_as_it_is(text: str, region: str) -> None:
    for setting in ("mask", "hash"):
        once = private(text, region, setting)
        assert private(once, region, setting) == once
