"""The providers callsync knows. A new one is a package of its own and a line here."""

from __future__ import annotations

from sources import etelecom, vbot, voximplant
from sources.provider import Provider

PROVIDERS: dict[str, Provider] = {
    provider.name: provider for provider in (vbot.PROVIDER, etelecom.PROVIDER, voximplant.PROVIDER)
}
