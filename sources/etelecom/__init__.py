"""eTelecom as a dlt source: call logs with their targets and recordings, and the extensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sources.etelecom.api import EtelecomConnection
from sources.etelecom.fields import CALL_LOGS, EXTENSIONS
from sources.etelecom.options import EtelecomOptions
from sources.etelecom.recordings import access
from sources.provider import Provider

if TYPE_CHECKING:
    from sources.etelecom.source import etelecom

__all__ = ["PROVIDER", "etelecom"]

PROVIDER = Provider(
    name="etelecom",
    title="eTelecom",
    options=EtelecomOptions,
    record_types=(CALL_LOGS, EXTENSIONS),
    connect=EtelecomConnection,
    recordings=access,
)


def __getattr__(name: str) -> Any:
    """The dlt source, once it is asked for: dlt takes longer to load than all the rest, which needs none."""
    if name == "etelecom":
        from sources.etelecom.source import etelecom

        return etelecom
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
