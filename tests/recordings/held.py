"""Recordings of the simulator: where they are, what they hold, and what a project says is held."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from pipelines.recordings.parts import FilePart
from simulator import Simulator
from simulator.audio import Asked
from sources.recordings import Recording, RecordingClient
from sources.registry import PROVIDERS
from tests.pipelines.project import Project
from tests.sources.accounts import simulated

NAMES = {
    "vbot": "vbot/{version}.0/api/crm/historycall/record/{name}",
    "etelecom": "etelecom/recordings/{name}.wav",
    "voximplant": "voximplant/secure/{name}.wav",
}


def accounts() -> dict[str, tuple[str | None, int]]:
    """Every provider and every version of VBot, as `Project.configure` takes them."""
    versions: dict[str, tuple[str | None, int]] = {f"vbot.{name}": (name, 0) for name in ("v1", "v2", "v3")}
    return {**versions, "etelecom.main": (None, 0), "voximplant.main": (None, 0)}


class Fetch:
    """One recording of an account, fetched as often as a test asks."""

    def __init__(
        self,
        simulator: Simulator,
        parts: Path,
        provider: str = "etelecom",
        *,
        version: str | None = None,
        name: str | None = None,
        url: str | None = None,
        seams: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self.simulator = simulator
        name = name or recorded(simulator, provider, version)
        self.url = url or f"{simulator.url}/{NAMES[provider].format(name=name, version=version or 'v3')}"
        self.recording = Recording("call", 0, provider, "main", None, self.url, None)
        account = simulated(simulator, provider, version)
        account = replace(account, options=replace(account.options, **options))
        access = PROVIDERS[provider].recordings
        assert access is not None
        self.waits: list[float] = []
        seams = {"sleep": self.waits.append} | (seams or {})
        self.client = RecordingClient(account, access(account), connections=1, **seams)
        self.close = self.client.close
        self._parts = parts
        parts.mkdir(exist_ok=True)

    def part(self) -> FilePart:
        """What has come so far."""
        return FilePart(self._parts, "x", "source")

    def once(self) -> bytes:
        """Fetch it, or go on; everything that is there then."""
        with closing(self.part()) as part:
            self.client.fetch(self.recording, part)
            return part.file.read_bytes()

    def expected(self) -> bytes:
        """What the simulator has."""
        return self.simulator.recordings.body(self.simulator.recordings.asked[-1].name)

    @property
    def asked(self) -> list[Asked]:
        """What was asked for."""
        return list(self.simulator.recordings.asked)


def recorded(simulator: Simulator, provider: str, version: str | None = None) -> str:
    """The id of a call that was recorded."""
    if provider == "vbot":
        return next(str(row["group_id"]) for row in simulator.truth("vbot") if row["is_record"])
    return "0"


def rows(project: Project, columns: str = "*", where: str = "true") -> list[tuple[Any, ...]]:
    """Rows of the published `callsync.recording_files`."""
    return project.rows(
        f"select {columns} from callsync.recording_files where {where} order by started_at, call_id, position"
    )


def counts(project: Project) -> dict[str, int]:
    """How many recordings stand how."""
    return dict(project.rows("select status, count(*) from callsync.recording_files group by status"))


def files(project: Project) -> list[Path]:
    """Every file below the target, parts too."""
    return sorted(path for path in (project.folder / "recordings").rglob("*") if path.is_file())


def asked_names(simulator: Simulator) -> list[str]:
    """The recordings that were asked for from their beginning."""
    return [asked.name for asked in simulator.recordings.asked if not asked.range]


def whole(project: Project) -> bool:
    """Whether each file is what its row says, and there are no others."""
    held = rows(project, "path, bytes, sha256", "status = 'held'")
    for path, size, digest in held:
        body = Path(path).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (size, digest), path
    return sorted(Path(path) for path, _, _ in held) == files(project)


Fetching = Callable[..., Fetch]


class Chunks(httpx.SyncByteStream):
    """A body that comes as it is cut here."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


def cut(simulator: Simulator, kind: str = "short_body", times: int = 1) -> None:
    """Let the next answers to the recordings of eTelecom end early."""
    simulator.faults.next(*[kind] * times, provider="etelecom", endpoint="recording", seconds=0.4)
