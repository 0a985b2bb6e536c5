"""What a select of `sql/` reads, and the same select over other relations.

Told from its text: the files keep to one form, `from schema.name` or `join schema.name`, and a run of which
each millisecond counts need not take SQL apart. The tests hold the answers to those of a parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_READ = re.compile(
    r"""
    --[^\n]* | '[^']*'                      # comments and texts are passed over
    | \b (?P<verb> from | join ) \s+
    (?P<name> [a-z]\w* \. [a-z]\w* ) \b
    (?: \s+ as \s+ (?P<alias> \w+ ) )?
    """,
    re.VERBOSE | re.IGNORECASE,
)


def references(select: str) -> set[str]:
    """The full names of the tables and views that a select reads.

    What follows a `from` that is not that of a select (`extract(epoch from ended.at)`) is among them.
    """
    return {match["name"] for match in _READ.finditer(select) if match["name"]}


def exchanged(select: str, put: Callable[[str], str | None]) -> str:
    """A select that reads other relations instead.

    Args:
        select: the statement.
        put: from a full name to what stands in its place, a name or a select in brackets; None leaves it.
    """

    def exchange(match: re.Match[str]) -> str:
        other = put(match["name"]) if match["name"] else None
        if other is None:
            return match[0]
        return f"{match['verb']} {other} as {match['alias'] or match['name'].partition('.')[2]}"

    return _READ.sub(exchange, select)
