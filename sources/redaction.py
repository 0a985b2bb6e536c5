"""Secrets and phone numbers out of texts that people read, in every form a server may repeat them in."""

from __future__ import annotations

import base64
import json
import re
from functools import lru_cache
from urllib.parse import quote, quote_plus

from sources.printing import CUT
from sources.shaping.spelled import without_digits

SHORTEST_TRACE = 8
"""So many first letters of a secret, cut off by the length of a message, are blacked out as well."""

LONG_ENOUGH = 20
"""A secret of so many letters stands nowhere by chance; a shorter one (a password, a name) may be data."""

SHORTEST = 4
"""What is shorter is no secret, and its letters stand in any text."""

FEWEST_DIGITS = 9
"""A number in an error has at least so many, whatever its country: what has fewer is a code or a count."""

BLACK = "***"

_TOKEN = re.compile(
    # A JSON Web Token, whoever made it: tokens that were renewed meanwhile are known to nobody any more.
    r"eyJ[\w-]{6,}(?:\.[\w-]*){0,2}|(?<=Bearer )[\w.~+/=-]{8,}",
    re.ASCII,
)


def redacted(text: str, secrets: tuple[str, ...]) -> str:
    """An error's text without any secret and without phone numbers: errors are stored, and sent around.

    Of what a provider says any 9 to 15 digits may be a number, also with a sign between; dates, times and
    internet addresses are none. What is our own, such as a window, is added to a text after this.
    """
    for form in _forms(secrets):
        text = text.replace(form, BLACK)
        cut = text.removesuffix(CUT)
        traces = range(min(len(form), len(cut)), SHORTEST_TRACE - 1, -1) if cut != text else ()
        kept = next((len(cut) - length for length in traces if cut.endswith(form[:length])), len(cut))
        text = text if kept == len(cut) else f"{cut[:kept]}{BLACK}"
    # After the secrets, of which what is left of one without its digits would not be recognised.
    return without_digits(_TOKEN.sub(BLACK, text), "(number)", FEWEST_DIGITS)


def without_secrets(body: bytes, secrets: tuple[str, ...]) -> bytes:
    """An answer without our own long secrets: what a provider repeats of them is no data to store."""
    for form in _long_forms(secrets):
        if form in body:
            body = body.replace(form, BLACK.encode())
    return body


@lru_cache(maxsize=64)
def _long_forms(secrets: tuple[str, ...]) -> tuple[bytes, ...]:
    forms = {form for secret in secrets if len(secret) >= LONG_ENOUGH for form in _plain_forms(secret)}
    return tuple(form.encode() for form in sorted(forms, key=len, reverse=True))


@lru_cache(maxsize=64)
def _forms(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """The secrets as they are, and encoded: the longest first, so that no part is left of any."""
    forms = set()
    for secret in secrets:
        # A key of several lines may come in one, or line by line.
        lines = [line for line in secret.splitlines() if len(line) >= LONG_ENOUGH]
        for each in (each for each in (secret, *lines) if len(each) >= SHORTEST):
            forms |= _plain_forms(each)
            if len(each) >= SHORTEST_TRACE:
                forms |= _in_base64(each.encode())
    return tuple(sorted(forms, key=len, reverse=True))


def _plain_forms(secret: str) -> set[str]:
    in_json = json.dumps(secret)[1:-1]
    return {secret, in_json, in_json.replace("/", "\\/"), quote(secret, safe=""), quote_plus(secret)}


def _in_base64(secret: bytes) -> set[str]:
    """What a secret becomes in base64, wherever it stands in what was encoded: letters it alone decides."""
    forms = set()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret)
        first, last = -(-before * 8 // 6), (before + len(secret)) * 8 // 6
        core = encoded[first:last].decode()
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms
