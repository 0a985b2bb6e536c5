"""A Voximplant account with a key that signs, and parts of its list of sessions."""

from __future__ import annotations

from typing import Any

from simulator import Simulator
from sources.account import Account
from tests.sources.accounts import account_of


def owner(simulator: Simulator, **options: Any) -> Account:
    credentials = simulator.credentials("voximplant")["credentials"]
    return account_of(
        "voximplant", **{"credentials": credentials, "base_url": "https://api.example"} | options
    )


def part(first: int, last: int, total: int | None, zone: str = "Etc/GMT") -> dict[str, Any]:
    sessions = [{"call_session_history_id": number} for number in range(first, last)]
    return {"result": sessions, "total_count": total, "count": len(sessions), "timezone": zone}
