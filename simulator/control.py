"""The simulator as one object: providers, clock, faults and journal, served from a background thread."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simulator.audio import Recordings
from simulator.clockwork import DAY, Clockwork, microseconds
from simulator.etelecom import Etelecom
from simulator.faults import Faults
from simulator.instants import moment
from simulator.journal import Journal
from simulator.ledger import Document
from simulator.provider import Clock, Provider, Setting
from simulator.server import Application, Server
from simulator.stream import LONGEST_CALL_SECONDS
from simulator.tls import loopback_context
from simulator.vbot import Vbot
from simulator.voximplant import Voximplant


class Simulator:
    """Three providers of call history on one loopback port.

    Args:
        calls: records of each account.
        seed: what makes the data; the same arguments and the same port give the same bytes.
        days: how far the calls reach back.
        until: aware; no call starts at or after it, and the simulator's clock stands at it. Now, if left out.
        latency_ms: how long each answer takes besides the work.
        accounts: of each provider, with the same times and ids and other contents.
        port: 0 takes a free one.
        etelecom_max_limit: the most rows eTelecom gives a page, for measurements; the real one gives 100.
        timer: counts seconds for tokens that expire, rate limits and the journal.
    """

    def __init__(
        self,
        calls: int = 10_000,
        seed: int = 1,
        days: float = 30,
        until: datetime | None = None,
        latency_ms: float = 0.0,
        accounts: int = 1,
        port: int = 0,
        etelecom_max_limit: int = 100,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        until = (until or datetime.now(UTC)).replace(microsecond=0)
        if until.tzinfo is None:
            raise ValueError("until must name its zone")
        end = microseconds(until)
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self.clock = Clock(until)
        self.faults = Faults(seed, latency_ms)
        self.recordings = Recordings()
        self.requests = Journal()
        self.since = until - timedelta(days=days)
        self.until = until
        setting = Setting(
            seed=seed,
            accounts=accounts,
            clockwork=Clockwork(seed, calls, end - int(days * DAY), end),
            clock=self.clock,
            timer=timer,
            host=f"127.0.0.1:{self.port}",
            recordings=self.recordings,
        )
        self.url = setting.url
        self.vbot = Vbot(setting, self.requests)
        self.etelecom = Etelecom(setting, etelecom_max_limit)
        self.voximplant = Voximplant(setting, self.requests)
        self.providers: dict[str, Provider[Any]] = {
            provider.name: provider for provider in (self.vbot, self.etelecom, self.voximplant)
        }
        self._accounts = accounts
        self._lock = threading.RLock()
        self._folder = TemporaryDirectory(prefix="simulator-")
        tls, self.certificate_file = loopback_context(Path(self._folder.name))
        # The account's own address says api_address/platform_api, with nothing before it.
        routes = self.providers | {"platform_api": self.voximplant}
        application = Application(routes, self.faults, self.requests, self._lock, timer)
        self._server = Server(self._listener, tls, application)

    def __enter__(self) -> Simulator:
        self._server.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving; open connections break."""
        self._server.stop()
        self._folder.cleanup()

    def run(self, ready: Callable[[], object]) -> None:
        """Serve in this, the main, thread until interrupted or terminated; `ready` is called once serving."""
        asyncio.run(self._server.serve(ready, until=(signal.SIGINT, signal.SIGTERM)))

    @property
    def now(self) -> datetime:
        """The simulator's time, UTC: `until` at first."""
        return moment(self.clock.us)

    def describe(self) -> dict[str, Any]:
        """The port, and each provider's base addresses and credentials; all accounts stand in `accounts`."""
        providers = {
            name: provider.describe(0)
            | {"accounts": [provider.describe(number) for number in range(self._accounts)]}
            for name, provider in self.providers.items()
        }
        return {"port": self.port, "certificate_file": str(self.certificate_file), "providers": providers}

    def credentials(self, provider: str, version: str | None = None, account: int = 0) -> dict[str, Any]:
        """What `describe` says of one account, or of one version of VBot's API (v1, v2, v3)."""
        described = self.providers[provider].describe(account)
        if version is None:
            return described
        found: dict[str, Any] = described["versions"][version]
        return found

    def truth(self, provider: str, account: int = 0, version: str | None = None) -> list[Document]:
        """All records as the provider shows them now, oldest first; `version` chooses VBot's shape."""
        with self._lock:
            return self.providers[provider].truth(account, version)

    def change(self, provider: str, record_id: object, account: int = 0, **fields: Any) -> None:
        """Change fields of a record, REMOVED takes one away; a changed time moves the record.

        VBot's fields are those of its v3 record.
        """
        with self._lock:
            self.providers[provider].change(str(record_id), account, **fields)

    def add_late(self, provider: str, when: datetime, account: int = 0, **fields: Any) -> str:
        """Show a new record from now on that started at `when` (aware); returns its id."""
        with self._lock:
            return self.providers[provider].add_late(when, account, **fields)

    def drop_legs(self, provider: str, record_id: object, account: int = 0, keep: int = 0) -> None:
        """Leave a record only the first `keep` of its targets, calls or parties."""
        with self._lock:
            self.providers[provider].drop_legs(str(record_id), account, keep)

    def hide(self, provider: str, record_id: object, account: int = 0) -> None:
        """Make the provider forget a record."""
        with self._lock:
            self.providers[provider].hide(str(record_id), account)

    def spoil(self, provider: str, record_id: object, account: int = 0, **fields: Any) -> None:
        """Send a record with any raw field set, or REMOVED; its place, and its id for these methods, stay."""
        with self._lock:
            self.providers[provider].spoil(str(record_id), account, **fields)

    def advance(self, seconds: float) -> None:
        """Let the simulator's time pass."""
        with self._lock:
            self.clock.advance(seconds)
            for provider in self.providers.values():
                for ledger in provider.ledgers:
                    ledger.changed()

    def settle(self) -> None:
        """Let enough time pass for every call to be over, billed and recorded."""
        slowest = max(provider.ripens_seconds for provider in self.providers.values())
        self.advance(slowest + LONGEST_CALL_SECONDS)

    def expire_tokens(self, provider: str) -> None:
        """Refuse every token made so far."""
        with self._lock:
            self.providers[provider].refuse_tokens()
