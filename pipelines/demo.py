"""`callsync demo`: the simulator in its own process, the real pipeline, and what the warehouse answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.table import Table

from sources.errors import CallsyncError, ConfigError

DAYS = 30

_FOLDERS = (".callsync", ".dlt")
_FILES = ("warehouse.duckdb", "warehouse.duckdb.wal", "warehouse.read.duckdb")
"""What a demo leaves in its folder, and the next one replaces."""

_MADE_BY_DEMO = "# Made by callsync demo, which replaces this project when it runs here again."

_OF_THE_USER = ("CALLSYNC__", "SOURCES__", "DESTINATION__", "DLT_PROJECT_DIR", "DLT_CONFIG_FOLDER")
"""What the names of environment variables begin with that would lead a demo to real accounts."""

QUESTIONS = (
    (
        "How many calls did we have, and how many did we miss?",
        """
        select
            provider,
            sum(calls) as calls,
            sum(case when direction = 'inbound' then calls end) as inbound,
            sum(missed_calls) as missed,
            sum(answered_calls) as answered,
            round(sum(talk_seconds) / 3600.0, 1) as talk_hours
        from reporting.daily_calls
        group by provider
        order by provider
        """,
    ),
    (
        "Who called in vain on the last day, and has not been called back?",
        """
        select
            started_at,
            contact_number,
            coalesce(hotline_name, hotline_number) as hotline,
            provider,
            ring_seconds
        from reporting.missed_calls
        where is_open and is_reachable and local_date = (select max(local_date) from reporting.daily_calls)
        order by started_at desc, provider asc
        limit 5
        """,
    ),
    (
        "How fast do we answer?",
        """
        select
            local_date,
            sum(offered_calls) as offered,
            sum(abandoned_calls) as abandoned,
            sum(answered_in_time_calls) as in_time,
            round(100.0 * sum(answered_in_time_calls) / nullif(sum(measured_calls), 0), 1) as percent_in_time
        from reporting.service_level
        group by local_date
        order by local_date desc
        limit 7
        """,
    ),
    (
        "Which hotlines ring longest?",
        """
        select
            hotline_number,
            max(hotline_name) as hotline_name,
            sum(inbound_calls) as inbound,
            sum(missed_calls) as missed,
            round(sum(ring_seconds) / nullif(sum(rung_calls), 0), 1) as ring_seconds,
            max(longest_ring_seconds) as longest
        from reporting.hotline_calls
        where rung_calls > 0
        group by hotline_number
        order by ring_seconds desc, hotline_number asc
        limit 5
        """,
    ),
    (
        "What does it cost?",
        """
        select
            local_month,
            provider,
            currency,
            sum(cost) as cost,
            round(sum(cost) * 60 / nullif(sum(costed_talk_seconds), 0), 4) as a_minute
        from reporting.monthly_costs
        where cost is not null
        group by local_month, provider, currency
        order by local_month, provider, currency
        """,
    ),
    (
        "Is it complete, and how fresh is it?",
        """
        select name as account, cursor as read_until, newest_call_at, is_stale
        from reporting.freshness
        order by name
        """,
    ),
)
"""What the demo asks the warehouse: a question, and the SQL that answers it."""


@contextmanager
def simulated(calls: int, seed: int, until: datetime) -> Iterator[Mapping[str, Any]]:
    """The simulator in a process of its own, and its first line: addresses and credentials.

    Raises:
        CallsyncError: it ended before it had written that line.
    """
    command = [sys.executable, "-m", "simulator", "--port", "0", "--days", str(DAYS)]
    command += ["--calls", str(calls), "--seed", str(seed), "--until", until.isoformat()]
    with (
        # What it complains of meanwhile is told by the accounts that meet it.
        tempfile.TemporaryFile() as faults,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=faults) as process,  # noqa: S603 - our own interpreter and module
    ):
        try:
            line = process.stdout.readline() if process.stdout else b""
            if not line.endswith(b"\n"):
                raise CallsyncError(f"the simulator ended before it began: {_last_line(faults)}")
            yield json.loads(line)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()


def _last_line(file: IO[bytes]) -> str:
    """What a process said last, which of a stack trace is the fault."""
    file.seek(0)
    return (file.read().decode(errors="replace").splitlines() or ["it gave no reason"])[-1]


def prepare(folder: Path, simulator: Mapping[str, Any], until: datetime) -> None:
    """Make the folder a project of its own, with a configuration as a user would write it, and enter it.

    From here on the process knows of nobody's accounts and warehouse but those of the demo.

    Raises:
        ConfigError: the folder holds a project that no demo made.
    """
    configuration = folder / ".dlt" / "config.toml"
    if any((folder / name).exists() for name in (*_FOLDERS, *_FILES)) and not _is_of_a_demo(configuration):
        raise ConfigError(f"{folder} holds a project that no demo made; name another with --folder")
    for old in _FOLDERS:
        shutil.rmtree(folder / old, ignore_errors=True)
    for name in _FILES:
        (folder / name).unlink(missing_ok=True)
    (folder / ".dlt").mkdir(parents=True, mode=0o700)
    for name in [name for name in os.environ if name.startswith(_OF_THE_USER)]:
        del os.environ[name]
    providers = simulator["providers"]
    # Of long ago a zone's offset may have seconds, which ISO 8601 does not know.
    start = (until - timedelta(days=DAYS)).astimezone(UTC).isoformat()
    config = [
        _MADE_BY_DEMO,
        '[callsync]\naccounts = ["vbot.main", "etelecom.main", "voximplant.main"]\n',
        f'[destination.duckdb]\ncredentials = "{_FILES[0]}"\n',
    ]
    config += [
        f'[sources.{name}.main]\nbase_url = "{said["base_url"]}"\n'
        f'start_date = "{start}"\nrequests_per_second = 0\n'
        for name, said in providers.items()
    ]
    secrets = [
        f"[sources.vbot.main]\napi_key = {json.dumps(providers['vbot']['api_key'])}\n",
        f"[sources.etelecom.main]\napi_key = {json.dumps(providers['etelecom']['api_key'])}\n",
        "[sources.voximplant.main.credentials]\n",
        *(f"{key} = {json.dumps(value)}\n" for key, value in providers["voximplant"]["credentials"].items()),
    ]
    configuration.write_text("\n".join(config))
    secrets_file = folder / ".dlt" / "secrets.toml"
    secrets_file.touch(mode=0o600)
    secrets_file.write_text("\n".join(secrets))
    os.chdir(folder)


def _is_of_a_demo(configuration: Path) -> bool:
    return configuration.is_file() and configuration.read_bytes().startswith(_MADE_BY_DEMO.encode())


def answer(warehouse: Path, zone: str, console: Console) -> None:
    """Put the questions to the published copy and show the answers."""
    from contextlib import closing

    from pipelines import queries

    with closing(queries.open_copy(warehouse, zone)) as connection:
        for question, query in QUESTIONS:
            cursor = connection.execute(query)
            names = [column[0] for column in cursor.description or ()]
            table = Table(box=None, pad_edge=False, header_style="dim")
            rows = cursor.fetchall()
            for number, name in enumerate(names):
                is_number = any(
                    isinstance(row[number], int | float) or hasattr(row[number], "quantize") for row in rows
                )
                table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
            for row in rows:
                table.add_row(*(_text(value) for value in row))
            console.print(f"\n[bold]{question}[/]")
            console.print(table)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if hasattr(value, "quantize") else str(value)
