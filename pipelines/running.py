"""A run: accounts are read at once, their units are loaded one package at a time, the copy is published.

    account threads ──units──▶ bounded queue ──▶ this thread: dlt packages ──▶ warehouse ──▶ published copy

Every fault ends in the report: an account's own with its line, the warehouse's as an error of the run.
"""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from pipelines import (
    allocating,
    garbage,
    holding,
    notes,
    opening,
    packages,
    privacy,
    publishing,
    quarantine,
    run_log,
    upgrading,
    views,
    warehouse,
    wholeness,
)
from pipelines.config import Config, explained
from pipelines.deriving import Derived
from pipelines.interrupts import INTERRUPTED, is_interrupt
from pipelines.memory import Memory
from pipelines.planning import Plan, ledgers
from pipelines.run_log import AccountReport, RunReport
from pipelines.threads import work_through
from sources import client
from sources.account import Account
from sources.errors import CallsyncError, WarehouseError
from sources.ledger import Ledger
from sources.provider import Provider
from sources.reading import AccountReader
from sources.registry import PROVIDERS
from sources.units import Noted, Observer, Planned, Unit, UnitSize, WindowRead, together

if TYPE_CHECKING:
    from pipelines.loader import Loader

UNITS_WAITING = 1
"""Units that may wait for the loader: enough to keep it busy, few enough to bound memory."""

PART_A_UNIT_TAKES = 0.2
"""Of DuckDB's memory: what follows from a unit is derived there, and takes more than the unit itself."""

GRACE_SECONDS = 1.0
"""After a fault of the run its readers get so long to end; one in a pause or a request is left behind."""


