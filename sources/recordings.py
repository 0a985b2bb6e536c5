"""Recordings of calls: where they are asked for, and who may see the account's credentials on the way.

Their addresses are text that a provider sent. Credentials go to the host of the account's `base_url` and to
its `recording_hosts`, encrypted unless `base_url` itself is not; every other host is asked without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import httpx

from sources.account import Account
from sources.credentials import Credential
from sources.download import Asked, Part, download, is_http
from sources.errors import NotNamed, NotThere, ProviderError
from sources.http import Api
from sources.shaping.privacy import is_cut

NO_ADDRESS = "the provider names no address for it"
"""The text of `NotNamed`, by which it is known again once there is one."""


@dataclass(frozen=True)
class Recording:
    """A recording as `reporting.recordings` lists it; times in UTC."""

    call_id: str
    position: int
    provider: str
    account: str
    recording_id: str | None
    url: str | None
    started_at: datetime | None

    @property
    def selector(self) -> str:
        """Its account as the configuration names it."""
        return f"{self.provider}.{self.account}"


@dataclass(frozen=True)
class Access:
    """How an account's recordings are had.

    Attributes:
        base_url: the API's address; its host may see the credentials.
        hosts: others that may, as `host` or `*.domain`.
        credential: proves who we are.
        refusal: the provider's reading of a status that is not 2xx.
        explain: raises the error that a text with status 200 hides.
        address: where a recording is asked for, None where nothing says so.
    """

    base_url: str
    hosts: tuple[str, ...]
    credential: Credential = field(repr=False)
    refusal: Callable[[int, bytes], ProviderError | None]
    explain: Callable[[bytes], object]
    address: Callable[[Access, Recording], str | None] = lambda access, recording: recording.url

    def knows(self, url: httpx.URL) -> bool:
        """Whether an address is on a host that may see the credentials."""
        return url.host == httpx.URL(self.base_url).host or any(
            url.host.endswith(known[1:]) if known.startswith("*.") else url.host == known
            for known in map(str.lower, self.hosts)
        )

    def asked(self, recording: Recording) -> Asked:
        """The address of a recording, and whether credentials go along.

        A plain address on a known host is asked for encrypted, as the API is: VBot lists its recordings as
        http with a port of its own.

        Raises:
            NotThere: there is no address, or none that can be asked.
        """
        address = self.address(self, recording) or ""
        # What stands in the place of a number is written with percents where an id became part of an address.
        if is_cut(address) or is_cut(unquote(address)):
            raise NotThere("its address held a phone number, of which phone_privacy did not keep all")
        url = parsed(address)
        if not self.knows(url):
            return Asked(url, is_trusted=False)
        base = httpx.URL(self.base_url)
        url = url.copy_with(userinfo=b"")
        if url.scheme == "http" and url.host != base.host:
            url = url.copy_with(scheme="https", port=None)
        elif url.scheme == "http" and base.scheme == "https":
            url = url.copy_with(scheme="https", port=base.port)
        is_base = (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port)
        return Asked(url, is_trusted=is_base or url.scheme == "https")


class RecordingClient:
    """The recordings of an account, over connections of their own.

    Args:
        account: whose they are.
        access: how they are had.
        connections: how many are fetched at once.
        seams: for tests, as `Api` takes them.
    """

    def __init__(self, account: Account, access: Access, *, connections: int, **seams: Any) -> None:
        self._access = access
        self._api = Api.of(
            account.options, access.credential, access.refusal, connections=connections, **seams
        )

    def fetch(self, recording: Recording, part: Part) -> None:
        """Bring a part of a recording to its end.

        Raises:
            ProviderError: it could not be had whole.
        """
        download(self._api, self._access.asked(recording), part, self._access.explain)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()


def parsed(text: str) -> httpx.URL:
    """An http address; what is wrong with another is told without showing it.

    Raises:
        NotThere: it is none.
    """
    if not text:
        raise NotNamed(NO_ADDRESS)
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        raise NotThere("the provider names what is no address") from None
    if not is_http(url):
        raise NotThere("the provider names what is no http address")
    return url
