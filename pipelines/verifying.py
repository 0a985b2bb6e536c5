"""`callsync verify`: the calls that the providers show now against those of the published copy.

    provider ──(windows, read as a sync reads them)──▶ shown: id, time, content ─┐
    published copy ──(the same tables)───────────────▶ held:  id, time, content ─┴─▶ differences by window

Only what earlier runs finished is compared. The content is a hash over a call's row and its children's, so a
call that changed under its id is found too. Nothing is written: a repair is a backfill of what differs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from pipelines import contents, opening, privacy
from pipelines.config import Config, explained
from pipelines.contents import Difference
from pipelines.planning import ledgers
from pipelines.threads import in_order
from sources.account import Account
from sources.errors import CallsyncError
from sources.ledger import Ledger
from sources.reading import AccountReader
from sources.registry import PROVIDERS
from sources.units import Noted, Observer, Planned, Span, UnitSize, WindowRead
from sources.windows import Intervals, Window

COMPARED_AT_ONCE = 20_000
"""Calls of the provider that are held in memory at once, about."""


@dataclass(frozen=True)
class Compared:
    """A window in which the provider and the warehouse were compared.

    Attributes:
        total: what the provider counts in the window, where it does.
        shown: calls that the provider shows with a time in the window.
        held: calls that the warehouse has there.
        missing: ids that only the provider has.
        changed: ids of calls whose content differs.
        gone: ids that the provider no longer shows; they are kept.
    """

    window: Window
    total: int | None
    shown: int
    held: int
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the warehouse has other calls there than the provider shows."""
        return bool(self.missing or self.changed)


@dataclass(frozen=True)
class Verified:
    """What was found out about an account.

    Attributes:
        windows: what was compared, oldest first.
        differing: the time to be read again, so that nothing differs.
        error: the fault that ended it, if any.
    """

    account: Account
    windows: tuple[Compared, ...] = ()
    differing: Intervals = field(default_factory=Intervals)
    error: str | None = None


def verify(
    config: Config,
    accounts: Sequence[Account],
    wanted: Mapping[str, Intervals],
    *,
    observe: Observer = lambda account, progress: None,
) -> Iterator[Verified]:
    """Compare accounts at once; results come in the order of the accounts.

    Args:
        config: the configuration.
        accounts: who is compared.
        wanted: by account, the time to compare; of it, what earlier runs finished is.
        observe: told of progress, from several threads.

    Raises:
        WarehouseError: nothing was published yet.
    """
    with closing(opening.reading(config.warehouse)) as copy:
        privacy.check(copy, config.privacy)
        known = ledgers(copy, accounts, datetime.now(UTC).replace(microsecond=0))

        def compare(account: Account) -> Verified:
            name = str(account)
            with closing(copy.cursor()) as cursor:
                return _compare(account, known[name], wanted[name], cursor, observe)

        yield from in_order(accounts, compare, config.general.accounts_at_once, "verify")


def _compare(
    account: Account, known: Ledger, wanted: Intervals, cursor: duckdb.DuckDBPyConnection, observe: Observer
) -> Verified:
    provider = PROVIDERS[account.provider]
    todo = known.finished & wanted
    if not todo:
        return Verified(account)
    start, end = todo.windows[0].start, todo.windows[-1].end
    now = datetime.now(UTC).replace(microsecond=0)
    # What is not to be compared, names among it, counts as read, so that a backfill leaves it out.
    finished = Intervals.of([Window(start, end)]) - todo
    ledger = Ledger(finished=finished, findings=known.findings, names_read_at=now)
    read: dict[Window, int | None] = {}

    def heard(whose: Account, progress: Planned | WindowRead | Noted) -> None:
        if isinstance(progress, WindowRead):
            read[progress.window] = progress.provider_total
        observe(whose, progress)

    error = None
    connection = provider.connect(account, known.findings)
    try:
        reader = AccountReader(
            provider, account, connection, ledger,
            now=now,
            unit_size=UnitSize(rows=COMPARED_AT_ONCE),
            observe=heard,
        )  # fmt: skip
        contents.begin(cursor)
        for unit in reader.units(Span("backfill", start, end)):
            for _, shaped in unit.data:
                contents.add_shown(cursor, provider, shaped.tables)
        if connection.walks:
            # A walk passes by what lies between two ranges, and shows it too.
            contents.leave_out_of_shown(cursor, todo.windows)
    except CallsyncError as fault:
        error = explained(fault, account)
    finally:
        connection.close()
    totals = _within(read, todo)
    windows = sorted(totals)
    if not windows:
        return Verified(account, error=error)
    contents.add_held(cursor, provider, account.name, windows)
    found = contents.differences(cursor)
    return Verified(
        account, _by_window(cursor, windows, totals, found), _to_read_again(windows, found), error
    )


def _within(read: Mapping[Window, int | None], wanted: Intervals) -> dict[Window, int | None]:
    """The windows that were read, as far as they were wanted; of a part of one there is no count."""
    return {
        part: total if part == window else None
        for window, total in read.items()
        for part in (Intervals.of([window]) & wanted).windows
    }


def _by_window(
    cursor: duckdb.DuckDBPyConnection,
    windows: Sequence[Window],
    totals: Mapping[Window, int | None],
    differences: Sequence[Difference],
) -> tuple[Compared, ...]:
    counts = contents.counts(cursor)
    found: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for difference in differences:
        found[_window_at(difference.first_at, windows)][difference.kind].append(difference.call_id)
    compared = []
    for number, window in enumerate(windows):
        shown, held = counts.get(window.start, (0, 0))
        lists = {kind: tuple(found[number][kind]) for kind in ("missing", "changed", "gone")}
        compared.append(Compared(window, totals[window], shown, held, **lists))
    return tuple(compared)


def _to_read_again(windows: Sequence[Window], differences: Sequence[Difference]) -> Intervals:
    """The windows from a differing call's first time to its last: by any of them the provider may list it.

    eTelecom lists calls by when they were entered, minutes after they ended (ETB: BETWEEN on created_at).
    """
    numbers: set[int] = set()
    for difference in differences:
        if difference.kind != "gone":
            first, last = (_window_at(at, windows) for at in (difference.first_at, difference.last_at))
            numbers.update(range(first, last + 1))
    return Intervals.of(windows[number] for number in numbers)


def _window_at(at: datetime, windows: Sequence[Window]) -> int:
    """The number of the window with an instant; or of the nearest, where a call is shown out of its times."""
    return max(bisect_right(windows, at, key=lambda window: window.start) - 1, 0)
