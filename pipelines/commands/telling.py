"""How a command tells of its progress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipelines.progress import Reporter

log_format_option = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How progress is told, on standard error.",
)


@contextmanager
def reporter(log_format: str) -> Iterator[Reporter]:
    """The reporter that fits: `json`, or text, live where standard error is a terminal."""
    from pipelines import progress

    if log_format == "json":
        yield progress.json_lines()
    elif progress.is_live():
        # What draws it takes a twentieth of a second to load, and a scheduled run has no terminal.
        from pipelines.live_progress import live

        with live() as told:
            yield told
    else:
        yield progress.lines()
