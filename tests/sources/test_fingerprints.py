"""Keys of a window are counted in little memory, and counted right whatever they look like."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.fingerprints import compact, distinct

NUMBERS = st.integers(-(2**63), 2**63 - 1)
LOOK_ALIKE = st.sampled_from(
    ["7", "07", "+7", "-7", "0x7", " 7", "7 ", "7.0", "-0", "0", "", "9" * 19, "9" * 20]
)
TEXTS = st.one_of(LOOK_ALIKE, NUMBERS.map(str), st.text(max_size=4))


@given(st.lists(st.lists(TEXTS, max_size=8), max_size=6))
def test_texts_are_counted_however_they_are_cut_into_parts(parts: list[list[str]]) -> None:
    keys = [compact(pa.chunked_array([part], pa.string())) for part in parts]
    assert distinct(keys) == len({key for part in parts for key in part})


@given(st.lists(st.lists(NUMBERS, max_size=8), max_size=6))
def test_numbers_are_counted_however_they_are_cut_into_parts(parts: list[list[int]]) -> None:
    keys = [compact(pa.chunked_array([part], pa.int64())) for part in parts]
    assert distinct(keys) == len({key for part in parts for key in part})


@pytest.mark.parametrize(
    ("keys", "is_smaller"), [(["1184561234567890123"] * 100, True), (["3f2a-77c9"] * 100, False)]
)
def test_keys_that_are_numbers_are_held_as_numbers(keys: list[str], is_smaller: bool) -> None:
    held = compact(pa.chunked_array([keys], pa.string()))
    assert (held.nbytes < 9 * len(keys)) is is_smaller
