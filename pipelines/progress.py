"""What a run says meanwhile: a line a window, JSON for machines; on a terminal what `live_progress` shows."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.plain_text import plain
from pipelines.streams import tell
from sources.account import Account
from sources.units import Noted, Planned, WindowRead

Event = Planned | WindowRead | Noted


@dataclass(frozen=True)
class Reporter:
    """Where a run's news goes."""

    observe: Callable[[Account, Event], None]
    say: Callable[[str], None]


def is_live() -> bool:
    """Whether standard error is a terminal, or FORCE_COLOR (force-color.org) tells to take it for one."""
    return sys.stderr.isatty() or bool(os.environ.get("FORCE_COLOR"))


def say(text: str) -> None:
    """Tell an operator a line with its time, on standard error."""
    tell(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {plain(text)}")


def emit(**facts: object) -> None:
    """Tell a machine a line of JSON with its time, on standard error."""
    tell(json.dumps({"at": datetime.now(UTC).isoformat(), **facts}))


def counted(number: int, noun: str) -> str:
    """So many of something."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def lines() -> Reporter:
    """The reporter of one line a window."""

    def observe(account: Account, event: Event) -> None:
        if isinstance(event, Planned):
            say(f"{account}: {counted(event.windows, 'window')} to read")
        elif isinstance(event, Noted):
            say(f"{account}: {event.text}")
        else:
            say(f"{account}: {event.window} {counted(event.rows, 'call')}{remarks(event)}")

    return Reporter(observe, say)


def json_lines() -> Reporter:
    """The reporter for machines."""

    def observe(account: Account, event: Event) -> None:
        name = str(account)
        if isinstance(event, Planned):
            emit(event="planned", account=name, windows=event.windows)
        elif isinstance(event, Noted):
            emit(event="note", account=name, text=event.text)
        else:
            emit(
                event="window",
                account=name,
                window_start=event.window.start.isoformat(),
                window_end=event.window.end.isoformat(),
                rows=event.rows,
                provider_total=event.provider_total,
                warnings=event.warnings,
                rejected=event.rejected,
                changed=event.changed,
            )

    return Reporter(observe, lambda text: emit(event="message", text=text))


def remarks(event: WindowRead) -> str:
    """What is remarkable about a window that was read, in brackets; empty where nothing is."""
    found = [
        *([] if event.changed else ["unchanged"]),
        *([f"{event.rejected} quarantined"] if event.rejected else []),
        *([f"{event.warnings} unreadable values"] if event.warnings else []),
    ]
    return f" ({', '.join(found)})" if found else ""
