"""`make bench`: CPU time per delivery of a gateway, as a ratio to a plain `send_text` loop, in one run on this machine.

A redis-server, a gateway process or the plain one, and `--clients` connections to one room, into which events of about
600 bytes are published at `--rate`. CPU time is the server process's own (user and system); wall-clock rates say little
on shared machines and are not printed.
"""

import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from bench.clients import CountingClient, connect
from shared.broker import Broker
from shared.demand import Demand
from shared.events import Chat, User, encode
from shared.keys import RoomKeys
from shared.lease import Lease, Leases, new_owner
from shared.phases import Phase, RoomPhase
from shared.redis_client import open_redis
from shared.room import RoomKey

ROOM = RoomKey("tiktok", "7300000000000000001")
VARIANTS = ("naive", "gateway")


@click.command()
@click.option("--clients", default=300, show_default=True, type=click.IntRange(1, 5000))
@click.option("--rate", default=40, show_default=True, type=click.IntRange(1, 2000), help="Messages per second.")
@click.option("--seconds", default=5, show_default=True, type=click.IntRange(1, 120), help="Of each measurement.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 20))
def main(clients: int, rate: int, seconds: int, rounds: int) -> None:
    """Measure, alternating between the variants, and print medians."""
    if shutil.which("redis-server") is None or not sys.platform.startswith("linux"):
        sys.exit("make bench needs Linux and a redis-server (apt install redis-server)")
    results: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    with redis_server() as redis_url:
        for number in range(1, rounds + 1):
            for variant in VARIANTS:
                cost_us = asyncio.run(measure(variant, redis_url, clients, rate, seconds))
                results[variant].append(cost_us)
                print(f"round {number}  {variant:8} {cost_us:6.2f} us of CPU per delivery")
    medians = {variant: statistics.median(costs) for variant, costs in results.items()}
    print(f"\n{clients} clients x {rate} messages/s, median of {rounds}:")
    for variant, median in medians.items():
        print(f"  {variant:8} {median:6.2f} us   {median / medians['naive']:4.2f} x the CPU of a plain send_text loop")


async def measure(variant: str, redis_url: str, clients: int, rate: int, seconds: int) -> float:
    """Microseconds of the server's CPU per delivery.

    Raises:
        RuntimeError: a client missed an event.
    """
    redis = open_redis(redis_url, name="bench")
    broker = Broker(redis, history_ttl_s=600, history_len=2000)
    leases = Leases(redis, ttl_s=60, history_ttl_s=600, history_len=2000)
    await Demand(redis, idle_timeout_s=600).announce(ROOM)
    lease = await leases.acquire(ROOM, new_owner("bench"))
    assert isinstance(lease, Lease), lease
    await broker.set_phase(lease, RoomPhase(phase=Phase.CONNECTED, at=1))
    with server(variant, redis_url) as (process, port):
        connected = await connect(port, f"/ws/{ROOM.room}?lang=en", clients)
        await publish(broker, lease, 1, rate, rate)  # the first second warms up
        await settled(connected, rate)
        before = cpu_s(process.pid)
        await publish(broker, lease, rate + 1, rate * seconds, rate)
        await settled(connected, rate * (seconds + 1))
        spent = cpu_s(process.pid) - before
        for client in connected:
            client.transport.abort()
    await leases.release(lease, only_if_idle=False, acknowledged=None)
    await redis.aclose()
    return spent * 1e6 / (clients * rate * seconds)


async def publish(broker: Broker, lease: Lease, first_offset: int, count: int, rate: int) -> None:
    """Publish `count` events, evenly over `count / rate` seconds."""
    start = time.monotonic()
    for n in range(count):
        await asyncio.sleep(max(0.0, start + n / rate - time.monotonic()))
        offset = first_offset + n
        row = ("chat", int(time.time() * 1000), encode(EVENT, f"{lease.epoch}-{offset}"))
        await broker.publish(lease, offset, [row], state={}, min_id=None)


async def settled(clients: list[CountingClient], events: int) -> None:
    """Wait until every client has `events` events.

    Raises:
        RuntimeError: one did not get them within 10 s, or was closed.
    """
    deadline = time.monotonic() + 10
    while any(client.events < events for client in clients):
        if time.monotonic() > deadline or any(client.lost for client in clients):
            fewest = min(client.events for client in clients)
            raise RuntimeError(f"a client got {fewest} of {events} events; {sum(c.lost for c in clients)} were closed")
        await asyncio.sleep(0.02)


def cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def redis_server() -> Iterator[str]:
    """A redis-server of its own; its URL."""
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            wait_for_port(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()
            process.wait()


@contextmanager
def server(variant: str, redis_url: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """The process under test, and its port."""
    port = free_port()
    if variant == "naive":
        command = [sys.executable, "-m", "bench.naive", str(port), redis_url, RoomKeys.of(ROOM).events]
        environment = dict(os.environ)
    else:
        command = [sys.executable, "-m", "gateway"]
        environment = {
            **os.environ, "PORT": str(port), "HOST": "127.0.0.1", "REDIS_URL": redis_url,
            "ROOMCAST_LOG_LEVEL": "WARNING", "ROOMCAST_CLIENTS_PER_ADDRESS": "10000",
        }  # fmt: skip
    process = subprocess.Popen(command, env=environment)
    try:
        wait_for_port(port)
        yield process, port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int) -> None:
    """Until somebody listens.

    Raises:
        TimeoutError: nobody did within 15 s.
    """
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"nobody listens on port {port}")


EVENT = Chat(
    platform=ROOM.platform,
    room=ROOM.room,
    id="7301",
    time=1765432111123,
    user=User(id="6919", unique_id="ana", nickname="Ana", avatar="https://example.com/a.webp", roles=[], badges=[]),
    content="hello " * 50,
    emotes=[],
    mentions=[],
)

if __name__ == "__main__":
    main()
