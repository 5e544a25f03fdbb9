"""`python -m simulator.lead URL PROGRAM ...`: runs a program, led to the simulator if one answers at the URL.

For a cluster whose file of services is the same with simulated rooms and without: its ingestors are started by this.
Where the host of the URL has no address there is no simulator, and the program runs as if started by itself.
"""

import json
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Mapping
from urllib.error import HTTPError
from urllib.parse import urlsplit

import click

from simulator.platforms import PLATFORMS

WAIT_S = 10.0  # for a simulator whose host is there: it may be starting
ASK_AGAIN_S = 0.2
ANSWER_MAX_BYTES = 1024 * 1024

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxies the environment names


def settings(url: str) -> dict[str, str]:
    """What leads an ingestor to the simulator at this address, and lets its lively rooms show all there is."""
    return {name: value for row in PLATFORMS for name, value in {**row.settings(url), **row.demo}.items()}


def is_there(url: str, within_s: float = WAIT_S) -> bool:
    """Whether the host of the URL has an address.

    Raises:
        TimeoutError: nobody could say.
    """
    parts = urlsplit(url)
    deadline = time.monotonic() + within_s
    while True:
        try:
            return bool(parts.hostname and socket.getaddrinfo(parts.hostname, parts.port or 80))
        except socket.gaierror as error:
            if error.errno != socket.EAI_AGAIN:
                return False
            if time.monotonic() > deadline:
                raise TimeoutError from None
        time.sleep(ASK_AGAIN_S)


def is_simulator(url: str, within_s: float = WAIT_S) -> bool:
    """Whether a simulator answers there, and not something else that happens to have its name.

    Raises:
        TimeoutError: nothing answers.
    """
    deadline = time.monotonic() + within_s
    while True:
        try:
            with _direct.open(f"{url}/_control/", timeout=2) as answer:
                return isinstance(found := json.loads(answer.read(ANSWER_MAX_BYTES)), Mapping) and "rooms" in found
        except (HTTPError, ValueError):
            return False
        except OSError:
            if time.monotonic() > deadline:
                raise TimeoutError from None
        time.sleep(ASK_AGAIN_S)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("url")
@click.argument("program", nargs=-1, required=True, type=click.UNPROCESSED)
def main(url: str, program: tuple[str, ...]) -> None:
    """Run PROGRAM, led to the simulator at URL if there is one."""
    url = url.rstrip("/")
    environment = dict(os.environ)
    try:
        if is_there(url) and is_simulator(url):
            click.echo(f"rooms are simulated: led to {url}", err=True)
            environment |= settings(url)
        else:
            click.echo(f"rooms are those of the real platforms: no simulator at {url}", err=True)
    except TimeoutError:
        sys.exit(f"simulator.lead: {url} does not answer")  # rather than ask the real platforms in its stead
    try:
        os.execvpe(program[0], program, environment)  # noqa: S606 - what it is for
    except OSError as error:
        sys.exit(f"simulator.lead: {program[0]} cannot be run ({os.strerror(error.errno or 0)})")


if __name__ == "__main__":
    main(prog_name="python -m simulator.lead")
