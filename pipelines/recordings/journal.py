"""What was done since the warehouse was last told: lines that outlive a kill, of which the last counts."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pipelines.recordings.outcome import Outcome
from sources.errors import TargetError

_OUTCOME = msgspec.json.Decoder(Outcome)


class Journal:
    """Outcomes that the warehouse may not have yet.

    Args:
        file: made when the first is written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def append(self, *outcomes: Outcome) -> None:
        """Write a line each; they are on disk when this returns.

        Raises:
            TargetError: it cannot be written.
        """
        try:
            with self._lock:
                descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
                with os.fdopen(descriptor, "r+b", buffering=0) as lines:
                    # A line that a kill cut short must not take this one with it.
                    end = lines.seek(0, os.SEEK_END)
                    is_cut = bool(end) and os.pread(descriptor, 1, end - 1) != b"\n"
                    told = b"".join(msgspec.json.encode(outcome) + b"\n" for outcome in outcomes)
                    lines.write(b"\n" * is_cut + told)
                    os.fsync(descriptor)
        except OSError as error:
            raise TargetError(f"{self._file} cannot be written: {error.strerror}") from None

    def latest(self) -> list[Outcome]:
        """The last outcome of each recording."""
        return list({outcome.key: outcome for outcome in self._read()}.values())

    @property
    def length(self) -> int:
        """Bytes that are in it; 0 where the warehouse has everything."""
        return self._file.stat().st_size if self._file.exists() else 0

    def clear(self, length: int) -> None:
        """Forget what the warehouse and its copy have by now, unless it grew beyond that length meanwhile."""
        with self._lock:
            if self.length == length:
                self._file.unlink(missing_ok=True)

    def _read(self) -> Iterator[Outcome]:
        if not self._file.exists():
            return
        with self._file.open("rb") as lines:
            for line in lines:
                try:
                    yield _OUTCOME.decode(line)
                except msgspec.DecodeError:
                    # Cut short by a kill: its file is found in its place and entered again.
                    continue
