"""Ctrl-C, in every form that it comes in."""

from __future__ import annotations

_IN_A_QUERY = "Query interrupted"
"""What DuckDB says of Ctrl-C in the middle of a query; some of its versions name the cause, some do not."""


def is_interrupt(fault: BaseException) -> bool:
    """Whether an error is Ctrl-C."""
    return isinstance(fault, KeyboardInterrupt) or (
        isinstance(fault, RuntimeError) and str(fault) == _IN_A_QUERY
    )
