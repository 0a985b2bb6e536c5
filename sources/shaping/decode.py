"""JSON text to Python values and back, without losing a digit.

Numbers with a fraction or an exponent become Decimal, integers of any size stay int, and of a key given twice
the last wins. What goes back is canonical: sorted keys, no spaces.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(order="sorted", decimal_format="number")

# Python and its JSON writers give up near a thousand levels, at a depth that depends on the caller.
_DEEPEST: Final = 200

# Python refuses to convert integers of more than 4,300 digits to and from text.
_LONGEST_INT: Final = 4_000


def decode(payload: bytes) -> Any:
    """The value of one JSON text. Raises ValueError when it is none or nested too deep."""
    try:
        value = _DECODER.decode(payload)
    except (msgspec.DecodeError, InvalidOperation):
        value = _decode_odd(payload)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if payload.count(b"{") + payload.count(b"[") > _DEEPEST and _is_deep(value):
        raise ValueError("nested too deep")
    return value


def canonical(value: Any) -> str:
    """Canonical JSON text of a decoded value."""
    return _ENCODER.encode(value).decode()


def as_json(payload: bytes) -> bytes:
    """The payload itself when it is strict JSON, otherwise the nearest JSON that says the same.

    Text that is not JSON at all becomes one JSON string, with bytes that are not UTF-8 written as escapes.
    """
    try:
        value = decode(payload)
        return payload if _is_strict(payload) else canonical(value).encode()
    except ValueError:
        return _ENCODER.encode(payload.decode("utf-8", "backslashreplace"))


def _decode_odd(payload: bytes) -> Any:
    """What strict JSON refuses and some servers send: NaN, bare tabs, half surrogate pairs, endless numbers.

    They become text that shows what was sent.
    """
    try:
        value = json.loads(
            payload.decode(), strict=False, parse_float=_decimal, parse_int=_integer, parse_constant=str
        )
        return _printable(value)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _is_strict(payload: bytes) -> bool:
    try:
        _DECODER.decode(payload)
    except (msgspec.DecodeError, InvalidOperation):
        return False
    return True


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for item in level
            if isinstance(item, list | dict)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True


def _decimal(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _integer(text: str) -> int | Decimal | str:
    return int(text) if len(text) <= _LONGEST_INT else _decimal(text)


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if isinstance(value, dict):
        return {_printable(key): _printable(item) for key, item in value.items()}
    return value
