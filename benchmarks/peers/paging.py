"""The answers of a half-open day, as the providers' documents say that pages follow each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec

Pages = Callable[[httpx.Client, datetime, datetime], Iterator[bytes]]
MICROSECOND = timedelta(microseconds=1)


class _Next(msgspec.Struct):
    next: str = ""


class _CallLogs(msgspec.Struct):
    paging: _Next


class _Sessions(msgspec.Struct):
    count: int
    total_count: int


class _Calls(msgspec.Struct):
    data: list[msgspec.Raw]


def etelecom(said: Mapping[str, Any], size: int) -> Pages:
    """POST ListCallLogs, by the cursor to an empty page; both ends of the range are inclusive."""
    url = f"{said['base_url']}.Etelecom/ListCallLogs"
    headers = {"Authorization": f"Bearer {said['api_key']}"}

    def pages(client: httpx.Client, start: datetime, end: datetime) -> Iterator[bytes]:
        wanted = {"date_from": start.isoformat(), "date_to": (end - MICROSECOND).isoformat()}
        after = ""
        while True:
            body = {"filter": wanted, "paging": {"limit": size, "after": after}}
            answer = _body(client.post(url, json=body, headers=headers))
            after = msgspec.json.decode(answer, type=_CallLogs).paging.next
            if not after:
                return
            yield answer

    return pages


def vbot(said: Mapping[str, Any], size: int) -> Pages:
    """GET get-all, pages by number from 0 to a short one."""
    url = f"{said['base_url']}/m-cdr/api/call/get-all"
    headers = {"X-API-Key": said["api_key"]}

    def pages(client: httpx.Client, start: datetime, end: datetime) -> Iterator[bytes]:
        wanted = {"from": _milliseconds(start), "to": _milliseconds(end) - 1, "has_hotline": 1, "size": size}
        page, count = 0, size
        while count == size:
            answer = _body(client.get(url, params={**wanted, "page": page}, headers=headers))
            count = len(msgspec.json.decode(answer, type=_Calls).data)
            page += 1
            if count:
                yield answer

    return pages


def voximplant(said: Mapping[str, Any], size: int) -> Pages:
    """POST GetCallHistory, by the offset to the total; times are whole seconds."""
    import jwt

    url = f"{said['base_url']}/GetCallHistory"
    now = datetime.now(UTC)
    key = said["credentials"]
    claims = {"iss": str(key["account_id"]), "iat": now, "exp": now + timedelta(minutes=30)}
    token = jwt.encode(claims, key["private_key"], "RS256", headers={"kid": str(key["key_id"])})
    headers = {"Authorization": f"Bearer {token}"}
    lists = dict.fromkeys(("with_calls", "with_records", "with_other_resources", "with_total_count"), "true")

    def pages(client: httpx.Client, start: datetime, end: datetime) -> Iterator[bytes]:
        wanted = lists | {
            "from_date": f"{start:%Y-%m-%d %H:%M:%S}",
            "to_date": f"{end - timedelta(seconds=1):%Y-%m-%d %H:%M:%S}",
            "timezone": "Etc/GMT",
            "count": str(size),
        }
        offset, total = 0, 1
        while offset < total:
            answer = _body(client.post(url, data={**wanted, "offset": str(offset)}, headers=headers))
            read = msgspec.json.decode(answer, type=_Sessions)
            offset, total = offset + size, read.total_count
            if read.count:
                yield answer

    return pages


PAGES: Mapping[str, Callable[[Mapping[str, Any], int], Pages]] = {
    "etelecom": etelecom,
    "vbot": vbot,
    "voximplant": voximplant,
}
LISTED: Mapping[str, str] = {"etelecom": "call_logs", "vbot": "data", "voximplant": "result"}
"""The field of an answer that has the records."""


def _body(answer: httpx.Response) -> bytes:
    answer.raise_for_status()
    return answer.content


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
