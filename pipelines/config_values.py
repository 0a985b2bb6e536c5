"""Values of configuration files and of the environment as the types of their keys."""

from __future__ import annotations

import json
import math
import types
import typing
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sources.windows import instant


def typed(value: Any, hint: Any, zone: str) -> Any:
    """A value of a file or the environment as the type of its key; the error says what was expected."""
    if isinstance(hint, types.UnionType):
        # As the sample shows a key that has no default.
        if value == "" and type(None) in typing.get_args(hint):
            return None
        kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
        if len(kinds) > 1:
            return value
        hint = kinds[0]
    kind = typing.get_origin(hint) or hint
    if kind is datetime:
        return _date(value, zone)
    if kind is tuple:
        return _list(value)
    if kind is Mapping:
        return _table(value)
    if kind in (int, float):
        return _number(value, kind)
    if kind is bool:
        return _truth(value)
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    raise TypeError("must be text")


def _date(value: Any, zone: str) -> datetime:
    try:
        return instant(value if isinstance(value, str) else value.isoformat(), zone)
    except (ValueError, AttributeError):
        raise ValueError("must be a date such as 2026-01-31, or ISO 8601 with an offset") from None


def _number(value: Any, kind: type) -> Any:
    if not isinstance(value, bool):
        try:
            number = kind(value)
            if -math.inf < number < math.inf and (isinstance(value, str) or number == value):
                return number
        except (TypeError, ValueError, OverflowError):
            pass
    raise ValueError("must be a whole number" if kind is int else "must be a number")


def _truth(value: Any) -> bool:
    truth = {"true": True, "false": False}.get(str(value).lower())
    if truth is None:
        raise ValueError("must be true or false")
    return truth


def _list(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.lstrip().startswith("[") else value.split(",")
        except (ValueError, RecursionError):
            raise ValueError("must be a list of texts") from None
    if not isinstance(value, Iterable) or isinstance(value, Mapping):
        raise TypeError("must be a list of texts")
    value = list(value)
    if any(isinstance(item, list | Mapping) for item in value):
        raise TypeError("must be a list of texts")
    return tuple(text for item in value if (text := str(item).strip()))


def _table(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("must be a table (as JSON in the environment)") from None
    if not isinstance(value, Mapping):
        raise TypeError("must be a table")
    return value
