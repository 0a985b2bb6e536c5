from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from sources.printing import MESSAGE_LENGTH, excerpt, printable


@given(st.binary(max_size=900))
@example(b"\0<html>")
def test_an_excerpt_is_one_short_printable_line(body: bytes) -> None:
    text = excerpt(body)
    assert len(text) <= MESSAGE_LENGTH
    assert text.isprintable()
    assert not text.startswith("<")


@given(st.text(max_size=400))
def test_a_message_is_one_short_printable_line(text: str) -> None:
    assert printable(text).isprintable()
    assert len(printable(text)) <= MESSAGE_LENGTH
