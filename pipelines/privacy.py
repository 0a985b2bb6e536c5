"""What is stored of persons' numbers: `[callsync] phone_privacy`, and that a warehouse keeps to one of them.

keep
    Numbers as they come.
mask
    `+84******78`: country code and last two digits. It may be many a caller's, so no report takes it for one.
hash
    `#VN:mobile:` and a hash of the number in E.164, keyed, so that nobody without the key finds a number by
    trying all of them. However a number is spelled it becomes the same text, and reports tell callers apart
    as before. What is not valid equals only itself, letter by letter.

What has fewer than seven digits is no subscriber's number and stays as it is: extensions, short codes, agents
by name, words for withheld. Hashes are written without digits, so what was kept once is never changed again.
"""

from __future__ import annotations

import hmac
import shutil
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from pipelines import warehouse
from sources.errors import ConfigError
from sources.shaping.privacy import Privacy
from sources.shaping.spelled import FEWEST_DIGITS, STARS

if TYPE_CHECKING:
    from pipelines.phone_texts import PhoneNumber

KEEP, MASK, HASH = SETTINGS = ("keep", "mask", "hash")
SHORTEST_KEY: Final = 16

FEWEST_DIGITS_ALONE: Final = 8
"""A national number that nothing but its validity tells from another figure has at least so many."""

_META = "phone_privacy"
"""Key in `callsync.meta`: under which setting the warehouse is filled, as `named`."""

_IN = " in "
"""Between a setting and its region."""

_HASH_BYTES = 12
"""So many that a billion numbers are expected to share none (2^96)."""

_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
"""A hash is written in letters, so that nothing in it is ever read as a number."""


def of(setting: str, region: str, key: str) -> Privacy | None:
    """What a setting keeps of numbers; None keeps all.

    Args:
        setting: one of `SETTINGS`.
        region: country of numbers that name none.
        key: of the hash.
    """
    if setting == KEEP:
        return None
    return Masked(region) if setting == MASK else Hashed(region, key)


class Masked:
    """Numbers by country code and last two digits.

    Args:
        region: country of numbers that name none.
    """

    def __init__(self, region: str) -> None:
        # The library's tables take a moment to load, and by default nobody needs them here.
        from pipelines import numbering_plan, phone_texts

        self._texts = phone_texts
        self._without_plus = numbering_plan.without_plus(region)
        self._region = region
        self._codes = ("+", "0", _country_code(region))
        self._is_without_zero = _trunk_prefix(region) != "0"

    def number(self, text: str) -> str:
        """What is kept of a text that stands where a number does."""
        if sum(map(str.isdecimal, text)) < FEWEST_DIGITS:
            return text
        found = self._texts.read(text, self._region)
        # A number that is withheld, beside a name that is one.
        return "anonymous" if found.kind == "withheld" else self._kept(text, found)

    def is_number(self, digits: str, stands_alone: bool) -> bool:
        """Whether digits found inside a text, a plus before them or not, are a number beyond doubt.

        They are valid, and begin as a number does: with a plus, a zero or the region's country code. Where
        no zero is dialled before national numbers, those count too that stand alone.
        """
        if digits[0] != "+" and self._without_plus and not self._without_plus.fullmatch(digits):
            return False
        if digits.startswith(self._codes):
            return self._texts.read(digits, self._region).is_valid
        if not (stands_alone and self._is_without_zero and len(digits) >= FEWEST_DIGITS_ALONE):
            return False
        e164 = self._texts.read(digits, self._region).e164
        return e164 is not None and e164.startswith(f"+{self._codes[-1]}")

    def spellings(self, text: str) -> Iterable[str]:
        """The digits as given, with the country's code, with a trunk zero, and with neither."""
        digits = "".join(char for char in text if char.isdecimal())
        if len(digits) < FEWEST_DIGITS:
            return ()
        found = {digits}
        if e164 := self._texts.read(text, self._region).e164:
            code = self._code_of(e164)
            national = e164[1:].removeprefix(code)
            found |= {e164[1:], national, f"0{national}"}
        return [each for each in found if len(each) >= FEWEST_DIGITS]

    def _code_of(self, e164: str) -> str:
        import phonenumbers

        # No country's code begins with another one.
        is_own = e164.startswith(f"+{self._codes[-1]}")
        return self._codes[-1] if is_own else str(phonenumbers.parse(e164).country_code)

    def _kept(self, text: str, found: PhoneNumber) -> str:
        code = f"+{self._code_of(found.e164)}" if found.e164 else ""
        last = "".join(str(unicodedata.decimal(char)) for char in text if char.isdecimal())[-2:]
        return f"{code}{STARS}{found.e164[-2:] if found.e164 else last}"


