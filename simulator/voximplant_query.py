"""What Voximplant's requests ask for: parameters, filters, and the error object of those that are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from simulator.instants import Zone
from simulator.ledger import Document
from simulator.provider import field_in, whole
from simulator.voximplant_records import FORM

MAX_COUNT = 1000
MAX_OFFSET = 10_000
MAX_IDS = 1000
DEFAULT_COUNT = 20

UNAUTHORIZED, UNKNOWN_COMMAND, BAD_PARAMETER = 100, 103, 104
"""Only 103 is known from public clients; the others stand for whatever the provider uses."""

PAGING = {
    "count",
    "offset",
    "desc_order",
    "with_calls",
    "with_records",
    "with_other_resources",
    "with_total_count",
    "cmd",
}
"""Parameters that choose a page or its contents, not the sessions."""


class VoximplantError(Exception):
    """An error object; it comes with HTTP 200."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def bounded(asked: Mapping[str, str], name: str, default: int, most: int) -> int:
    """A parameter as an integer from 0 to its documented maximum."""
    number = whole(asked[name]) if name in asked else default
    if number is None or not 0 <= number <= most:
        raise VoximplantError(
            BAD_PARAMETER, f"The '{name}' parameter is invalid, the maximum value is {most}"
        )
    return number


def flag(asked: Mapping[str, str], name: str, default: bool) -> bool:
    """A parameter as a truth value; clients write true, True or 1."""
    return asked[name].lower() in ("true", "1") if name in asked else default


def listed_values(asked: Mapping[str, str], name: str) -> list[str]:
    """The values of a parameter that takes a list."""
    return [part for part in asked.get(name, "").split(";") if part]


def local(asked: Mapping[str, str], name: str, zone: Zone) -> int | None:
    """A date in the zone of the request as an instant (microseconds UTC)."""
    try:
        return instant(asked[name], zone) if asked.get(name) else None
    except ValueError:
        raise VoximplantError(BAD_PARAMETER, f"The '{name}' parameter is invalid") from None


def instant(text: str, zone: Zone) -> int:
    """Voximplant's date text in a zone as an instant (microseconds UTC)."""
    return zone.instant(datetime.strptime(text, FORM))


def tests(asked: Mapping[str, str]) -> Iterator[Callable[[Document], bool]]:
    """What a session must fulfil, one test a filter that filters."""
    for name, field in (
        ("application_id", "application_id"),
        ("application_name", "application_name"),
        ("rule_name", "rule_name"),
        ("call_session_history_custom_data", "custom_data"),
        ("user_id", "user_id"),
        ("child_account_id", "account_id"),
    ):
        if values := listed_values(asked, name):
            yield field_in(field, values)
    remote = listed_values(asked, "remote_number_list") or listed_values(asked, "remote_number")
    for field, numbers in (("remote_number", remote), ("local_number", listed_values(asked, "local_number"))):
        if numbers:
            yield _leg_has(field, numbers)


def _leg_has(field: str, numbers: list[str]) -> Callable[[Document], bool]:
    return lambda shown: any(leg.get(field) in numbers for leg in shown.get("calls", ()))
