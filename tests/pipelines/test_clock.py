"""The clock of the machine is set back: what a run claimed by a clock that ran ahead is not believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from simulator import Simulator
from tests.pipelines.project import Project, everyone


@pytest.mark.slow
@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta(days=40)], ids=["a day", "40 days"])
def test_a_clock_that_ran_ahead(ahead: timedelta, project: Project, changing: Simulator) -> None:
    project.configure(changing, everyone("etelecom.main"), lookback_days=1)
    with time_machine.travel(datetime.now(UTC) + ahead):
        project.done("sync")
    # From here on the clock is right. Calls keep coming, some into time that was read before it was there.
    for hours in (1, 0):
        changing.add_late("etelecom", changing.now - timedelta(hours=hours))
        project.done("sync")
        truth = len(changing.truth("etelecom"))
        assert project.rows("select count(*) from reporting.calls") == [(truth,)]
    assert project.rows('select "cursor" < now() from callsync.accounts') == [(True,)]
    runs = "select changed from callsync.runs order by rowid"
    assert "unchanged" in project.done("sync").err
    assert project.rows(runs)[-1] == (False,)
    # The newest state is the one that was loaded last.
    states = project.rows("select version from etelecom._dlt_pipeline_state order by _dlt_load_id")
    assert states == sorted(states)
    (last,) = project.rows("select max(started_at) from callsync.runs where started_at < now()")
    assert f"{last[0]:%Y-%m-%d}" in project.done("status").out
