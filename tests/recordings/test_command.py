"""What is listed is held after a run that says so, each recording once; what is not held says why."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from simulator import Simulator
from tests.pipelines.project import ROOT, Project, everyone, secrets_of
from tests.recordings.held import accounts, asked_names, counts, files, recorded, rows, whole
from tests.sources.accounts import requests_of

LISTED = "select call_id, position from reporting.recordings"


def test_everything_that_is_listed_is_held(loaded: Project, simulator: Simulator) -> None:
    outcome = loaded.done("recordings")
    assert sorted(rows(loaded, "call_id, position")) == sorted(loaded.rows(LISTED))
    assert counts(loaded) == {"held": len(loaded.rows(LISTED))}
    assert whole(loaded)
    kinds = rows(loaded, "distinct content_type, attempts, error, path like '%.wav'")
    assert kinds == [("audio/wav", 1, None, True)]
    assert {Path(path).read_bytes() for (path,) in rows(loaded, "path")} == {
        simulator.recordings.body(asked.name) for asked in simulator.recordings.asked
    }
    assert len(outcome.out.splitlines()) == len(accounts())
    assert not (loaded.working / "warehouse" / "recordings.jsonl").exists()
    for secret in secrets_of(simulator, accounts()):
        assert secret not in outcome.err + outcome.out


def test_only_their_owner_can_read_them(loaded: Project) -> None:
    loaded.done("recordings", "etelecom")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in files(loaded)}
    folders = {stat.S_IMODE(path.parent.stat().st_mode) for path in files(loaded)}
    assert (modes, folders) == ({0o600}, {0o700})


def test_they_lie_by_provider_account_and_local_day(loaded: Project) -> None:
    loaded.done("recordings", "voximplant")
    zone = "at time zone 'Asia/Ho_Chi_Minh'"
    expected = loaded.rows(
        f"""
        select '{loaded.folder}/recordings/voximplant/main/' || strftime(started_at {zone}, '%Y/%m/%d')
            || '/' || provider_call_id || '-' || position || '.wav'
        from reporting.recordings where provider = 'voximplant'
        """
    )
    assert sorted(rows(loaded, "path")) == sorted(expected)


def test_what_is_held_is_not_asked_for_again(loaded: Project, simulator: Simulator) -> None:
    loaded.done("recordings", "etelecom")
    held = rows(loaded)
    simulator.recordings.asked.clear()
    assert loaded.done("recordings", "etelecom").out == "etelecom.main: nothing to fetch\n"
    assert not simulator.recordings.asked
    assert rows(loaded) == held


def test_a_dry_run_counts_and_does_nothing(loaded: Project, simulator: Simulator) -> None:
    before = sorted(path for path in loaded.folder.rglob("*"))
    outcome = loaded.done("recordings", "etelecom", "--dry-run")
    (count,) = loaded.rows("select count(*) from reporting.recordings where provider = 'etelecom'")[0]
    assert outcome.out == f"etelecom.main: {count} recordings to fetch, 0 to delete\n"
    assert not simulator.recordings.asked
    assert sorted(path for path in loaded.folder.rglob("*")) == before


def test_the_oldest_come_first_and_accounts_take_turns(loaded: Project) -> None:
    loaded.done("recordings", "etelecom", "vbot.v2", "--limit", "6")
    for provider, account in (("etelecom", "main"), ("vbot", "v2")):
        oldest = f"where provider = '{provider}' and account = '{account}' order by started_at limit 3"
        held = rows(loaded, "call_id, position", f"provider = '{provider}'")
        assert held == loaded.rows(f"{LISTED} {oldest}")


def test_what_failed_waits_for_what_was_never_tried(loaded: Project, simulator: Simulator) -> None:
    ((first, position),) = loaded.rows(
        f"{LISTED} where provider = 'etelecom' order by started_at, call_id, position limit 1"
    )
    simulator.recordings.statuses[first.split("/")[-1]] = 400
    assert loaded.run("recordings", "etelecom", "--limit", "1").code == 1
    loaded.done("recordings", "etelecom", "--limit", "3")
    assert rows(loaded, "status, call_id, position")[0] == ("failed", first, position)
    assert counts(loaded) == {"failed": 1, "held": 3}


def test_a_range_is_of_the_call_and_half_open(loaded: Project) -> None:
    ((day, next_day),) = loaded.rows(
        """
        select strftime(max(local_date), '%Y-%m-%d'), strftime(max(local_date) + interval 1 day, '%Y-%m-%d')
        from reporting.daily_calls where provider = 'vbot' and account = 'v3' and local_date
            < (select max(local_date) from reporting.daily_calls)
        """
    )
    loaded.done("recordings", "vbot.v3", "--from", day, "--to", next_day)
    expected = loaded.rows(
        f"""
        {LISTED} where provider = 'vbot' and account = 'v3'
            and strftime(started_at at time zone 'Asia/Ho_Chi_Minh', '%Y-%m-%d') = '{day}'
        """
    )
    assert expected
    assert sorted(rows(loaded, "call_id, position")) == sorted(expected)


MISTAKES = {
    "no date": (["--from", "yesterday"], "take a date such as 2026-01-31"),
    "empty range": (["--from", "2026-02-02", "--to", "2026-02-02"], "is not before"),
    "unknown account": (["etelecom.nowhere"], "etelecom.nowhere is not configured"),
    "no target": (["--target", " "], "callsync.recordings_target is empty"),
    "unknown store": (["--target", "nowhere://x"], "callsync.recordings_target cannot be used"),
    "password": (["--target", "ftp://me:secret@h/x"], "must hold no user and no password"),
    "user": (["--target", "ftp://secret@h/x"], "must hold no user and no password"),
    "password in a chain": (
        ["--target", "simplecache::ftp://me:secret@h/x"],
        "must hold no user and no password",
    ),
    "password for Azure": (["--target", "abfs://calls:secret@a.dfs.core.windows.net/x"], "no password"),
    "container of Azure": (
        ["--target", "abfs://calls@a.dfs.core.windows.net/x"],
        "needs a package that is not there",
    ),
    "no address": (["--target", "nowhere://[x"], "callsync.recordings_target cannot be used"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_and_nothing_is_asked(loaded: Project, simulator: Simulator, case: str) -> None:
    arguments, said = MISTAKES[case]
    outcome = loaded.run("recordings", *arguments)
    assert outcome.code == 2
    (line,) = outcome.lines
    assert said in line
    assert "secret" not in line
    assert not simulator.recordings.asked


@pytest.mark.parametrize("key", ["recordings_at_once", "recordings_retention_days"])
def test_a_key_that_cannot_be_is_a_mistake(project: Project, simulator: Simulator, key: str) -> None:
    project.configure(simulator, everyone(), {key: -1})
    outcome = project.run("recordings")
    assert outcome.code == 2
    assert f"callsync.{key} must be at least" in outcome.err


def test_before_the_first_sync_there_is_nothing_to_fetch(project: Project, simulator: Simulator) -> None:
    project.configure(simulator, everyone())
    outcome = project.run("recordings")
    assert outcome.code == 1
    (line,) = outcome.lines
    assert line.endswith("run callsync sync first")


def test_a_copy_of_an_earlier_version_has_no_such_table_yet(loaded: Project) -> None:
    for file in (loaded.warehouse, loaded.published):
        with duckdb.connect(str(file)) as connection:
            connection.execute("drop table callsync.recording_files")
    loaded.done("recordings", "etelecom", "--limit", "2")
    assert counts(loaded) == {"held": 2}


def test_one_that_fails_stops_no_other_and_is_tried_again(loaded: Project, simulator: Simulator) -> None:
    ((number,),) = loaded.rows(
        "select min(provider_call_id) from reporting.recordings where provider = 'etelecom'"
    )
    simulator.recordings.statuses[number] = 500
    outcome = loaded.run("recordings", "etelecom", "--log-format", "text")
    assert outcome.code == 1
    assert outcome.lines[-1] == "etelecom.main: 1 failed: 127.0.0.1 answered HTTP 500"
    failed = rows(loaded, "call_id, attempts, path, error", "status = 'failed'")
    assert failed == [(f"etelecom/main/{number}", 1, None, "127.0.0.1 answered HTTP 500")]
    assert whole(loaded)
    first_tried = rows(loaded, "first_tried_at", "status = 'failed'")
    simulator.recordings.statuses.clear()
    loaded.done("recordings", "etelecom")
    assert rows(loaded, "attempts, error", f"call_id like '%/{number}'") == [(2, None)]
    assert rows(loaded, "first_tried_at", "attempts = 2") == first_tried
    assert counts(loaded).keys() == {"held"}
    assert whole(loaded)


def test_what_the_provider_has_no_more_is_not_asked_for_again(loaded: Project, simulator: Simulator) -> None:
    simulator.recordings.statuses[""] = 404
    outcome = loaded.run("recordings", "voximplant")
    assert outcome.code == 1
    day_ago = datetime.now(UTC) - timedelta(days=1)
    listed = loaded.rows("select started_at from reporting.recordings where provider = 'voximplant'")
    young = sum(started > day_ago for (started,) in listed)
    # A recording is listed before it is there: what is not found of a young call may still come.
    assert counts(loaded) == {"gone": len(listed) - young, "failed": young}
    assert young
    told = f"voximplant.main: {young} failed, {len(listed) - young} gone: 127.0.0.1 answered HTTP 404"
    assert outcome.lines[-1] == told
    simulator.recordings.asked.clear()
    simulator.recordings.statuses.clear()
    loaded.done("recordings", "voximplant")
    assert len(simulator.recordings.asked) == young
    loaded.done("recordings", "voximplant", "--retry-gone")
    assert counts(loaded) == {"held": len(listed)}


def test_a_refused_key_stops_its_account_and_no_other(loaded: Project, simulator: Simulator) -> None:
    secrets = (loaded.folder / ".dlt" / "secrets.toml").read_text()
    wrong = secrets.replace(simulator.credentials("vbot")["api_key"], "nobody's")
    loaded.write("secrets.toml", wrong)
    outcome = loaded.run("recordings", "vbot.v3", "etelecom")
    assert outcome.code == 1
    (line,) = [line for line in outcome.lines if line.startswith("vbot.v3: ") and "not tried" in line]
    assert "VBot answered error 409: Invalid key; check api_key under [sources.vbot.v3]" in line
    # Each at work may have sent one more before the others were refused.
    assert 3 <= len(requests_of(simulator, "vbot", "record")) <= 3 + 4
    assert rows(loaded, "distinct status", "provider = 'etelecom'") == [("held",)]


def test_a_server_that_is_down_is_left_to_the_next_run(
    loaded: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__ETELECOM__MAIN__MAX_ATTEMPTS", "1")
    simulator.faults.sometimes("502", 1.0, "etelecom")
    outcome = loaded.run("recordings", "etelecom")
    assert outcome.code == 1
    (listed,) = loaded.rows("select count(*) from reporting.recordings where provider = 'etelecom'")[0]
    tried = len(rows(loaded))
    assert 10 <= tried <= 14 < listed
    assert outcome.lines[-1] == (
        f"etelecom.main: {tried} failed, {listed - tried} not tried: 127.0.0.1 answered HTTP 502"
    )


def test_no_more_at_once_than_agreed(loaded: Project, simulator: Simulator) -> None:
    simulator.faults.latency_ms = 20
    loaded.done("recordings", "etelecom", "--limit", "9")
    assert 2 <= simulator.requests.peak_in_flight("etelecom", None) <= 4


def test_hostile_ids_and_addresses_reach_no_path(
    project: Project, changing: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.recordings.fetching.YOUNG", timedelta(0))
    hostile: list[dict[str, Any]] = [
        {"id": "../../../../evil"},
        {"id": "/etc/evil\0\n"},
        {"id": "x" * 400},
        {"recording_urls": ["file:///etc/passwd", "../../../etc/passwd", ""]},
        {"recording_urls": ["http://127.0.0.1:1/0912345678.wav", "https://[::1"]},
        {"id": "CON", "recording_urls": [f"{changing.url}/etelecom/recordings/%2e%2e%2f.wav"]},
    ]
    numbers = [row["id"] for row in changing.truth("etelecom") if row["recording_urls"]]
    for number, fields in zip(numbers, hostile, strict=False):
        changing.spoil("etelecom", number, **fields)
    project.configure(changing, everyone("etelecom.main"), max_attempts=1)
    project.done("sync")
    before = tree(project)
    outcome = project.run("recordings")
    assert outcome.code == 1
    assert "passwd" not in outcome.err
    assert "0912345678" not in outcome.err
    assert whole(project)
    ours = {project.working / "warehouse" / name for name in ("recordings.lock", "runs.jsonl")}
    assert tree(project) - before - set(files(project)) == ours
    assert all(len(path.name) < 120 and path.name.isascii() for path in files(project))
    listed = project.rows(LISTED)
    # Nothing listens at one of the addresses, the others are none.
    assert counts(project) == {"held": len(listed) - 4, "failed": 1, "gone": 3}


def test_what_has_no_address_fails_no_run_and_is_asked_once_it_has_one(
    project: Project, changing: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = [row for row in changing.truth("voximplant") if row["records"]]
    oldest, newest = (choose(sessions, key=lambda row: str(row["start_date"])) for choose in (min, max))

    began = [
        datetime.fromisoformat(row["start_date"]).replace(tzinfo=UTC).timestamp() for row in (oldest, newest)
    ]
    between = timedelta(seconds=time.time() - sum(began) / 2)
    monkeypatch.setattr("pipelines.recordings.fetching.YOUNG", between)

    def sync(**address: str) -> None:
        for session in (oldest, newest):
            records = [{**record, **address} for record in session["records"]]
            for record in records:
                if not address:
                    del record["record_url"]
            changing.spoil("voximplant", session["call_session_history_id"], records=records)
        project.done("sync")

    project.configure(changing, everyone("voximplant.main"), lookback_days=9)
    sync()
    project.done("recordings")
    said = "the provider names no address for it"
    # Of the newest call it may still come.
    assert rows(project, "status, error", "status <> 'held'") == [("gone", said), ("failed", said)]
    changing.recordings.asked.clear()
    project.done("recordings")
    assert rows(project, "status, attempts", "status <> 'held'") == [("gone", 1), ("failed", 2)]
    assert not changing.recordings.asked
    sync(record_url=f"{changing.url}/voximplant/secure/1.wav")
    project.done("recordings")
    assert counts(project).keys() == {"held"}


def tree(project: Project) -> set[Path]:
    return {path for path in project.folder.rglob("*") if path.is_file()}


def test_no_bar_of_the_database_stands_among_the_lines(loaded: Project) -> None:
    # DuckDB takes a process without a script for interactive, and draws one where a question takes long.
    asked = """
