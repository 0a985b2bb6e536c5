"""What is known of an account between runs: kept in dlt state, saved with the data it speaks of.

The finished intervals are the one truth from which the sync cursor, the holes and the backfilled ranges
follow. A `Ledger` is a value: every step returns a new one, and the one that travels with a unit of data is
saved in the same load package as that data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sources.provider import Provider
from sources.windows import Intervals, Window, span

FINGERPRINT_MARGIN = timedelta(days=2)
"""How much longer than the lookback a window's fingerprint is remembered: windows are whole local days."""

UNFINISHED = "unfinished"
"""What the names of contents begin with that were asked for by the ids of unfinished calls."""


@dataclass(frozen=True)
class Ledger:
    """One account's memory.

    Attributes:
        finished: what was read at least once, by a sync or a backfill.
        settled: what was read later than its end plus the lookback, and is not read again by a sync.
        cursor: where the last sync arrived; a backfill never moves it.
        lookback: the shortest lookback under which `settled` was built.
        fingerprints: end and content of the windows that will be read again, by ISO start, so that an
            unchanged window is recognised and not loaded. The end is ISO, too; the newest window's grows.
        unfinished: ids of calls the provider has not completed yet, with their start as epoch seconds.
        names_read_at: when the dimension tables (hotlines, members, users…) were last read.
        contents: fingerprints of what is read by name and not by window.
        findings: what was found out about the provider's side and need not be probed again.
        scope: which calls were asked for, as `Options.scope` has it; None where nobody noted it.
    """

    finished: Intervals = Intervals()
    settled: Intervals = Intervals()
    cursor: datetime | None = None
    lookback: timedelta = timedelta()
    fingerprints: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    unfinished: Mapping[str, int] = field(default_factory=dict)
    names_read_at: datetime | None = None
    contents: Mapping[str, str] = field(default_factory=dict)
    findings: Mapping[str, str] = field(default_factory=dict)
    scope: str | None = None

    def is_of_another(self, scope: str) -> bool:
        """Whether other calls were asked for than belong to a scope."""
        return self.scope not in (None, scope)

    def of(self, scope: str) -> Ledger:
        """The ledger as it counts for a scope: what was read of another one has to be read again."""
        if not self.is_of_another(scope):
            return replace(self, scope=scope)
        nothing = Intervals()
        return replace(
            self, scope=scope, finished=nothing, settled=nothing, cursor=None, fingerprints={}, contents={}
        )

    def under(self, lookback: timedelta, now: datetime) -> Ledger:
        """The ledger under a lookback: a longer one takes what it newly covers out of the settled time."""
        if lookback <= self.lookback or not self.settled:
            return replace(self, lookback=lookback)
        last_read = self.cursor or self.settled.windows[-1].end
        return replace(self, lookback=lookback, settled=self.settled - span(last_read - lookback, now))

    def is_ahead_of(self, now: datetime) -> bool:
        """Whether time is finished that has not come yet."""
        return bool(self.finished) and self.finished.windows[-1].end > now

    def as_of(self, now: datetime, newest_call: datetime | None) -> Ledger:
        """The ledger without what a clock claimed that has run ahead and was set back since.

        What was read then was read at some time before `now`, and no earlier than its newest call began:

            finished  [=====================================)      by the clock that ran ahead
            true      [===============|- - - - - -)                newest call, now

        So everything after that call, and the lookback before it, is still to be read.
        """
        if not self.is_ahead_of(now):
            return self
        end = self.finished.windows[-1].end
        read_until = min(now, newest_call or self.finished.windows[0].start)
        return replace(
            self,
            finished=self.finished - span(read_until, end),
            settled=self.settled - span(read_until - self.lookback, end),
            cursor=min(self.cursor, read_until) if self.cursor else None,
            names_read_at=None,
        )

    def to_sync(self, start: datetime, end: datetime) -> Intervals:
        """What a sync has to read of `[start, end)`: everything that is not settled."""
        return span(start, end) - self.settled

    def to_backfill(self, start: datetime, end: datetime, *, force: bool) -> Intervals:
        """What a backfill has to read of `[start, end)`: what no earlier run read, or all of it."""
        return span(start, end) if force else span(start, end) - self.finished

    def read(
        self, chain: Sequence[Window], *, now: datetime, lookback: timedelta, fingerprint: str | None
    ) -> Ledger:
        """The ledger after the windows of one request chain were read whole in a run that began at `now`."""
        settled = [window for window in chain if window.end + lookback <= now]
        whole = Window(chain[0].start, chain[-1].end)
        fingerprints = dict(self.doubting(whole).fingerprints)
        if fingerprint is not None and len(settled) < len(chain):
            fingerprints[_iso(whole.start)] = (_iso(whole.end), fingerprint)
        return replace(
            self,
            finished=self.finished | Intervals.of(chain),
            settled=self.settled | Intervals.of(settled),
            lookback=min(self.lookback, lookback) if self.settled else lookback,
            fingerprints=fingerprints,
        )

    def fingerprint_of(self, window: Window) -> str | None:
        """What the window's content was when it was last read from this start."""
        _, fingerprint = self.fingerprints.get(_iso(window.start), (None, None))
        return fingerprint

    def doubting(self, window: Window) -> Ledger:
        """The ledger without the fingerprints of what overlaps a window, of which others may be loaded."""
        kept = {
            start: (end, fingerprint)
            for start, (end, fingerprint) in self.fingerprints.items()
            if _moment(end) <= window.start or _moment(start) >= window.end
        }
        return replace(self, fingerprints=kept)

    def doubting_answers(self) -> Ledger:
        """The ledger without the fingerprints of unfinished calls, of which others may be loaded."""
        kept = {name: known for name, known in self.contents.items() if not name.startswith(UNFINISHED)}
        return replace(self, contents=kept)

    def synced(self, start: datetime, now: datetime) -> Ledger:
        """The ledger with its cursor where the finished time that began at `start` ends."""
        oldest = now - self.lookback - FINGERPRINT_MARGIN
        fingerprints = {key: kept for key, kept in self.fingerprints.items() if _moment(kept[0]) >= oldest}
        return replace(self, cursor=self.finished.covered_until(start), fingerprints=fingerprints)

    def with_unfinished(self, seen: Iterable[str], unfinished: Mapping[str, int]) -> Ledger:
        """The ledger after the calls `seen` were read, of which `unfinished` are not complete."""
        read = set(seen)
        kept = {key: start for key, start in self.unfinished.items() if key not in read}
        return replace(self, unfinished=kept | dict(unfinished))

    def without_unfinished_before(self, oldest: datetime) -> Ledger:
        """The ledger without the calls that began earlier, and are not asked for any more."""
        kept = {key: start for key, start in self.unfinished.items() if start >= oldest.timestamp()}
        return self if len(kept) == len(self.unfinished) else replace(self, unfinished=kept)

    def to_json(self) -> dict[str, Any]:
        """A JSON object; times are ISO 8601 in UTC."""
        return {
            "finished": self.finished.to_json(),
            "settled": self.settled.to_json(),
            "cursor": self.cursor.isoformat() if self.cursor else None,
            "lookback_seconds": self.lookback.total_seconds(),
            "fingerprints": dict(self.fingerprints),
            "unfinished": dict(self.unfinished),
            "names_read_at": self.names_read_at.isoformat() if self.names_read_at else None,
            "contents": dict(self.contents),
            "findings": dict(self.findings),
            "scope": self.scope,
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any] | None) -> Ledger:
        """The inverse of `to_json`; an empty ledger where there is none."""
        if not state:
            return cls()
        return cls(
            finished=Intervals.from_json(state["finished"]),
            settled=Intervals.from_json(state["settled"]),
            cursor=_moment(state["cursor"]) if state["cursor"] else None,
            lookback=timedelta(seconds=state["lookback_seconds"]),
            # The first warehouses knew no ends: such a window is loaded once more.
            fingerprints={
                start: (kept[0], kept[1])
                for start, kept in state["fingerprints"].items()
                if not isinstance(kept, str)
            },
            unfinished=state["unfinished"],
            names_read_at=_moment(state["names_read_at"]) if state["names_read_at"] else None,
            contents=state["contents"],
            findings=state["findings"],
            # The first warehouses did not know it: theirs counts as what is configured now.
            scope=state.get("scope"),
        )


def ledgers_of(provider: Provider, pipeline_state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The ledgers in the state of a dlt pipeline: account name → JSON; empty before the first load."""
    resources = pipeline_state.get("sources", {}).get(provider.name, {}).get("resources", {})
    ledgers: Mapping[str, Any] = resources.get(provider.calls.table, {}).get("accounts", {})
    return ledgers


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
