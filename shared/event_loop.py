"""Which event loop runs a process: uvloop where it is installed (it has no build for Windows), else asyncio's own."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")

GARBAGE_FROM = 20_000  # new containers between two searches; 700 by default, which is a few dozen messages


def run(main: Coroutine[object, object, T]) -> T:
    """`asyncio.run`, on the best loop there is.

    Messages make no cycles: to search for them less often saves a tenth of the time. What is loaded by now stays.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_FROM, *gc.get_threshold()[1:])
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)
