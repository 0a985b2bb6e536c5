"""What others said, as a short line that an error or a table can show."""

from __future__ import annotations

CUT = "…"
"""Stands where the length of a message cut it off."""

MESSAGE_LENGTH = 200


def excerpt(body: bytes) -> str:
    """The beginning of an answer, fit for one line of an error; nothing of an HTML page."""
    line = printable(body[: 4 * MESSAGE_LENGTH].decode("utf-8", "replace"))
    return "" if line.startswith("<") else line


def printable(text: str) -> str:
    """One short line without control characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 1] + CUT
