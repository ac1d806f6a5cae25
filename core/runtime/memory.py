"""Memory: what the C allocator keeps (see `cli.allocator`), and Python's garbage collector, told of what stays.

What is kept for the next request is given back once the process has been quiet for a while: 86 of 430 MiB after two
million events.
"""

from __future__ import annotations

import ctypes
import gc
import platform
import sys
import time
from importlib.abc import MetaPathFinder

import anyio
import anyio.to_thread
import pyarrow as pa

_QUIET_SHARE = 0.1  # of a core: a process that uses less is quiet
_WORK_SECONDS = 0.5  # of CPU: a merge of commits that a quiet time still sees counts, ten seconds without work do not


def leave_pandas_out() -> None:
    """Tell pyarrow that there is no pandas, unless somebody has imported it.

    Else the first array that is made of Python's values imports it, where a plugin brought it along: 41 MiB that nobody
    uses. `Table.to_pandas` and `from_pandas` still look for themselves.
    """
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _NoPandas)
        try:
            pa.array([0])
        finally:
            sys.meta_path.remove(_NoPandas)


class _NoPandas(MetaPathFinder):
    @classmethod
    def find_spec(cls, name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name, name=name)


def keep_what_is_loaded() -> None:
    """Let the garbage collector never look at what is there now, when all is loaded and started.

    It stops everything while it looks: at the 230,000 objects of libraries and routes for 345 ms, again and again.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


async def give_back_when_quiet(every: float = 10.0) -> None:
    """Give free memory back to the kernel in quiet times that follow work, until cancelled.

    :param every: seconds; so long the process must be quiet.
    """
    if (libc := _glibc()) is None:
        return
    given, used = 0.0, time.process_time()
    while True:
        await anyio.sleep(every)
        before, used = used, time.process_time()
        if used - before < every * _QUIET_SHARE and used - given > _WORK_SECONDS:
            await anyio.to_thread.run_sync(libc.malloc_trim, 0)
            given = used


def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
