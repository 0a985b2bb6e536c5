"""eTelecom's recordings: `recording_urls` of a call log, asked as they are.

Their host is not documented. The key goes along only where it is the API's own, which has it from every
other request; a stranger's address is asked without.
"""

from __future__ import annotations

from sources.account import Account
from sources.etelecom.api import credential, envelope, refusal
from sources.etelecom.options import EtelecomOptions
from sources.recordings import Access


def access(account: Account) -> Access:
    """How the recordings of an account are had."""
    options: EtelecomOptions = account.options
    return Access(
        base_url=options.base_url,
        hosts=tuple(options.recording_hosts),
        credential=credential(options),
        refusal=refusal,
        explain=envelope,
    )
