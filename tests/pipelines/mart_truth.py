"""What the reporting marts must say of a list of calls, counted in Python; nothing here is callsync's.

A mart is a function from calls and settings to rows by column name, `KEYS` says which columns tell its rows
apart.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from simulator.etelecom_records import extension_id
from simulator.people import AGENTS, HOTLINES
from simulator.voximplant_records import user_number
from tests.pipelines.call_truth import VIETNAM, Call

Row = dict[str, Any]
Mart = Callable[[Sequence[Call], "Settings"], Iterator[Row]]

KEYS: Mapping[str, tuple[str, ...]] = {
    "calls": ("call_id",),
    "daily_calls": ("local_date", "provider", "account", "direction"),
    "hourly_calls": ("provider", "account", "direction", "weekday", "hour"),
    "agent_calls": ("local_date", "provider", "account", "agent_id"),
    "hotline_calls": ("local_date", "provider", "account", "hotline_number"),
    "missed_calls": ("call_id",),
    "monthly_costs": ("local_month", "provider", "account", "direction", "currency"),
    "service_level": ("local_date", "provider", "account", "hotline_number"),
    "repeat_callers": ("provider", "account", "contact_number"),
}


@dataclass(frozen=True)
class Settings:
    """What the marts depend on besides calls; names by account and by the id they name."""

    zone: ZoneInfo
    service_level_seconds: float = 20
    short_abandon_seconds: float = 5
    agents: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    hotlines: Mapping[tuple[str, str, str], str] = field(default_factory=dict)

    def local(self, call: Call) -> datetime:
        return call.started_at.astimezone(self.zone)

    def day(self, call: Call) -> date:
        return self.local(call).date()


def named(accounts: Iterable[str], renamed: str = "") -> Settings:
    """The default settings, and what the simulator calls the people and hotlines of `provider.account`s."""
    agents: dict[tuple[str, str, str], str] = {}
    hotlines: dict[tuple[str, str, str], str] = {}
    for provider, account in (name.split(".") for name in accounts):
        for agent in AGENTS:
            agent_id, name = {
                "vbot": (agent.member_no, agent.name + renamed),
                "voximplant": (str(user_number(agent.number)), agent.name + renamed),
                # eTelecom gives no names: people know an extension by its number.
                "etelecom": (extension_id(agent.number), agent.extension),
            }[provider]
            agents[provider, account, agent_id] = name
        if provider == "vbot":
            hotlines |= {(provider, account, hotline.digits): hotline.name + renamed for hotline in HOTLINES}
    return Settings(VIETNAM, agents=agents, hotlines=hotlines)


def ratio(numerator: float | None, denominator: int) -> float | None:
    return None if numerator is None or denominator == 0 else float(numerator) / denominator


def total(values: Iterable[Any]) -> Any:
    """The sum of what is known, None when nothing is."""
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known else None


def money(calls: Sequence[Call]) -> Row:
    currencies = {call.currency for call in calls if call.currency}
    is_one = len(currencies) == 1
    return {
        "cost": total(call.cost for call in calls) if is_one else None,
        "currency": currencies.pop() if is_one else None,
    }


def results(calls: Sequence[Call]) -> Row:
    answered = sum(call.is_answered for call in calls)
    finished = sum(call.is_finished for call in calls)
    return {
        "calls": len(calls),
        "finished_calls": finished,
        "answered_calls": answered,
        "missed_calls": sum(call.is_missed for call in calls),
        "answer_rate": ratio(answered, finished),
    }


def durations(calls: Sequence[Call]) -> Row:
    names = ("ring_seconds", "talk_seconds", "total_seconds")
    return {name: total(getattr(call, name) for call in calls) for name in names}


def directions(calls: Sequence[Call], *wanted: str) -> Row:
    return {f"{name}_calls": sum(call.direction == name for call in calls) for name in wanted}


def grouped(
    mart: str, calls: Iterable[Call], key: Callable[[Call], tuple[Any, ...]]
) -> Iterator[tuple[Row, list[Call]]]:
    """Calls by the key of a mart, the key as its columns."""
    groups: defaultdict[tuple[Any, ...], list[Call]] = defaultdict(list)
    for call in calls:
        groups[key(call)].append(call)
    for values, members in groups.items():
        yield dict(zip(KEYS[mart], values, strict=True)), members


def all_calls(calls: Sequence[Call], settings: Settings) -> Iterator[Row]:
    return (call.row() for call in calls)


def daily_calls(calls: Sequence[Call], settings: Settings) -> Iterator[Row]:
    def key(call: Call) -> tuple[Any, ...]:
        return settings.day(call), call.provider, call.account, call.direction

    for keys, group in grouped("daily_calls", calls, key):
        yield keys | results(group) | durations(group) | money(group)


def hourly_calls(calls: Sequence[Call], settings: Settings) -> Iterator[Row]:
    def key(call: Call) -> tuple[Any, ...]:
        local = settings.local(call)
        return call.provider, call.account, call.direction, local.isoweekday(), local.hour

    for keys, group in grouped("hourly_calls", calls, key):
        days = {settings.day(call) for call in group}
        yield keys | {"active_days": len(days)} | results(group) | durations(group)


def agent_calls(calls: Sequence[Call], settings: Settings) -> Iterator[Row]:
    def key(call: Call) -> tuple[Any, ...]:
        return settings.day(call), call.provider, call.account, call.agent_id

    for keys, group in grouped("agent_calls", (call for call in calls if call.agent_id), key):
        talks = [call.talk_seconds for call in group if call.is_answered and call.talk_seconds is not None]
        yield (
            keys
            | {"agent_name": settings.agents.get((keys["provider"], keys["account"], keys["agent_id"]))}
            | results(group)
            | directions(group, "inbound", "outbound", "internal")
            | durations(group)
            | {
                "talked_calls": len(talks),
                "answered_talk_seconds": total(talks),
                "average_talk_seconds": ratio(total(talks), len(talks)),
            }
        )


def hotline_calls(calls: Sequence[Call], settings: Settings) -> Iterator[Row]:
    def key(call: Call) -> tuple[Any, ...]:
        return settings.day(call), call.provider, call.account, call.hotline_number

    for keys, group in grouped("hotline_calls", (call for call in calls if call.hotline_number), key):
        rings = [call.ring_seconds for call in group if call.ring_seconds is not None]
        sums = durations(group)
        yield (
            keys
            | {"hotline_name": hotline_name(settings, group[0])}
            | results(group)
            | directions(group, "inbound", "outbound")
            | {
                "rung_calls": len(rings),
                "ring_seconds": sums["ring_seconds"],
                "average_ring_seconds": ratio(sums["ring_seconds"], len(rings)),
                "longest_ring_seconds": max(rings, default=None),
                "talk_seconds": sums["talk_seconds"],
            }
            | money(group)
        )


def hotline_name(settings: Settings, call: Call) -> str | None:
    return settings.hotlines.get((call.provider, call.account, call.hotline_number or ""))


def missed_calls(calls: Sequence[Call], settings: Settings) -> Iterator[Row]:
    contacts: defaultdict[tuple[str, str, str], list[Call]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: (call.started_at, call.call_id)):
        is_contact = call.direction == "outbound" or (call.direction == "inbound" and call.is_answered)
        if call.contact_number and is_contact:
            contacts[call.provider, call.account, call.contact_number].append(call)
    for call in (call for call in calls if call.is_missed):
        later = contacts.get((call.provider, call.account, call.contact_number or ""), [])
        place = bisect_right(later, call.started_at, key=lambda contact: contact.started_at)
        contact = later[place] if place < len(later) else None
        since = contact.started_at - call.started_at if contact else None
        kind = "call_back" if contact and contact.direction == "outbound" else "called_again"
        row = call.row()
        copied = ("call_id", "provider", "account", "provider_call_id", "started_at", "hotline_number")
        yield {name: row[name] for name in (*copied, "from_number", "from_e164", "ring_seconds")} | {
            "local_date": settings.day(call),
            "hotline_name": hotline_name(settings, call),
            "contact_number": call.contact_number,
            "contact_call_id": contact and contact.call_id,
            "contact_kind": kind if contact else None,
            "contacted_at": contact and contact.started_at,
            "is_contact_answered": contact and contact.is_answered,
            "seconds_until_contact": None if since is None else since // timedelta(seconds=1),
            "is_reachable": call.contact_number is not None,
            "is_open": contact is None,
        }


def monthly_costs(calls: Sequence[Call], settings: Settings) -> Iterator[Row]:
    def key(call: Call) -> tuple[Any, ...]:
        month = settings.day(call).replace(day=1)
        return month, call.provider, call.account, call.direction, call.currency

    for keys, group in grouped("monthly_costs", calls, key):
        costed = [call for call in group if call.cost is not None]
        cost, talked = total(call.cost for call in costed), total(call.talk_seconds for call in costed)
        yield keys | {
            "calls": len(group),
            "costed_calls": len(costed),
            "cost": cost,
            "costed_talk_seconds": talked,
            "cost_per_minute": None if cost is None or not talked else float(cost * 60 / Decimal(talked)),
        }


def service_level(calls: Sequence[Call], settings: Settings) -> Iterator[Row]:
    def key(call: Call) -> tuple[Any, ...]:
        return settings.day(call), call.provider, call.account, call.hotline_number

    decided = (call for call in calls if call.direction == "inbound" and (call.is_answered or call.is_missed))
    for keys, group in grouped("service_level", decided, key):
        missed = [call.ring_seconds for call in group if call.is_missed]
        short = sum(ring is not None and ring < settings.short_abandon_seconds for ring in missed)
        answered = [call.ring_seconds for call in group if call.is_answered]
        rings = [ring for ring in answered if ring is not None]
        in_time = sum(ring <= settings.service_level_seconds for ring in rings)
        offered = len(group) - short
        # Of a call whose ringing nobody knows, nobody knows either whether it was in time.
        unmeasured = sum(call.ring_seconds is None for call in group)
        yield keys | {
            "hotline_name": hotline_name(settings, group[0]),
            "offered_calls": offered,
            "short_abandoned_calls": short,
            "answered_calls": len(answered),
            "abandoned_calls": len(missed) - short,
            "abandon_rate": ratio(len(missed) - short, offered),
            "unmeasured_calls": unmeasured,
            "measured_calls": offered - unmeasured,
            "answered_in_time_calls": in_time,
            "service_level": ratio(in_time, offered - unmeasured),
            "measured_answered_calls": len(rings),
            "answered_ring_seconds": total(rings),
            "average_answer_seconds": ratio(total(rings), len(rings)),
            "service_level_seconds": settings.service_level_seconds,
            "short_abandon_seconds": settings.short_abandon_seconds,
        }


def repeat_callers(calls: Sequence[Call], settings: Settings) -> Iterator[Row]:
    def key(call: Call) -> tuple[Any, ...]:
        return call.provider, call.account, call.contact_number

    inbound = (
        call for call in calls if call.direction == "inbound" and call.is_finished and call.contact_number
    )
    for keys, group in grouped("repeat_callers", inbound, key):
        if len(group) < 2:
            continue
        times = sorted(call.started_at for call in group)
        gaps = [later - earlier for earlier, later in pairwise(times)]
        counts = results(group)
        del counts["finished_calls"]
        yield (
            keys
            | counts
            | {
                "active_days": len({settings.day(call) for call in group}),
                "spellings": len({call.from_number for call in group}),
                "repeat_calls": len(group) - 1,
                "repeats_within_day_calls": sum(gap <= timedelta(hours=24) for gap in gaps),
                "first_call_at": times[0],
                "last_call_at": times[-1],
            }
        )


MARTS: Mapping[str, Mart] = {
    "calls": all_calls,
    "daily_calls": daily_calls,
    "hourly_calls": hourly_calls,
    "agent_calls": agent_calls,
    "hotline_calls": hotline_calls,
    "missed_calls": missed_calls,
    "monthly_costs": monthly_costs,
    "service_level": service_level,
    "repeat_callers": repeat_callers,
}


def differences(name: str, expected: Iterable[Row], found: Iterable[Row]) -> list[str]:
    """What a mart says otherwise than expected: every row, every column."""

    def by_key(rows: Iterable[Row]) -> dict[tuple[Any, ...], Row]:
        listed = list(rows)
        keyed = {tuple(row[column] for column in KEYS[name]): row for row in listed}
        assert len(keyed) == len(listed), f"{name} has two rows of one key"
        return keyed

    wanted, given = by_key(expected), by_key(found)
    said = [f"{name} lacks {key}" for key in wanted.keys() - given.keys()]
    said += [f"{name} has {key} too much" for key in given.keys() - wanted.keys()]
    for key in wanted.keys() & given.keys():
        one, other = wanted[key], given[key]
        said += [
            f"{name} {key}: {column} is {other.get(column, 'absent')!r}, expected {one.get(column, 'none')!r}"
            for column in one.keys() | other.keys()
            if column not in one or column not in other or not _same(one[column], other[column])
        ]
    return sorted(said)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and other is not None:
        # The order of additions and divisions may differ, the number not.
        return abs(one - float(other)) <= 1e-12 * max(1.0, abs(one))
    return bool(one == other)
