"""What holds of every text: it is read, it is never guessed, and one number has one E.164."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import numbering_plan
from pipelines.numbering_plan import NumberingPlan, by_library, plan_of, without_plus
from pipelines.phone_texts import read

REGIONS = st.sampled_from(["VN", "US", "GB", "IT", "RU", "DE", "SG", "AR"])
DIALLED = st.text("0123456789", min_size=1, max_size=17)
TEXTS = st.one_of(
    st.text(),
    st.text("0123456789+- ().;=x#*@:<>", max_size=24),
    st.builds(
        "".join, st.lists(st.sampled_from(["sip:", "tel:", "+84", "0", "@host", ";ext=1", "<", ">", "09"]))
    ),
    DIALLED,
)
NATIONAL = st.one_of(
    st.from_regex(r"(9[0-8]|3[2-9]|7[06-9]|8[1-5])[0-9]{7}", fullmatch=True),
    st.from_regex(r"2[48][2-9][0-9]{7}", fullmatch=True),
    st.from_regex(r"1[89]00[0-9]{4,6}", fullmatch=True),
)
"""Vietnamese numbers without their 0 or 84: mobile, Hanoi and Saigon, hotlines."""

SPELLINGS = [
    "{}",
    "0{}",
    "84{}",
    "+84{}",
    "0084{}",
    "+84 (0) {}",
    "(+84){}",
    "tel:+84{}",
    "tel:0{};phone-context=+84",
    "sip:+84{}@pbx.example",
    '"Lan" <sip:84{}@pbx.example;user=phone>',
    "+84{};ext=3",
    "0{} x3",
]


@given(TEXTS, REGIONS)
def test_every_text_is_read_and_is_valid_only_if_the_library_says_so(text: str, region: str) -> None:
    found = read(text, region)
    assert found.number == text
    assert found.kind
    assert found.is_valid == (found.e164 is not None) == (found.region is not None)
    assert found.e164 is None or phonenumbers.is_valid_number(phonenumbers.parse(found.e164))


@given(TEXTS, REGIONS, REGIONS)
def test_an_e164_is_its_own_wherever_it_is_read(text: str, region: str, other: str) -> None:
    found = read(text, region)
    if found.e164 is not None:
        assert read(found.e164, other)[1:] == found[1:]


@given(NATIONAL)
def test_one_number_has_one_e164_however_it_is_spelt(national: str) -> None:
    valid = phonenumbers.is_valid_number(phonenumbers.parse(f"+84{national}"))
    found = {read(spelling.format(national), "VN").e164 for spelling in SPELLINGS}
    assert found == {f"+84{national}" if valid else None}


@given(st.data())
def test_the_plan_of_a_region_says_what_the_library_says(data: st.DataObject) -> None:
    region = data.draw(st.sampled_from(["VN", "VN", "VN", *sorted(phonenumbers.SUPPORTED_REGIONS)]))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    assert metadata is not None
    kinds = (metadata.mobile, metadata.fixed_line, metadata.toll_free, metadata.premium_rate, metadata.uan)
    likely = [numbers.example_number for numbers in kinds if numbers and numbers.example_number]
    number = data.draw(st.one_of(st.sampled_from(likely), DIALLED))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(number)))
        number = number[:place] + data.draw(st.sampled_from("0123456789")) + number[place + 1 :]
    prefixes = (str(metadata.country_code), metadata.national_prefix, metadata.international_prefix)
    dialled = [prefix for prefix in prefixes if prefix and prefix.isdigit()]
    before = "".join(data.draw(st.lists(st.sampled_from(dialled), max_size=2)))
    digits = data.draw(st.sampled_from(["", "+"])) + before + number
    assert plan_of(region).read(digits) == by_library(digits, region)


@pytest.mark.parametrize("digits", ["0912345678", "84912345678", "+84912345678", "912345678", "02471001001"])
def test_the_usual_numbers_are_read_without_the_librarys_detours(
    digits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(numbering_plan, "by_library")
    found = NumberingPlan("VN").read(digits)
    assert found is not None
    assert found.region == "VN"


@given(
    region=REGIONS,
    before=st.sampled_from(["", "0", "00", "8", "code", "code0", "code8"]),
    digits=st.text("0123456789", min_size=5, max_size=12),
)
def test_what_is_told_at_once_to_be_none_is_no_number_of_the_country(
    region: str, before: str, digits: str
) -> None:
    code = str(phonenumbers.country_code_for_region(region))
    written = before.replace("code", code) + digits
    found = by_library(written, region)
    if found and (written[0] == "0" or found.e164.startswith(f"+{code}")) and (plain := without_plus(region)):
        assert plain.fullmatch(written)
