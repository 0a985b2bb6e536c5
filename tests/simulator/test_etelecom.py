"""eTelecom, ListCallLogs: what its documents say and how its backend behaved."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from simulator import REMOVED, Simulator
from tests.simulator.clients import Etelecom

LOCAL = "+07:00"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def sorted_targets(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"call_targets": sorted(row["call_targets"], key=str)} for row in rows]


def test_a_full_read_is_the_truth_newest_first(simulator: Simulator, etelecom: Etelecom) -> None:
    assert sorted_targets(etelecom.all()) == sorted_targets(simulator.truth("etelecom")[::-1])


@pytest.mark.parametrize(("asked", "given"), [(0, 100), (7, 7), (100, 100), (101, 100), (100_000, 100)])
def test_a_limit_beyond_a_hundred_is_a_hundred(etelecom: Etelecom, asked: int, given: int) -> None:
    page = etelecom.page({"limit": asked})
    assert len(page["call_logs"]) == given
    assert page["paging"]["limit"] == given


def test_next_is_filled_on_the_last_page_and_empty_only_on_an_empty_one(etelecom: Etelecom) -> None:
    after = ""
    for _ in range(6):
        page = etelecom.page({"after": after})
        assert page["call_logs"]
        after = page["paging"]["next"]
        assert after
    empty = etelecom.page({"after": after})
    assert (empty["call_logs"], empty["paging"]["next"], empty["paging"]["prev"]) == ([], "", "")


def test_a_cursor_is_eighteen_reversed_bytes_of_time_and_id(etelecom: Etelecom) -> None:
    page = etelecom.page({"limit": 3})
    raw = base64.urlsafe_b64decode(page["paging"]["next"])[::-1]
    last = page["call_logs"][-1]
    started = at(last["started_at"])
    assert len(raw) == 18
    assert int.from_bytes(raw[1:9], "little") == round(started.timestamp() * 1_000_000)
    assert int.from_bytes(raw[10:18], "little") == int(last["id"])
    assert int.from_bytes(raw[:1], signed=True) < 0


def test_the_sort_of_a_cursor_must_be_repeated(etelecom: Etelecom) -> None:
    page = etelecom.page({"sort": "started_at", "limit": 5})
    started = [row["started_at"] for row in page["call_logs"]]
    assert started == sorted(started)
    refused = etelecom.post("Etelecom/ListCallLogs", {"paging": {"after": page["paging"]["next"]}})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_argument")
    assert etelecom.page({"sort": "started_at", "after": page["paging"]["next"]})["call_logs"]


@pytest.mark.parametrize("sort", ["created_at", "-updated_at"])
def test_some_sorts_break_on_the_second_page(etelecom: Etelecom, sort: str) -> None:
    following = etelecom.page({"sort": sort})["paging"]["next"]
    broken = etelecom.post("Etelecom/ListCallLogs", {"paging": {"sort": sort, "after": following}})
    assert broken.status_code == 400


def test_ascending_is_the_reverse_of_descending(etelecom: Etelecom) -> None:
    ascending = [row["id"] for row in etelecom.all({"sort": "started_at"})]
    assert ascending[::-1] == [row["id"] for row in etelecom.all()]


def test_before_leads_back(etelecom: Etelecom) -> None:
    first = etelecom.page({"limit": 10})
    second = etelecom.page({"limit": 10, "after": first["paging"]["next"]})
    back = etelecom.page({"limit": 10, "before": second["paging"]["prev"]})
    assert [row["id"] for row in back["call_logs"]] == [row["id"] for row in first["call_logs"]]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"paging": {"after": "AAAA", "before": "AAAA"}}, 400, "invalid_argument"),
        ({"paging": {"after": "nonsense"}}, 400, "invalid_argument"),
        ({"paging": {"sort": "id"}}, 400, "invalid_argument"),
        ({"filter": {"date_from": "2026-01-30T00:00:00Z"}}, 400, "invalid_argument"),
        (
            {"filter": {"date_from": "2026-01-30T00:00:00Z", "date_to": "2026-01-29T00:00:00Z"}},
            400,
            "invalid_argument",
        ),
        ({"filter": {"date_from": "2026-01-30", "date_to": "2026-01-31"}}, 400, "malformed"),
        ({"filter": {"call_state": "maybe"}}, 400, "malformed"),
        ([], 400, "malformed"),
    ],
)
def test_what_is_asked_wrongly_is_a_twirp_error(
    etelecom: Etelecom, body: object, status: int, code: str
) -> None:
    reply = etelecom.post("Etelecom/ListCallLogs", body)
    assert (reply.status_code, reply.json()["code"]) == (status, code)


def test_only_posts_of_json_are_routed(etelecom: Etelecom) -> None:
    url = f"{etelecom.found['base_url']}.Etelecom/ListCallLogs"
    headers = {"Authorization": f"Bearer {etelecom.found['api_key']}"}
    assert etelecom.http.get(url, headers=headers).json()["code"] == "bad_route"
    assert etelecom.http.post(url, content=b"{}", headers=headers).json()["code"] == "bad_route"
    assert etelecom.post("Etelecom/ListCalls", {}).status_code == 404


@pytest.mark.parametrize("service", ["Etelecom", "Interits", "Sencloud"])
def test_white_labels_answer_under_their_own_names(etelecom: Etelecom, service: str) -> None:
    assert etelecom.post(f"{service}/ListCallLogs", {}).status_code == 200


def test_each_base_takes_its_own_kind_of_key(etelecom: Etelecom) -> None:
    partner = etelecom.found["partner"]
    assert partner["api_key"].startswith("shop")
    assert etelecom.post("Misc/CurrentAccount", {}).status_code == 200
    assert (
        etelecom.post("Misc/CurrentAccount", {}, partner["api_key"], partner["base_url"]).status_code == 200
    )
    for key, base in ((partner["api_key"], None), (None, partner["base_url"]), ("1:wrong", None)):
        assert etelecom.post("Misc/CurrentAccount", {}, key, base).json()["code"] == "unauthenticated"


def test_dates_filter_created_at_with_both_ends_while_the_list_is_by_started_at(
    simulator: Simulator, etelecom: Etelecom
) -> None:
    truth = simulator.truth("etelecom")
    created = sorted(row["created_at"] for row in truth)
    first, last = created[100], created[160]
    rows = etelecom.all(date_from=first, date_to=last)
    assert {row["id"] for row in rows} == {row["id"] for row in truth if first <= row["created_at"] <= last}
    assert len(rows) == 61
    started = [(at(row["started_at"]), int(row["id"])) for row in rows]
    assert started == sorted(started, reverse=True)


def test_windows_that_touch_hold_every_row_once(simulator: Simulator, etelecom: Etelecom) -> None:
    ids = []
    for hours in range(0, 6 * 24, 12):
        first = simulator.since + timedelta(hours=hours)
        last = first + timedelta(hours=12) - timedelta(microseconds=1)
        ids += [row["id"] for row in etelecom.all(date_from=first.isoformat(), date_to=last.isoformat())]
    assert sorted(ids) == sorted(row["id"] for row in simulator.truth("etelecom"))


def test_a_row_added_late_is_found_by_when_it_was_created(simulator: Simulator, etelecom: Etelecom) -> None:
    started = datetime(2026, 1, 27, 2, tzinfo=UTC)
    late = simulator.add_late("etelecom", started)
    now = simulator.now.isoformat()
    assert [row["id"] for row in etelecom.all(date_from=now, date_to=now)] == [late]
    old = etelecom.all(date_from="2026-01-27T00:00:00Z", date_to="2026-01-27T12:00:00Z")
    assert late not in {row["id"] for row in old}
    rows = etelecom.all()
    assert [row["id"] for row in rows] == [row["id"] for row in simulator.truth("etelecom")[::-1]]
    assert rows[0]["id"] != late


def test_a_moved_start_moves_the_row(simulator: Simulator, etelecom: Etelecom) -> None:
    oldest = simulator.truth("etelecom")[0]
    simulator.change("etelecom", oldest["id"], started_at="2026-01-31T02:59:59.5Z")
    assert etelecom.page({"limit": 1})["call_logs"][0]["id"] == oldest["id"]
    assert simulator.truth("etelecom")[-1]["updated_at"] > oldest["updated_at"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"call_state": "answered"},
        {"call_state": "not_answered"},
        {"direction": "in"},
        {"direction": "out"},
        {"duration": {"comparison": "less_than_or_equal_to", "value": 30}},
    ],
)
def test_a_filter_gives_what_fulfils_it(
    simulator: Simulator, etelecom: Etelecom, wanted: dict[str, Any]
) -> None:
    def fulfils(row: dict[str, Any]) -> bool:
        if "duration" in wanted:
            return bool(row["duration"] <= wanted["duration"]["value"])
        return all(row[name] == value for name, value in wanted.items())

    expected = [row["id"] for row in simulator.truth("etelecom")[::-1] if fulfils(row)]
    assert 0 < len(expected) < 600
    assert [row["id"] for row in etelecom.all(**wanted)] == expected


def test_unknown_states_and_comparisons_filter_nothing(etelecom: Etelecom) -> None:
    duration = {"comparison": "unknow", "value": 1}
    assert len(etelecom.all(call_state="unknown", direction="unknown", duration=duration)) == 600


@pytest.mark.parametrize("direction", ["ext", "ext_in", "ext_out"])
def test_any_internal_direction_gives_both(etelecom: Etelecom, direction: str) -> None:
    assert {row["direction"] for row in etelecom.all(direction=direction)} == {"ext_in", "ext_out"}


def test_filters_by_id_and_number(simulator: Simulator, etelecom: Etelecom) -> None:
    truth = simulator.truth("etelecom")
    row = next(row for row in truth if row["direction"] == "in" and row["call_state"] == "answered")
    for wanted in (
        {"call_number": row["caller"]},
        {"extension_ids": [row["extension_id"]]},
        {"user_id": row["user_id"]},
        {"external_id": row["external_id"]},
        {"external_session_id": row["external_session_id"]},
    ):
        assert row["id"] in {found["id"] for found in etelecom.all(**wanted)}
    hotlines = etelecom.post("Etelecom/GetPartnerHotlineList", {}).json()["hotlines"]
    by_hotline = [len(etelecom.all(hotline_ids=[hotline["id"]])) for hotline in hotlines]
    assert sum(by_hotline) == len([row for row in truth if not row["direction"].startswith("ext")])


def test_an_internal_call_is_two_rows_of_one_time(simulator: Simulator) -> None:
    rows = [row for row in simulator.truth("etelecom") if row["direction"].startswith("ext")]
    incoming = {row["external_session_id"]: row for row in rows if row["direction"] == "ext_in"}
    outgoing = [row for row in rows if row["direction"] == "ext_out"]
    assert outgoing
    assert len(incoming) == len(outgoing)
    for row in outgoing:
        other = incoming[row["external_session_id"].removesuffix("-out")]
        assert row["external_session_id"].endswith("-out")
        assert (row["started_at"], row["caller"], row["callee"]) == (
            other["started_at"],
            other["caller"],
            other["callee"],
        )


def test_what_go_never_set_is_a_zero(simulator: Simulator) -> None:
    missed = [row for row in simulator.truth("etelecom") if row["direction"] == "in" and not row["duration"]]
    assert {row["extension_id"] for row in missed} == {"0"}
    assert {row["user_id"] for row in missed} == {"0"}
    answered = {target["answered_time"] for row in missed for target in row["call_targets"]}
    assert answered == {"0001-01-01T00:00:00Z"}
    assert any(not row["call_targets"] for row in missed)


def test_ids_are_beyond_float_and_in_order_of_time(simulator: Simulator) -> None:
    epoch = datetime(1999, 1, 2, 20, 29, 14, 180_000, tzinfo=UTC)
    for row in simulator.truth("etelecom")[:50]:
        assert int(row["id"]) > 2**53
        dated = epoch + timedelta(milliseconds=10 * (int(row["id"]) >> 24))
        assert timedelta(0) <= at(row["started_at"]) - dated < timedelta(milliseconds=10)
        assert row["created_at"].endswith(LOCAL)
        assert row["started_at"].endswith("Z")
        assert at(row["created_at"]) >= at(row["started_at"])


def test_targets_come_in_another_order_each_time(simulator: Simulator, etelecom: Etelecom) -> None:
    row = next(row for row in simulator.truth("etelecom")[::-1] if len(row["call_targets"]) == 3)
    orders = {
        tuple(target["target_number"] for target in found["call_targets"])
        for _ in range(3)
        for found in etelecom.all(external_id=row["external_id"])
    }
    assert len(orders) == 3


def test_targets_can_be_lost_and_rows_forgotten(simulator: Simulator, etelecom: Etelecom) -> None:
    rows = [row for row in simulator.truth("etelecom") if len(row["call_targets"]) > 1]
    simulator.drop_legs("etelecom", rows[0]["id"], keep=1)
    simulator.drop_legs("etelecom", rows[1]["id"])
    simulator.hide("etelecom", rows[2]["id"])
    found = {row["id"]: row for row in etelecom.all()}
    assert len(found) == 599
    assert len(found[rows[0]["id"]]["call_targets"]) == 1
    assert found[rows[1]["id"]]["call_targets"] == []
    assert rows[2]["id"] not in found


def test_a_spoilt_row_stays_in_its_place(simulator: Simulator, etelecom: Etelecom) -> None:
    row = simulator.truth("etelecom")[-3]
    simulator.spoil("etelecom", row["id"], id=REMOVED, duration="many", surprise={"deep": [1]})
    spoilt = etelecom.page({"limit": 5})["call_logs"][2]
    assert "id" not in spoilt
    assert (spoilt["duration"], spoilt["surprise"]) == ("many", {"deep": [1]})
    simulator.spoil("etelecom", row["id"], started_at=REMOVED)
    assert "started_at" not in etelecom.page({"limit": 5})["call_logs"][2]


def test_a_call_is_first_running_then_over_then_recorded() -> None:
    with Simulator(calls=500, days=0.03, until=datetime(2026, 1, 30, 3, tzinfo=UTC)) as simulator:
        running = [row for row in simulator.truth("etelecom") if row["call_state"] == "unknown"]
        assert running
        assert {row["ended_at"] for row in running} == {"0001-01-01T00:00:00Z"}
        simulator.settle()
        ids = {row["id"] for row in running}
        settled = [row for row in simulator.truth("etelecom") if row["id"] in ids]
        assert "unknown" not in {row["call_state"] for row in settled}
        assert any(row["recording_urls"] for row in settled)


def test_extensions_come_with_their_passwords(etelecom: Etelecom) -> None:
    extensions = etelecom.post("Etelecom/GetExtensions", {}).json()["extensions"]
    assert len(extensions) == 10
    assert all(extension["extension_password"] for extension in extensions)


def test_recordings_can_be_fetched_in_parts(simulator: Simulator, etelecom: Etelecom) -> None:
    url = next(row["recording_urls"][0] for row in simulator.truth("etelecom") if row["recording_urls"])
    whole = etelecom.http.get(url)
    assert whole.headers["content-type"] == "audio/wav"
    assert whole.content.startswith(b"RIFF")
    part = etelecom.http.get(url, headers={"Range": "bytes=100-"})
    assert (part.status_code, part.content) == (206, whole.content[100:])
    assert part.headers["content-range"] == f"bytes 100-{len(whole.content) - 1}/{len(whole.content)}"
    assert etelecom.http.get(url, headers={"Range": "bytes=999999-"}).status_code == 416


def test_a_filter_follows_the_clock(http: httpx.Client) -> None:
    with Simulator(calls=500, days=0.03, until=datetime(2026, 1, 30, 3, tzinfo=UTC)) as simulator:
        etelecom = Etelecom(simulator, http)
        before = len(etelecom.all(call_state="answered"))
        simulator.settle()
        assert len(etelecom.all(call_state="answered")) > before
