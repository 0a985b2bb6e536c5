"""Settings every test shares: nothing of the user's is read, and nothing leaves this machine.

Importing this module, before any test imports dlt, gives the process an empty home, takes the configuration
of the user's own callsync and dlt out of the environment, and closes the network except for loopback.
"""

import atexit
import ipaddress
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

CONFIGURATION_PREFIXES = (
    "CALLSYNC_",
    "DATA_WRITER__",
    "DESTINATION__",
    "DLT_",
    "EXTRACT__",
    "LOAD__",
    "NORMALIZE__",
    "RUNTIME__",
    "SOURCES__",
)
LOOPBACK_NAMES = {"", "localhost", "ip6-localhost"}


def _isolate_environment() -> Path:
    for name in [name for name in os.environ if name.startswith(CONFIGURATION_PREFIXES)]:
        del os.environ[name]
    home = tempfile.mkdtemp(prefix="callsync-tests-home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["HOME"] = os.environ["USERPROFILE"] = home
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        del os.environ[name]
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    return Path(home)


def _is_loopback(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    if name in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _refuse_foreign_hosts(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    if not _is_loopback(host):
        raise PermissionError(f"a test reached for {host}: tests talk to loopback only")


HOME = _isolate_environment()
sys.addaudithook(_refuse_foreign_hosts)

# Deadlines fail on a busy machine and show nothing. Hypothesis's own ci profile repeats its cases exactly.
settings.register_profile(
    "local",
    deadline=None,
    database=DirectoryBasedExampleDatabase(Path(__file__).parent.parent / ".hypothesis" / "examples"),
)
settings.load_profile("ci" if "CI" in os.environ else "local")


@pytest.fixture(autouse=True)
def _empty_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start each test in directories of its own: dlt reads `.dlt/` from the working directory.

    dlt keeps pipelines by name, and for root outside the home: what one test leaves must not reach the next.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLT_DATA_DIR", tempfile.mkdtemp(prefix="dlt-", dir=HOME))
