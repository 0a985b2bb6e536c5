"""Documented forms of JSON, made ready when a module is imported.

msgspec works out a type when it first meets it, and crashes the process where several threads do so at once.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from sources.errors import UnreadableBody
from sources.printing import printable
from sources.shaping.decode import canonical, decode

T = TypeVar("T")


class Form(Generic[T]):
    """A form of JSON, which any thread may read.

    Args:
        form: the type of what is read.
    """

    def __init__(self, form: type[T]) -> None:
        self._decoder = msgspec.json.Decoder(form)
        self._decoder_of_many = msgspec.json.Decoder(list[form])  # type: ignore[valid-type]  # known only here

    def read(self, raw: bytes) -> T:
        """A body as this form.

        Raises:
            UnreadableBody: HTML, JSON cut short, or JSON of another form.
        """
        try:
            return self._decoder.decode(raw)
        except msgspec.ValidationError as error:
            raise _of_another_form(error) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._read_loosely(raw)

    def _read_loosely(self, raw: bytes) -> T:
        """What strict JSON refuses in one record must not cost those beside it."""
        try:
            return self._decoder.decode(canonical(decode(raw.removeprefix(codecs.BOM_UTF8))))
        except msgspec.ValidationError as error:
            raise _of_another_form(error) from None
        except ValueError:
            kind = "HTML" if raw.lstrip()[:1] == b"<" else "no whole JSON"
            raise UnreadableBody(f"the answer is {kind} ({len(raw)} bytes)") from None

    def glance(self, raw: bytes) -> T | None:
        """As `read`, or None where it is not of this form."""
        try:
            return self._decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def glances(self, raws: Sequence[bytes]) -> Sequence[T | None]:
        """As `glance`, at many of which each is known to be JSON."""
        try:
            return self._decoder_of_many.decode(b"[%b]" % b",".join(raws))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return [self.glance(raw) for raw in raws]


def _of_another_form(error: msgspec.ValidationError) -> UnreadableBody:
    return UnreadableBody(f"the answer has not the documented form: {printable(str(error))}")


RECORDS = Form(list[msgspec.Raw])
"""A list of records, each still as it was sent."""
