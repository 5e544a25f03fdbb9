"""A Redis as it is run: one server, a master behind Sentinels, or a Cluster. What chaos breaks, and tests fail over.

Behind Sentinels and in the Cluster masters refuse to write when no replica was heard of for two seconds: it bounds what
a new master can lack.
"""

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import redis

from tests.conftest import RedisServer, free_port, redis_program

SLOTS: Final = 16384
REPLICATION: Final = (
    "--min-replicas-to-write", "1", "--min-replicas-max-lag", "2", "--repl-diskless-sync-delay", "0",
    "--repl-ping-replica-period", "1",
)  # fmt: skip
SENTINELS: Final = 3
SERVICE: Final = "main"
DOWN_AFTER_MS: Final = 1000
FAILOVER_GIVEN_UP_AFTER_S: Final = 8.0
SETTLES_WITHIN_S: Final = 40.0  # a master that returns as such is made a replica after about ten


def wait_until(happened: Callable[[], object], timeout_s: float = SETTLES_WITHIN_S) -> None:
    """Poll; a server that is just away has not answered yet.

    Raises:
        TimeoutError: it did not happen.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(redis.RedisError):
            if happened():
                return
        if time.monotonic() > deadline:
            raise TimeoutError("Redis does not come to rest")
        time.sleep(0.02)


def ask(port: int, *command: Any) -> Any:
    """One command to one server; its answer as it comes."""
    with redis.Redis(port=port, protocol=2, socket_timeout=5, socket_connect_timeout=5) as client:
        client.response_callbacks.clear()
        return client.execute_command(*command)


class Topology:
    """One server; the others are built on it. All methods block.

    Attributes:
        url: for `open_redis`.
        servers: all that hold data.
    """

    kind: ClassVar[str] = "single"

    def __init__(self, folder: Path, *, down_after_ms: int = DOWN_AFTER_MS) -> None:
        """Start it.

        Args:
            folder: for its files.
            down_after_ms: a server that is silent for so long is taken for gone. One that is only kept waiting by a
                busy machine must not be, where nothing is to fail over.
        """
        self.servers: list[RedisServer] = []
        self.url = ""
        self._down_after_ms = down_after_ms
        try:
            self._build(folder)
        except BaseException:
            self.stop()
            raise

    def _build(self, folder: Path) -> None:
        self.url = self._server(folder, "one").url

    def _server(self, folder: Path, name: str, *options: str) -> RedisServer:
        (folder / name).mkdir(parents=True)
        server = RedisServer(folder / name, *options)
        self.servers.append(server)
        return server

    def masters(self) -> list[RedisServer]:
        """Who serves, as far as it answers."""
        return self.servers

    def owner(self, key: str) -> RedisServer:
        """The master that has a key.

        Raises:
            LookupError: nobody serves it now.
        """
        for server in self.masters():
            return server
        raise LookupError("nobody is master")

    def replicas_of(self, master: RedisServer) -> list[RedisServer]:
        """Who follows a master, as far as it answers."""
        return [server for server in self.servers if _follows(server) == master.port]

    def fail_over(self, master: RedisServer) -> None:
        """Have a replica take a master's place, by command, and return when it has.

        Raises:
            TimeoutError: it does not.
        """
        raise NotImplementedError

    def _promote(self, replicas: Sequence[RedisServer], port: int, *command: Any) -> None:
        """Ask for it until it is done: refused or given up when votes are missing, or no replica is trusted."""
        for _ in range(5):
            with contextlib.suppress(redis.ResponseError):
                ask(port, *command)
            with contextlib.suppress(TimeoutError):
                self.wait_for_one_of(replicas, FAILOVER_GIVEN_UP_AFTER_S)
                return
        raise TimeoutError(f"refused: {' '.join(command)}")

    def wait_for_one_of(self, replicas: Sequence[RedisServer], timeout_s: float = SETTLES_WITHIN_S) -> None:
        """Return when one of them is a master.

        Raises:
            TimeoutError: none becomes one.
        """
        wait_until(lambda: any(server in replicas for server in self.masters()), timeout_s)

    def leave_behind(self, replicas: Sequence[RedisServer], for_s: float) -> None:
        """For a while replicas do nothing of what their master does, but say that they are there.

        If their master ends meanwhile they forget all of it.
        """
        for server in replicas:
            ask(server.port, "CLIENT", "PAUSE", int(for_s * 1000), "ALL")

    def settle(self) -> None:
        """Wait until every master has all its replicas again.

        Raises:
            TimeoutError: it does not get them.
        """

    def tell(self, *command: Any) -> None:
        """A command for every master; as soon as it can be told, for they may just be away or not have their replicas.

        Raises:
            TimeoutError: it cannot be told.
        """

        def told() -> bool:
            masters = self.masters()
            for server in masters:
                with contextlib.suppress(redis.exceptions.MovedError):  # a key of another one
                    ask(server.port, *command)
            return bool(masters)

        wait_until(told)

    def stop(self) -> None:
        """End all of it, also what is frozen."""
        for server in self.servers:
            server.stop()


class SentinelTopology(Topology):
    """A master, two replicas and three Sentinels."""

    kind = "sentinel"

    def _build(self, folder: Path) -> None:
        self._sentinels: list[subprocess.Popen[bytes]] = []
        self._sentinel_ports = [free_port() for _ in range(SENTINELS)]
        master = self._server(folder, "a", *REPLICATION)
        for name in ("b", "c"):
            self._server(folder, name, *REPLICATION, "--replicaof", f"127.0.0.1 {master.port}")
        for port in self._sentinel_ports:
            config = folder / f"sentinel-{port}.conf"
            config.write_text(
                f"port {port}\nbind 127.0.0.1\n"
                f"sentinel monitor {SERVICE} 127.0.0.1 {master.port} {SENTINELS // 2 + 1}\n"
                f"sentinel down-after-milliseconds {SERVICE} {self._down_after_ms}\n"
                f"sentinel failover-timeout {SERVICE} 3000\n"
                f"sentinel parallel-syncs {SERVICE} 2\n"
            )
            self._sentinels.append(
                subprocess.Popen([redis_program(), str(config), "--sentinel"], stdout=subprocess.DEVNULL)
            )
        self.url = f"redis+sentinel://{','.join(f'127.0.0.1:{port}' for port in self._sentinel_ports)}/{SERVICE}/0"
        self.settle()

    def masters(self) -> list[RedisServer]:
        for port in self._sentinel_ports:
            with contextlib.suppress(redis.RedisError):
                _, found = ask(port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
                return [server for server in self.servers if server.port == int(found) and _is_master(server)]
        return []

    def settle(self) -> None:
        wait_until(self._is_settled)

    def _is_settled(self) -> bool:
        masters = self.masters()
        if not masters:
            return False
        master = masters[0]
        for port in self._sentinel_ports:
            about = _pairs(ask(port, "SENTINEL", "MASTER", SERVICE))
            if (about[b"flags"], about[b"port"]) != (b"master", b"%d" % master.port):
                return False
            if int(about[b"num-other-sentinels"]) < SENTINELS - 1:
                return False
            known = [_pairs(row) for row in ask(port, "SENTINEL", "REPLICAS", SERVICE)]
            if sum(row[b"flags"] == b"slave" for row in known) < len(self.servers) - 1:
                return False
        return _in_sync(master) == len(self.servers) - 1

    def fail_over(self, master: RedisServer) -> None:
        self._promote(self.replicas_of(master), self._sentinel_ports[0], "SENTINEL", "FAILOVER", SERVICE)

    def stop(self) -> None:
        for sentinel in self._sentinels:
            sentinel.kill()
            sentinel.wait()
        super().stop()


class ClusterTopology(Topology):
    """Three masters with a third of the slots each, and a replica of each."""

    kind = "cluster"

    def _build(self, folder: Path) -> None:
        buses = []
        for name in "abcdef":
            buses.append(free_port())
            self._server(
                folder, name, *REPLICATION, "--cluster-enabled", "yes", "--cluster-port", str(buses[-1]),
                "--cluster-node-timeout", str(self._down_after_ms * 3 // 2), "--cluster-require-full-coverage", "no",
                "--cluster-allow-replica-migration", "no", "--cluster-replica-validity-factor", "0",
            )  # fmt: skip
        masters, replicas = self.servers[:3], self.servers[3:]
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers)
        bounds = [SLOTS * number // len(masters) for number in range(len(masters) + 1)]
        for number, server in enumerate(masters):
            ask(server.port, "CLUSTER", "ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
            ask(server.port, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for server, bus in zip(self.servers[1:], buses[1:], strict=True):
            ask(masters[0].port, "CLUSTER", "MEET", "127.0.0.1", server.port, bus)
        wait_until(lambda: all(len(self._nodes(server)) == len(self.servers) for server in self.servers))
        for server, master in zip(replicas, masters, strict=True):
            ask(server.port, "CLUSTER", "REPLICATE", self._id(master))
        self.settle()

    def masters(self) -> list[RedisServer]:
        return [server for server in self.servers if _is_master(server) and self._slots(server)]

    def settle(self) -> None:
        wait_until(self._is_settled)

    def _is_settled(self) -> bool:
        masters = self.masters()
        if len(masters) != 3 or any(_in_sync(master) != 1 for master in masters):
            return False
        views = set()
        for server in self.servers:
            if b"cluster_state:ok" not in ask(server.port, "CLUSTER", "INFO"):
                return False
            nodes = self._nodes(server)
            if any(b"fail" in flags for _, flags, _ in nodes):
                return False
            views.add(frozenset((name, slots) for name, _, slots in nodes if slots))
        return len(views) == 1

    def owner(self, key: str) -> RedisServer:
        slot = int(ask(self.servers[0].port, "CLUSTER", "KEYSLOT", key))
        for server in self.masters():
            for first, last in self._slots(server):
                if first <= slot <= last:
                    return server
        raise LookupError(f"nobody serves slot {slot}")

    def fail_over(self, master: RedisServer) -> None:
        replicas = self.replicas_of(master)
        self._promote(replicas, replicas[0].port, "CLUSTER", "FAILOVER")

    def migration(self, key: str, target: RedisServer) -> Iterator[None]:
        """Give the slot of a key to another master; pauses wherever it is half here, half there."""
        source = self.owner(key)
        slot = int(ask(source.port, "CLUSTER", "KEYSLOT", key))
        ask(target.port, "CLUSTER", "SETSLOT", slot, "IMPORTING", self._id(source))
        ask(source.port, "CLUSTER", "SETSLOT", slot, "MIGRATING", self._id(target))
        yield
        while keys := ask(source.port, "CLUSTER", "GETKEYSINSLOT", slot, 1):
            ask(source.port, "MIGRATE", "127.0.0.1", target.port, keys[0], 0, 5000)
            yield
        for server in (target, source, *(other for other in self.masters() if other not in (target, source))):
            ask(server.port, "CLUSTER", "SETSLOT", slot, "NODE", self._id(target))

    def _id(self, server: RedisServer) -> str:
        return str(ask(server.port, "CLUSTER", "MYID").decode())

    def _nodes(self, server: RedisServer) -> list[tuple[bytes, bytes, bytes]]:
        """Name, flags and slots of every node, as this one sees them."""
        rows = [line.split(b" ") for line in ask(server.port, "CLUSTER", "NODES").splitlines()]
        return [(row[0], row[2].replace(b"myself,", b""), b" ".join(row[8:])) for row in rows if row[0]]

    def _slots(self, server: RedisServer) -> list[tuple[int, int]]:
        """What it serves, by its own account."""
        own = next(line for line in ask(server.port, "CLUSTER", "NODES").splitlines() if b"myself" in line)
        ranges = [part.partition(b"-") for part in own.split(b" ")[8:] if not part.startswith(b"[")]
        return [(int(first), int(last or first)) for first, _, last in ranges]


TOPOLOGIES: Final = {topology.kind: topology for topology in (Topology, SentinelTopology, ClusterTopology)}


def _role(server: RedisServer) -> list[Any]:
    """What it says it is; empty when it does not answer."""
    try:
        return list(ask(server.port, "ROLE"))
    except redis.RedisError:
        return []


def _is_master(server: RedisServer) -> bool:
    return _role(server)[:1] == [b"master"]


def _follows(server: RedisServer) -> int:
    """The port of the master that it follows; 0 when it follows none."""
    role = _role(server)
    return int(role[2]) if role[:1] == [b"slave"] else 0


def _in_sync(master: RedisServer) -> int:
    """How many of its replicas are where it is, as of a second ago."""
    lines = ask(master.port, "INFO", "replication").decode().splitlines()
    rows = [dict(pair.split("=") for pair in line.partition(":")[2].split(",")) for line in lines if ",lag=" in line]
    return sum(row["state"] == "online" and int(row["lag"]) <= 1 for row in rows)


def _pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
