"""Which texts name a time zone."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

NO_ZONE = "is no IANA time zone"


def is_zone(name: str) -> bool:
    """Whether the time zone database has a zone of that name.

    `ZoneInfo` opens whatever file stands under a name: a folder is an error of the system, and some files
    (`localtime`, `posixrules`, `right/…`) are zones to Python that DuckDB does not know.
    """
    return name in _names()


@cache
def _names() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())
