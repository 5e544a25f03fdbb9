"""Ctrl-C and SIGTERM as an event, also where loops have no signal handlers (Windows)."""

import asyncio
import signal


def stop_event() -> asyncio.Event:
    """An event that the first SIGINT or SIGTERM sets; a second one ends the process at once, as if nobody listened.

    To be called in the main thread, with the loop running.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: int) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, on_signal, number)
        except NotImplementedError:
            signal.signal(number, lambda number, _: loop.call_soon_threadsafe(on_signal, number))
    return stop
