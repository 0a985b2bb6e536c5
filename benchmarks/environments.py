"""Isolated environments of the peers, below `.envs`, from the lock files in `requirements/`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENTS = HERE / ".envs"
REQUIREMENTS = HERE / "requirements"


def python(name: str) -> Path:
    """The interpreter of an environment."""
    return ENVIRONMENTS / name / "bin" / "python"


def build(name: str) -> None:
    """Make an environment, unless it is there and its lock is unchanged.

    Raises:
        CalledProcessError: pip could not install what the lock names.
    """
    lock = REQUIREMENTS / f"{name}.lock"
    mark, content = ENVIRONMENTS / name / ".locked", hashlib.sha256(lock.read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == content:
        return
    print(f"Installing the locked packages into {ENVIRONMENTS / name}", file=sys.stderr, flush=True)
    venv.create(ENVIRONMENTS / name, clear=True, with_pip=True)
    pip = [str(python(name)), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--quiet"]
    # The lock names every dependency; left to find them, pip takes one asked for with an extra for unpinned.
    pip.append("--no-deps")
    subprocess.run([*pip, "--require-hashes", "--requirement", str(lock)], check=True)  # noqa: S603 - our own
    mark.write_text(content)


def version(environment: str, package: str) -> str:
    """The version that a lock names."""
    lines = (REQUIREMENTS / f"{environment}.lock").read_text().splitlines()
    found = [line for line in lines if line.startswith(f"{package}==")]
    return found[0].partition("==")[2].split()[0]
