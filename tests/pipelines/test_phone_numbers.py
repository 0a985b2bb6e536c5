from __future__ import annotations

import pytest

from pipelines.phone_numbers import read
from tests.pipelines.project import Project

CASES = [
    ("0912345678", "+84912345678", "VN", "mobile"),
    ("+84912345678", "+84912345678", "VN", "mobile"),
    ("84912345678", "+84912345678", "VN", "mobile"),
    ("0084912345678", "+84912345678", "VN", "mobile"),
    (" 0912 345-678 ", "+84912345678", "VN", "mobile"),
    ("02471001001", "+842471001001", "VN", "fixed_line"),
    ("842471001001", "+842471001001", "VN", "fixed_line"),
    ("1800599920", "+841800599920", "VN", "toll_free"),
    ("+12025550123", "+12025550123", "US", "fixed_line_or_mobile"),
    ("101", None, None, "short"),
    ("113", None, None, "short"),
    ("anonymous", None, None, "withheld"),
    ("Anonymous", None, None, "withheld"),
    ("sip:anonymous@anonymous.invalid", None, None, "withheld"),
    ("sip:agent@example.com", None, None, "sip"),
    ("agent@example.com", None, None, "sip"),
    ("agent02", None, None, "unknown"),
    ("0", None, None, "short"),
    ("", None, None, "unknown"),
    ("☎", None, None, "unknown"),
    ("9" * 40, None, None, "unknown"),
]


@pytest.mark.parametrize(("number", "e164", "region", "kind"), CASES)
def test_a_number_as_it_is_written_becomes_what_it_is(
    number: str, e164: str | None, region: str | None, kind: str
) -> None:
    found = read(number, "VN")
    assert (found.number, found.e164, found.region, found.kind) == (number, e164, region, kind)
    assert found.is_valid == (e164 is not None)


def test_a_service_number_keeps_its_kind() -> None:
    found = read("19001234", "VN")
    assert found.e164 in (None, "+8419001234")
    assert found.kind != "mobile"


def test_another_region_reads_every_number_again(loaded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    valid = "select count(*) from reporting.calls where from_e164 like '+84%'"
    before = loaded.rows(valid)
    assert before > [(300,)]
    monkeypatch.setenv("CALLSYNC__DEFAULT_REGION", "US")
    loaded.done("sync")
    assert loaded.rows(valid) < before
    monkeypatch.delenv("CALLSYNC__DEFAULT_REGION")
    loaded.done("sync")
    assert loaded.rows(valid) == before
