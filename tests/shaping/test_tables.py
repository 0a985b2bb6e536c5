"""Keys, positions, rejects, what is kept in `extra`, and joining parts."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

import sources
from sources.etelecom.fields import CALL_LOGS, EXTENSIONS
from sources.shaping import Shaped, childless, concat, digest, shape
from sources.shaping.fields import RecordType
from sources.vbot.fields import CALLS, HOTLINES, LEGACY_CALLS, MEMBERS
from sources.voximplant.fields import ACCOUNT_INFO, APPLICATIONS, CALL_SESSIONS, USERS

TIME = "2026-04-06T16:18:25Z"


def load(record_type: RecordType, *records: Any, zone: str = "Asia/Ho_Chi_Minh", **more: Any) -> Shaped:
    lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    return shape(record_type, lines, account="hanoi", zone=zone, **more)


def call(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": str(number), "started_at": TIME, **more}


def vbot(**more: Any) -> dict[str, Any]:
    party = {"phone": "0901", "date_create": "04/06/2026 16:18:25", "postage": 6.1}
    return {
        "hotline_number": "1900",
        "date_create": "04/06/2026 16:18:25",
        "type_call": "INCALL",
        "caller": [party],
        "callee": [party | {"phone": "101"}],
        **more,
    }


def rows(shaped: Shaped, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shaped.tables[table].to_pylist()
    return found


def shuffled(items: list[Any], seed: int) -> list[Any]:
    return Random(seed).sample(items, len(items))  # noqa: S311 - an order, no secret


# Tables


@pytest.mark.parametrize(
    ("record_type", "table", "names"),
    [
        (HOTLINES, "hotlines", "account hotline_number hotline_name hotline_code hotline_type extra"),
        (CALLS, "calls__record_file", "account group_id position value"),
        (
            ACCOUNT_INFO,
            "account_info",
            "account account_id account_name active currency language_code location balance api_address",
        ),
        (
            CALL_LOGS,
            "call_logs__call_targets",
            "account id position add_time ring_time answered_time ended_time ring_duration fail_code"
            " end_reason status target_number trunk_name extra",
        ),
    ],
    ids=["hotlines", "record_file", "account_info", "call_targets"],
)
def test_columns_stand_even_when_no_row_has_them(record_type: RecordType, table: str, names: str) -> None:
    shaped = load(record_type)
    assert shaped.tables[table].column_names == names.split()
    assert {name: rows.schema for name, rows in shaped.tables.items()} == record_type.schemas()


def test_both_forms_of_vbot_fill_the_same_tables() -> None:
    assert LEGACY_CALLS.schemas() == CALLS.schemas()


def test_vbot_v3_has_one_party_a_side_and_epoch_times() -> None:
    shaped = load(
        CALLS,
        {"group_id": "g1", "trans_id": "t1", "create_at": 1775451251000, "call_at": 0, "type_call": 3,
         "caller_info": {"number": "0901", "telco_code": "VIETTEL"}, "callee_info": {}, "is_record": False},
        constants={"currency": "VND"},
    )  # fmt: skip
    (found,) = rows(shaped, "calls")
    assert found["create_at"] == datetime(2026, 4, 6, 4, 54, 11, tzinfo=UTC)
    assert (found["call_at"], found["type_call"], found["currency"]) == (None, "3", "VND")
    assert [(row["number"], row["position"]) for row in rows(shaped, "calls__caller")] == [("0901", 0)]
    assert [(row["number"], row["position"]) for row in rows(shaped, "calls__callee")] == [(None, 0)]


# Keys


def test_vbot_key_falls_back_to_the_client_id_then_to_what_cannot_change() -> None:
    shaped = load(LEGACY_CALLS, vbot(group_id="g", external_call_id="e"), vbot(external_call_id="e"), vbot())
    group, external, made = (row["group_id"] for row in rows(shaped, "calls"))
    assert (group, external) == ("g", "e")
    assert made.startswith("20260406091825")
    again = load(LEGACY_CALLS, vbot(disposition="ANSWER", postage=3, record_file=["https://x/1"]))
    assert [row["group_id"] for row in rows(again, "calls")] == [made]
    other = load(LEGACY_CALLS, vbot(callee=[{"phone": "102"}]))
    assert [row["group_id"] for row in rows(other, "calls")] != [made]
    assert [row["group_id"] for row in rows(shaped, "calls__caller")] == [group, external, made]


def test_integer_key_sent_as_text() -> None:
    shaped = load(
        CALL_SESSIONS, {"call_session_history_id": "4202753936", "start_date": "2026-01-01 00:00:00"}
    )
    assert [row["call_session_history_id"] for row in rows(shaped, "call_sessions")] == [4202753936]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"", "not valid JSON"),
        (b'{"id":"1"', "not valid JSON"),
        (b'{"id":"1","started_at":"2026-04-06T16:18:25Z","note":"\xff"}', "not valid JSON"),
        (b"[" * 5000 + b"]" * 5000, "not valid JSON"),
        (
            b'{"id":"1","started_at":"2026-04-06T16:18:25Z","new":' + b"[" * 300 + b"]" * 300 + b"}",
            "not valid JSON",
        ),
        (b'[{"id":"1"}]', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"started_at":"2026-04-06T16:18:25Z"}', "no usable key (id)"),
        (b'{"id":"0","started_at":"2026-04-06T16:18:25Z"}', "no usable key (id)"),
        (b'{"id":"1"}', "no usable time (started_at, created_at, ended_at)"),
        (
            b'{"id":"1","started_at":"0001-01-01T00:00:00Z"}',
            "no usable time (started_at, created_at, ended_at)",
        ),
        (b'{"id":"1","created_at":"soon"}', "no usable time (started_at, created_at, ended_at)"),
    ],
    ids=range(12),
)
def test_a_bad_record_is_rejected_and_the_others_load(record: bytes, reason: str) -> None:
    shaped = load(CALL_LOGS, call(8), record, call(9))
    assert [row["id"] for row in rows(shaped, "call_logs")] == ["8", "9"]
    (rejected,) = shaped.rejected
    assert rejected.reason == reason
    json.loads(rejected.payload)
    assert shaped.warnings == 0


def test_two_objects_in_one_record_do_not_make_up_for_an_empty_one() -> None:
    twins = b'{"id":"1","started_at":"2026-04-06T16:18:25Z"}{"id":"2","started_at":"2026-04-06T16:18:25Z"}'
    shaped = load(CALL_LOGS, call(9), twins, b" ")
    assert [row["id"] for row in rows(shaped, "call_logs")] == ["9"]
    assert len(shaped.rejected) == 2


def test_any_one_time_is_enough() -> None:
    shaped = load(CALL_LOGS, {"id": "1", "started_at": "0001-01-01T00:00:00Z", "created_at": TIME})
    assert [row["started_at"] for row in rows(shaped, "call_logs")] == [None]


def test_dimensions_need_no_time() -> None:
    assert load(APPLICATIONS, {"application_id": 1}).rejected == ()
    assert load(MEMBERS, {"member_no": "7", "member_money": "1.5"}).rejected == ()
    assert load(USERS, {"user_name": "an"}).rejected[0].reason == "no usable key (user_id)"


# Nothing is lost, and no secret is kept


def test_undocumented_fields_are_kept_with_their_own_row() -> None:
    shaped = load(
        CALL_LOGS,
        b'{"id":"1","started_at":"2026-04-06T16:18:25Z","z":1.10,"at":"2026-01-01T00:00:00Z",'
        b'"big":123456789012345678901234567890,"a":{"d":1,"c":null},"call_targets":[{"new":[1e400]},{}]}',
    )
    assert [row["extra"] for row in rows(shaped, "call_logs")] == [
        '{"a":{"c":null,"d":1},"at":"2026-01-01T00:00:00Z","big":123456789012345678901234567890,"z":1.10}'
    ]
    targets = {row["extra"] for row in rows(shaped, "call_logs__call_targets")}
    assert targets == {'{"new":[1E+400]}', None}
    assert shaped.warnings == 0


def test_unreadable_values_are_kept_and_counted_one_by_one() -> None:
    shaped = load(
        CALL_LOGS, call(duration="soon", ended_at="x", call_targets=[{"fail_code": "y"}, {"fail_code": 1}])
    )
    (found,) = rows(shaped, "call_logs")
    assert (found["duration"], found["extra"]) == (None, '{"duration":"soon","ended_at":"x"}')
    assert {row["extra"] for row in rows(shaped, "call_logs__call_targets")} == {None, '{"fail_code":"y"}'}
    assert shaped.warnings == 3


def test_list_items_that_are_no_rows_stay_with_the_parent() -> None:
    shaped = load(
        CALL_LOGS, call(call_targets=[{"status": "a"}, "x", None, 7], recording_urls=["u", {"url": 1}, ""])
    )
    (found,) = rows(shaped, "call_logs")
    assert found["extra"] == '{"call_targets":["x",7],"recording_urls":[{"url":1}]}'
    assert [row["status"] for row in rows(shaped, "call_logs__call_targets")] == ["a"]
    assert [(row["position"], row["value"]) for row in rows(shaped, "call_logs__recording_urls")] == [
        (0, "u")
    ]
    assert shaped.warnings == 3


@pytest.mark.parametrize("sent", [None, [], "", [None], [""]], ids=repr)
def test_an_absent_list_is_an_empty_one(sent: Any) -> None:
    shaped = load(CALL_LOGS, call(call_targets=sent, recording_urls=sent))
    assert shaped.tables["call_logs__call_targets"].num_rows == 0
    assert shaped.tables["call_logs__recording_urls"].num_rows == 0
    assert (shaped.warnings, rows(shaped, "call_logs")[0]["extra"]) == (0, None)


def test_one_object_for_a_list_and_a_list_for_one_object() -> None:
    legacy = load(LEGACY_CALLS, vbot(group_id="g", caller={"phone": "0901"}))
    assert [row["phone"] for row in rows(legacy, "calls__caller")] == ["0901"]
    v3 = load(CALLS, {"group_id": "g", "create_at": 1775451251000, "caller_info": [{"number": "0901"}]})
    assert [row["number"] for row in rows(v3, "calls__caller")] == ["0901"]
    assert legacy.warnings == v3.warnings == 0


def test_of_a_key_given_twice_the_last_wins() -> None:
    shaped = load(CALL_LOGS, b'{"id":"1","id":"2","started_at":"2026-04-06T16:18:25Z","new":1,"new":2}')
    assert [(row["id"], row["extra"]) for row in rows(shaped, "call_logs")] == [("2", '{"new":2}')]


def test_half_a_surrogate_pair_is_kept_visibly() -> None:
    shaped = load(CALL_LOGS, b'{"id":"1","started_at":"2026-04-06T16:18:25Z","note":"a\\ud800b"}')
    assert [row["note"] for row in rows(shaped, "call_logs")] == ["a\\ud800b"]


def test_a_record_larger_than_a_reader_block() -> None:
    note = "x" * 5_000_000
    assert [row["note"] for row in rows(load(CALL_LOGS, call(note=note)), "call_logs")] == [note]


@pytest.mark.parametrize(
    "more",
    [{}, {"new": {"deep": [{"extension_password": "hunter2"}]}}, {"state": [1]}, {"id": "0"}],
    ids=repr,
)
def test_extension_passwords_are_kept_nowhere(more: dict[str, Any]) -> None:
    shaped = load(EXTENSIONS, {"id": "1", "extension_number": "101", "extension_password": "hunter2", **more})
    assert "hunter2" not in repr(shaped.rejected) + repr(
        [table.to_pylist() for table in shaped.tables.values()]
    )
    broken = load(EXTENSIONS, b'{"id":"1","extension_password":"hunter2"')
    assert "hunter2" not in repr(broken.rejected)


def test_account_info_keeps_only_what_is_listed() -> None:
    shaped = load(
        ACCOUNT_INFO, {"account_id": 1, "api_key": "k", "callback_salt": "s", "balance": 1.5, "new": "n"}
    )
    (found,) = rows(shaped, "account_info")
    assert "extra" not in found
    assert {name for name, value in found.items() if value is not None} == {
        "account",
        "account_id",
        "balance",
    }


# Order, parts and fingerprints

TARGETS = [
    {"add_time": TIME, "target_number": "102", "status": "b"},
    {"add_time": TIME, "target_number": "101", "status": "c"},
    {"add_time": "2026-04-06T16:18:20Z", "target_number": "103", "status": "a", "fail_code": 1},
    {"target_number": "100", "new": 1},
]


def test_shuffled_targets_give_identical_rows() -> None:
    sorted_rows = rows(load(CALL_LOGS, call(call_targets=TARGETS)), "call_logs__call_targets")
    assert [row["target_number"] for row in sorted_rows] == ["103", "101", "102", "100"]
    assert [row["position"] for row in sorted_rows] == [0, 1, 2, 3]
    for seed in range(10):
        targets = shuffled(TARGETS, seed)
        assert rows(load(CALL_LOGS, call(call_targets=targets)), "call_logs__call_targets") == sorted_rows


def test_a_rejected_record_is_the_same_however_its_targets_are_shuffled() -> None:
    def payload(targets: Any) -> bytes:
        (rejected,) = load(CALL_LOGS, json.dumps({"call_targets": targets}).encode()).rejected
        return rejected.payload

    assert json.loads(payload(TARGETS[:1])) == {"call_targets": TARGETS[:1]}
    assert len({payload(shuffled(TARGETS, seed)) for seed in range(10)}) == 1


def test_other_lists_keep_their_order() -> None:
    shaped = load(CALL_LOGS, call(1, recording_urls=["b", "a"]), call(2, recording_urls=["d", "c"]))
    found = [(row["id"], row["position"], row["value"]) for row in rows(shaped, "call_logs__recording_urls")]
    assert found == [("1", 0, "b"), ("1", 1, "a"), ("2", 0, "d"), ("2", 1, "c")]


def test_the_last_sending_of_a_call_counts_with_its_children() -> None:
    first = call(1, note="old", recording_urls=["a", "b"], call_targets=TARGETS)
    last = call(1, note="new", recording_urls=["c"])
    other = call(2, recording_urls=["d"])
    in_one = load(CALL_LOGS, first, other, last)
    in_parts = concat(CALL_LOGS, [load(CALL_LOGS, first, other), load(CALL_LOGS, last), load(CALL_LOGS)])
    for shaped in (in_one, in_parts):
        assert {row["id"]: row["note"] for row in rows(shaped, "call_logs")} == {"1": "new", "2": None}
        assert {row["value"] for row in rows(shaped, "call_logs__recording_urls")} == {"c", "d"}
        assert shaped.tables["call_logs__call_targets"].num_rows == 0
    assert digest(in_one) == digest(in_parts)


def test_joining_parts_adds_up_rejects_and_warnings() -> None:
    shaped = concat(
        CALL_LOGS, [load(CALL_LOGS, b"x", call(duration="y")), load(CALL_LOGS, b"z", call(2, note=[]))]
    )
    assert [rejected.payload for rejected in shaped.rejected] == [b'"x"', b'"z"']
    assert shaped.warnings == 2
    empty = concat(CALL_LOGS, [])
    assert {name: table.num_rows for name, table in empty.tables.items()} == dict.fromkeys(
        CALL_LOGS.schemas(), 0
    )


def test_account_info_is_one_row_an_account() -> None:
    both = [{"account_id": 1, "balance": 1}, {"account_id": 1, "balance": 2}]
    in_parts = concat(ACCOUNT_INFO, [load(ACCOUNT_INFO, one) for one in both])
    for shaped in (load(ACCOUNT_INFO, *both), in_parts):
        assert [row["balance"] for row in rows(shaped, "account_info")] == [2]


def test_childless_names_the_parents_without_a_row() -> None:
    shaped = load(CALL_LOGS, call(1, recording_urls=["a"]), call(2), call(3, recording_urls=[""]))
    found = childless(CALL_LOGS, shaped, "call_logs__recording_urls")
    assert found.to_pylist() == [{"account": "hanoi", "id": "2"}, {"account": "hanoi", "id": "3"}]


def test_digest_follows_content_and_nothing_else() -> None:
    records = [call(number, call_targets=TARGETS, note=f"{number}") for number in range(1, 21)]
    reordered = [
        record | {"call_targets": shuffled(TARGETS, index)}
        for index, record in enumerate(shuffled(records, 1))
    ]
    expected = digest(load(CALL_LOGS, *records))
    assert digest(load(CALL_LOGS, *reordered)) == expected
    assert digest(concat(CALL_LOGS, [load(CALL_LOGS, record) for record in reordered])) == expected
    assert digest(load(CALL_LOGS, *records[1:])) != expected
    assert digest(load(CALL_LOGS, *records[:-1], records[-1] | {"note": "changed"})) != expected
    assert digest(load(CALL_LOGS, *records[:-1], records[-1] | {"call_targets": TARGETS[1:]})) != expected


def test_digest_is_the_same_in_another_process() -> None:
    code = (
        "from sources.shaping import digest, shape; from sources.etelecom.fields import CALL_LOGS;"
        f"print(digest(shape(CALL_LOGS, [{json.dumps(call()).encode()!r}], account='hanoi', zone='UTC')))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(sources.__path__[0]).parent)}
    printed = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert printed.strip() == digest(load(CALL_LOGS, call()))


def test_tables_hand_over_plain_arrow_types() -> None:
    schema = load(CALL_SESSIONS).tables["call_sessions__calls"].schema
    assert schema.field("cost").type == pa.decimal128(18, 9)
    assert schema.field("start_time").type == pa.timestamp("us", tz="UTC")
    assert CALL_SESSIONS.json_columns()["call_sessions__calls"] == ("end_reason", "extra")
