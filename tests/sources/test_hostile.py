"""Providers that speak HTTP and JSON in every way that is allowed, and some that are not, on real sockets."""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from simulator import Simulator
from sources.account import Account
from sources.errors import IncompleteRead, NetworkFault, ProviderError, UnreadableBody
from sources.ledger import Ledger
from sources.reading import AccountReader
from sources.registry import PROVIDERS
from sources.units import Span, Unit
from sources.windows import SECOND, local_midnight
from tests.sources.accounts import IDS, account_of, connect
from tests.sources.hostile import (
    STYLES,
    Answer,
    Asked,
    Etelecom,
    Raw,
    VbotV2,
    VbotV3,
    Voximplant,
    hostile,
    oddly,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
NOISE = random.Random(4).randbytes(1_000_000)  # noqa: S311 - no secret


@pytest.fixture(scope="module")
def credentials() -> dict[str, Any]:
    with Simulator(calls=1) as simulator:
        given: dict[str, Any] = simulator.credentials("voximplant")["credentials"]
        return given


def spread(calls: int, step: timedelta, start: datetime = START) -> list[datetime]:
    return [start + number * step for number in range(calls)]


def account(kind: str, url: str, credentials: dict[str, Any], **options: Any) -> Account:
    provider, _, version = kind.partition(" ")
    known: dict[str, dict[str, Any]] = {
        "etelecom": {"api_key": "1:secret", "base_url": f"{url}/v1/shop"},
        "vbot": {"base_url": f"{url}/v3.0", "api_key": "k"},
        "voximplant": {"credentials": credentials, "base_url": url},
    }
    own = known[provider]
    if version:
        own = {"api_version": version, "base_url": f"{url}/v2.0", "username": "u", "password": "p"}
        own |= {"vbot_id": "V", "project_code": "P"}
    return account_of(provider, **own | {"max_attempts": 2, "window_days": 2, "start_date": START} | options)


def read(
    opened: Account, days: float = 4, start: datetime = START
) -> tuple[list[dict[str, Any]], list[Unit]]:
    """What a backfill brings: the rows of its calls, of each the last, and its units."""
    provider, connection = PROVIDERS[opened.provider], connect(opened)
    end = start + timedelta(days=days)
    now = end + timedelta(days=9)
    try:
        # These servers have no names.
        reader = AccountReader(provider, opened, connection, Ledger(names_read_at=now), now=now)
        units = list(reader.units(Span("backfill", start, end)))
    finally:
        connection.close()
    rows = {
        row[IDS[opened.provider]]: row
        for unit in units
        for _, shaped in unit.data
        for row in shaped.tables[provider.calls.table].to_pylist()
    }
    return list(rows.values()), units


MADE: dict[str, Callable[[Sequence[datetime]], Answer]] = {
    "etelecom": Etelecom,
    "vbot": VbotV3,
    "voximplant": Voximplant,
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("kind", MADE)
def test_answers_are_read_however_their_bytes_travel(
    kind: str, style: str, credentials: dict[str, Any]
) -> None:
    with hostile(MADE[kind](spread(40, timedelta(hours=2))), style) as url:
        rows, _ = read(account(kind, url, credentials, page_size=15))
    assert sorted(row["duration"] for row in rows) == list(range(40))


@pytest.mark.parametrize("kind", MADE)
def test_numbers_as_text_unknown_fields_nulls_and_turned_keys_lose_nothing(
    kind: str, credentials: dict[str, Any]
) -> None:
    make: Any = MADE[kind]
    instants = spread(30, timedelta(hours=3))
    with hostile(make(instants, oddly)) as url:
        rows, _ = read(account(kind, url, credentials, page_size=7))
    assert sorted(row["duration"] for row in rows) == list(range(30))
    assert all('"zz_new"' in row["extra"] for row in rows)
    times = {"etelecom": "started_at", "vbot": "create_at", "voximplant": "start_date"}[kind]
    assert sorted(row[times] for row in rows) == instants


BODIES = {
    "with its length": b"HTTP/1.1 200 OK\r\nContent-Type: text/json\r\nContent-Length: 1000000\r\n\r\n",
    "without a length": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
    "in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf4240\r\n",
    "as chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "as gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1000000\r\n\r\n",
    "as brotli": b"HTTP/1.1 200 OK\r\nContent-Encoding: br, gzip, deflate\r\nContent-Length: 1000000\r\n\r\n",
    "in place of an answer": b"",
    "as headers": b"HTTP/1.1 200 OK\r\n",
}


@pytest.mark.parametrize(("kind", "head"), list(zip(cycle(MADE), BODIES.values(), strict=False)), ids=BODIES)
def test_a_million_random_bytes_are_one_error_in_one_line(
    kind: str, head: bytes, credentials: dict[str, Any]
) -> None:
    opened = hostile(lambda asked: Raw(head + NOISE))
    with opened as url, pytest.raises(ProviderError) as raised:
        read(account(kind, url, credentials, concurrency=1))
    assert isinstance(raised.value, UnreadableBody | NetworkFault)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize(
    "body",
    [b"[" * 200_000, b'{"data":' * 50_000, b'{"data":[' + b'{"a":' * 100_000, gzip.compress(b"[" * 10**6)],
    ids=["lists", "objects", "a record", "packed"],
)
def test_a_nest_without_an_end_is_an_error_like_others(body: bytes, credentials: dict[str, Any]) -> None:
    packed = b"Content-Encoding: gzip\r\n" if body.startswith(b"\x1f") else b""
    answer = b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (packed, len(body), body)
    for kind in MADE:
        with hostile(lambda asked: Raw(answer)) as url, pytest.raises(UnreadableBody):
            read(account(kind, url, credentials, concurrency=1, max_attempts=1))


def test_twelve_thousand_sessions_in_one_hour_are_read_by_splitting_the_hour(
    credentials: dict[str, Any],
) -> None:
    provider = Voximplant(
        [START + timedelta(hours=7, seconds=number * 3600 / 12_000) for number in range(12_000)]
    )
    with hostile(provider) as url:
        rows, units = read(account("voximplant", url, credentials), days=2)
    assert {row["call_session_history_id"] for row in rows} == {5_000_000_000 + n for n in range(12_000)}
    assert sum(window.rows for unit in units for window in unit.windows) >= 12_000
    # Halves of two days, down to those with fewer than eleven thousand; then their pages.
    assert provider.requests < 60


def test_more_sessions_in_one_second_than_paging_reaches_are_an_error(credentials: dict[str, Any]) -> None:
    with (
        hostile(Voximplant([START + timedelta(hours=7)] * 12_000)) as url,
        pytest.raises(IncompleteRead, match="one second cannot be split"),
    ):
        read(account("voximplant", url, credentials), days=1)


@pytest.mark.parametrize("most", [1, 3, 20])
def test_a_server_that_caps_pages_while_calls_come_in_loses_none(
    most: int, credentials: dict[str, Any]
) -> None:
    provider = VbotV3(spread(20, timedelta(hours=1)), most=most)

    def arrive(number: int) -> None:
        if number == 1:  # after the count, before the first page
            provider.records += [
                {"group_id": f"n{n}", "create_at": int((START + timedelta(hours=30)).timestamp()) * 1000}
                for n in range(10)
            ]

    provider.before_answer = arrive
    with hostile(provider) as url:
        rows, _ = read(account("vbot", url, credentials, page_size=100, concurrency=1), days=2)
    assert len(rows) == 30


def test_calls_that_come_with_every_page_are_no_reason_to_doubt_a_walk(credentials: dict[str, Any]) -> None:
    provider = VbotV3(spread(30, timedelta(minutes=30)))

    def arrive(number: int) -> None:
        at = START + timedelta(hours=20, seconds=number)
        provider.records.append({"group_id": f"n{number}", "create_at": int(at.timestamp()) * 1000})

    provider.before_answer = arrive
    with hostile(provider) as url:
        rows, _ = read(account("vbot", url, credentials, page_size=4, concurrency=1), days=1)
    assert {f"g{number}" for number in range(30)} <= {row["group_id"] for row in rows}


def test_a_page_that_shrinks_between_two_requests_is_read_again(credentials: dict[str, Any]) -> None:
    provider = VbotV3(spread(30, timedelta(minutes=30)))

    def vanish(number: int) -> None:
        if number == 2:
            del provider.records[-3:]

    provider.before_answer = vanish
    with hostile(provider) as url:
        rows, _ = read(account("vbot", url, credentials, page_size=10, concurrency=1), days=1)
    assert {row["group_id"] for row in rows} >= {f"g{number}" for number in range(27)}


def test_a_vbot_list_that_never_ends_is_an_error(
    credentials: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sources.vbot.api.NEW_CALLS_IN_A_WALK", 50)

    def answer(asked: Asked) -> Any:
        if "count" in asked.path:
            return {"error": 0, "data": 3}
        at = int(START.timestamp()) * 1000
        page = int(asked.values["page"])
        return {"error": 0, "data": [{"group_id": f"{page}-{n}", "create_at": at} for n in range(20)]}

    with hostile(answer) as url, pytest.raises(IncompleteRead, match="more follow"):
        read(account("vbot", url, credentials), days=1)


@pytest.mark.parametrize(("per_second", "unit"), [(1, "s"), (1000, "ms"), (0, "none")])
def test_vbots_unit_of_from_and_to_is_found_out_and_every_call_is_read(
    per_second: int, unit: str, credentials: dict[str, Any]
) -> None:
    with hostile(VbotV2(spread(120, timedelta(minutes=40)), per_second)) as url:
        rows, units = read(account("vbot v2", url, credentials, page_size=25))
    assert {row["group_id"] for row in rows} == {f"g{number}" for number in range(120)}
    assert sorted(units[-1].ledger.findings.values()) == sorted(["1", unit])


def test_a_v3_server_that_ignores_from_and_to_is_read_exactly(credentials: dict[str, Any]) -> None:
    provider = VbotV3(spread(90, timedelta(hours=1)))
    provider.ignores_range = True
    with hostile(provider) as url:
        rows, _ = read(account("vbot", url, credentials, page_size=40))
    assert sorted(row["duration"] for row in rows) == list(range(90))


TURNS = {
    "America/New_York": [date(2026, 3, 8), date(2026, 11, 1)],
    "Australia/Lord_Howe": [date(2026, 4, 5), date(2026, 10, 4)],
    "America/Santiago": [date(2026, 4, 5), date(2026, 9, 6)],
}
"""Days on which clocks are turned: at night, by half an hour, and at midnight."""


@pytest.mark.parametrize("zone", TURNS)
@pytest.mark.parametrize("says_zone", ["asked", "its own"])
def test_no_session_of_a_day_of_23_or_25_hours_is_lost(
    zone: str, says_zone: str, credentials: dict[str, Any]
) -> None:
    for day in TURNS[zone]:
        start = local_midnight(day - timedelta(days=1), zone)
        instants = [*spread(3 * 48, timedelta(minutes=30), start), local_midnight(day, zone) - SECOND]
        answering_in = zone if says_zone == "its own" else None
        asked_in = {} if says_zone == "its own" else {"timezone": zone}
        with hostile(Voximplant(instants, zone=answering_in)) as url:
            rows, _ = read(
                account("voximplant", url, credentials, window_days=1, **asked_in), days=3, start=start
            )
        assert len(rows) == len(instants)
        wrong = [row for row in rows if row["start_date"] != instants[row["duration"]]]
        # What no answer tells: which of two equal local times was meant. The first is taken.
        local = [instants[row["duration"]].astimezone(ZoneInfo(zone)) for row in wrong]
        assert all(at.fold for at in local)


@pytest.mark.parametrize("zone", TURNS)
def test_no_call_of_a_day_of_23_or_25_hours_is_lost_by_windows_of_vbot_and_etelecom(
    zone: str, credentials: dict[str, Any]
) -> None:
    for day in TURNS[zone]:
        start = local_midnight(day - timedelta(days=1), zone)
        instants = [*spread(3 * 48, timedelta(minutes=30), start), local_midnight(day, zone) - SECOND]
        for kind, options in (("vbot", {"timezone": zone}), ("etelecom", {})):
            with hostile(MADE[kind](instants)) as url:
                rows, _ = read(account(kind, url, credentials, window_days=1, **options), days=3, start=start)
            assert sorted(row["duration"] for row in rows) == list(range(len(instants)))


def test_a_token_endpoint_that_answers_nonsense_is_asked_again(credentials: dict[str, Any]) -> None:
    provider, answers = (
        VbotV2(spread(9, timedelta(hours=1))),
        iter(
            [
                Raw(NOISE),
                {"error": 500, "message": "x"},
                Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull"),
                {},
            ]
        ),
    )

    def answer(asked: Asked) -> Any:
        return next(answers, provider(asked)) if asked.path.endswith("/token") else provider(asked)

    with hostile(answer) as url:
        rows, _ = read(account("vbot v2", url, credentials, max_attempts=6, time_unit="s"))
    assert len(rows) == 9


@pytest.mark.parametrize("lifetime", [None, "soon", -5, "1e999"])
def test_a_token_without_a_usable_end_is_used(lifetime: Any, credentials: dict[str, Any]) -> None:
    provider = VbotV2(spread(9, timedelta(hours=1)))

    def answer(asked: Asked) -> Any:
        said = provider(asked)
        return {**said, "expires_in": lifetime} if asked.path.endswith("/token") else said

    with hostile(answer) as url:
        rows, _ = read(account("vbot v2", url, credentials, time_unit="s"))
    assert len(rows) == 9


def test_an_answer_that_never_ends_is_given_up(credentials: dict[str, Any]) -> None:
    began = time.monotonic()
    answer = Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
    with hostile(lambda asked: answer) as url, pytest.raises(NetworkFault):
        read(account("etelecom", url, credentials, timeout_seconds=0.2))
    assert time.monotonic() - began < 20
