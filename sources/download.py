"""A file by HTTP: as it comes, gone on with where it was cut off, checked against what the server says of it.

    part     [====================]                     what has come, with what the server said of it
    asked                     [~~~|------------------]  Range; a strong validator, else some bytes to compare
    answer   206              [~~~|------------------]  goes on, if it is the same content and the same place
             200 [------------------------------------] begins again: Range is ignored, or the content is new

Sources: RFC 9110, 13.1.5 (If-Range), 14 (ranges), 15.4 (redirects).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol

import httpx

from sources import audio
from sources.errors import (
    AccessDenied,
    IncompleteRead,
    NetworkFault,
    ProviderError,
    RequestRefused,
    UnreadableBody,
)
from sources.http import Api, Request
from sources.printing import printable

MOST_REDIRECTS = 5
OVERLAP_BYTES = 4096
"""So much is asked for again and compared where a server gives nothing else to know content by."""

LARGEST_BYTES = 8 * 2**30
"""No recording is larger; a body without an end would fill the disk that the warehouse is on."""

LEAST_BYTES_A_SECOND = 1000
"""What speech packed the most takes; a server that sends less for long would hold whoever listens to it."""

ERROR_BYTES = 64 * 1024
LONGEST_HOST = 253
LAST_PORT = 65_535

_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity"}
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)$")
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,18})$")


@dataclass(frozen=True)
class Asked:
    """An address to ask, and whether it may see our credentials."""

    url: httpx.URL
    is_trusted: bool


@dataclass(frozen=True)
class About:
    """What a server said of a file; None or empty where it did not."""

    total: int | None = None
    etag: str = ""
    last_modified: str = ""
    content_type: str = ""

    @property
    def validator(self) -> str:
        """What If-Range takes: a strong entity tag, else the time of the last change, in plain letters."""
        strong = "" if self.etag.startswith("W/") else self.etag
        said = (text for text in (strong, self.last_modified) if text.isascii() and text.isprintable())
        return next(filter(None, said), "")

    def contradicts(self, later: About) -> bool:
        """Whether the two speak of different content."""
        facts = (
            (self.total, later.total),
            (self.etag, later.etag),
            (self.last_modified, later.last_modified),
        )
        return any(was and now and was != now for was, now in facts)


class Part(Protocol):
    """What has come of a file so far."""

    @property
    def size(self) -> int:
        """Bytes that have come."""

    @property
    def about(self) -> About:
        """What the server said of it."""

    def tail(self, length: int) -> bytes:
        """The last bytes."""

    def begin(self, about: About) -> None:
        """Drop what has come: other content follows."""

    def note(self, about: About) -> None:
        """Learn more of the same content."""

    def write(self, chunk: bytes) -> None:
        """Add what comes next.

        Raises:
            NoRoom: it does not fit.
        """

    def see_room(self, length: int) -> None:
        """See that so many more bytes may be written.

        Raises:
            NoRoom: they may not.
        """


def download(api: Api, asked: Asked, part: Part, explain: Callable[[bytes], object]) -> None:
    """Bring a part to its end; one that is there already costs no request.

    Args:
        api: the account's client.
        asked: the address.
        part: where the bytes go, and what earlier tries left of them.
        explain: raises the error that a text of the provider's own means.

    Raises:
        ProviderError: it could not be had whole; what came stays in the part.
        NoRoom: it does not fit; nothing is written where its length tells so.
    """
    while part.about.total is None or part.size < part.about.total or not part.size:
        had = part.size
        api.trying(lambda sent: _once(api, asked, part, explain, sent))
        if not part.size:
            part.begin(About())
            raise IncompleteRead(f"{asked.url.host} sent an empty file")
        if part.about.total is not None and had == part.size < part.about.total:
            said = f"{part.size} of {part.about.total} bytes"
            raise IncompleteRead(f"{asked.url.host} sends no more than {said}")


def is_http(url: httpx.URL) -> bool:
    """Whether an address can be asked at all; sockets raise errors of many kinds where it cannot."""
    try:
        host = url.host.encode("idna")
    except UnicodeError:
        return False
    return url.scheme in ("http", "https") and 0 < len(host) <= LONGEST_HOST and (url.port or 1) <= LAST_PORT


def resumes_at(size: int, about: About) -> int:
    """Where to go on: a little before the end where only the bytes themselves can be compared."""
    return size if about.validator else max(0, size - OVERLAP_BYTES)


def _once(
    api: Api, asked: Asked, part: Part, explain: Callable[[bytes], object], sent: dict[str, str]
) -> None:
    start = resumes_at(part.size, part.about)
    headers = dict(_HEADERS)
    if start:
        headers["Range"] = f"bytes={start}-"
        if part.about.validator:
            headers["If-Range"] = part.about.validator
    with _followed(api, asked, headers, sent) as (answer, request):
        if answer.status_code == 416 and start:
            _reached_the_end(answer, request, part)
            return
        if answer.status_code not in (200, 206):
            raise _refused(api, answer, request, explain, is_known=bool(sent))
        begins, ends, about = _said(answer, request)
        chunks = _in_time(answer, request, api.longest_answer_seconds)
        if answer.status_code == 206 and start:
            if begins != start or part.about.contradicts(about):
                raise _changed(part, request)
            part.note(replace(part.about, total=part.about.total or about.total))
            chunks = _beyond(chunks, part, part.size - start, request)
        else:
            if begins:
                raise UnreadableBody(f"{request.place} answered a part although the whole was asked for")
            first = _beginning(chunks, audio.SNIFFED_BYTES)
            chunks = chain([first], chunks)
            if audio.is_text(first, about.content_type):
                if sent:
                    explain(_beginning(chunks, ERROR_BYTES)[:ERROR_BYTES])
                called = f", which calls itself {about.content_type}" if about.content_type else ""
                raise UnreadableBody(f"{request.place} answered a text{called}; it is no recording")
            part.begin(about)
        told = part.about.total or ends
        if told is not None:
            _see_size(told, part, request)
            part.see_room(told - part.size)
        _copy(chunks, part, ends, request)
        if part.about.total is None:
            part.note(replace(part.about, total=part.size))


def _refused(
    api: Api, answer: httpx.Response, request: Request, explain: Callable[[bytes], object], *, is_known: bool
) -> ProviderError:
    status = answer.status_code
    if not is_known and status in (401, 403):
        return RequestRefused(
            f"{request.place} answered HTTP {status}; it was asked without credentials (see recording_hosts)"
        )
    if not is_known:
        # What a stranger says may hold anything; its status says enough.
        return api.refused(request, answer, b"")
    body = _beginning(_in_time(answer, request, api.longest_answer_seconds), ERROR_BYTES)[:ERROR_BYTES]
    if status == 403:
        # Storage says so of a single file, too: of the account only where the provider's own words do.
        try:
            explain(body)
        except AccessDenied as error:
            return error
        except ProviderError:
            pass
        return RequestRefused(f"{request.place} answered HTTP {status}")
    return api.refused(request, answer, body)


def _copy(chunks: Iterable[bytes], part: Part, ends: int | None, request: Request) -> None:
    for chunk in chunks:
        reached = part.size + len(chunk)
        _see_size(reached, part, request)
        if ends is not None and reached > ends:
            raise _changed(part, request)
        if chunk:
            part.write(chunk)
    if ends is not None and part.size < ends:
        raise NetworkFault(f"{request.place} sent {part.size} of {ends} bytes")


def _see_size(length: int, part: Part, request: Request) -> None:
    if length > LARGEST_BYTES:
        part.begin(About())
        raise RequestRefused(f"{request.place} sends more than {LARGEST_BYTES} bytes")


@contextmanager
def _followed(
    api: Api, asked: Asked, headers: dict[str, str], sent: dict[str, str]
) -> Iterator[tuple[httpx.Response, Request]]:
    """The answer at the end of redirects; credentials go no further than the first address's own origin."""
    url, is_trusted = asked.url, asked.is_trusted
    for _ in range(1 + MOST_REDIRECTS):
        request = Request("GET", str(url), headers=headers, place=url.host)
        with api.answer(request, sent, is_trusted=is_trusted) as answer:
            if not answer.has_redirect_location:
                yield answer, request
                return
            following = _redirected(url, answer.headers["Location"])
        is_trusted = is_trusted and _origin(following) == _origin(url)
        url = following
    raise RequestRefused(f"{asked.url.host} redirects more than {MOST_REDIRECTS} times")


