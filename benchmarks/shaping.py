"""Records per second from JSON bytes to Arrow tables, one thread: `python -m benchmarks.shaping`.

Synthetic records with the documented fields, in batches of 2,000 and 5,000. The exact way is measured on the
same records with one undocumented field in each, and with one broken record in a batch.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sources.etelecom.fields import CALL_LOGS
from sources.shaping import shape
from sources.shaping.fields import RecordType
from sources.vbot.fields import CALLS, LEGACY_CALLS
from sources.voximplant.fields import CALL_SESSIONS

RECORDS = 20_000
ROUNDS = 5
START = datetime(2026, 1, 1, tzinfo=UTC)

Record = dict[str, Any]


def etelecom_call(number: int, random: Random) -> Record:
    """An eTelecom call log with 1–3 targets and 0–2 recording URLs."""
    started = START + timedelta(seconds=7 * number)
    talk = random.randrange(600)

    def at(seconds: int) -> str:
        return f"{started + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%fZ}"

    return {
        "id": str(1_320_000_000_000_000_000 + number * 977),
        "external_id": f"ext-{random.getrandbits(48):012x}",
        "external_session_id": f"{random.getrandbits(64):016x}",
        "user_id": "0",
        "extension_id": str(1_310_000_000_000_000_000 + random.randrange(40)),
        "contact_id": "0",
        "caller": f"09{random.randrange(10**8):08}",
        "callee": "02873001234",
        "direction": random.choice(["in", "out", "ext"]),
        "call_state": "answered",
        "call_status": "P",
        "started_at": at(0),
        "ended_at": at(talk + 8),
        "duration": talk,
        "note": "",
        "created_at": at(talk + 60),
        "updated_at": at(talk + 61),
        "call_targets": [
            {
                "add_time": at(1),
                "ring_time": at(2),
                "answered_time": at(8) if leg == 0 else "0001-01-01T00:00:00Z",
                "ended_time": at(talk + 8),
                "ring_duration": 6,
                "fail_code": 0,
                "end_reason": "normal_clearing",
                "status": "answered" if leg == 0 else "not_answered",
                "target_number": str(1000 + leg),
                "trunk_name": "trunk-hn",
            }
            for leg in range(random.randint(1, 3))
        ],
        "recording_urls": [
            f"https://records.example.net/{number}/{part}.mp3" for part in range(random.randint(0, 2))
        ],
    }


def vbot_call(number: int, random: Random) -> Record:
    """A VBot v2 call with one caller and one callee."""
    created = START + timedelta(seconds=7 * number)
    talk = random.randrange(600)
    local = f"{created + timedelta(hours=7):%m/%d/%Y %H:%M:%S}"

    def party(phone: str) -> Record:
        return {
            "phone": phone,
            "vbot_id": "",
            "date_create": local,
            "disposition": "ANSWER",
            "time_call": f"{timedelta(seconds=talk)!s:0>8}",
            "postage": round(talk * 10.84, 2),
            "duration_call": talk + 6,
            "source": "App_SDK",
            "member_no": "101",
        }

    return {
        "hotline_number": "02873001234",
        "date_create": local,
        "caller": [party(f"09{random.randrange(10**8):08}")],
        "callee": [party("101")],
        "time_call": f"{timedelta(seconds=talk)!s:0>8}",
        "duration_call": f"{timedelta(seconds=talk + 6)!s:0>8}",
        "type_call": "INCALL",
        "group_id": f"{created:%d%m%Y%H%M%S}{number:06}",
        "disposition": "ANSWER",
        "record_file": [f"https://records.example.net/record/{number}"],
        "external_call_id": "",
    }


def vbot_v3_call(number: int, random: Random) -> Record:
    """A VBot v3 (m-cdr) call."""
    created = int((START + timedelta(seconds=7 * number)).timestamp() * 1000)
    talk = random.randrange(600)
    agent = {
        "member_no": "101",
        "number": "101",
        "name": "An",
        "channel": "SIP",
        "type": "MEMBER",
        "telco_code": "",
    }
    return {
        "trans_id": f"t{number}",
        "group_id": f"{created}{number:06}",
        "create_at": created,
        "call_at": created + 6000,
        "caller_info": {**agent, "number": f"09{random.randrange(10**8):08}", "telco_code": "VIETTEL"},
        "callee_info": agent,
        "hotline": "02873001234",
        "type_call": 1,
        "end_call": "CALLER",
        "postage": round(talk * 10.84, 2),
        "auto_dial_service_charge": 0.0,
        "time_call": talk,
        "duration": talk + 6,
        "disposition": "ANSWERED",
        "is_record": True,
        "customer_code": "",
        "payment_channel": "",
        "group_member_no": "g1",
        "external_call_id": "",
    }


def voximplant_session(number: int, random: Random) -> Record:
    """A Voximplant session with two legs, one record and two resources."""
    started = START + timedelta(seconds=7 * number)
    talk = random.randrange(600)
    at = f"{started:%Y-%m-%d %H:%M:%S}"

    def leg(incoming: bool) -> Record:
        return {
            "call_id": 10 * number + incoming,
            "start_time": at,
            "duration": talk,
            "local_number": "74951234567",
            "remote_number": f"79{random.randrange(10**9):09}",
            "remote_number_type": "pstn",
            "incoming": incoming,
            "successful": True,
            "transaction_id": 9_000_000_000 + number,
            "record_url": "",
            "media_server_address": "10.0.0.1",
            "cost": round(talk * 0.0123, 4),
            "end_reason": {"code": 200, "details": "Normal call clearing"},
        }

    def resource(index: int) -> Record:
        return {
            "resource_usage_id": 2 * number + index,
            "resource_type": "CALLSESSION",
            "cost": 0.0015,
            "used_at": at,
            "transaction_id": 9_100_000_000 + number,
            "resource_quantity": 1,
            "unit": "minute",
        }

    return {
        "call_session_history_id": 4_202_753_936 + number,
        "account_id": 1,
        "application_id": 2,
        "user_id": 3,
        "application_name": "pbx.demo.voximplant.com",
        "rule_name": "inbound",
        "audio_quality": "Standard",
        "start_date": at,
        "duration": talk,
        "initiator_address": "203.0.113.7",
        "media_server_address": "10.0.0.1",
        "log_file_url": f"https://logs.example.net/{number}",
        "finish_reason": "Normal termination",
        "calls": [leg(True), leg(False)],
        "records": [
            {
                "record_id": number,
                "cost": 0.001,
                "start_time": at,
                "duration": talk,
                "record_url": f"https://records.example.net/{number}.mp3",
                "transaction_id": 9_200_000_000 + number,
                "file_size": 120_000,
                "transcription_status": "Not required",
            }
        ],
        "other_resource_usage": [resource(0), resource(1)],
        "custom_data": "",
    }


CASES: list[tuple[str, RecordType, Callable[[int, Random], Record], str]] = [
    ("etelecom call logs", CALL_LOGS, etelecom_call, "UTC"),
    ("vbot legacy calls", LEGACY_CALLS, vbot_call, "Asia/Ho_Chi_Minh"),
    ("vbot v3 calls", CALLS, vbot_v3_call, "Asia/Ho_Chi_Minh"),
    ("voximplant sessions", CALL_SESSIONS, voximplant_session, "Etc/GMT"),
]


def records_per_second(record_type: RecordType, batches: list[list[bytes]], zone: str) -> float:
    """The best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for batch in batches:
            shape(record_type, batch, account="main", zone=zone)
        best = min(best, time.process_time() - started)
    return sum(map(len, batches)) / best


def main() -> None:
    """Print a table of records per second of processor time."""
    print(f"{'records/s':24}{'batch':>7}{'clean':>11}{'one broken':>12}{'unknown field':>15}")
    for name, record_type, make, zone in CASES:
        random = Random(1)  # noqa: S311 - synthetic calls, no secret
        clean = [make(number, random) for number in range(RECORDS)]
        for size in (2_000, 5_000):
            rates = []
            for change in ({}, None, {"undocumented": {"a": [1, 2.5]}}):
                lines = [json.dumps({**record, **(change or {})}).encode() for record in clean]
                batches = [lines[at : at + size] for at in range(0, RECORDS, size)]
                if change is None:
                    batches = [[*batch, b'{"broken":'] for batch in batches]
                rates.append(records_per_second(record_type, batches, zone))
            print(f"{name:24}{size:>7,}{rates[0]:>11,.0f}{rates[1]:>12,.0f}{rates[2]:>15,.0f}")


if __name__ == "__main__":
    main()
