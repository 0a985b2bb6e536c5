"""The errors of callsync, drawn once.

    CallsyncError
    ├── ConfigError              a key is missing, unknown or unusable           exit 2
    ├── WarehouseBusy            another process holds the warehouse             exit 3
    ├── WarehouseError           the warehouse file cannot be used as it is      exit 1
    ├── TargetError              the place for recordings cannot be used         exit 1
    │   └── NoRoom               one recording does not fit; smaller ones may
    └── ProviderError            a provider's account could not be read          exit 1
        ├── Transient            worth another attempt
        │   ├── NetworkFault     no connection, hang-up, reset, time-out
        │   ├── Throttled        the provider asks for a pause (429 and its kin)
        │   ├── ServerFault      5xx, or an error body that says the same
        │   └── UnreadableBody   truncated JSON, HTML where JSON should be
        ├── AccessDenied         the key, token or password is refused
        ├── RequestRefused       the provider understood and said no
        │   └── NotThere         404, 410, no usable address: what is asked for is not there
        │       └── NotNamed     it is listed without any address
        ├── WindowOverflow       more rows than the provider's paging can reach: split the window
        └── IncompleteRead       a repeated cursor, an endless list, fewer rows than counted

The retry policy reads off the type: `Transient` is tried again, everything else is not.
Every message is one line, says what happened and what to do, and never holds a secret.
"""

from __future__ import annotations


class CallsyncError(Exception):
    """Root of every error that callsync raises on purpose; its text is one printable line."""


class ConfigError(CallsyncError):
    """A configuration key is missing, unknown or unusable; names the key and where to set it."""


class WarehouseBusy(CallsyncError):
    """Another process holds the warehouse; names it where that is known."""


class WarehouseError(CallsyncError):
    """The warehouse file cannot be opened, read or written."""


class TargetError(CallsyncError):
    """The folder or store that recordings go to cannot be read or written."""


class NoRoom(TargetError):
    """A recording is larger than what may still be written; names the place."""


class ProviderError(CallsyncError):
    """An account could not be read to the end."""


class Transient(ProviderError):
    """A fault that another attempt may not meet."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds the provider asked to wait, where it said so."""


class NetworkFault(Transient):
    """No connection, a hang-up, a reset or a time-out."""


class Throttled(Transient):
    """The provider asks for fewer requests."""


class ServerFault(Transient):
    """The provider failed on its side."""


class UnreadableBody(Transient):
    """The body is not the JSON that the provider documents: cut short, or a page of HTML."""


class AccessDenied(ProviderError):
    """The key, token or password is refused."""


class RequestRefused(ProviderError):
    """The provider understood the request and declined it."""


class NotThere(RequestRefused):
    """What was asked for is not there, or not there any more."""


class NotNamed(NotThere):
    """What was listed has no address, so there is nothing to ask."""


class WindowOverflow(ProviderError):
    """A window holds more rows than the provider's paging can reach."""


class IncompleteRead(ProviderError):
    """A list did not end as documented, or holds fewer rows than the provider counted."""
