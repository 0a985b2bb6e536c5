"""Providers change what they send: nothing fails or is lost, and `callsync status` names what changed."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest

from simulator import REMOVED, Simulator
from sources.registry import PROVIDERS
from tests.pipelines.project import Project, everyone

KEYS = {"vbot": "group_id", "etelecom": "id", "voximplant": "call_session_history_id"}
LISTS = {"vbot": "callee_info", "etelecom": "call_targets", "voximplant": "calls"}
"""Lists (VBot: objects) in a record, by provider."""
CHILDREN = {
    "vbot": "calls__callee",
    "etelecom": "call_logs__call_targets",
    "voximplant": "call_sessions__calls",
}
ROOTS = {"vbot": "calls", "etelecom": "call_logs", "voximplant": "call_sessions"}
WORDS = {"vbot": "disposition", "etelecom": "call_state", "voximplant": "finish_reason"}


def changes(project: Project, provider: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    """What status says of the account, by kind, table and field."""
    (account,) = [
        account
        for account in json.loads(project.done("status", "--json").out)["accounts"]
        if account["account"] == f"{provider}.main"
    ]
    return {(found["kind"], found["table"], found["field"]): found for found in account["schema_changes"]}


def test_providers_that_keep_to_their_documents_are_not_mentioned(loaded: Project) -> None:
    for provider in KEYS:
        assert changes(loaded, provider) == {}


@pytest.mark.parametrize("provider", KEYS)
def test_what_a_provider_begins_to_send_is_kept_and_named(
    provider: str, project: Project, changing: Simulator
) -> None:
    project.configure(changing, everyone(f"{provider}.main"))
    project.done("sync")
    calls = [call for call in changing.truth(provider)[100:200] if call[LISTS[provider]]]
    ids = [call[KEYS[provider]] for call in calls[:6]]
    for number, call in zip(ids, calls[:3], strict=False):
        sent = call[LISTS[provider]]
        one = sent if isinstance(sent, dict) else sent[0]
        odd = {**one, "mood": {"is": ["good", 1]}}
        fields: dict[str, Any] = {"mood": {"deep": [{"er": None}]}}
        fields[LISTS[provider]] = odd if isinstance(sent, dict) else [odd, *sent[1:]]
        changing.spoil(provider, number, **fields)
    forms: list[Any] = ["a while", {"seconds": 3}]
    for number, form in zip(ids[3:5], forms, strict=True):
        changing.spoil(provider, number, duration=form)
    unknown: dict[str, Any] = {WORDS[provider]: "trânsferred\x1b[31m"}
    changing.spoil(provider, ids[5], **unknown)
    project.done("sync")

    assert project.rows("select count(*) from reporting.calls") == [(300,)]
    found = changes(project, provider)
    root, child = ROOTS[provider], CHILDREN[provider]
    assert {key: change["calls"] for key, change in found.items()} == {
        ("undocumented", root, "mood"): 3,
        ("undocumented", child, "mood"): 3,
        ("unreadable", root, "duration"): 2,
        ("unknown_word", root, WORDS[provider]): 1,
    }
    word = found["unknown_word", root, WORDS[provider]]
    assert word["value"] == "trânsferred\x1b[31m"
    kept = [
        json.loads(extra)
        for (extra,) in project.rows(
            f"select extra from {provider}.{root} where extra is not null "
            f"union all select extra from {provider}.{child} where extra is not null"
        )
    ]
    assert all(
        value in kept
        for value in (
            {"mood": {"deep": [{"er": None}]}},
            {"mood": {"is": ["good", 1]}},
            *({"duration": form} for form in forms),
        )
    )
    said = project.done("status").out
    assert f"{provider}.main: 3 calls since " in said
    assert f"carry an undocumented field `mood` of {root} (kept in extra)" in said
    assert f"`duration` of {root} could not be read as a number of seconds in 2 calls since " in said
    assert "a word not known, in 1 call" in said
    assert "\x1b" not in said


def test_a_number_that_becomes_text_is_still_the_number(project: Project, changing: Simulator) -> None:
    project.configure(changing, everyone("etelecom.main"))
    call = next(call for call in changing.truth("etelecom") if call["duration"])
    changing.spoil("etelecom", call["id"], duration=str(call["duration"]))
    project.done("sync")
    assert project.rows(f"select duration from etelecom.call_logs where id = '{call['id']}'") == [
        (call["duration"],)
    ]
    assert changes(project, "etelecom") == {}


@pytest.mark.parametrize("provider", KEYS)
def test_what_a_provider_no_longer_sends_is_named_and_kept(
    provider: str, project: Project, changing: Simulator
) -> None:
    field = {"vbot": "hotline", "etelecom": "created_at", "voximplant": "application_id"}[provider]
    project.configure(changing, everyone(f"{provider}.main"))
    gone: dict[str, Any] = {field: REMOVED, LISTS[provider]: REMOVED}
    for call in changing.truth(provider)[-60:]:
        changing.spoil(provider, call[KEYS[provider]], **gone)
    project.done("sync")
    assert project.rows("select count(*) from reporting.calls") == [(300,)]
    found = changes(project, provider)
    assert found["vanished", ROOTS[provider], field]["calls"] == 60
    assert found["vanished", ROOTS[provider], LISTS[provider]]["calls"] >= 60
    assert (
        f"`{field}` of {ROOTS[provider]} no longer comes: the last 60 lack it" in project.done("status").out
    )


def test_a_field_of_a_list_that_no_longer_comes_is_named(project: Project, changing: Simulator) -> None:
    project.configure(changing, everyone("voximplant.main"))
    for call in changing.truth("voximplant")[-60:]:
        legs = [{name: leg[name] for name in leg if name != "local_number"} for leg in call["calls"]]
        changing.spoil("voximplant", call["call_session_history_id"], calls=legs)
    project.done("sync")
    assert list(changes(project, "voximplant")) == [("vanished", "call_sessions__calls", "local_number")]


@pytest.mark.parametrize("provider", KEYS)
def test_the_words_of_the_documents_are_those_of_the_reports(provider: str) -> None:
    word_by_field = {
        field.name: set(field.words)
        for record_type in PROVIDERS[provider].record_types
        for field in record_type.fields
        if field.words
    }
    select = (files("sql") / "staging" / f"stg_{provider}__calls.sql").read_text()
    literals = {literal.upper() for literal in re.findall(r"'([\w ().]+)'", select)}
    # A documented word may have no meaning for the reports; these are the ones that have none.
    meaningless = {"ANSWER", "ANSWERED", "BOTIVR", "UNKNOWN"}
    for words in word_by_field.values():
        assert {word.upper() for word in words} - meaningless <= literals
