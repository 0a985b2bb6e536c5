"""Voximplant as a dlt source: call sessions with their legs, records and costs, applications and users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sources.provider import Provider
from sources.voximplant.api import VoximplantConnection, unfinished
from sources.voximplant.fields import ACCOUNT_INFO, APPLICATIONS, CALL_SESSIONS, USERS
from sources.voximplant.options import VoximplantOptions
from sources.voximplant.recordings import access

if TYPE_CHECKING:
    from sources.voximplant.source import voximplant

__all__ = ["PROVIDER", "voximplant"]

PROVIDER = Provider(
    name="voximplant",
    title="Voximplant",
    options=VoximplantOptions,
    record_types=(CALL_SESSIONS, ACCOUNT_INFO, APPLICATIONS, USERS),
    connect=VoximplantConnection,
    recordings=access,
    unfinished=unfinished,
)


def __getattr__(name: str) -> Any:
    """The dlt source, once it is asked for: dlt takes longer to load than all the rest, which needs none."""
    if name == "voximplant":
        from sources.voximplant.source import voximplant

        return voximplant
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