class Run:
    """One run over the selected accounts, inside a warehouse that is held for writing.

    Args:
        config: the configuration.
        accounts: who is read.
        plan: what is wanted of them.
        command: the command line, for the run's row.
        observe: told of progress, one call at a time.
        say: told what an operator should read.
        connection: the warehouse.
    """

    def __init__(
        self,
        config: Config,
        accounts: Sequence[Account],
        plan: Plan,
        command: str,
        *,
        connection: duckdb.DuckDBPyConnection,
        observe: Observer,
        say: Callable[[str], None],
    ) -> None:
        self._config = config
        self._accounts = accounts
        self._plan = plan
        self._command = command
        self._connection = connection
        self._observer = observe
        self._say = say
        self._lock = threading.Lock()
        self._now = datetime.now(UTC).replace(microsecond=0)
        self._run_id = f"{self._now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        self._reports = {str(account): AccountReport(str(account)) for account in accounts}
        self._ledgers: dict[str, Ledger] = {}
        self._read_to_end: dict[str, Ledger] = {}
        self._memory = Memory(connection, config.general.duckdb_memory_mb)
        self._unit_size = UnitSize(
            rows=config.general.commit_rows,
            bytes=int(config.general.duckdb_memory_mb * 2**20 * PART_A_UNIT_TAKES),
            seconds=config.general.commit_seconds,
        )
        self._working = warehouse.Files(config.warehouse).working
        self._made_loader: Loader | None = None
        self._loaded: set[str] = set()
        self._rows = 0
        self._stop = threading.Event()
        self._changed = False

    def execute(self) -> RunReport:
        """Read, load and record; never raises for a fault of an account.

        Raises:
            ConfigError: the warehouse is filled under another `phone_privacy`.
        """
        privacy.settle(self._connection, self._config.privacy, self._working)
        was_cut_short = run_log.begin(self._connection, self._run_id, self._command)
        error: str | None = None
        try:
            self._changed = self._read_ledgers()
            self._read_and_load()
            self._ledgers |= self._read_to_end
            for name in PROVIDERS if was_cut_short else self._loaded:
                warehouse.tidy(self._connection, name)
                packages.discard(self._working, name)
            if 0 < self._rows < warehouse.ROW_GROUP:
                warehouse.count_small_run(self._connection)
        except KeyboardInterrupt:
            error = INTERRUPTED
        except CallsyncError as fault:
            error = str(fault)
        except (duckdb.Error, OSError, RuntimeError) as fault:
            cause = warehouse.root_cause(fault)
            if is_interrupt(fault) or is_interrupt(cause):
                error = INTERRUPTED
            elif isinstance(fault, RuntimeError):
                raise
            else:
                error = str(warehouse.unwritable(cause))
        report = RunReport(self._run_id, tuple(self._reports.values()), self._changed, error)
        try:
            run_log.finish(self._connection, report, self._accounts, self._ledgers)
        except duckdb.Error as fault:
            report = replace(report, error=error or str(warehouse.unwritable(fault)))
            self.leave_note(report)
        return report

    def leave_note(self, report: RunReport) -> None:
        """Note beside the warehouse how the run fared: readers do not see it there."""
        now = datetime.now(UTC)
        note = notes.Note(self._run_id, self._command, self._now, now, report.exit_code, report.reason)
        with suppress(OSError):
            notes.leave(self._config.warehouse, note)

    def _read_ledgers(self) -> bool:
        """What the warehouse knows of every account; True when a pending package was loaded first."""
        finished = False
        # Also of providers that this run does not read: nobody is to see half a package.
        for name in PROVIDERS:
            if packages.is_left(self._working, name):
                finished = self._loader().finish_pending(name) or finished
            packages.discard(self._working, name)
        self._ledgers = ledgers(self._connection, self._accounts, self._now, self._say)
        return finished

    def _read_and_load(self) -> None:
        waiting: queue.Queue[Unit | None] = queue.Queue(maxsize=UNITS_WAITING)
        left = len(self._accounts)
        work_through(
            self._accounts,
            lambda account: self._read(account, waiting),
            self._config.general.accounts_at_once,
            "account",
        )
        try:
            # The first unit takes a while to come, and nothing else is to do. Where one will come for sure:
            if self._plan.kind == "backfill" or not all(known.finished for known in self._ledgers.values()):
                self._loader()
            self._changed = views.refresh(self._connection, PROVIDERS, self._config.general) or self._changed
            region = self._config.general.default_region
            with Derived(self._connection, self._memory, region, self._run_id) as derived:
                self._changed = derived.catch_up() or self._changed
                while left:
                    left -= self._load_next(waiting, derived)
        finally:
            self._stop.set()
            with suppress(queue.Empty):
                while left:
                    left -= waiting.get(timeout=GRACE_SECONDS) is None
                    waiting.task_done()

    def _read(self, account: Account, waiting: queue.Queue[Unit | None]) -> None:
        """Read one account in a thread of its own; its faults are its own."""
        report = self._reports[str(account)]
        try:
            if self._stop.is_set():
                return
            provider, ledger = PROVIDERS[account.provider], self._ledgers[str(account)]
            connection = provider.connect(account, ledger.findings)
            try:
                if self._plan.kind == "replay":
                    with closing(self._connection.cursor()) as cursor:
                        replayed = quarantine.replayed(cursor, provider, account, connection, ledger)
                    if replayed is not None:
                        waiting.put(replayed)
                    return
                reader = AccountReader(
                    provider,
                    account,
                    connection,
                    ledger,
                    now=self._now,
                    unit_size=self._unit_size,
                    observe=self._observe,
                )
                for unit in reader.units(self._plan.of(account, self._now)):
                    if self._stop.is_set():
                        return
                    waiting.put(unit)
                    del unit
                    # Only then is the next one begun: each takes as much memory as the one being loaded.
                    waiting.join()
                self._read_to_end[str(account)] = reader.ledger
            finally:
                connection.close()
        except CallsyncError as fault:
            report.error = explained(fault, account)
        except Exception as fault:
            report.error = f"unexpected {type(fault).__name__}: {warehouse.one_line(fault)}"
        finally:
            waiting.put(None)

    def _loader(self) -> Loader:
        """Who loads: made when there is something, because dlt takes longer to load than an idle run does."""
        if self._made_loader is None:
            with garbage.while_loading():
                from pipelines.loader import Loader

            self._made_loader = Loader(self._connection, self._memory, self._working, self._run_id, self._say)
        return self._made_loader

    def _load_next(self, waiting: queue.Queue[Unit | None], derived: Derived) -> int:
        """Load what comes next; returns how many accounts have ended."""
        units, ended = _take_all(waiting, self._unit_size)
        while units:
            provider = units[0].account.provider
            some = together([unit for unit in units if unit.account.provider == provider])
            units = [unit for unit in units if unit.account.provider != provider]
            self._load(PROVIDERS[provider], some, derived)
            allocating.give_back()
        return ended

    def _load(self, provider: Provider, units: list[Unit], derived: Derived) -> None:
        ledgers = {str(unit.account): unit.ledger for unit in units}
        rows = sum(unit.rows for unit in units)
        windows = quarantine.read_again(units)
        with derived.beside(provider, list(units)):
            self._loader().load(provider, units)
            quarantine.mark_mended(self._connection, provider, windows)
            self._changed = True
            self._ledgers |= ledgers
            self._loaded.add(provider.name)
            self._rows += rows

    def _observe(self, account: Account, progress: Planned | WindowRead | Noted) -> None:
        with self._lock:
            if self._stop.is_set():
                return
            report = self._reports[str(account)]
            if isinstance(progress, WindowRead):
                report.windows += 1
                report.changed_windows += progress.changed
                report.calls += progress.rows
                report.rejected += progress.rejected
                report.warnings += progress.warnings
            elif isinstance(progress, Noted):
                report.notes.append(progress.text)
            self._observer(account, progress)


