"""When Python looks for garbage: seldom while modules are loaded, and never among what they leave.

Loading makes some hundred thousand objects that stay. To look through them again and again takes a tenth of
the time of a command, and of a long run a twentieth.
"""

from __future__ import annotations

import gc

_WHILE_LOADING = 50_000
_USUALLY = gc.get_threshold()


def seldom() -> None:
    """From here on, modules are loaded."""
    gc.set_threshold(_WHILE_LOADING, *_USUALLY[1:])


def as_usual() -> None:
    """From here on, the work is done; what is there now stays."""
    gc.freeze()
    gc.set_threshold(*_USUALLY)
