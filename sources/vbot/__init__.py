"""VBot as a dlt source: calls with their parties and recordings, hotlines and members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sources.provider import Provider
from sources.vbot.api import VbotConnection
from sources.vbot.fields import CALLS, HOTLINES, LEGACY_CALLS, MEMBERS
from sources.vbot.options import VbotOptions
from sources.vbot.recordings import access

if TYPE_CHECKING:
    from sources.vbot.source import vbot

__all__ = ["PROVIDER", "vbot"]

PROVIDER = Provider(
    name="vbot",
    title="VBot",
    options=VbotOptions,
    record_types=(CALLS, LEGACY_CALLS, HOTLINES, MEMBERS),
    connect=VbotConnection,
    recordings=access,
)


def __getattr__(name: str) -> Any:
    """The dlt source, once it is asked for: dlt takes longer to load than all the rest, which needs none."""
    if name == "vbot":
        from sources.vbot.source import vbot

        return vbot
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
