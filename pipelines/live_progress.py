"""What a run says meanwhile on a terminal: a bar an account, and above them what is remarkable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
from pipelines.progress import Event, Reporter, remarks
from sources.account import Account
from sources.units import Noted, Planned


def bars(noun: str, rate: ProgressColumn) -> Progress:
    """The live display: a bar an account, what it counts, and how fast."""
    return Progress(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=12),
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


class _Rate(ProgressColumn):
    """Calls so far, and calls a second."""

    def render(self, task: Task) -> Text:
        calls = int(task.fields["calls"])
        seconds = seconds_of(task)
        rate = f"{calls / seconds:,.0f}/s" if calls and seconds > 0 else ""
        return Text(f"{calls:>9,} calls {rate:>8}", style="cyan")


@contextmanager
def live() -> Iterator[Reporter]:
    """The reporter that shows a run as it goes."""
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
                    progress.console.print(remark(f"{name}: {event.window}{remarks(event)}"))

        yield Reporter(observe, lambda text: progress.console.print(remark(text)))
