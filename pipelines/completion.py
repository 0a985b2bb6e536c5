"""What could stand at the cursor in a query: names of the published copy's catalogue, and words of SQL.

`suggest` is pure: the text around the cursor in, suggestions out. It looks at words and does not parse,
because a query that is being typed is seldom one yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import duckdb
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

_LATER = {"intermediate": 2, "staging": 3}
"""Schemas that the reports are made of come after those made for reading."""

# Strings and comments; no group holds anything where one is still open.
_OPAQUE = re.compile(r"'[^']*('?)|--[^\n]*(\n?)|/\*.*?(\*/|\Z)|\$\$.*?(\$\$|\Z)", re.DOTALL)
_NAME = r'(?:"[^"]*"|\w+)'
_AT_CURSOR = re.compile(rf'(?:({_NAME})\.)?(?:({_NAME})\.)?("?\w*)\Z')
_SOURCE = re.compile(rf"(?:\b(?:from|join)\s|,)\s*({_NAME}\.{_NAME})(?:\s+(?:as\s+)?(\w+))?", re.IGNORECASE)
_COMMON_TABLE = re.compile(r"\b(\w+)\s+as\s+(?:not\s+)?(?:materialized\s+)?\(", re.IGNORECASE)
_CLAUSE = re.compile(
    r"\b(select|from|join|describe|summarize|pivot|unpivot|where|on|using|by|having|limit|with)\b",
    re.IGNORECASE,
)
_BEFORE_RELATIONS = {"from", "join", "describe", "summarize", "pivot", "unpivot"}


@dataclass(frozen=True)
class Catalogue:
    """What a query can name.

    Attributes:
        relations: columns and their types by the full name of their table or view, the reports first.
        functions: names of functions.
        keywords: words of SQL, those that no name may be first.
        reserved: words that are no alias.
    """

    relations: Mapping[str, Mapping[str, str]]
    functions: tuple[str, ...]
    keywords: tuple[str, ...]
    reserved: frozenset[str]


@dataclass(frozen=True)
class Suggestion:
    """A text for the place of the last `replaces` characters before the cursor, and what it is."""

    text: str
    replaces: int
    what: str


def read(connection: duckdb.DuckDBPyConnection) -> Catalogue:
    """The catalogue of an open database; dlt's own tables are left out."""
    words = connection.execute(
        """
        select keyword_name, keyword_category in ('reserved', 'type_function') as is_reserved
        from duckdb_keywords() order by is_reserved desc, keyword_name
        """
    ).fetchall()
    functions = connection.execute(
        """
        select distinct function_name from duckdb_functions()
        where regexp_full_match(function_name, '[a-z][a-z0-9_]*') order by function_name
        """
    ).fetchall()
    columns = connection.execute(
        """
        select schema_name, table_name, column_name, data_type from duckdb_columns()
        where not internal and not starts_with(table_name, '_dlt') order by table_name, column_index
        """
    ).fetchall()
    reserved = frozenset(word for word, is_reserved in words if is_reserved)
    relations: dict[str, dict[str, str]] = {}
    for schema, relation, column, kind in sorted(columns, key=lambda row: _rank(row[0])):
        name = f"{_quoted(schema, reserved)}.{_quoted(relation, reserved)}"
        relations.setdefault(name, {})[_quoted(column, reserved)] = kind.lower()
    return Catalogue(
        relations, tuple(name for (name,) in functions), tuple(word for word, _ in words), reserved
    )


def suggest(catalogue: Catalogue, before: str, after: str = "", *, asked: bool = True) -> list[Suggestion]:
    """What could stand at the cursor, the likeliest first.

    Args:
        catalogue: what can be named.
        before: the text before the cursor.
        after: the text behind it.
        asked: someone wants to see everything; else nothing is suggested before a first letter.
    """
    before = before.rpartition(";")[2]
    code = _without_opaque(before)
    if code is None or not (place := _AT_CURSOR.search(code)):
        return []
    whole = f"{code} {_without_opaque(after.partition(';')[0]) or ''}"
    first, second, word = place.groups()
    typed = word.removeprefix('"').lower()
    sources = _sources(catalogue, whole)
    if first is not None:
        found = _qualified(catalogue, sources, first if second is None else f"{first}.{second}")
    elif _wants_relation(code[: place.start()]):
        found = _relations(catalogue, whole)
    elif typed or asked:
        found = _words(catalogue, sources, word)
    else:
        return []
    unique: dict[str, Suggestion] = {}
    for text, what in found:
        if any(part.strip('"').lower().startswith(typed) for part in (text, text.rpartition(".")[2])):
            unique.setdefault(text, Suggestion(text, len(word), what))
    return list(unique.values())


