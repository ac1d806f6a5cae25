"""The C allocator, told of request bodies.

By default glibc asks the kernel for every block beyond 128 KiB and gives it back at once, so each body of 4 MB costs a
thousand page faults (3 ms of CPU, measured with 4 MB posts). Larger thresholds keep such blocks for the next body.
"""

from __future__ import annotations

import ctypes
import platform

import pyarrow as pa

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_KEPT_BYTES = 128 * 1024 * 1024  # free memory at the heap's top that is not given back
_ARENAS = 1  # heaps; with one for each thread, every thread would keep blocks of its own
_HEAP_BYTES = 32 * 1024 * 1024  # blocks up to here come from the heap; glibc takes no more than this


def keep_large_blocks() -> None:
    """Let glibc keep freed blocks of a body's size, and Arrow take its memory there; others are left as they are."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _HEAP_BYTES)
        libc.mallopt(_M_ARENA_MAX, _ARENAS)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        pa.set_memory_pool(pa.system_memory_pool())