def _redirected(url: httpx.URL, location: str) -> httpx.URL:
    try:
        following = url.join(location)
    except httpx.InvalidURL:
        following = None
    if following is None or not is_http(following):
        raise RequestRefused(f"{url.host} redirects to what is no http address")
    if url.scheme == "https" and following.scheme == "http":
        raise RequestRefused(f"{url.host} redirects from https to plain http, which anyone could listen to")
    return following


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _said(answer: httpx.Response, request: Request) -> tuple[int, int | None, About]:
    """Where the body begins and ends in the file, as far as is said, and what else is said."""
    if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise UnreadableBody(f"{request.place} answered packed although it was asked not to")
    length = answer.headers.get("Content-Length", "")
    begins, ends = 0, int(length) if re.fullmatch(r"\d{1,18}", length) else None
    total = ends
    if answer.status_code == 206:
        found = _RANGE.match(answer.headers.get("Content-Range", "").strip())
        if not found:
            raise UnreadableBody(f"{request.place} answered a part without saying which")
        begins, ends = int(found[1]), int(found[2]) + 1
        total = None if found[3] == "*" else int(found[3])
        if not begins < ends <= (total or ends):
            raise UnreadableBody(f"{request.place} answered a part that cannot be")
    about = About(
        total=total,
        etag=answer.headers.get("ETag", ""),
        last_modified=answer.headers.get("Last-Modified", ""),
        content_type=printable(answer.headers.get("Content-Type", "").partition(";")[0].lower()),
    )
    return begins, ends, about


