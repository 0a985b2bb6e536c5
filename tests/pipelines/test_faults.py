"""Whatever befalls requests, a sync ends with the provider's truth, or in bounds and changing nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from simulator import FaultKind, Simulator
from simulator.faults import PASSING
from tests.pipelines.project import Project, everyone
from tests.pipelines.truth import expected, reported

KEYS: dict[str, tuple[str | None, int]] = {"vbot.v3": ("v3", 0), "etelecom.main": (None, 0)}
TOKENS: dict[str, tuple[str | None, int]] = {
    "vbot.v1": ("v1", 0),
    "vbot.v2": ("v2", 0),
    "voximplant.main": (None, 0),
}
ATTEMPTS = 8


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.http.FIRST_WAIT_SECONDS", 0.02)


def check(project: Project, simulator: Simulator, accounts: Mapping[str, tuple[str | None, int]]) -> None:
    """Compare every account with its provider; v1 tells no ids, so its calls are only counted."""
    for selector, (version, number) in accounts.items():
        provider, name = selector.split(".")
        found, wanted = reported(project, provider, name), expected(simulator, provider, version, number)
        assert found == wanted or (
            version == "v1" and {row[1] for row in found} == {row[1] for row in wanted}
        )


@pytest.mark.parametrize(
    ("accounts", "kinds", "share"),
    [
        pytest.param(KEYS, [*PASSING, FaultKind.GARBAGE], 0.2, id="keys"),
        pytest.param(TOKENS, [*PASSING, FaultKind.GARBAGE, FaultKind.EXPIRED_TOKEN], 0.2, id="tokens"),
        pytest.param(TOKENS, [FaultKind.EXPIRED_TOKEN], 0.1, id="expired tokens", marks=pytest.mark.slow),
    ],
)
def test_with_up_to_a_fifth_of_the_requests_failing_every_sync_ends_exact(
    accounts: dict[str, tuple[str | None, int]],
    kinds: list[FaultKind],
    share: float,
    project: Project,
    simulator: Simulator,
) -> None:
    project.configure(simulator, accounts, timeout_seconds=0.4, max_attempts=ATTEMPTS, page_size=60)
    simulator.faults.mix(kinds, share, seconds=0.5)
    project.done("sync")
    assert sum(bool(entry.fault) for entry in simulator.requests.select()) > 4
    check(project, simulator, accounts)


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param([*PASSING, FaultKind.GARBAGE], id="anything"),
        pytest.param([FaultKind.HANG], id="hangs", marks=pytest.mark.slow),
        pytest.param([FaultKind.EXPIRED_TOKEN], id="expired tokens", marks=pytest.mark.slow),
        pytest.param([FaultKind.TOO_MANY], id="429", marks=pytest.mark.slow),
        pytest.param([FaultKind.ERROR_BODY], id="error bodies", marks=pytest.mark.slow),
    ],
)
def test_with_every_request_failing_a_sync_ends_in_bounds_and_leaves_the_warehouse_as_it_was(
    kinds: list[FaultKind], loaded: Project, simulator: Simulator
) -> None:
    attempts, concurrency = 2, 2
    loaded.configure(
        simulator,
        everyone(),
        timeout_seconds=0.2,
        max_attempts=attempts,
        concurrency=concurrency,
        lookback_days=9,
    )
    tables = ("vbot", "etelecom", "voximplant")
    before = loaded.dump(*tables)
    simulator.faults.mix(kinds, 1.0, seconds=0.3)
    began = time.monotonic()
    outcome = loaded.run("sync")
    assert time.monotonic() - began < 60
    assert outcome.code == 1
    for account in everyone():
        said = [line for line in outcome.lines if line.startswith(f"{account}: ")]
        assert len(said) == 1, outcome
        provider = account.split(".")[0]
        # Its workers each give up their request, one of them after the names; a renewal is free.
        assert len(simulator.requests.select(provider)) <= concurrency * (attempts + 1) + 3 * 2
    assert loaded.dump(*tables) == before
    assert loaded.rows("select status, exit_code from callsync.runs order by started_at") == [
        ("ok", 0),
        ("failed", 1),
    ]
