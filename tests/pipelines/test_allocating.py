"""What a run frees in one thread serves the others."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

POOL = "ARROW_DEFAULT_MEMORY_POOL"

HEAPS = """
import ctypes, sys, threading
from pipelines import allocating

allocating.share_heaps()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.fopen.restype = ctypes.c_void_p
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fclose.argtypes = [ctypes.c_void_p]
barrier = threading.Barrier(8)

def allocate():
    barrier.wait()
    held = [libc.malloc(10_000) for _ in range(100)]
    barrier.wait()
    for each in held:
        libc.free(each)

threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
file = libc.fopen(sys.argv[1].encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives threads heaps of their own")
def test_threads_share_heaps(tmp_path: Path) -> None:
    info = tmp_path / "malloc.xml"
    subprocess.run([sys.executable, "-c", HEAPS, str(info)], check=True)
    with info.open() as file:
        assert 1 <= file.read().count("<heap nr=") <= 2


FREED = """
import ctypes
from pipelines import allocating

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
held = [libc.malloc(50_000) for _ in range(2_000)]
for each in held:
    ctypes.memset(each, 1, 50_000)
# Every hundredth stays, so that no heap is free to its end.
for number, each in enumerate(held):
    if number % 100:
        libc.free(each)
before = resident()
allocating.give_back()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked to give back")
def test_what_is_free_between_what_is_not_goes_back_to_the_system() -> None:
    said = subprocess.run([sys.executable, "-c", FREED], check=True, stdout=subprocess.PIPE, text=True)
    assert int(said.stdout) > 50_000_000


ARROW = """
from contextlib import suppress
from pipelines.cli import main

with suppress(SystemExit):
    main(["check", "--help"])
import pyarrow
print(pyarrow.default_memory_pool().backend_name)
"""


@pytest.mark.parametrize(("chosen", "used"), [(None, "system"), ("mimalloc", "mimalloc")])
def test_arrow_asks_the_system_unless_the_user_has_chosen(chosen: str | None, used: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != POOL}
    told = {} if chosen is None else {POOL: chosen}
    said = subprocess.run(
        [sys.executable, "-c", ARROW], check=True, stdout=subprocess.PIPE, text=True, env=environment | told
    )
    assert said.stdout.splitlines()[-1] == used
