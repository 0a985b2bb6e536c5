"""What a run says meanwhile, and what it loads for that."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.pipelines.project import ROOT, Project, everyone

TELLING_MODULES = """
import sys
from pipelines.cli import main
try:
    main()
finally:
    print(*sys.modules)
"""


def test_progress_on_a_terminal(configured: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    shown = configured.done("sync").err
    for account in everyone():
        assert any(account in line and "300 calls" in line for line in shown.split("\r")), shown


def test_a_scheduled_run_loads_nothing_that_it_does_not_use(configured: Project) -> None:
    for has_news in (True, False):
        run = subprocess.run(
            [sys.executable, "-c", TELLING_MODULES, "sync"],
            cwd=configured.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        loaded = set(run.stdout.split())
        assert {"duckdb", "httpx"} < loaded
        assert ("dlt" in loaded) == has_news
        # What draws on a terminal, what highlights code, and what dlt asks the web and its plugins with.
        assert not loaded & {"rich", "pygments", "requests", "pluggy"}