from pathlib import Path
from pipelines import opening
connection = opening.reading(Path("warehouse.duckdb"))
print(*connection.execute("select current_setting('enable_progress_bar')").fetchone())
"""
    shown = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=loaded.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "False\n"


def test_progress_for_machines(loaded: Project, simulator: Simulator) -> None:
    number = recorded(simulator, "vbot")
    simulator.recordings.statuses[number] = 400
    outcome = loaded.run("recordings", "vbot.v2", "--log-format", "json")
    events = [json.loads(line) for line in outcome.lines]
    assert [event["event"] for event in events[:1]] == ["planned"]
    assert {event["event"] for event in events[1:-1]} == {"recording"}
    (failed,) = [event for event in events if event.get("status") == "failed"]
    assert failed["error"] == "127.0.0.1 answered HTTP 400"
    assert events[-1] == {
        "event": "account",
        "account": "vbot.v2",
        "wanted": events[0]["recordings"],
        "held": events[0]["recordings"] - 1,
        "failed": 1,
        "gone": 0,
        "expired": 0,
        "bytes": sum(event["bytes"] for event in events if event.get("status") == "held"),
        "error": failed["error"],
        "untried": 0,
    }


def test_progress_on_a_terminal(
    loaded: Project, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    simulator.recordings.statuses[recorded(simulator, "vbot")] = 400
    outcome = loaded.run("recordings", "vbot.v2", "--limit", "5")
    assert "5/5" in outcome.err
    assert "recordings" in outcome.err
    assert len(asked_names(simulator)) == 5