class WordCompleter(Completer):
    """What prompt_toolkit asks for completions: of questions, and of commands that begin with a dot.

    Args:
        catalogue: gives what can be named now.
        commands: what each command takes (NAME a relation, else one of what `|` parts), and what it does.
    """

    def __init__(self, catalogue: Callable[[], Catalogue], commands: Mapping[str, tuple[str, str]]) -> None:
        self._catalogue = catalogue
        self._commands = commands

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Completions at the cursor."""
        before = document.text_before_cursor
        command, space, argument = before.lstrip().partition(" ")
        if not command.startswith("."):
            found = suggest(
                self._catalogue(),
                before,
                document.text_after_cursor,
                asked=complete_event.completion_requested,
            )
        elif not space:
            found = [
                Suggestion(name, len(command), does)
                for name, (_, does) in self._commands.items()
                if name.startswith(command)
            ]
        else:
            found = self._arguments(self._commands.get(command, ("", ""))[0], argument)
        for each in found:
            yield Completion(each.text, -each.replaces, display_meta=each.what)

    def _arguments(self, of: str, typed: str) -> list[Suggestion]:
        if of == "NAME":
            return suggest(self._catalogue(), f"describe {typed}")
        return [
            Suggestion(choice, len(typed), "")
            for choice in of.split("|")
            if "|" in of and choice.startswith(typed)
        ]


def _qualified(catalogue: Catalogue, sources: Mapping[str, str], name: str) -> Iterator[tuple[str, str]]:
    """What can follow a name and a dot: the relations of a schema, or the columns of a source."""
    for relation in catalogue.relations:
        if relation.startswith(f"{name}."):
            yield relation.removeprefix(f"{name}."), "relation"
    yield from catalogue.relations.get(sources.get(name.lower(), name), {}).items()


def _relations(catalogue: Catalogue, whole: str) -> Iterator[tuple[str, str]]:
    for name in _COMMON_TABLE.findall(whole):
        yield name, "in this query"
    for relation in catalogue.relations:
        yield relation, "relation"


def _words(catalogue: Catalogue, sources: Mapping[str, str], word: str) -> Iterator[tuple[str, str]]:
    """Columns and names of what is read, or of all reports while nothing is; then what SQL has."""
    read_from = sources.values() or (name for name in catalogue.relations if name.startswith("reporting."))
    for relation in read_from:
        yield from catalogue.relations[relation].items()
    for name, relation in sources.items():
        yield name, relation
    for keyword in catalogue.keywords:
        yield keyword.upper() if word.isupper() else keyword, "keyword"
    for function in catalogue.functions:
        yield function, "function"


def _sources(catalogue: Catalogue, whole: str) -> dict[str, str]:
    """The relations a query reads, by the names it has for them."""
    found = {}
    for relation, alias in _SOURCE.findall(whole):
        if relation in catalogue.relations:
            is_alias = alias and alias.lower() not in catalogue.reserved
            found[alias.lower() if is_alias else relation.rpartition(".")[2].lower()] = relation
    return found


def _wants_relation(code: str) -> bool:
    clauses = list(_CLAUSE.finditer(code))
    if not clauses or clauses[-1][1].lower() not in _BEFORE_RELATIONS:
        return False
    rest = code[clauses[-1].end() :].strip()
    return not rest or rest.endswith(",")


def _without_opaque(text: str) -> str | None:
    """The text with its strings and comments blanked; None where one of them is still open at its end."""
    for found in _OPAQUE.finditer(text):
        if found.end() == len(text) and not any(found.groups()):
            return None
    return _OPAQUE.sub(" ", text)


def _rank(schema: str) -> tuple[int, str]:
    return 0 if schema == "reporting" else _LATER.get(schema, 1), schema


def _quoted(name: str, reserved: frozenset[str]) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in reserved else f'"{name}"'
