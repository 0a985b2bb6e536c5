"""What a provider is to the rest of callsync: its tables, its options, and a way to read a window.

A provider package hands one `Provider` to the registry. Everything it does not share with the others is
behind `Connection`; everything else (planning, concurrency, shaping, state, loading) is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sources.account import Account, Options
from sources.recordings import Access
from sources.shaping import Shaped
from sources.shaping.fields import RecordType
from sources.windows import Window


@dataclass(frozen=True)
class Page:
    """The records of one answer, still as the provider's JSON.

    Attributes:
        records: one JSON object each.
        total: what the provider says the whole window holds, where it says so.
        zone: the IANA zone of the page's local times.
    """

    records: Sequence[bytes]
    total: int | None = None
    zone: str = "UTC"


@dataclass(frozen=True)
class Finding:
    """One thing `check` found out about an account."""

    topic: str
    found: str


class Connection(Protocol):
    """An open account."""

    @property
    def calls(self) -> RecordType:
        """The record type that the account's API version sends."""

    @property
    def zone(self) -> str:
        """The IANA zone on whose midnights windows are cut."""

    @property
    def constants(self) -> Mapping[str, str]:
        """Columns that hold the same text in every row of the account."""

    @property
    def findings(self) -> Mapping[str, str]:
        """What was found out about the provider's side, to be remembered for the next run."""

    @property
    def walks(self) -> bool:
        """Whether the provider knows no range, so that all windows of a run are one walk, newest first."""

    def pages(self, window: Window) -> Iterator[Page]:
        """Every call of a window, page by page.

        Raises:
            WindowOverflow: the window holds more than paging can reach; it is split and read in halves.
            ProviderError: the window cannot be read.
        """

    def pages_of(self, ids: Sequence[str]) -> Iterator[Page]:
        """Calls by id, for those that were unfinished when they were read."""

    def names(self) -> Iterator[tuple[RecordType, Iterator[Page]]]:
        """The dimension tables: hotlines, members, extensions, users."""

    def check(self) -> Iterator[Finding]:
        """One cheap authenticated request, then what the documents leave open."""

    def close(self) -> None:
        """Give the sockets back."""


@dataclass(frozen=True)
class Provider:
    """A provider, as the registry knows it.

    Attributes:
        name: the configuration section, the dlt source and the DuckDB schema.
        options: dataclass of its configuration keys.
        record_types: every table it can fill; the first is that of the calls.
        connect: opens an account, given what earlier runs found out; sends nothing yet.
        unfinished: ids, with their start as epoch seconds, of the calls that the provider has not completed.
            Its options then have `refresh_days`.
        recordings: how an account's recordings are had; None where none are to be.
    """

    name: str
    title: str
    options: type[Options]
    record_types: tuple[RecordType, ...]
    connect: Callable[[Account, Mapping[str, str]], Connection]
    unfinished: Callable[[Shaped], Mapping[str, int]] | None = None
    recordings: Callable[[Account], Access] | None = None

    @property
    def calls(self) -> RecordType:
        """The record type of the calls: names the root table and its key."""
        return self.record_types[0]

    def phone_columns(self) -> list[tuple[str, str]]:
        """Every column that names a side of a call, in any of its forms, with its table."""
        return _columns(form.phone_columns() for form in self.record_types)

    def unique_columns(self) -> list[tuple[str, str]]:
        """Every column, keys aside, in which hardly any two rows have the same, with its table."""
        return _columns(form.unique_columns() for form in self.record_types)


def _columns(of_forms: Iterable[Mapping[str, Sequence[str]]]) -> list[tuple[str, str]]:
    return sorted({(table, column) for form in of_forms for table, names in form.items() for column in names})
