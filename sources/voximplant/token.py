"""Voximplant's credentials and the tokens made of them.

Source: Voximplant documents, "Authorization": a JWT signed by RS256 with the service account's key, `kid` in
its header, `exp` at most an hour after `iat`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sources.client import Client
from sources.errors import ConfigError
from sources.windows import SECOND

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

TOKEN_LIFETIME = timedelta(minutes=30)
TOKEN_BACKDATED = timedelta(seconds=30)
"""A token is dated back a little: a clock that runs ahead of the provider's is refused otherwise."""
TOKEN_RENEWED_BEFORE_END = timedelta(minutes=2)
MOST_RENEWALS = 600
"""Each renewal ends a second earlier than the one before; after so many the count begins again."""

_CREDENTIAL_KEYS = ("account_id", "key_id", "private_key")


def read_credentials(credentials: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """The table of a service account: `account_id`, `key_id`, `private_key` (PEM).

    Raises:
        ConfigError: the file is missing or is not such a table, or the key is not an RSA key.
    """
    if isinstance(credentials, str):
        try:
            table = json.loads(
                credentials
                if credentials.lstrip().startswith("{")
                else Path(credentials).expanduser().read_text()
            )
        except OSError as error:
            raise ConfigError(f"cannot be read: {error.strerror} ({error.filename})") from None
        except RuntimeError as error:
            # No home of that user, or lists in lists without end.
            raise ConfigError(f"cannot be read: {error}") from None
        except ValueError:
            raise ConfigError("is not JSON; download credentials.json from the control panel again") from None
    else:
        table = credentials
    missing = [key for key in _CREDENTIAL_KEYS if not isinstance(table, Mapping) or not table.get(key)]
    if missing:
        raise ConfigError(
            f"lacks {', '.join(missing)}; download credentials.json from the control panel again"
        )
    try:
        _signing_key(str(table["private_key"]))
    except Exception:
        # Any fault of the key is the same to the user, and its text may hold the key.
        raise ConfigError("holds a private_key that is no RSA key in PEM form") from None
    return {key: table[key] for key in _CREDENTIAL_KEYS}


@cache
def _signing_key(pem: str) -> RSAPrivateKey:
    """The key that signs, once a signature of it was verified."""
    # The library takes a while to load, which who has no account here is spared.
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    # To prove its numbers prime takes longer than all else that is done with a key. It is the user's own, and
    # what has to be known of it is whether the provider will accept what it signs.
    key = load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("only an RSA key signs by RS256")
    key.public_key().verify(key.sign(b"", PKCS1v15(), SHA256()), b"", PKCS1v15(), SHA256())
    return key


class ServiceToken:
    """A JWT of a service account: minted when first needed, used again, renewed before it ends."""

    def __init__(self, credentials: Mapping[str, Any]) -> None:
        self._account_id = str(credentials["account_id"])
        self._key_id = str(credentials["key_id"])
        self._private_key = str(credentials["private_key"])
        self._token = ""
        self._renew_at = datetime.min.replace(tzinfo=UTC)
        self._renewals = 0
        self._lock = threading.Lock()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The private key and the token in use."""
        return (self._private_key, self._token)

    keys = secrets

    def headers(self, client: Client) -> Mapping[str, str]:
        """The Bearer header."""
        import jwt

        with self._lock:
            now = datetime.now(UTC)
            if now >= self._renew_at:
                issued = now - TOKEN_BACKDATED
                # Signing has no chance in it: a second token of one second would be the refused one again.
                ends = issued + TOKEN_LIFETIME - self._renewals * SECOND
                claims = {"iss": self._account_id, "iat": issued, "exp": ends}
                self._token = jwt.encode(
                    claims, _signing_key(self._private_key), "RS256", headers={"kid": self._key_id}
                )
                self._renew_at = ends - TOKEN_RENEWED_BEFORE_END
            return self._headers()

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the token, so that the next request carries a new one, unless another thread has done so."""
        with self._lock:
            if refused == self._headers():
                self._renew_at = datetime.min.replace(tzinfo=UTC)
                self._renewals = (self._renewals + 1) % MOST_RENEWALS
        return True

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}"}
