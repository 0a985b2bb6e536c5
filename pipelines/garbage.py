"""When Python looks for garbage: seldom while modules are loaded, and during a run not among what they left.

Loading makes some hundred thousand objects that stay. To look through them again and again takes a tenth of
the time of a command, and of a long run a twentieth.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_WHILE_LOADING = 50_000
_USUALLY = gc.get_threshold()


def seldom() -> None:
    """From here on, modules are loaded."""
    gc.set_threshold(_WHILE_LOADING, *_USUALLY[1:])


@contextmanager
def while_loading() -> Iterator[None]:
    """Modules are loaded in the middle of a run, and then not looked through either."""
    seldom()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*_USUALLY)


@contextmanager
def among_the_new() -> Iterator[None]:
    """Look as often as usual, and only among what is made from here on."""
    gc.freeze()
    gc.set_threshold(*_USUALLY)
    try:
        yield
    finally:
        gc.unfreeze()
