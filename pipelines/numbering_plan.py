"""Digits to E.164 as the phonenumbers library reads them, those of the default region without its detours.

The library takes a number apart in many steps, each of which serves some country. For most regions its data
make the outcome of almost all numbers plain; then one regular expression made from the same data tells it:

    0 912345678   84 912345678   +84 912345678   912345678      trunk prefix, country code, neither
      └───────┴──────┬─────────────┴─────────────┘
                     national number: one alternative for each kind, in the library's order

Whatever this does not recognise, the library itself reads.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberDesc, PhoneNumberType

FEWEST_DIGITS_WITHOUT_PLUS = 10
"""A number that begins with another country's code and no plus has at least so many digits.

Shorter ones may be the account of a SIP server, or a national number of former times: `431234567`, Hanoi's
until 2017, would be somebody in Vienna.
"""

_KINDS = {
    PhoneNumberType.PREMIUM_RATE: "premium_rate",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal_number",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "universal_access",
    PhoneNumberType.VOICEMAIL: "voicemail",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_line_or_mobile",
    PhoneNumberType.FIXED_LINE: "fixed_line",
    PhoneNumberType.MOBILE: "mobile",
}


class Valid(NamedTuple):
    """A number that the library calls valid; the region of one that belongs to no country is 001."""

    e164: str
    region: str | None
    kind: str


def by_library(digits: str, region: str) -> Valid | None:
    """What the library says of digits, a plus before them or not, as dialled in a region."""
    candidates = [digits]
    if len(digits) >= FEWEST_DIGITS_WITHOUT_PLUS and digits[0] not in "+0":
        candidates.append(f"+{digits}")
    for candidate in candidates:
        try:
            parsed = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        kind = phonenumbers.number_type(parsed)
        # The library calls a number valid exactly when it knows its kind; asking both costs as much again.
        if kind != PhoneNumberType.UNKNOWN:
            return Valid(
                phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164),
                phonenumbers.region_code_for_number(parsed),
                _KINDS[kind],
            )
    return None


class NumberingPlan:
    """How numbers are dialled in a region."""

    def __init__(self, region: str) -> None:
        self.region = region
        metadata = PhoneMetadata.metadata_for_region(region)
        general = metadata.general_desc if metadata else None
        self._kinds: re.Pattern[str] | None = None
        if metadata and general and _is_plain(metadata):
            self._kinds = _kinds_of(metadata, general)
            self._code = str(metadata.country_code)
            self._international = f"+{metadata.country_code}"
            self._abroad = metadata.international_prefix or self._international
            self._trunk = metadata.national_prefix_for_parsing or self._international
            self._longest = max((*general.possible_length, *general.possible_length_local_only))

    def read(self, digits: str) -> Valid | None:
        """What `by_library` says of ASCII digits, a plus before them or not."""
        return self._plainly(digits) or by_library(digits, self.region)

    def _plainly(self, digits: str) -> Valid | None:
        if self._kinds is None:
            return None
        if digits.startswith(self._international):
            national = digits[len(self._international) :]
        elif digits.startswith(self._abroad):
            return None
        elif digits.startswith(self._code):
            # Only what is too long for a national number surely begins with the country's code.
            if len(digits) <= self._longest or digits.startswith(self._trunk):
                return None
            national = digits[len(self._code) :]
        else:
            national = digits.removeprefix(self._trunk)
        if national.startswith(("0", self._trunk)):
            return None
        found = self._kinds.fullmatch(national)
        if found is None or found.lastgroup is None:
            return None
        return Valid(f"{self._international}{national}", self.region, found.lastgroup)


@lru_cache(maxsize=8)
def plan_of(region: str) -> NumberingPlan:
    """The plan of a region, made once: its expression takes some milliseconds to compile."""
    return NumberingPlan(region)


@lru_cache(maxsize=8)
def without_plus(region: str) -> re.Pattern[str] | None:
    """What every valid number of a region's country matches that is written without a plus.

    It tells at once most digits that are none; None where numbers have further things before them. What
    follows the prefix of calls abroad is left open.
    """
    metadata = PhoneMetadata.metadata_for_region(region)
    trunk = (metadata and metadata.national_prefix_for_parsing) or ""
    if not metadata or metadata.national_prefix_transform_rule or not (trunk.isdecimal() or not trunk):
        return None
    alike = map(
        PhoneMetadata.metadata_for_region,
        phonenumbers.region_codes_for_country_code(metadata.country_code or 0),
    )
    kinds = (_kinds_of(each, each.general_desc).pattern for each in alike if each and each.general_desc)
    national = "|".join(re.sub(r"\?P<\w+>", "?:", kind) for kind in kinds)
    abroad = rf"(?:{metadata.international_prefix})[0-9]*|" if metadata.international_prefix else ""
    return re.compile(rf"{abroad}(?:{metadata.country_code})?(?:{trunk}){{0,2}}(?:{national})")


def _is_plain(metadata: PhoneMetadata) -> bool:
    """Whether the region has a country code of its own, and nothing but plain digits before its numbers."""
    prefixes = (metadata.international_prefix, metadata.national_prefix_for_parsing)
    return (
        len(phonenumbers.region_codes_for_country_code(metadata.country_code or 0)) == 1
        and all(prefix is None or prefix.isdecimal() for prefix in prefixes)
        and not metadata.national_prefix_transform_rule
    )


def _kinds_of(metadata: PhoneMetadata, general: PhoneNumberDesc) -> re.Pattern[str]:
    """National numbers, a named group for each kind, of which the first that fits counts."""
    fixed, mobile = metadata.fixed_line, metadata.mobile
    alternatives: dict[int, str | None] = {
        PhoneNumberType.PREMIUM_RATE: _expression(metadata.premium_rate),
        PhoneNumberType.TOLL_FREE: _expression(metadata.toll_free),
        PhoneNumberType.SHARED_COST: _expression(metadata.shared_cost),
        PhoneNumberType.VOIP: _expression(metadata.voip),
        PhoneNumberType.PERSONAL_NUMBER: _expression(metadata.personal_number),
        PhoneNumberType.PAGER: _expression(metadata.pager),
        PhoneNumberType.UAN: _expression(metadata.uan),
        PhoneNumberType.VOICEMAIL: _expression(metadata.voicemail),
    }
    if metadata.same_mobile_and_fixed_line_pattern:
        alternatives[PhoneNumberType.FIXED_LINE_OR_MOBILE] = _expression(fixed)
    else:
        alternatives[PhoneNumberType.FIXED_LINE_OR_MOBILE] = _both(fixed, mobile)
        alternatives[PhoneNumberType.FIXED_LINE] = _expression(fixed)
        alternatives[PhoneNumberType.MOBILE] = _expression(mobile)
    named = "|".join(f"(?P<{_KINDS[kind]}>{text})" for kind, text in alternatives.items() if text)
    return re.compile(f"(?=(?:{_expression(general)})\\Z)(?:{named})")


def _both(one: PhoneNumberDesc | None, other: PhoneNumberDesc | None) -> str | None:
    left, right = _expression(one), _expression(other)
    return f"(?=(?:{left})\\Z){right}" if left and right else None


def _expression(numbers: PhoneNumberDesc | None) -> str | None:
    """Numbers of the possible lengths that match the pattern; None where there are none."""
    if numbers is None or not numbers.national_number_pattern:
        return None
    lengths = "|".join(f"[0-9]{{{length}}}" for length in numbers.possible_length)
    ahead = f"(?=(?:{lengths})\\Z)" if lengths else ""
    return f"{ahead}(?:{numbers.national_number_pattern})"
