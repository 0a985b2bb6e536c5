from __future__ import annotations

import pytest

from tests.pipelines.project import Project


def test_another_region_reads_every_number_again(loaded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    valid = "select count(*) from reporting.calls where from_e164 like '+84%'"
    before = loaded.rows(valid)
    assert before > [(300,)]
    monkeypatch.setenv("CALLSYNC__DEFAULT_REGION", "US")
    loaded.done("sync")
    assert loaded.rows(valid) < before
    monkeypatch.delenv("CALLSYNC__DEFAULT_REGION")
    loaded.done("sync")
    assert loaded.rows(valid) == before