class Hashed(Masked):
    """Numbers by a keyed hash.

    Args:
        region: country of numbers that name none.
        key: of the hash.
    """

    def __init__(self, region: str, key: str) -> None:
        super().__init__(region)
        self._key = key.encode()

    def _kept(self, text: str, found: PhoneNumber) -> str:
        return f"#{found.region or ''}:{found.kind}:{_hash(self._key, found.e164 or text)}"


def named(setting: str, region: str, key: str) -> str:
    """A setting as the warehouse remembers it: with its region, and a check value of a hash's key.

    Numbers that name no country are kept as those of the region, and keys that are made of them follow.
    """
    if setting == KEEP:
        return setting
    checked = f" with key {_hash(key.encode(), 'callsync phone_privacy')[:12]}" if setting == HASH else ""
    return f"{setting}{_IN}{region}{checked}"


def settle(connection: duckdb.DuckDBPyConnection, wanted: str, working: Path) -> None:
    """See that a warehouse, opened for writing and with its own tables, is filled as before.

    Args:
        connection: the warehouse.
        wanted: the configured setting, as `named`.
        working: the directory for packages on their way; what an earlier file of the same name left there
            goes where the warehouse is new, because it may hold numbers otherwise.

    Raises:
        ConfigError: it is filled under another setting, region or key.
    """
    held = _held(connection, wanted)
    if held is None:
        shutil.rmtree(working, ignore_errors=True)
    _refuse_other(held, wanted)
    if warehouse.meta(connection, _META) != wanted:
        warehouse.remember(connection, _META, wanted)


def check(connection: duckdb.DuckDBPyConnection, wanted: str) -> None:
    """See that a warehouse, opened for reading, is filled as is configured.

    Raises:
        ConfigError: it is filled under another setting, region or key.
    """
    _refuse_other(_held(connection, wanted), wanted)


def _held(connection: duckdb.DuckDBPyConnection, wanted: str) -> str | None:
    """The setting of a warehouse, as `named`; None before its first run."""
    held = warehouse.meta(connection, _META)
    if held is None and connection.execute("select 1 from callsync.runs limit 1").fetchall():
        # It was filled before there was a choice.
        return KEEP
    if held == MASK:
        # It was filled before the region was remembered beside it; the views know that of the last run.
        return f"{MASK}{_IN}{_region_of_views(connection) or _region_of(wanted)}"
    return held


def _region_of_views(connection: duckdb.DuckDBPyConnection) -> str | None:
    try:
        found = connection.execute("select default_region from callsync.settings").fetchone()
    except (duckdb.CatalogException, duckdb.BinderException):
        return None
    return str(found[0]) if found else None


def _region_of(name: str) -> str:
    return name.partition(_IN)[2].split(" ")[0]


def _refuse_other(held: str | None, wanted: str) -> None:
    if held in (None, wanted):
        return
    was, now = str(held).split()[0], wanted.split()[0]
    if was != now:
        problem = f"phone_privacy = {was}, and {now} would not join it; set callsync.phone_privacy"
    elif (region := _region_of(str(held))) != _region_of(wanted):
        problem = f"default_region = {region}, which decides what is hidden; set callsync.default_region"
    else:
        problem = "another callsync.phone_hash_key; set it"
    raise ConfigError(
        f"the warehouse was filled with {problem} as it was, "
        "or name a new file under [destination.duckdb] and read everything again"
    )


def _hash(key: bytes, text: str) -> str:
    digest = hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")
    return digest[:_HASH_BYTES].hex().translate(_LETTERS)


def _country_code(region: str) -> str:
    import phonenumbers

    return str(phonenumbers.country_code_for_region(region))


def _trunk_prefix(region: str) -> str:
    import phonenumbers

    return phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) or ""