def run(
    config: Config,
    accounts: Sequence[Account],
    plan: Plan,
    command: str,
    *,
    observe: Observer = lambda account, progress: None,
    say: Callable[[str], None] = lambda text: None,
) -> RunReport:
    """Hold the warehouse, run, let go, publish.

    Raises:
        WarehouseBusy: someone else holds the warehouse.
        WarehouseError: it cannot be opened or written.
    """
    allocating.share_heaps()
    client.prepare()
    with garbage.among_the_new(), holding.held(config.warehouse, command):
        patience, memory_mb = config.general.warehouse_patience_seconds, config.general.duckdb_memory_mb
        with opening.writing(
            config.warehouse, patience_seconds=patience, memory_mb=memory_mb, say=say
        ) as connection:
            try:
                upgrading.bring_up_to_date(connection)
                entered = notes.enter(connection, config.warehouse)
                ran = Run(config, accounts, plan, command, connection=connection, observe=observe, say=say)
                report = ran.execute()
            except duckdb.Error as error:
                why = warehouse.reason(error)
                raise WarehouseError(f"{config.warehouse} cannot be written: {why}") from None
            newest, is_whole = None, False
            with suppress(duckdb.Error):
                # A warehouse that failed has said so in the report.
                newest, is_whole = warehouse.newest_change(connection), wholeness.is_whole(connection)
        is_shown = False
        try:
            is_shown = publishing.publish(config.warehouse, newest, is_whole=is_whole)
        except WarehouseError as fault:
            report = replace(report, unpublished=None if report.error else str(fault))
        if is_shown:
            notes.forget(config.warehouse, entered)
        elif report.exit_code:
            ran.leave_note(report)
    return report


def _take_all(waiting: queue.Queue[Unit | None], size: UnitSize) -> tuple[list[Unit], int]:
    """The next unit and those waiting behind it, so that small accounts share a package; how many ended."""
    units: list[Unit] = []
    ended = 0
    item = waiting.get()
    while True:
        waiting.task_done()
        if item is None:
            ended += 1
        else:
            units.append(item)
        # The next may be a whole unit, and a package takes memory by what is in it.
        if size.is_reached(2 * sum(unit.rows for unit in units), 2 * sum(unit.nbytes for unit in units)):
            return units, ended
        try:
            item = waiting.get_nowait()
        except queue.Empty:
            return units, ended
