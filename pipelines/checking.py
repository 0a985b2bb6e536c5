"""`callsync check`: one cheap authenticated request an account, then what the documents leave open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.config import explained
from pipelines.threads import in_order
from sources.account import Account
from sources.errors import CallsyncError
from sources.provider import Finding
from sources.registry import PROVIDERS


@dataclass(frozen=True)
class Checked:
    """What was found out about an account, and the fault that ended it, if any."""

    account: Account
    findings: tuple[Finding, ...]
    error: str | None


def check(accounts: Sequence[Account], at_once: int) -> Iterator[Checked]:
    """Check accounts at once; results come in the order of the accounts."""
    return in_order(accounts, _check, at_once, "check")


def _check(account: Account) -> Checked:
    findings: list[Finding] = []
    try:
        connection = PROVIDERS[account.provider].connect(account, {})
        try:
            findings.extend(connection.check())
        finally:
            connection.close()
    except CallsyncError as error:
        return Checked(account, tuple(findings), explained(error, account))
    return Checked(account, tuple(findings), None)
