"""What a run says meanwhile: a live display on a terminal, a line a window elsewhere, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from pipelines.plain_text import plain
from sources.account import Account
from sources.units import Noted, Planned, WindowRead

Event = Planned | WindowRead | Noted


@dataclass(frozen=True)
class Reporter:
    """Where a run's news goes."""

    observe: Callable[[Account, Event], None]
    say: Callable[[str], None]


@contextmanager
def reporter(log_format: str) -> Iterator[Reporter]:
    """The reporter that fits: `json`, or text, live where standard error is a terminal."""
    if log_format == "json":
        yield _json_lines()
    elif Console(stderr=True).is_terminal:
        with _live() as live:
            yield live
    else:
        yield _lines()


def say(text: str) -> None:
    """Tell an operator a line with its time, on standard error."""
    click.echo(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {plain(text)}", err=True)


def emit(**facts: object) -> None:
    """Tell a machine a line of JSON with its time, on standard error."""
    click.echo(json.dumps({"at": datetime.now(UTC).isoformat(), **facts}), err=True)


def counted(number: int, noun: str) -> str:
    """So many of something."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def bars(noun: str, rate: ProgressColumn) -> Progress:
    """The live display: a bar an account, what it counts, and how fast."""
    return Progress(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn(noun),
        rate,
        TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(stderr=True),
    )


def remark(text: str) -> Text:
    """A line above the bars."""
    return Text(plain(text), style="yellow")


def seconds_of(task: Task) -> float:
    """How long a bar has been moving, or moved."""
    return (task.finished_time if task.finished else task.elapsed) or 0.0


def _lines() -> Reporter:
    def observe(account: Account, event: Event) -> None:
        if isinstance(event, Planned):
            say(f"{account}: {counted(event.windows, 'window')} to read")
        elif isinstance(event, Noted):
            say(f"{account}: {event.text}")
        else:
            say(f"{account}: {event.window} {counted(event.rows, 'call')}{_remarks(event)}")

    return Reporter(observe, say)


def _json_lines() -> Reporter:
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


class _Rate(ProgressColumn):
    """Calls so far, and calls a second."""

    def render(self, task: Task) -> Text:
        calls = int(task.fields["calls"])
        seconds = seconds_of(task)
        rate = f"{calls / seconds:,.0f}/s" if calls and seconds > 0 else ""
        return Text(f"{calls:>11,} calls {rate:>10}", style="cyan")


@contextmanager
def _live() -> Iterator[Reporter]:
    tasks: dict[str, TaskID] = {}
    with bars("windows", _Rate()) as progress:

        def observe(account: Account, event: Event) -> None:
            name = str(account)
            if isinstance(event, Planned):
                tasks[name] = progress.add_task(name, total=event.windows, calls=0)
            elif isinstance(event, Noted):
                progress.console.print(remark(f"{name}: {event.text}"))
            else:
                task = tasks[name]
                calls = progress.tasks[progress.task_ids.index(task)].fields["calls"] + event.rows
                progress.update(task, advance=1, calls=calls)
                if event.rejected or event.warnings:
                    progress.console.print(remark(f"{name}: {event.window}{_remarks(event)}"))

        yield Reporter(observe, lambda text: progress.console.print(remark(text)))


def _remarks(event: WindowRead) -> str:
    remarks = [
        *([] if event.changed else ["unchanged"]),
        *([f"{event.rejected} quarantined"] if event.rejected else []),
        *([f"{event.warnings} unreadable values"] if event.warnings else []),
    ]
    return f" ({', '.join(remarks)})" if remarks else ""
