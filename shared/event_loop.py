"""Which event loop runs a process: uvloop where it is installed (it has no build for Windows), else asyncio's own."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")

GARBAGE_FROM = 20_000  # new containers between two searches; 700 by default, which is a few dozen messages


def spare_garbage_collection() -> None:
    """Search for cycles less often, and not in what is loaded by now.

    Messages make none. Searching after every few dozen took a tenth of the time, and a third of a second at once in a
    process with thousands of clients.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_FROM, 20, 50)


def run(main: Coroutine[object, object, T]) -> T:
    """`asyncio.run`, on the best loop there is, in a process that does nothing else."""
    spare_garbage_collection()
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)
