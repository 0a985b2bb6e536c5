"""What providers and exchanges write where a number belongs, and what it is."""

from __future__ import annotations

import unicodedata

import pytest

from pipelines.phone_texts import read

MOBILE = "+84912345678"


@pytest.mark.parametrize(
    "text",
    [
        "0912345678",
        "+84912345678",
        "84912345678",
        "912345678",
        "0084912345678",
        " 0912 345-678 ",
        "(+84) 912.345.678",
        "+84 (0)912 345 678",
        "tel:+84912345678",
        "tel:0912345678;phone-context=+84",
        "TEL:0912345678",
        "<0912345678>",
        "0912345678;ext=12",
        "0912345678x12",
        "0912345678 ext. 12",
        "0912345678#12",
    ],
)
def test_a_vietnamese_mobile_number_however_it_is_written(text: str) -> None:
    assert read(text, "VN") == (text, MOBILE, "VN", "mobile", True)


@pytest.mark.parametrize(
    "text",
    [
        "０９１２３４５６７８",
        "＋84912345678",
        "٠٩١٢٣٤٥٦٧٨",
        "0912–345–678",
        "\N{NO-BREAK SPACE}0912\N{NO-BREAK SPACE}345678",
        "\N{LEFT-TO-RIGHT EMBEDDING}+84912345678\N{POP DIRECTIONAL FORMATTING}",
    ],
)
def test_digits_and_signs_of_other_scripts_and_what_copying_leaves_around_them(text: str) -> None:
    assert read(text, "VN").e164 == MOBILE


@pytest.mark.parametrize(
    ("text", "e164", "region", "kind"),
    [
        ("02471001001", "+842471001001", "VN", "fixed_line"),
        ("842871002002", "+842871002002", "VN", "fixed_line"),
        ("1800599920", "+841800599920", "VN", "toll_free"),
        ("18001234", "+8418001234", "VN", "toll_free"),
        ("1900636001", "+841900636001", "VN", "premium_rate"),
        ("19001234", "+8419001234", "VN", "premium_rate"),
        ("+12025550123", "+12025550123", "US", "fixed_line_or_mobile"),
        ("12025550123", "+12025550123", "US", "fixed_line_or_mobile"),
        ("6561234567", "+6561234567", "SG", "fixed_line"),
        ("+80012345678", "+80012345678", "001", "toll_free"),
    ],
)
def test_hotlines_landlines_and_numbers_of_other_countries(
    text: str, e164: str, region: str, kind: str
) -> None:
    assert read(text, "VN") == (text, e164, region, kind, True)


@pytest.mark.parametrize(
    "text",
    [
        "01652345678",  # a mobile number of eleven digits, replaced in 2018
        "841652345678",
        "0431234567",  # Hanoi until 2017
        "431234567",  # the same without its 0; with a plus it would be somebody in Vienna
        "19001234567",
        "9" * 40,
        "+113",
        "#31#0912345678",
        "0912345678/0912345679",
        "agent02",
        "agent0912345678",
        "Call 0912345678",
        "1800FLOWERS",
        "0912345abc",
    ],
)
def test_what_is_no_valid_number_is_not_guessed_into_one(text: str) -> None:
    assert read(text, "VN") == (text, None, None, "unknown", False)


@pytest.mark.parametrize(
    "text", ["101", "113", "114", "115", "1080", "840912", "*98", "*100#", "ext 12", "000"]
)
def test_short_codes_and_extensions(text: str) -> None:
    assert read(text, "VN") == (text, None, None, "short", False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "0",
        "00",
        "0000000000",
        "+0000000000",
        "-1",
        "+",
        "-",
        "?",
        "☎",
        "n/a",
        "none",
        "anonymous",
        "Anonymous",
        "private",
        "PRIVATE NUMBER",
        "restricted",
        "unavailable",
        "hidden",
        "unknown",
        "Unknown Caller",
        "number_withheld",
        "No Caller ID",
        "Số ẩn",
        unicodedata.normalize("NFD", "Số ẩn"),
        "không xác định",
        "+266696687",
        "Anonymous <anonymous>",
        '"Anonymous" <sip:anonymous@anonymous.invalid>',
        "sip:anonymous@anonymous.invalid",
        "sip:c8oqz84zk7z@anonymous.invalid",
        "SIP:Anonymous@10.0.0.1:5060",
        "restricted@pbx.example",
        "sip:0@pbx.example",
    ],
)
def test_a_number_that_nobody_is_told(text: str) -> None:
    assert read(text, "VN") == (text, None, None, "withheld", False)


@pytest.mark.parametrize(
    "text",
    [
        "sip:+84912345678@pbx.example",
        "sips:84912345678@pbx.example",
        "sip:0912345678@203.0.113.7:5060",
        "sip:%2B84912345678@pbx.example",
        "sip:+84912345678;ext=12@pbx.example;user=phone",
        '"Lan" <sip:+84912345678@pbx.example>;tag=as58f4201b',
        '"Anonymous" <sip:+84912345678@pbx.example>',
        "84912345678@pbx.example",
        "sip:+84912345678",
    ],
)
def test_a_number_written_in_full_in_a_sip_address_is_that_number(text: str) -> None:
    assert read(text, "VN") == (text, MOBILE, "VN", "mobile", True)


@pytest.mark.parametrize(
    "text",
    [
        "sip:101@pbx.example",
        "sip:912345678@pbx.example",  # nine digits are as likely an account
        "sip:01652345678@pbx.example",
        "sip:agent02@pbx.example",
        "agent@example.com",
        "sip:pbx.example",
        "sip:192.168.100.100",
    ],
)
def test_any_other_sip_address_is_no_number(text: str) -> None:
    assert read(text, "VN") == (text, None, None, "sip", False)


def test_the_default_region_decides_only_about_numbers_without_a_country() -> None:
    assert read("0912345678", "US").kind == "unknown"
    assert read("2025550123", "US").e164 == read("2025550123", "CA").e164 == "+12025550123"
    assert read("2025550123", "VN").e164 is None
    for region in ("VN", "US", "GB"):
        assert read("+84912345678", region).e164 == read("84912345678", region).e164 == MOBILE


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("0612345678", "IT", "+390612345678"),  # the zero is part of an Italian number
        ("89161234567", "RU", "+79161234567"),  # the trunk prefix is 8
        ("011 15-2345-6789", "AR", "+5491123456789"),  # 15 within the country is 9 from abroad
    ],
)
def test_regions_whose_rules_are_no_plain_prefixes(text: str, region: str, e164: str | None) -> None:
    assert read(text, region).e164 == e164
