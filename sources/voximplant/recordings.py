"""Voximplant's recordings: `record_url` of a record, with the Bearer token where the storage is its own.

Source: Voximplant documents, "Accessing secure objects": the same token as for the API, and ranges are
served. Secure or not, the address is on a host of voximplant.com (such as storage-gw-us-01); a customer's own
S3 storage is asked without the token.
"""

from __future__ import annotations

from sources.account import Account
from sources.recordings import Access
from sources.voximplant.answers import envelope, refusal
from sources.voximplant.api import credential
from sources.voximplant.options import VoximplantOptions


def access(account: Account) -> Access:
    """How the recordings of an account are had."""
    options: VoximplantOptions = account.options
    return Access(
        base_url=options.base_url,
        hosts=tuple(options.recording_hosts),
        credential=credential(options),
        refusal=refusal,
        explain=envelope,
    )
