"""What a download says meanwhile: a live display on a terminal, a line a recording elsewhere, or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.filesize import decimal
from rich.progress import ProgressColumn, Task, TaskID
from rich.text import Text

from pipelines.live_progress import bars, remark, seconds_of
from pipelines.progress import counted, emit, is_live, say
from pipelines.recordings.outcome import Outcome, Status
from pipelines.recordings.running import Planned, Watcher
from sources.printing import printable


@contextmanager
def watcher(log_format: str) -> Iterator[Watcher]:
    """Whoever tells it as it fits: `json`, or text, live where standard error is a terminal."""
    if log_format == "json":
        yield _json_lines()
    elif is_live():
        with _live() as live:
            yield live
    else:
        yield _lines()


def _lines() -> Watcher:
    def observe(event: Planned | Outcome) -> None:
        if isinstance(event, Planned):
            say(f"{event.account}: {counted(event.recordings, 'recording')} to fetch")
        else:
            say(_told(event))

    return Watcher(observe, say)


def _json_lines() -> Watcher:
    def observe(event: Planned | Outcome) -> None:
        if isinstance(event, Planned):
            emit(event="planned", account=event.account, recordings=event.recordings)
        else:
            emit(
                event="recording",
                account=event.selector,
                call_id=event.call_id,
                position=event.position,
                status=event.status,
                path=event.path,
                bytes=event.bytes,
                error=event.error,
            )

    return Watcher(observe, lambda text: emit(event="message", text=text))


class _Bytes(ProgressColumn):
    """Bytes so far, and bytes a second."""

    def render(self, task: Task) -> Text:
        size = int(task.fields["bytes"])
        seconds = seconds_of(task)
        rate = f"{decimal(int(size / seconds))}/s" if size and seconds > 0 else ""
        return Text(f"{decimal(size):>9} {rate:>11}", style="cyan")


@contextmanager
def _live() -> Iterator[Watcher]:
    tasks: dict[str, TaskID] = {}
    sizes: dict[str, int] = {}
    with bars("recordings", _Bytes()) as progress:

        def observe(event: Planned | Outcome) -> None:
            if isinstance(event, Planned):
                tasks[event.account] = progress.add_task(event.account, total=event.recordings, bytes=0)
                sizes[event.account] = 0
                return
            name = event.selector
            if event.status is Status.HELD:
                sizes[name] += event.bytes or 0
            else:
                show(_told(event))
            progress.update(tasks[name], advance=1, bytes=sizes[name])

        def show(text: str) -> None:
            progress.console.print(remark(text))

        yield Watcher(observe, show)


def _told(outcome: Outcome) -> str:
    what = f"{outcome.selector}: {printable(outcome.call_id)} {outcome.position}"
    if outcome.status is Status.HELD:
        return f"{what}: {decimal(outcome.bytes or 0)} in {outcome.path}"
    return f"{what}: {outcome.status}: {outcome.error}"
