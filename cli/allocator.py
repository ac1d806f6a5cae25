"""The C allocator, told of request bodies before anything has started a thread.

By default glibc asks the kernel for every block beyond 128 KiB and gives it back at once, so each body of 4 MB costs a
thousand page faults (3 ms of CPU, measured with 4 MB posts). Larger thresholds keep such blocks for the next body.

A thread that asks for memory while there is no bound on heaps gets one of its own, and libraries start threads as they
are imported. Threads that come later take those heaps over, bound or not, and each keeps what was freed in it: three
threads that used 48 MiB one after the other held 144 MiB then, and 48 with one heap. So this module imports nothing
that starts a thread.
"""

from __future__ import annotations

import ctypes
import os
import platform

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_KEPT_BYTES = 32 * 1024 * 1024  # free memory at the heap's top that is not given back
_HEAPS = 1
_HEAP_BYTES = 32 * 1024 * 1024  # blocks up to here come from the heap; glibc takes no more than this


def keep_large_blocks() -> None:
    """Let glibc keep freed blocks of a body's size in one heap, and Arrow take its memory there.

    Polars has an allocator of its own, jemalloc, which would keep what was freed in eight heaps: it gets one as well.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, _HEAP_BYTES)
    libc.mallopt(_M_ARENA_MAX, _HEAPS)
    libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    os.environ.setdefault("_RJEM_MALLOC_CONF", f"narenas:{_HEAPS}")
