"""VBot accounts with made-up answers, and a day of the simulator's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from simulator import Simulator
from sources.account import Account
from sources.windows import Window
from tests.sources.accounts import UNTIL, account_of

DAY = Window(UNTIL - timedelta(days=2), UNTIL - timedelta(days=1))


def group(**options: Any) -> Account:
    given = {"api_key": "a-key", "base_url": "https://api.example/v3.0", "max_attempts": 2, "page_base": 0}
    return account_of("vbot", **given | options)


def legacy(**options: Any) -> Account:
    given = {"api_version": "v2", "access_token": "a-token", "vbot_id": "V", "project_code": "P"}
    return group(**{"time_unit": "s", "base_url": "https://api.example/v2.0"} | given | options)


def in_day(simulator: Simulator) -> set[str]:
    milliseconds = DAY.start.timestamp() * 1000, DAY.end.timestamp() * 1000
    return {
        record["group_id"]
        for record in simulator.truth("vbot")
        if milliseconds[0] <= record["create_at"] < milliseconds[1]
    }
