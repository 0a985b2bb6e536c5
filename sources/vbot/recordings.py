"""VBot's recordings: from the API by their id, or where `record_file` says.

Source: VBot documents, "Call History Management", `GET [URL]/api/crm/historycall/record/{trans_id}` with the
key or token of the version. What `record_file` holds is that address too, but of whatever host and version
the call was listed by (`http` with a port, `open-api.vbot.vn` before May 2026), so the API that is configured
is asked; the old paths are still served there.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from sources.account import Account
from sources.recordings import Access, Recording, parsed
from sources.vbot.answers import envelope, refusal
from sources.vbot.client import credential
from sources.vbot.options import VbotOptions

RECORD_PATH = "/api/crm/historycall/record/"


def access(account: Account) -> Access:
    """How the recordings of an account are had."""
    options: VbotOptions = account.options
    return Access(
        base_url=options.address,
        hosts=tuple(options.recording_hosts),
        credential=credential(options),
        refusal=refusal,
        explain=partial(envelope, is_v1=False),
        address=address,
    )


def address(access: Access, recording: Recording) -> str | None:
    """The API's address of a recording of its own; any other is asked as it is listed."""
    url, number = recording.url, recording.recording_id or ""
    is_own = url is None or (RECORD_PATH in url and access.knows(parsed(url)))
    return f"{access.base_url}{RECORD_PATH}{quote(number, safe='')}" if is_own and number.strip(".") else url
