"""What a run frees in one thread serves the others."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

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
