"""Python looks for garbage seldom while modules load, and as usual while a run works."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pipelines import garbage


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_a_run_looks_as_often_as_python_does_by_default() -> None:
    usual = garbage._USUALLY
    garbage.seldom()
    assert gc.get_threshold()[0] > 10 * usual[0]
    with garbage.among_the_new():
        assert gc.get_threshold() == usual


def test_modules_that_a_run_loads_are_not_looked_through() -> None:
    with garbage.among_the_new():
        with garbage.while_loading():
            assert gc.get_threshold()[0] > garbage._USUALLY[0]
            loaded: list[object] = []
        assert gc.is_tracked(loaded)
        assert not any(one is loaded for one in gc.get_objects())
        assert gc.get_threshold() == garbage._USUALLY


def test_what_was_there_before_is_looked_through_again_afterwards() -> None:
    with garbage.among_the_new():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0
