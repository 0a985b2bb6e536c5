"""Text for a terminal: what a provider sent may hold codes that steer one, and none of them arrives."""

from __future__ import annotations


def is_utf_8(text: str) -> bool:
    """Whether a text came as UTF-8: bytes that are none come as halves of pairs, which nothing can write."""
    return not any("\ud800" <= c <= "\udfff" for c in text)


def plain(text: str) -> str:
    """Lines of text in which control codes, and marks that turn the reading direction, are replaced."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
