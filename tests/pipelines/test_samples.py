"""The replies printed in the providers' documents, served as they are printed, come through a run intact."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.pipelines.project import Project
from tests.shaping.test_samples import ETELECOM, VBOT_V1, VBOT_V2

Answer = Callable[[str, dict[str, Any]], Any]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """A provider that answers with JSON by path and body; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                given = json.loads(body or b"{}")
            except ValueError:
                given = {}
            content = json.dumps(answer(self.path, given)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def configure(project: Project, account: str, secrets: str, **options: str) -> None:
    lines = [f"{key} = {json.dumps(value)}" for key, value in options.items()]
    project.write(
        "config.toml", "\n".join([f'[callsync]\naccounts = ["{account}"]\n[sources.{account}]', *lines])
    )
    project.write("secrets.toml", f"[sources.{account}]\n{secrets}")


def vbot(record: dict[str, Any]) -> Answer:
    """The envelope with the status and error of a success, and a count that agrees with the record."""

    def answer(path: str, body: dict[str, Any]) -> Any:
        envelope = {"status": 1, "error": 0, "message": "sample string 3"}
        return envelope | {"data": 1 if "countAll" in path else [record]}

    return answer


def test_vbots_first_version(project: Project) -> None:
    with serving(vbot(VBOT_V1)) as url:
        configure(
            project, "vbot.main", 'access_token = "token-of-vbot"', base_url=url, api_version="v1",
            start_date="2023-10-01", vbot_id="v", project_code="p",
        )  # fmt: skip
        project.done("sync")
    ((when, recordings, legs),) = project.rows(
        "select started_at, recording_count, leg_count from reporting.calls"
    )
    assert (when, recordings, legs) == (datetime(2023, 10, 25, 3, 34, 15, tzinfo=UTC), 2, 2)
    assert project.rows("select phone, postage from vbot.calls__callee") == [
        ("sample string 1", Decimal("6.1"))
    ]


def test_vbots_second_version(project: Project) -> None:
    with serving(vbot(VBOT_V2)) as url:
        configure(
            project, "vbot.main", 'access_token = "token-of-vbot"', base_url=url, api_version="v2",
            start_date="2026-02-27", vbot_id="v", project_code="p", time_unit="none",
        )  # fmt: skip
        project.done("backfill", "vbot", "--from", "2026-02-27", "--to", "2026-02-28")
    assert project.rows("select group_id, external_call_id from vbot.calls") == [
        ("sample string 6", "sample string 8")
    ]
    assert project.rows("select duration_call from vbot.calls__caller") == [(7,)]


def test_etelecom(project: Project) -> None:
    def answer(path: str, body: dict[str, Any]) -> Any:
        paging = dict.fromkeys(("after", "before", "next", "prev", "sort"), "string") | {"limit": 0}
        is_next = (body.get("paging") or {}).get("after") == "string"
        if "CallLog" not in path:
            return {"extensions": []}
        return {"call_logs": [] if is_next else [ETELECOM], "paging": {} if is_next else paging}

    with serving(answer) as url:
        configure(project, "etelecom.main", 'api_key = "key-of-etelecom"', base_url=f"{url}/v1/shop")
        project.done("backfill", "etelecom", "--from", "2019-08-24", "--to", "2019-08-25")
    assert project.rows("select provider_call_id, leg_count, recording_count from reporting.calls") == [
        ("string", 1, 1)
    ]
    assert project.rows("select target_number, trunk_name from etelecom.call_logs__call_targets") == [
        ("string", "string")
    ]
