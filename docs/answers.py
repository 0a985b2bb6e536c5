"""Writes the questions of `docs/questions/` and their answers into README.md: `make answers`.

The answers are those of a demo whose calls are the same every time. A test compares them with the README.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from pipelines import queries
from pipelines.config import General

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DEMO = ("demo", "--until", "2026-07-01", "--calls", "2000")
"""The command whose warehouse is asked, as the README shows it."""

_SECTION = re.compile(r"(?<=<!-- answers: make answers -->\n).*?(?=\n<!-- answers end -->\n)", re.DOTALL)


def make_demo(folder: Path) -> Path:
    """Make the demo in a folder; the path of its warehouse."""
    callsync = [sys.executable, "-m", "pipelines"]
    subprocess.run([*callsync, *DEMO, "--folder", str(folder)], check=True, capture_output=True, cwd=ROOT)  # noqa: S603 - our own command
    return folder / "warehouse.duckdb"


def section(readme: str) -> str:
    """The part of the README that is written here."""
    found = _SECTION.search(readme)
    if found is None:
        raise LookupError("README.md has no place for the answers")
    return found[0]


def questions() -> list[Path]:
    """The files that hold a question each: its words as a comment, then its SQL."""
    return sorted((ROOT / "docs" / "questions").glob("*.sql"))


def answers(warehouse: Path) -> str:
    """All questions with their answers, as Markdown."""
    with closing(queries.open_copy(warehouse, General.reporting_timezone)) as connection:
        return "".join(_answered(connection, number, file) for number, file in enumerate(questions(), 1))


def _answered(connection: duckdb.DuckDBPyConnection, number: int, file: Path) -> str:
    question, _, query = file.read_text("utf-8").partition("\n")
    table = "\n".join(_table(connection.sql(query)))
    return f"\n**{number}. {question.removeprefix('-- ')}**\n\n```sql\n{query.strip()};\n```\n\n{table}\n"


def _table(answer: duckdb.DuckDBPyRelation) -> Iterator[str]:
    rows = answer.fetchall()
    numeric = [
        any(isinstance(row[at], int | float | Decimal) for row in rows) for at in range(len(answer.columns))
    ]
    yield _line(answer.columns)
    yield _line(["--:" if is_number else "---" for is_number in numeric])
    for row in rows:
        yield _line([_text(value) for value in row])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        written = answers(make_demo(Path(folder)))
    README.write_text(_SECTION.sub(lambda _: written, README.read_text("utf-8")), "utf-8")
