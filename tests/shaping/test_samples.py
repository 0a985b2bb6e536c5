"""The replies printed in the providers' documents load structurally intact, placeholders and all."""

import json
from datetime import UTC, datetime
from decimal import Decimal

from sources.etelecom.fields import CALL_LOGS
from sources.shaping import Shaped, shape
from sources.shaping.fields import RecordType
from sources.vbot.fields import LEGACY_CALLS

PARTY_V1 = {
    "phone": "sample string 1",
    "vbot_id": "sample string 2",
    "date_create": "10/25/2023 10:34:15",
    "disposition": "sample string 4",
    "time_call": "sample string 5",
    "postage": 6.1,
    "source": "sample string 7",
    "member_no": "sample string 8",
}
VBOT_V1 = {
    "hotline_number": "sample string 1",
    "date_create": "10/25/2023 10:34:15",
    "caller": [PARTY_V1],
    "callee": [PARTY_V1],
    "time_call": "sample string 3",
    "type_call": "sample string 4",
    "disposition": "sample string 5",
    "record_file": ["sample string 1", "sample string 2"],
}
PARTY_V2 = PARTY_V1 | {"date_create": "02/27/2026 14:33:47", "duration_call": 7, "source": "sample string 8"}
VBOT_V2 = VBOT_V1 | {
    "date_create": "02/27/2026 14:33:47",
    "caller": [PARTY_V2],
    "callee": [PARTY_V2],
    "duration_call": "sample string 4",
    "group_id": "sample string 6",
    "external_call_id": "sample string 8",
}
ETELECOM = {
    "call_state": "unknown",
    "call_status": "Z",
    "call_targets": [
        {
            "add_time": "2019-08-24T14:15:22Z",
            "answered_time": "2019-08-24T14:15:22Z",
            "end_reason": "string",
            "ended_time": "2019-08-24T14:15:22Z",
            "fail_code": 0,
            "ring_duration": 0,
            "ring_time": "2019-08-24T14:15:22Z",
            "status": "string",
            "target_number": "string",
            "trunk_name": "string",
        }
    ],
    "callee": "string",
    "caller": "string",
    "contact_id": "string",
    "created_at": "2019-08-24T14:15:22Z",
    "direction": "unknown",
    "duration": 0,
    "ended_at": "2019-08-24T14:15:22Z",
    "extension_id": "string",
    "external_id": "string",
    "external_session_id": "string",
    "id": "string",
    "note": "string",
    "recording_urls": ["string"],
    "started_at": "2019-08-24T14:15:22Z",
    "updated_at": "2019-08-24T14:15:22Z",
    "user_id": "string",
}


def load(record_type: RecordType, record: object, zone: str) -> Shaped:
    shaped = shape(record_type, [json.dumps(record).encode()], account="main", zone=zone)
    assert shaped.rejected == ()
    return shaped


def test_vbot_v1_without_a_group() -> None:
    shaped = load(LEGACY_CALLS, VBOT_V1, "Asia/Ho_Chi_Minh")
    (call,) = shaped.tables["calls"].to_pylist()
    assert call["group_id"].startswith("20231025033415")
    assert call["date_create"] == datetime(2023, 10, 25, 3, 34, 15, tzinfo=UTC)
    assert (call["time_call"], json.loads(call["extra"])) == (None, {"time_call": "sample string 3"})
    (caller,) = shaped.tables["calls__caller"].to_pylist()
    assert (caller["group_id"], caller["postage"]) == (call["group_id"], Decimal("6.1"))
    assert json.loads(caller["extra"]) == {"time_call": "sample string 5"}
    urls = shaped.tables["calls__record_file"].to_pylist()
    assert [(url["position"], url["value"]) for url in urls] == [
        (0, "sample string 1"),
        (1, "sample string 2"),
    ]
    assert shaped.warnings == 3


def test_vbot_v2() -> None:
    shaped = load(LEGACY_CALLS, VBOT_V2, "Asia/Ho_Chi_Minh")
    (call,) = shaped.tables["calls"].to_pylist()
    assert (call["group_id"], call["external_call_id"]) == ("sample string 6", "sample string 8")
    assert json.loads(call["extra"]) == {"time_call": "sample string 3", "duration_call": "sample string 4"}
    assert [row["duration_call"] for row in shaped.tables["calls__callee"].to_pylist()] == [7]
    assert shaped.warnings == 4


def test_etelecom() -> None:
    shaped = load(CALL_LOGS, ETELECOM, "UTC")
    (call,) = shaped.tables["call_logs"].to_pylist()
    assert (call["id"], call["duration"], call["extra"]) == ("string", 0, None)
    assert call["started_at"] == datetime(2019, 8, 24, 14, 15, 22, tzinfo=UTC)
    (target,) = shaped.tables["call_logs__call_targets"].to_pylist()
    assert (target["fail_code"], target["end_reason"], target["position"]) == (0, "string", 0)
    assert shaped.tables["call_logs__recording_urls"].num_rows == 1
    assert shaped.warnings == 0
