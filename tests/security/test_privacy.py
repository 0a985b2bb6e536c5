"""`phone_privacy`: what is kept of persons' numbers, where, and that the reports stay the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import privacy
from pipelines.phone_texts import read
from simulator import Simulator
from sources.account import Account, options_of
from sources.errors import RequestRefused
from sources.recordings import Recording
from sources.registry import PROVIDERS
from sources.shaping import Privacy, shape
from sources.shaping.privacy import HASHED
from sources.vbot.fields import LEGACY_CALLS
from tests.pipelines.project import Outcome, Project, everyone

KEY = "0123456789abcdef"
NUMBER, SPELLED = "0912345678", ("0912345678", "+84912345678", "84 912.345.678", "sip:0912345678@pbx.example")
VERSIONS = {
    "vbot.main": ("v2", 0),
    "vbot.new": ("v3", 1),
    "etelecom.main": (None, 0),
    "voximplant.main": (None, 0),
}
CONTACT = ("contact_number", "contact_e164", "number", "from_number", "to_number", "from_e164", "to_e164")


def kept(setting: str, *, key: str = KEY, region: str = "VN") -> Privacy:
    found = privacy.of(setting, region, key)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def filled(_shared: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Project]:
    """Projects after a sync of everything, one for each setting."""
    projects: dict[str, Project] = {}

    def make(setting: str) -> Project:
        if setting not in projects:
            project = projects[setting] = Project(tmp_path_factory.mktemp(setting))
            settings = {"phone_privacy": setting, **({"phone_hash_key": KEY} if setting == "hash" else {})}
            project.configure(_shared, VERSIONS, settings)
            project.done("sync")
        return projects[setting]

    return make


# What is kept of one number


@pytest.mark.parametrize("setting", ["mask", "hash"])
def test_however_a_number_is_spelled_it_is_kept_alike(setting: str) -> None:
    assert len({kept(setting).number(text) for text in SPELLED}) == 1


def test_a_mask_keeps_country_and_two_digits_and_is_nobodys() -> None:
    assert kept("mask").number(NUMBER) == "+84******78"
    assert read("+84******78", "VN") == ("+84******78", None, None, "withheld", False)
    assert kept("mask").number("01612345678") == "******78"


def test_a_hash_keeps_region_and_kind_and_takes_the_place_of_the_e164() -> None:
    token = kept("hash").number(NUMBER)
    assert HASHED.fullmatch(token)
    assert read(token, "VN") == (token, token, "VN", "mobile", True)
    unknown = kept("hash").number("01612345678")
    assert read(unknown, "VN") == (unknown, None, None, "unknown", False)


def test_a_hash_depends_on_its_key() -> None:
    assert kept("hash").number(NUMBER) != kept("hash", key="another key, long enough").number(NUMBER)


@pytest.mark.parametrize(
    "text", ["", "113", "101", "*100#", "anonymous", "Private Number", "agent07", "sip:lan@pbx"]
)
@pytest.mark.parametrize("setting", ["mask", "hash"])
def test_what_names_no_subscriber_stays(setting: str, text: str) -> None:
    assert kept(setting).number(text) == text


def test_a_number_beside_a_withheld_one_goes_too() -> None:
    assert kept("hash").number('"0912345678" <sip:anonymous@anonymous.invalid>') == "anonymous"


@given(st.text(st.sampled_from('+0123456789 -.#*:VNabkp@<>"٣'), max_size=40))
def test_what_was_kept_once_is_kept_as_it_is(text: str) -> None:
    for setting in ("mask", "hash"):
        once = kept(setting).number(text)
        assert kept(setting).number(once) == once
        assert sum(map(str.isdecimal, once)) < 7


# Where numbers stand in a record


def shaped(setting: str, **more: Any) -> Any:
    record = {
        "group_id": "300620261554430000197601",
        "date_create": "06/30/2026 15:54:43",
        "hotline_number": "02871002002",
        "caller": [{"phone": NUMBER, "member_no": "0912000111"}],
        "callee": [{"phone": "101"}],
        "record_file": ["https://rec.example/20260630/84912345678-300620261554430000197601.wav"],
        "event_data": "asks +84 912 345 678 or 0987.654.321 back on 09-08-2026 12:30",
        **more,
    }
    return shape(
        LEGACY_CALLS,
        [json.dumps(record).encode()],
        account="main",
        zone="Asia/Ho_Chi_Minh",
        privacy=kept(setting),
    )


@pytest.mark.parametrize("setting", ["mask", "hash"])
def test_a_number_goes_wherever_it_stands(setting: str) -> None:
    of = kept(setting).number
    own, other = of(NUMBER), of("0987654321")
    found = shaped(
        setting,
        customer={"phone": 84912345678, "tel_2": "4312345678", "note": f"x{NUMBER}y"},
        external_call_id="crm-1",
        source="%2B84912345678",
        seen_at=1751276083000,
        trace="7f0912345678abcdef0912345678abcd",
    )
    (call,) = found.tables["calls"].to_pylist()
    assert found.tables["calls__caller"].column("phone").to_pylist() == [own]
    assert found.tables["calls__callee"].column("phone").to_pylist() == ["101"]
    assert found.tables["calls__record_file"].column("value").to_pylist() == [
        f"https://rec.example/20260630/{own}-300620261554430000197601.wav"
    ]
    assert call["event_data"] == f"asks {own} or {other} back on 09-08-2026 12:30"
    assert call["source"] == f"%2B{own}"
    extra = json.loads(call["extra"])
    assert extra["customer"] == {"phone": own, "tel_2": of("4312345678"), "note": f"x{own}y"}
    assert (extra["seen_at"], extra["trace"]) == (1751276083000, "7f0912345678abcdef0912345678abcd")
    assert (call["group_id"], call["hotline_number"]) == ("300620261554430000197601", "02871002002")


def test_what_no_column_takes_goes_too() -> None:
    found = shaped("hash", caller=[{"phone": {"is": NUMBER}}, NUMBER])
    assert NUMBER not in str([table.to_pylist() for table in found.tables.values()])


@pytest.mark.parametrize(
    "broken", [{"date_create": None}, {"date_create": None, "caller": [NUMBER, {"phone": [9 * 10**9]}]}]
)
def test_the_payload_of_a_rejected_record_holds_none(broken: dict[str, Any]) -> None:
    (rejected,) = shaped("hash", **broken).rejected
    payload = json.loads(rejected.payload)
    assert not re.search(r"912|9000000000", rejected.payload.decode().replace("0912000111", ""))
    assert payload["hotline_number"] == "02871002002"
    # What is kept is read again as it is.
    again = shape(LEGACY_CALLS, [rejected.payload], account="main", zone="UTC", privacy=kept("hash")).rejected
    assert [each.payload for each in again] == [rejected.payload]


def test_a_payload_that_is_no_json_loses_every_number_in_it() -> None:
    cut = b'{"caller": [{"phone": "4312345678'
    (rejected,) = shape(LEGACY_CALLS, [cut], account="main", zone="UTC", privacy=kept("hash")).rejected
    assert b"4312345678" not in rejected.payload


def test_a_made_key_tells_no_number_without_the_hashs_key() -> None:
    def made(how: Privacy | None) -> str:
        record = {"date_create": "06/30/2026 15:54:43", "caller": [{"phone": NUMBER}], "callee": []}
        tables = shape(
            LEGACY_CALLS, [json.dumps(record).encode()], account="main", zone="UTC", privacy=how
        ).tables
        return str(tables["calls"].column("group_id").to_pylist()[0])

    keys = {
        made(None),
        made(kept("hash")),
        made(kept("hash", key="another key, long enough")),
        made(kept("mask")),
    }
    assert len(keys) == 4


def test_an_address_that_held_a_number_is_not_asked() -> None:
    options = options_of(PROVIDERS["etelecom"].options, {"api_key": "a key"})
    recordings = PROVIDERS["etelecom"].recordings
    assert recordings is not None
    for setting in ("mask", "hash"):
        url = f"https://rec.example/{kept(setting).number(NUMBER)}.wav"
        recording = Recording("etelecom/main/1", 0, "etelecom", "main", None, url, None)
        with pytest.raises(RequestRefused, match="held a phone number"):
            recordings(Account("etelecom", "main", options)).asked(recording)


# Whole runs


def shown(project: Project, table: str, *, without: tuple[str, ...] = ()) -> list[str]:
    with duckdb.connect(str(project.published), read_only=True) as connection:
        relation = connection.sql(f"from {table}")
        columns = [name for name in relation.columns if name not in without]
        return sorted(map(repr, relation.project(", ".join(f'"{name}"' for name in columns)).fetchall()))


def without_numbers(rows: list[str]) -> list[str]:
    return sorted(re.sub(r"'(?:#[A-Z]*:[a-z_]+:[a-p]{24}|\+?\d{7,15})'", "'a number'", row) for row in rows)


REPORTS = (
    "calls", "call_legs", "missed_calls", "service_level", "daily_calls", "hourly_calls", "agent_calls",
    "hotline_calls", "repeat_callers", "monthly_costs", "recordings",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("report", REPORTS)
def test_reports_are_the_same_under_a_hash_but_for_the_numbers(
    filled: Callable[[str], Project], report: str
) -> None:
    # How often a number was spelled otherwise is not kept.
    given, hashed = (
        without_numbers(shown(filled(how), f"reporting.{report}", without=("spellings",)))
        for how in ("keep", "hash")
    )
    assert given
    assert hashed == given


@pytest.mark.slow
def test_callers_are_joined_as_before_under_a_hash(filled: Callable[[str], Project]) -> None:
    of = kept("hash").number
    query = "select call_id, from_e164, to_e164 from reporting.calls"
    given = {call_id: rest for call_id, *rest in filled("keep").rows(query)}
    hashed = {call_id: rest for call_id, *rest in filled("hash").rows(query)}
    assert hashed == {call_id: [each and of(each) for each in rest] for call_id, rest in given.items()}


@pytest.mark.slow
def test_no_masked_caller_is_taken_for_another(filled: Callable[[str], Project]) -> None:
    masked = "from_number like '%******%' or to_number like '%******%'"
    assert filled("mask").rows(f"select count(*) > 100 from reporting.calls where {masked}") == [(True,)]
    assert filled("mask").rows("select e164 from callsync.phone_numbers where e164 is not null") == []
    assert filled("mask").rows("from reporting.repeat_callers where contact_number like '%*%'") == []


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["mask", "hash"])
def test_no_file_holds_a_number(filled: Callable[[str], Project], setting: str) -> None:
    own = {number for (number,) in filled("keep").rows("select hotline_number from vbot.hotlines")}
    numbers = {
        number
        for (number,) in filled("keep").rows("select number from callsync.phone_numbers")
        if sum(map(str.isdecimal, number)) >= 7
        and number not in own
        # A VBot id ends in its second and a number filled up with zeros: 09 and 000000021 look like this.
        and number != "0900000000"
    }
    assert len(numbers) > 50
    files = [
        path for path in filled(setting).folder.rglob("*") if path.is_file() and ".dlt" not in path.parts
    ]
    assert len(files) >= 2
    for path in files:
        content = path.read_bytes()
        assert [number for number in numbers if number.encode() in content] == [], path


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["mask", "hash"])
def test_what_was_read_is_what_the_provider_shows(filled: Callable[[str], Project], setting: str) -> None:
    project = filled(setting)
    assert "differ" not in project.done("verify").out
    project.done("test")
    data = project.data()
    project.done("backfill", "etelecom", "--from", "2020-01-01", "--to", "2099-01-01", "--force")
    assert project.data() == data


# One warehouse, one setting


def refused(outcome: Outcome, *words: str) -> None:
    assert outcome.code == 2, outcome
    assert len(outcome.lines) == 1
    assert all(word in outcome.err for word in words), outcome.err


def configure(project: Project, simulator: Simulator, **callsync: Any) -> None:
    project.configure(simulator, everyone("etelecom.main"), callsync)


def test_a_warehouse_is_filled_under_one_setting(loaded: Project, simulator: Simulator) -> None:
    before = loaded.data()
    simulator.requests.clear()
    configure(loaded, simulator, phone_privacy="mask")
    for command in ("sync", "verify", "rejects replay"):
        refused(loaded.run(*command.split()), "filled with phone_privacy = keep")
    assert not simulator.requests.entries
    # Who reads what is there is not concerned.
    loaded.done("status")
    assert loaded.data() == before


def test_a_warehouse_of_an_earlier_version_was_filled_with_numbers(
    loaded: Project, simulator: Simulator
) -> None:
    with duckdb.connect(str(loaded.warehouse)) as connection:
        connection.execute("delete from callsync.meta where key = 'phone_privacy'")
    configure(loaded, simulator, phone_privacy="hash", phone_hash_key=KEY)
    refused(loaded.run("sync"), "phone_privacy = keep")


def test_a_warehouse_is_filled_under_one_key_which_is_nowhere_in_it(
    project: Project, simulator: Simulator
) -> None:
    configure(project, simulator, phone_privacy="hash", phone_hash_key=KEY)
    project.done("sync")
    configure(project, simulator, phone_privacy="hash", phone_hash_key=KEY[::-1])
    refused(project.run("sync"), "another callsync.phone_hash_key")
    configure(project, simulator, phone_privacy="hash", phone_hash_key=KEY, default_region="TH")
    refused(project.run("sync"), "default_region = VN")
    configure(project, simulator, phone_privacy="hash", phone_hash_key=KEY)
    project.done("sync")
    assert project.rows("select phone_privacy from callsync.settings") == [("hash",)]
    for path in (project.warehouse, project.published, *Path(project.working).rglob("*")):
        assert path.is_dir() or KEY.encode() not in path.read_bytes()


def test_a_masked_warehouse_is_filled_under_one_region(project: Project, simulator: Simulator) -> None:
    configure(project, simulator, phone_privacy="mask")
    project.done("sync")
    before = project.data()
    configure(project, simulator, phone_privacy="mask", default_region="US")
    for command in ("sync", "verify", "backfill etelecom --from 2026-06-29 --to 2026-07-02 --force"):
        refused(project.run(*command.split()), "default_region = VN", "set callsync.default_region as it was")
    assert project.data() == before
    configure(project, simulator, phone_privacy="hash", phone_hash_key=KEY)
    refused(project.run("sync"), "phone_privacy = mask")


def test_a_warehouse_that_remembers_no_region_was_masked_under_that_of_its_last_run(
    project: Project, simulator: Simulator
) -> None:
    configure(project, simulator, phone_privacy="mask", default_region="TH")
    project.done("sync")
    for file in (project.warehouse, project.published):
        with duckdb.connect(str(file)) as connection:
            connection.execute("update callsync.meta set value = 'mask' where key = 'phone_privacy'")
    configure(project, simulator, phone_privacy="mask")
    for command in ("sync", "verify"):
        refused(project.run(command), "default_region = TH")
    configure(project, simulator, phone_privacy="mask", default_region="TH")
    assert "phone_privacy" not in project.done("verify").err
    assert "phone_privacy" not in project.done("sync").err
    assert project.rows("select value from callsync.meta where key = 'phone_privacy'") == [("mask in TH",)]


@pytest.mark.parametrize("setting", ["keep", "mask"])
def test_a_region_matters_only_where_numbers_are_hidden_by_it(
    project: Project, simulator: Simulator, setting: str
) -> None:
    configure(project, simulator, phone_privacy=setting)
    project.done("sync")
    configure(project, simulator, phone_privacy=setting, default_region="US")
    assert project.run("sync").code == (0 if setting == "keep" else 2)


@pytest.mark.parametrize("key", [None, "", "fifteen letters"])
def test_a_hash_needs_a_key_that_cannot_be_guessed(
    project: Project, simulator: Simulator, key: str | None
) -> None:
    configure(project, simulator, phone_privacy="hash", **({} if key is None else {"phone_hash_key": key}))
    outcome = project.run("sync")
    refused(outcome, "callsync.phone_hash_key", "at least 16 characters", "secrets.toml")
    assert not key or key not in outcome.err
    # Who reads needs none.
    assert "run callsync sync first" in project.run("sql", "select 1").err


def test_an_unknown_setting_is_a_mistake(project: Project, simulator: Simulator) -> None:
    configure(project, simulator, phone_privacy="md5")
    refused(project.run("sync"), "callsync.phone_privacy", "keep, mask, hash")


def test_every_phone_column_is_known(simulator: Simulator) -> None:
    for provider in PROVIDERS.values():
        for record_type in provider.record_types:
            for table, columns in record_type.phone_columns().items():
                assert {record_type.holdings()[table][column] for column in columns} == {"number"}
