"""Memory: the C allocator, told of request bodies, and Python's garbage collector, told of what stays for ever.

By default glibc asks the kernel for every block beyond 128 KiB and gives it back at once, so each body of 4 MB costs a
thousand page faults (3 ms of CPU, measured with 4 MB posts). Larger thresholds keep such blocks for the next body.
What they keep is given back once the process has been quiet for a while: 86 of 430 MiB after two million events.
"""

from __future__ import annotations

import ctypes
import gc
import platform
import time

import anyio
import anyio.to_thread
import pyarrow as pa

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_KEPT_BYTES = 128 * 1024 * 1024  # free memory at the heap's top that is not given back
_ARENAS = 1  # heaps; with one for each thread, every thread would keep blocks of its own
_HEAP_BYTES = 32 * 1024 * 1024  # blocks up to here come from the heap; glibc takes no more than this
_QUIET_SHARE = 0.1  # of a core: a process that uses less is quiet


def keep_large_blocks() -> None:
    """Let glibc keep freed blocks of a body's size, and Arrow take its memory there; others are left as they are."""
    if libc := _glibc():
        libc.mallopt(_M_MMAP_THRESHOLD, _HEAP_BYTES)
        libc.mallopt(_M_ARENA_MAX, _ARENAS)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        pa.set_memory_pool(pa.system_memory_pool())


def keep_what_is_loaded() -> None:
    """Let the garbage collector never look at what is there now, when all is loaded and started.

    It stops everything while it looks: at the 230,000 objects of libraries and routes for 345 ms, again and again.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


async def give_back_when_quiet(every: float = 10.0) -> None:
    """Give free memory back to the kernel once after each busy time, until cancelled.

    :param every: seconds; so long the process must be quiet.
    """
    if (libc := _glibc()) is None:
        return
    due, used = True, time.process_time()
    while True:
        await anyio.sleep(every)
        before, used = used, time.process_time()
        quiet = used - before < every * _QUIET_SHARE
        if quiet and due:
            await anyio.to_thread.run_sync(libc.malloc_trim, 0)
        due = not quiet


def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
