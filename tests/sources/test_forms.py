"""Documented forms of JSON."""

from __future__ import annotations

import ast
import codecs
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sources.errors import UnreadableBody
from sources.forms import RECORDS, Form

ROOT = Path(__file__).parents[2]


def test_a_body_is_read_as_its_form() -> None:
    assert Form(dict[str, int]).read(b'{"a": 1}') == {"a": 1}
    assert [bytes(record) for record in RECORDS.read(b'[{"a": 1.50}, null]')] == [b'{"a": 1.50}', b"null"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>", "the answer is HTML (6 bytes)"),
        (b'{"a": ', "the answer is no whole JSON (6 bytes)"),
        (b'{"\xff": 1}', "the answer is no whole JSON (8 bytes)"),
        (b'{"a": "x"}', "the answer has not the documented form: Expected `int`, got `str` - at `$[...]`"),
    ],
)
def test_a_body_of_another_form_says_what_it_is(body: bytes, why: str) -> None:
    with pytest.raises(UnreadableBody) as raised:
        Form(dict[str, int]).read(body)
    assert str(raised.value) == why
    assert Form(dict[str, int]).glance(body) is None


@pytest.mark.parametrize(
    ("odd", "shown"),
    [
        (b'"cut in \\ud83d"', '"cut in \\\\ud83d"'),
        (b"NaN", '"NaN"'),
        (b'"a\ttab"', '"a\\ttab"'),
    ],
)
def test_a_record_that_is_no_strict_json_costs_none_beside_it(odd: bytes, shown: str) -> None:
    body = codecs.BOM_UTF8 + b'[{"b": 1.50, "a": %b}, {"a": 2}]' % odd
    assert [bytes(record).decode() for record in RECORDS.read(body)] == [
        f'{{"a":{shown},"b":1.50}}',
        '{"a":2}',
    ]


WHAT_THREADS_DO = """
import sys, threading
import msgspec
from sources.forms import Form

sys.setswitchinterval(1e-6)
for _ in range(150):
    inner = msgspec.defstruct("inner", [("following", str | None, None)])
    outer = msgspec.defstruct("outer", [("rows", list[msgspec.Raw], []), ("paging", inner | None, None)])
    form, together = Form(outer), threading.Barrier(4)
    def read():
        together.wait()
        assert form.read(b'{"rows": [1], "paging": {"following": "a"}}').paging.following == "a"
    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


def test_threads_that_first_read_a_form_at_once_do_not_crash() -> None:
    # In a process of its own: what this guards against is a segmentation fault.
    done = subprocess.run([sys.executable, "-c", WHAT_THREADS_DO], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def decoded_by_type() -> Iterator[str]:
    for file in (*ROOT.glob("sources/**/*.py"), *ROOT.glob("pipelines/**/*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            is_decode = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("json.decode")
            if is_decode and isinstance(node, ast.Call) and any(word.arg == "type" for word in node.keywords):
                yield f"{file.relative_to(ROOT)}:{node.lineno}"


def test_no_module_leaves_a_type_to_be_worked_out_by_its_threads() -> None:
    assert list(decoded_by_type()) == []
