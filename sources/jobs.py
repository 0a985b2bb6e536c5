"""What a worker of an account does: windows, names and calls that were not complete, from pages to pieces.

What of a window is passed on before its end, and what of it is not as it was, `comparing` tells; only its
last piece finishes it. One that comes short of what the provider counts is read once more.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pyarrow as pa

from sources.account import Account
from sources.comparing import WindowContent
from sources.errors import AccessDenied, IncompleteRead, ProviderError, WindowOverflow
from sources.fingerprints import compact, distinct
from sources.gathering import Piece
from sources.ledger import UNFINISHED, Ledger
from sources.provider import Connection, Page, Provider
from sources.shaping import Shaped, concat, digest, shape
from sources.shaping.fields import RecordType
from sources.units import Rejection, Span, UnitSize, WindowRead
from sources.windows import SECOND, Intervals, Window

SHAPED_AT_ONCE = 2_500
"""Records shaped together: fewer cost time for each call, more cost memory for nothing."""

SHAPED_BYTES = 2 * 2**20
"""As much of the answers is shaped together, however few records that is."""

_SHAPING = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))
"""Shaping takes a processor and several times the memory of what it shapes: more at once bring nothing."""

IDS_AT_ONCE = 1_000
"""Calls asked for by id in one request (Voximplant, GetCallHistory: at most 1000)."""

NAMES_AGE = timedelta(hours=1)
"""How old the names of hotlines, members and extensions may be before they are read again."""


class Abandoned(Exception):
    """Nobody waits for the rest any more."""


class Jobs:
    """The jobs of one run over one account.

    Args:
        provider: the account's provider.
        account: who is read, and how.
        connection: the open account.
        ledger: what is known, this run's reads included, whenever it is asked.
        now: when the run began.
        most_held: what may be held of a window that was read before, until its end.
    """

    def __init__(
        self,
        provider: Provider,
        account: Account,
        connection: Connection,
        ledger: Callable[[], Ledger],
        *,
        now: datetime,
        most_held: UnitSize,
    ) -> None:
        self._provider = provider
        self._account = account
        self._connection = connection
        self._ledger = ledger
        self._now = now
        self._most_held = most_held
        self._lookback: timedelta = account.options.lookback
        self._is_abandoned = threading.Event()
        self._force = False

    def of(self, wanted: Span, windows: Sequence[Window]) -> Iterator[Iterator[Piece]]:
        """What the workers do, in this order, each job lazily in one worker.

        Raises, each job:
            Abandoned: nobody waits for it any more.
            IncompleteRead: the list of its window is wrong.
            ProviderError: the account cannot be read.
        """
        self._force = wanted.force
        # A backfill may be the first that reads an account: its calls have their currency from there.
        if (windows or wanted.kind == "sync") and self._names_are_old():
            yield self._read_names()
        if not windows:
            return
        chains = [windows] if self._connection.walks else [[window] for window in windows]
        yield from (self._read_chain(tuple(chain)) for chain in chains)
        if wanted.kind == "sync":
            yield self._read_unfinished(windows)

    def abandon(self) -> None:
        """Let every job end at its next page."""
        self._is_abandoned.set()

    def _read_chain(self, chain: tuple[Window, ...]) -> Iterator[Piece]:
        """Read windows that one walk covers; a single one is halved when paging cannot reach its end."""
        whole = Window(chain[0].start, chain[-1].end)
        try:
            yield from self._read_window(whole, chain)
        except WindowOverflow as overflow:
            if whole.length <= SECOND:
                raise IncompleteRead(f"{overflow}; one second cannot be split further") from None
            for half in whole.halves():
                yield from self._read_chain((half,))
        except ProviderError as error:
            error.args = (f"{error} (window {whole})",) if str(whole) not in str(error) else error.args
            raise

    def _read_window(self, whole: Window, chain: tuple[Window, ...]) -> Iterator[Piece]:
        record_type = self._connection.calls
        known = None if self._force else self._ledger().fingerprint_of(whole)
        is_read_again = any(window.end + self._lookback > self._now for window in chain)
        # Should the run end before the window, but not before its calls, the next read compares with nothing.
        doubt = Piece(ledger=partial(_doubting, whole, is_read_again))
        for is_second_read in (False, True):
            content = WindowContent(
                record_type,
                known,
                is_compared=known is not None or is_read_again,
                most_held=self._most_held,
            )
            keys: list[pa.ChunkedArray] = []
            rejections: list[Rejection] = []
            warnings, total = 0, None
            try:
                for shaped, page_total in self._shape(record_type, self._connection.pages(whole)):
                    total = page_total if page_total is not None else total
                    warnings += shaped.warnings
                    rejections += _rejections(record_type, str(whole), shaped)
                    keys.append(compact(shaped.tables[record_type.table].column(record_type.key_column)))
                    if passed_on := content.add(shaped):
                        yield doubt
                        yield from map(self._calls, passed_on)
            except IncompleteRead:
                # A list that moves while it is read stands still the next time.
                if is_second_read:
                    raise
                continue
            rows = distinct(keys) + len(rejections)
            if total is None or rows >= total:
                break
            if is_second_read:
                raise IncompleteRead(f"{rows} calls came of {total} that the provider counts, twice")
        fingerprint = content.fingerprint(rejections)
        changed = fingerprint is None or fingerprint != known
        if changed:
            yield doubt
            # Not as one: a unit is to be little more than full, however much was held.
            yield from map(self._calls, content.rest())
        yield Piece(
            rejections=tuple(rejections) if changed else (),
            finished=WindowRead(whole, rows, total, warnings, len(rejections), changed),
            ledger=lambda ledger: ledger.read(
                chain, now=self._now, lookback=self._lookback, fingerprint=fingerprint
            ),
        )

    def _calls(self, shaped: Shaped) -> Piece:
        """A piece of calls, and what it says of calls that are not complete yet."""
        record_type, unfinished_of = self._connection.calls, self._provider.unfinished
        if unfinished_of is None:
            return Piece(data=(record_type, shaped))
        seen = [
            str(key) for key in shaped.tables[record_type.table].column(record_type.key_column).to_pylist()
        ]
        unfinished = unfinished_of(shaped)
        return Piece(
            data=(record_type, shaped),
            ledger=lambda ledger: ledger.with_unfinished(seen, unfinished),
        )

    def _read_unfinished(self, windows: Sequence[Window]) -> Iterator[Piece]:
        """Read calls again that were not complete, where no window of this run has them."""
        if self._provider.unfinished is None:
            return
        oldest = self._now - timedelta(days=self._account.options.refresh_days)
        read_now = Intervals.of(windows)
        ids = [
            key
            for key, start in sorted(self._ledger().unfinished.items())
            if start >= oldest.timestamp() and not read_now.holds(start)
        ]
        record_type = self._connection.calls
        for first in range(0, len(ids), IDS_AT_ONCE):
            some = ids[first : first + IDS_AT_ONCE]
            parts = [shaped for shaped, _ in self._shape(record_type, self._connection.pages_of(some))]
            if parts:
                # Under the number of the question and not the ids, or the ledger would grow with every call.
                name = f"{UNFINISHED} {first}"
                yield from self._if_new(name, record_type, concat(record_type, parts), self._calls)

    def _read_names(self) -> Iterator[Piece]:
        for record_type, pages in self._connection.names():
            try:
                parts = [shaped for shaped, _ in self._shape(record_type, pages)]
            except AccessDenied:
                # The calls meet the same refusal, and say so once.
                return
            except ProviderError as error:
                yield Piece(note=f"{record_type.table} could not be read: {error}")
                continue
            if parts:
                yield from self._if_new(
                    record_type.table,
                    record_type,
                    concat(record_type, parts),
                    partial(_names_piece, record_type),
                )
        yield Piece(ledger=lambda ledger: replace(ledger, names_read_at=self._now))

    def _if_new(
        self, name: str, record_type: RecordType, shaped: Shaped, piece: Callable[[Shaped], Piece]
    ) -> Iterator[Piece]:
        """The piece with its fingerprint, unless an earlier run brought the same content under this name."""
        fingerprint = digest(shaped)
        if self._ledger().contents.get(name) == fingerprint:
            return
        brought = piece(shaped)

        def known(ledger: Ledger) -> Ledger:
            ledger = brought.ledger(ledger) if brought.ledger else ledger
            return replace(ledger, contents={**ledger.contents, name: fingerprint})

        yield replace(brought, rejections=tuple(_rejections(record_type, "", shaped)), ledger=known)

    def _names_are_old(self) -> bool:
        read_at = self._ledger().names_read_at
        return read_at is None or self._now - read_at >= NAMES_AGE

    def _shape(self, record_type: RecordType, pages: Iterable[Page]) -> Iterator[tuple[Shaped, int | None]]:
        """Pages as Arrow, some thousand records at a time, each with the provider's total where known."""
        records: list[bytes] = []
        size = 0
        total: int | None = None
        zone: str | None = None
        for page in pages:
            if self._is_abandoned.is_set():
                raise Abandoned
            is_much = len(records) >= SHAPED_AT_ONCE or size >= SHAPED_BYTES
            if zone is not None and (page.zone != zone or is_much):
                yield self._shape_now(record_type, records, zone), total
                size = 0
            records.extend(page.records)
            size += sum(map(len, page.records))
            total, zone = page.total, page.zone
        if zone is not None:
            yield self._shape_now(record_type, records, zone), total

    def _shape_now(self, record_type: RecordType, records: list[bytes], zone: str) -> Shaped:
        """The records shaped, and the list of them emptied: nobody needs them while the result waits."""
        with _SHAPING:
            shaped = shape(
                record_type,
                records,
                account=self._account.name,
                zone=zone,
                constants=self._connection.constants,
                privacy=self._account.privacy,
            )
        records.clear()
        return shaped


def _doubting(window: Window, is_read_again: bool, ledger: Ledger) -> Ledger:
    """The ledger as soon as calls of a window are loaded, which may be otherwise than they were known.

    Where no sync reads it again, be it a part of it alone, unfinished calls are asked for by id: an answer
    that is the same as one from before this window need not be what the warehouse holds.
    """
    doubted = ledger.doubting(window)
    is_settled = ledger.settled & Intervals.of([window])
    return doubted if is_read_again and not is_settled else doubted.doubting_answers()


def _names_piece(record_type: RecordType, shaped: Shaped) -> Piece:
    return Piece(data=(record_type, shaped))


def _rejections(record_type: RecordType, window: str, shaped: Shaped) -> list[Rejection]:
    return [Rejection(record_type.table, window, rejected) for rejected in shaped.rejected]
