"""Memory: what the C allocator keeps (see `cli.allocator`), and Python's garbage collector, told of what stays.

What is kept for the next request is given back once the process has been quiet for a while: 86 of 430 MiB after two
million events.
"""

from __future__ import annotations

import ctypes
import gc
import platform
import time

import anyio
import anyio.to_thread

_QUIET_SHARE = 0.1  # of a core: a process that uses less is quiet


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
