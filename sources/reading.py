"""Reads an account: windows, several at once, into units that are loaded whole.

    windows ──▶ workers (pages → records → Arrow) ──▶ bounded queue ──▶ gatherer ──▶ units

The queue is bounded, so memory follows the configuration and not the length of the history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from sources.account import Account
from sources.gathering import Gathered, Piece
from sources.jobs import Jobs
from sources.ledger import Ledger
from sources.provider import Connection, Provider
from sources.units import Noted, Observer, Planned, Span, Unit, UnitSize
from sources.windows import SECOND, Window, cut
from sources.workers import Workers

RESCOPED = "its configuration asks for other calls than before, so all of it is read again"

IDLE_COMMIT = timedelta(hours=1)
"""A read that found nothing new is committed only when it moves the finished time on by this much."""


class AccountReader:
    """One run over one account.

    Args:
        provider: the account's provider.
        account: who is read, and how.
        connection: the open account.
        ledger: what earlier runs know.
        now: when the run began; no window ends later.
        unit_size: when gathered windows become a unit.
        observe: told of progress, from the thread that iterates `units`.
    """

    def __init__(
        self,
        provider: Provider,
        account: Account,
        connection: Connection,
        ledger: Ledger,
        *,
        now: datetime,
        unit_size: UnitSize | None = None,
        observe: Observer = lambda account, progress: None,
    ) -> None:
        self._account = account
        self._connection = connection
        self._size = unit_size or UnitSize()
        self._observe = observe
        self._now = now
        self._lookback: timedelta = account.options.lookback
        self._refresh = timedelta(days=account.options.refresh_days) if provider.unfinished else None
        self._is_rescoped = ledger.is_of_another(account.options.scope)
        self.ledger = ledger.of(account.options.scope)
        """What is known after everything read so far, committed or not."""
        self._jobs = Jobs(provider, account, connection, lambda: self.ledger, now=now, most_held=self._size)

    def windows(self, wanted: Span) -> list[Window]:
        """The windows that a run has to read for `wanted`, oldest first."""
        if wanted.kind == "sync":
            todo = self.ledger.under(self._lookback, self._now).to_sync(wanted.start, wanted.end)
        else:
            todo = self.ledger.to_backfill(wanted.start, wanted.end, force=wanted.force)
        if wanted.within is not None:
            todo &= wanted.within
        return cut(todo, zone=self._connection.zone, days=self._account.options.window_days)

    def units(self, wanted: Span) -> Iterator[Unit]:
        """Read what `wanted` needs; units come as they fill, the last one with what is left.

        Raises:
            ProviderError: after the units of every window that was finished before the fault.
        """
        committed = self.ledger
        windows = self.windows(wanted)
        if wanted.kind == "sync":
            self.ledger = self.ledger.under(self._lookback, self._now)
        self._observe(self._account, Planned(len(windows)))
        if self._is_rescoped:
            self._observe(self._account, Noted(RESCOPED))
        gathered, failure = Gathered(), None
        workers = Workers(
            self._jobs.of(wanted, windows),
            most=self._account.options.concurrency,
            name=f"read-{self._account}",
            abandon=self._jobs.abandon,
        )
        with workers:
            for piece in workers.pieces():
                failure = failure or piece.failure
                self._take(piece, gathered)
                if gathered.is_full(self._size):
                    committed = self._at(wanted)
                    yield gathered.unit(self._account, wanted.kind, committed)
                    gathered = Gathered()
        self.ledger = self._at(wanted)
        is_changed = any(read.changed for read in gathered.windows)
        if gathered.has_data or is_changed or self._is_worth_a_package(committed, wanted):
            yield gathered.unit(self._account, wanted.kind, self.ledger)
        if failure is not None:
            raise failure

    def _at(self, wanted: Span) -> Ledger:
        """The ledger as it is to be saved now."""
        ledger = replace(self.ledger, findings=dict(self._connection.findings))
        if self._refresh is not None:
            ledger = ledger.without_unfinished_before(self._now - self._refresh)
        return ledger.synced(wanted.start, self._now) if wanted.kind == "sync" else ledger

    def _is_worth_a_package(self, committed: Ledger, wanted: Span) -> bool:
        moved = self.ledger.finished.length - committed.finished.length
        least = IDLE_COMMIT if wanted.kind == "sync" and committed.cursor else SECOND
        return moved >= least or self.ledger.findings != committed.findings

    def _take(self, piece: Piece, gathered: Gathered) -> None:
        gathered.add(piece)
        if piece.ledger is not None:
            self.ledger = piece.ledger(self.ledger)
        if piece.note is not None:
            self._observe(self._account, Noted(piece.note))
        if piece.finished is not None:
            self._observe(self._account, piece.finished)
