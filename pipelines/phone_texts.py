"""What stands where a provider writes a number: a number, a short one, a SIP address, or that none is told.

    "Lan" <sip:+84912345678;ext=12@pbx.example>
    └─┬─┘      └─────┬────┘ └─┬──┘ └────┬────┘
    display name   number  parameters  server         only the number counts

The kinds a text can have:

withheld
    Nobody is told who it was: words such as Anonymous or Private Number, "0", "-1", a text of neither letter
    nor digit. Callers of this kind are not one caller.
short
    Up to six digits, `*` and `#` among them: a short code (113) or an extension (101). The number alone does
    not tell which, and neither has an E.164.
sip
    A SIP address whose user part is a name, an extension or an account. A user part that is a number written
    in full (`sip:+84912345678@host`, `0912345678@host`) is that number, whatever the server.
unknown
    Anything else that the library does not call valid. Nothing is corrected: Vietnam's mobile numbers of
    eleven digits (016…) are unknown, although each has a successor. Letters are never digits.
masked
    `+84******78`, a number of which nobody kept all. It may be many a caller's, so it counts as withheld.
hashed
    `#VN:mobile:…`, what `phone_privacy = hash` keeps of a number: its region and kind, and a keyed hash,
    which takes the place of its E.164.
mobile, fixed_line, toll_free, …
    A valid number. An extension behind it (`;ext=12`, `x12`) has no place in its E.164.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple
from urllib.parse import unquote

from pipelines.numbering_plan import FEWEST_DIGITS_WITHOUT_PLUS, plan_of
from sources.shaping.privacy import HASHED

LONGEST_SHORT = 6
"""Digits: extensions and short codes have up to this many, subscriber numbers more."""

_PLAIN = re.compile(rf"\+?[0-9]{{{LONGEST_SHORT + 1},}}")
_SHORT = re.compile(rf"[0-9*#]{{1,{LONGEST_SHORT}}}")
_DIALLED = re.compile(r"\+?[0-9]+")
_SEPARATORS = str.maketrans("", "", " \t\r\n.-()[]/~")
_EXTENSION = re.compile(r"(?:extn?|extension|x|#)[.:=]?[0-9]{1,7}\Z", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"<([^<>]*)>[^<>]*\Z")
_SCHEME = re.compile(r"\s*(?:(sips?)|tel|callto):", re.IGNORECASE)
_CONTEXT = re.compile(r"phone-context=(\+[0-9]+)", re.IGNORECASE)
_PRIVATE_HOST = "anonymous.invalid"
"""The host of a caller who asks for privacy (RFC 3323, 4.1.1.3)."""

_NO_NUMBER = re.compile(
    # A database's way to say none, and zeros; three of them call Australia's emergency services.
    r"-[0-9]|\+?(?:0{1,2}|0{4,})"
    # The keys that spell ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE on a telephone.
    r"|\+(?:266696687|7378742833|2562533|8656696|86282452253)"
)
_WITHHELD = {
    *("anonymous", "private", "restricted", "unavailable", "unknown", "withheld", "blocked", "hidden"),
    *("undisclosed", "unidentified", "suppressed", "unlisted", "undefined", "none", "null", "nil", "nan"),
    *("na", "n", "no", "not", "ẩn", "riêng", "không"),
}
_BESIDE_WITHHELD = {
    *("number", "caller", "callerid", "id", "call", "name", "a", "available"),
    *("số", "danh", "tư", "rõ", "xác", "định", "có"),
}
_WORD = re.compile(r"[^\W\d_]+")
_MASKED = re.compile(r"(?:\+[0-9]{1,3})?\*{4,}[0-9]{0,2}")
_WITHOUT_E164 = ("withheld", "short", "sip", "unknown")


class PhoneNumber(NamedTuple):
    """What is known of a raw number; `e164` and `region` only where the library calls it valid."""

    number: str
    e164: str | None
    region: str | None
    kind: str
    is_valid: bool


def read(number: str, default_region: str) -> PhoneNumber:
    """A raw number as it is understood where `default_region` is dialled from."""
    plan = plan_of(default_region)
    kind = ""
    # Most are digits and nothing else.
    found = plan.read(number) if (is_plain := _PLAIN.fullmatch(number)) else None
    if found is None:
        if hashed := HASHED.fullmatch(number):
            region, kind = hashed.groups()
            is_valid = kind not in _WITHOUT_E164
            return PhoneNumber(number, number if is_valid else None, region or None, kind, is_valid)
        kind, digits = _apart(number)
        if digits and not is_plain:
            found = plan.read(digits)
    if found is None:
        return PhoneNumber(number, None, None, kind, False)
    return PhoneNumber(number, *found, True)


def _apart(number: str) -> tuple[str, str]:
    """The kind of a text unless its digits are a valid number, and these digits; empty: it has none."""
    text = _in_ascii(number).strip()
    if in_brackets := _IN_BRACKETS.search(text):
        text = in_brackets[1]
    scheme = _SCHEME.match(text)
    user, at, server = text[scheme.end() if scheme else 0 :].partition("@")
    user, _, parameters = unquote(user).partition(";")
    is_address = bool(at or (scheme and scheme[1]))
    if _is_withheld(user) or server.partition(";")[0].casefold().endswith(_PRIVATE_HOST):
        return "withheld", ""
    digits = _EXTENSION.sub("", user.translate(_SEPARATORS))
    if not digits or _SHORT.fullmatch(digits):
        return "sip" if is_address else "short", ""
    if not is_address:
        context = _CONTEXT.search(parameters)
        digits = f"{context[1]}{digits}" if context and digits[0] != "+" else digits
        return "unknown", digits if _DIALLED.fullmatch(digits) else ""
    is_server_alone = not at and "." in user
    is_full = digits[0] == "+" or len(digits) >= FEWEST_DIGITS_WITHOUT_PLUS
    return "sip", digits if is_full and not is_server_alone and _DIALLED.fullmatch(digits) else ""


def _is_withheld(user: str) -> bool:
    text = user.strip()
    if _NO_NUMBER.fullmatch(text) or _MASKED.fullmatch(text):
        return True
    if any(char.isdigit() for char in text):
        return False
    words = set(_WORD.findall(text.casefold()))
    return not words or bool(words & _WITHHELD and words <= _WITHHELD | _BESIDE_WITHHELD)


def _in_ascii(text: str) -> str:
    """Digits and signs of any script as ASCII has them, without marks that nobody sees; letters stay."""
    if text.isascii():
        return text
    return "".join(map(_sign_in_ascii, unicodedata.normalize("NFC", text)))


def _sign_in_ascii(sign: str) -> str:
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    category = unicodedata.category(sign)
    if category == "Cf":
        return ""
    if category == "Pd":
        return "-"
    return unicodedata.normalize("NFKC", sign) if category[0] in "PSZ" else sign
