"""Free memory goes back to the kernel when a process is quiet: seen in a process of its own, from outside."""

import platform
import subprocess
import sys

import pytest

FRAGMENTED = """
import anyio, psutil
from cordwood.cli.allocator import keep_large_blocks
from cordwood.core.runtime.memory import give_back_when_quiet

keep_large_blocks()
blocks = [bytearray(100_000) for _ in range(2_000)]
kept = blocks[::20]  # so that what is free does not lie at the heap's top
del blocks
resident = psutil.Process().memory_info
before = resident().rss

async def main():
    with anyio.move_on_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(give_back_when_quiet, 0.2)
            while resident().rss > before - 150_000_000:
                await anyio.sleep(0.1)
            tasks.cancel_scope.cancel()

anyio.run(main)
print(before - resident().rss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc_trim")
def test_what_was_freed_is_given_back_when_quiet() -> None:
    process = subprocess.run([sys.executable, "-c", FRAGMENTED], capture_output=True, text=True, check=True)
    assert int(process.stdout) > 150_000_000


ONE_HEAP = """
import ctypes, sys, tempfile, threading
import cordwood.cli.up

assert not {"numpy", "polars", "pyarrow"} & sys.modules.keys()  # they start threads, and each would have a heap
cordwood.cli.up.keep_large_blocks()
import cordwood.cli.serve
import numpy as np
import pyarrow as pa

threads = [threading.Thread(target=np.ones, args=(1_000_000,)) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert pa.default_memory_pool().backend_name == "system"
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as told:
    file = ctypes.c_void_p(libc.fopen(told.name.encode(), b"w"))
    libc.malloc_info(0, file)
    libc.fclose(file)
    print(told.read().count(b"<heap nr="))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's heaps")
def test_all_threads_share_one_heap() -> None:
    process = subprocess.run([sys.executable, "-c", ONE_HEAP], capture_output=True, text=True, check=True)
    assert process.stdout == "1\n"


def test_what_was_loaded_is_never_looked_at_again_and_new_garbage_is() -> None:
    code = """
import gc, weakref
from cordwood.core.runtime.memory import keep_what_is_loaded

gc.disable()
keep_what_is_loaded()
assert gc.isenabled() and gc.get_freeze_count() > 10_000 and len(gc.get_objects()) < 1_000

class Ring:
    pass

ring = Ring()
ring.self, seen = ring, weakref.ref(ring)
del ring
gc.collect()
assert seen() is None
"""
    subprocess.run([sys.executable, "-c", code], check=True)


ARRAYS = """
import sys
import pyarrow as pa
from cordwood.core.runtime.memory import leave_pandas_out

leave_pandas_out()
rows = pa.table({"n": pa.array([1, 2])})
rows.column("n").to_numpy()
assert "pandas" not in sys.modules
try:
    import pandas
except ImportError:
    pass  # it is not installed
else:
    assert rows.to_pandas()["n"].sum() == 3
    assert pa.Table.from_pandas(pandas.DataFrame({"n": [1, 2]})).equals(rows)
"""


def test_arrow_imports_no_pandas_but_for_who_asks_for_it() -> None:
    subprocess.run([sys.executable, "-c", ARRAYS], check=True)