def _reached_the_end(answer: httpx.Response, request: Request, part: Part) -> None:
    """Nothing follows: the part is whole, or not of this content."""
    found = _UNSATISFIED.match(answer.headers.get("Content-Range", "").strip())
    if not found or int(found[1]) != part.size:
        raise _changed(part, request)
    part.note(replace(part.about, total=part.size))


def _beyond(chunks: Iterable[bytes], part: Part, overlap: int, request: Request) -> Iterator[bytes]:
    """What follows the bytes that were asked for again, which must be those that the part ends with."""
    known = part.tail(overlap)
    for chunk in chunks:
        shared = min(len(known), len(chunk))
        if chunk[:shared] != known[:shared]:
            raise _changed(part, request)
        known = known[shared:]
        yield chunk[shared:]


def _changed(part: Part, request: Request) -> UnreadableBody:
    part.begin(About())
    return UnreadableBody(f"{request.place} sent other content than before; the recording is begun again")


def _in_time(answer: httpx.Response, request: Request, span_seconds: float) -> Iterator[bytes]:
    """The body as it comes, as long as it comes at a rate that is worth waiting for."""
    began, came = time.monotonic(), 0
    for chunk in answer.iter_raw():
        yield chunk
        came += len(chunk)
        seconds = time.monotonic() - began
        if seconds > span_seconds:
            if came < LEAST_BYTES_A_SECOND * seconds:
                raise NetworkFault(f"{request.place} sent {came} bytes in {seconds:.0f} s, which is too slow")
            began, came = time.monotonic(), 0


def _beginning(chunks: Iterable[bytes], enough: int) -> bytes:
    """The first chunks, as many as hold so many bytes, or all."""
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) >= enough:
            break
    return body
