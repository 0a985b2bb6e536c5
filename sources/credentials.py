"""What proves who we are: keys here, tokens with their providers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sources.client import Client


class Credential(Protocol):
    """What proves who we are."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must never appear in an error."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Those of them that are no data either: not a user's name, which calls may well bear."""

    def headers(self, client: Client) -> Mapping[str, str]:
        """Headers of the next request; may fetch or mint a token."""

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the token after headers with it were refused; False where there is nothing to renew."""


@dataclass(frozen=True)
class ApiKey:
    """A key that travels in a header as it is."""

    header: str
    value: str = field(repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The key itself, without its scheme."""
        return (self.value.removeprefix("Bearer "),)

    keys = secrets

    def headers(self, client: Client) -> Mapping[str, str]:
        """The one header."""
        return {self.header: self.value}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """A key cannot be renewed."""
        return False
