"""Offenders for the tests of the marts: (test, relation) -> what can stand in the relation's place."""

from tests.sql.sound import NONE, TWICE, replaced

DAYS, HOURS, MONTHS = "reporting.daily_calls", "reporting.hourly_calls", "reporting.monthly_costs"
AGENTS, HOTLINES = "reporting.agent_calls", "reporting.hotline_calls"
MISSED, SERVICE, CALLERS = "reporting.missed_calls", "reporting.service_level", "reporting.repeat_callers"


def one_more(column: str) -> str:
    return replaced(column, f"{column} + 1")


def unknown(column: str) -> str:
    return replaced(column, "null")


def flipped(column: str) -> str:
    return replaced(column, f"not {column}")


_SUMS: dict[tuple[str, str], tuple[str, ...]] = {
    ("daily_calls_match_calls", DAYS): (
        NONE,
        TWICE,
        *(one_more(column) for column in ("answered_calls", "missed_calls", "talk_seconds")),
    ),
    ("hourly_calls_match_calls", HOURS): (
        NONE,
        TWICE,
        replaced("weekday", "8"),
        replaced("hour", "24"),
        *(
            one_more(column)
            for column in ("calls", "finished_calls", "answered_calls", "missed_calls", "talk_seconds")
        ),
    ),
    ("agent_calls_match_calls", AGENTS): (
        NONE,
        TWICE,
        replaced("agent_id", "'gone'"),
        *(
            one_more(column)
            for column in ("calls", "answered_calls", "missed_calls", "answered_talk_seconds")
        ),
    ),
    ("hotline_calls_match_calls", HOTLINES): (
        NONE,
        TWICE,
        replaced("hotline_number", "'gone'"),
        *(one_more(column) for column in ("calls", "answered_calls", "missed_calls", "ring_seconds")),
    ),
    ("monthly_costs_match_calls", MONTHS): (
        NONE,
        TWICE,
        replaced("currency", "'XAU'"),
        replaced("local_month", "local_month + 1"),
        *(one_more(column) for column in ("calls", "costed_calls", "cost")),
    ),
    ("service_level_matches_calls", SERVICE): (
        NONE,
        TWICE,
        replaced("hotline_number", "'gone'"),
        *(one_more(column) for column in ("offered_calls", "short_abandoned_calls", "answered_calls")),
    ),
    ("repeat_callers_match_calls", CALLERS): (
        NONE,
        replaced("contact_number", "'gone'"),
        replaced("first_call_at", "first_call_at + interval '1 second'"),
        replaced("last_call_at", "last_call_at + interval '1 second'"),
        replaced("repeats_within_day_calls", "-1"),
        replaced("repeats_within_day_calls", "calls"),
        replaced("active_days", "0"),
        replaced("active_days", "calls + 1"),
        replaced("spellings", "0"),
        replaced("spellings", "calls + 1"),
        *(one_more(column) for column in ("calls", "answered_calls", "missed_calls", "repeat_calls")),
    ),
    ("missed_calls_match_calls", MISSED): (NONE, TWICE, replaced("provider_call_id", "'gone'")),
}

_IDENTITIES: dict[tuple[str, str], tuple[str, ...]] = {
    ("service_level_adds_up", SERVICE): (
        *(
            one_more(column)
            for column in ("answered_calls", "abandoned_calls", "unmeasured_calls", "measured_calls")
        ),
        replaced("answered_in_time_calls", "measured_answered_calls + 1"),
        "select * replace (answered_calls + 1 as measured_answered_calls) from kept",
        "select * replace (0 as measured_calls, offered_calls as unmeasured_calls) from kept",
        "select * replace (-1 as abandoned_calls, offered_calls + 1 as answered_calls) from kept",
        "select * replace (-1 as unmeasured_calls, offered_calls + 1 as measured_calls) from kept",
        replaced("short_abandoned_calls", "-1"),
        unknown("answered_ring_seconds"),
    ),
    ("missed_calls_are_contacted_later", MISSED): (
        replaced("contacted_at", "started_at"),
        replaced("seconds_until_contact", "-1"),
        replaced("contact_kind", "'in passing'"),
        "select * replace ('called_again' as contact_kind, false as is_contact_answered) from kept",
        flipped("is_reachable"),
        flipped("is_open"),
        *(
            unknown(column)
            for column in (
                "contact_call_id",
                "contact_kind",
                "contacted_at",
                "is_contact_answered",
                "seconds_until_contact",
            )
        ),
        "select * replace (null as contact_number, false as is_reachable) from kept",
    ),
    ("missed_calls_name_their_contacts", MISSED): (
        replaced("contact_call_id", "'gone'"),
        replaced("contact_call_id", "call_id"),
        replaced("provider", "'gone'"),
        replaced("account", "'gone'"),
        replaced("contact_number", "'+84900000000'"),
        replaced("contacted_at", "contacted_at + interval '1 second'"),
        replaced("contact_kind", "'called_again'"),
        flipped("is_contact_answered"),
    ),
}

_RATES: dict[tuple[str, str], tuple[str, ...]] = {
    ("rates_are_fractions", mart): tuple(
        change
        for rate, numerator in rates
        for change in (
            replaced(rate, "1.5"),
            replaced(rate, "-0.5"),
            replaced(rate, "0.25"),
            unknown(rate),
            one_more(numerator),
        )
    )
    for mart, rates in (
        *((mart, [("answer_rate", "answered_calls")]) for mart in (DAYS, HOURS, AGENTS, HOTLINES, CALLERS)),
        (SERVICE, [("service_level", "answered_in_time_calls"), ("abandon_rate", "abandoned_calls")]),
    )
}

_COUNTS: dict[tuple[str, str], tuple[str, ...]] = {
    ("rates_are_fractions", mart): (replaced("missed_calls", "calls + 1"), replaced("calls", "0"))
    for mart in (DAYS, HOURS, AGENTS, HOTLINES, CALLERS)
}

_KEYS: dict[tuple[str, str], tuple[str, ...]] = {
    **{
        ("marts_have_unique_keys", mart): (TWICE,)
        for mart in (DAYS, HOURS, MONTHS, AGENTS, HOTLINES, SERVICE, CALLERS)
    },
    ("names_have_unique_keys", "intermediate.agents"): (TWICE, unknown("agent_id")),
    ("names_have_unique_keys", "intermediate.hotlines"): (TWICE, unknown("hotline_number")),
}

PLANTS_IN_MARTS = [
    (name, relation, changes)
    for plants in (_SUMS, _IDENTITIES, _RATES, _COUNTS, _KEYS)
    for (name, relation), changes in plants.items()
]
