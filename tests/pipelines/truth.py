"""What `reporting.calls` must hold, worked out from a simulator's records without callsync."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from simulator import Simulator
from tests.pipelines.project import Project

COLUMNS = (
    "provider_call_id, started_at, direction, is_answered, talk_seconds, cost, leg_count, recording_count"
)
Row = tuple[Any, ...]


def expected(simulator: Simulator, provider: str, version: str | None = None, account: int = 0) -> list[Row]:
    """The rows of an account, in the order of their ids."""
    read = {
        "etelecom": _etelecom,
        "voximplant": _voximplant,
        "vbot": _vbot if version in (None, "v3") else _legacy,
    }
    return sorted(read[provider](record) for record in simulator.truth(provider, account, version))


def reported(project: Project, provider: str, account: str = "main") -> list[Row]:
    """The rows of an account in the warehouse."""
    return sorted(
        project.rows(
            f"select {COLUMNS} from reporting.calls where provider = '{provider}' and account = '{account}'"
        )
    )


def without_ids(rows: Iterable[Row]) -> list[Row]:
    """Rows of calls to which the provider gives no id."""
    return sorted(row[1:] for row in rows)


def _vbot(record: dict[str, Any]) -> Row:
    is_answered = record["disposition"].upper() in ("ANSWER", "ANSWERED")
    parties = [record[name] for name in ("caller_info", "callee_info") if record.get(name)]
    return (
        record["group_id"],
        datetime.fromtimestamp(record["create_at"] / 1000, UTC),
        {1: "inbound", 2: "outbound", 3: "inbound"}[record["type_call"]],
        is_answered,
        record["time_call"] if is_answered else 0,
        Decimal(str(record["postage"])),
        len(parties),
        int(record["is_record"]),
    )


def _legacy(record: dict[str, Any]) -> Row:
    is_answered = record["disposition"].upper() in ("ANSWER", "ANSWERED")
    local = datetime.strptime(record["date_create"], "%m/%d/%Y %H:%M:%S")
    hours, minutes, seconds = map(int, f"0:0:{record['time_call']}".split(":")[-3:])
    parties = record["caller"] + record["callee"]
    return (
        record.get("group_id"),
        local.replace(tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")).astimezone(UTC),
        {"CALLIN": "inbound", "MISSCALL": "inbound", "CALLOUT": "outbound"}[record["type_call"]],
        is_answered,
        hours * 3600 + minutes * 60 + seconds if is_answered else 0,
        max(Decimal(str(party["postage"])) for party in parties),
        len(parties),
        len(record["record_file"]),
    )


def _etelecom(record: dict[str, Any]) -> Row:
    is_answered = record["call_state"] == "answered"
    return (
        record["id"],
        datetime.fromisoformat(record["started_at"]).astimezone(UTC),
        {"in": "inbound", "out": "outbound"}.get(record["direction"], "internal"),
        is_answered,
        record["duration"] if is_answered else 0,
        None,
        len(record["call_targets"]),
        len(record["recording_urls"]),
    )


def _voximplant(record: dict[str, Any]) -> Row:
    legs = sorted(record["calls"], key=lambda leg: (leg["start_time"], leg["call_id"]))
    first, others = legs[:1], [leg for leg in legs[1:] if leg["successful"]]
    is_answered = any(leg["successful"] for leg in first) and (len(legs) == 1 or bool(others))
    talked = others if len(legs) > 1 else first
    costs = [
        Decimal(str(part["cost"]))
        for part in legs + record["records"] + record["other_resource_usage"]
        if part.get("cost") is not None
    ]
    incoming = any(leg["incoming"] for leg in first)
    return (
        str(record["call_session_history_id"]),
        datetime.strptime(record["start_date"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC),
        ("inbound" if incoming else "outbound") if legs else "unknown",
        is_answered,
        max(leg["duration"] for leg in talked) if is_answered else 0,
        sum(costs, Decimal()) if costs else None,
        len(legs),
        len(record["records"]),
    )
