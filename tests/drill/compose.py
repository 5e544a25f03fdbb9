"""The cluster of `docker-compose.yml`, as an operator handles it: everything here is a command of Docker's."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.conftest import REPO_ROOT

PROFILE = "demo"
WITHIN_S = 90.0
_ASK = "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())"


@dataclass(frozen=True, slots=True)
class Container:
    """One of a service's processes."""

    service: str
    name: str
    healthy: bool


def run(*command: str) -> str:
    """What a command prints.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    done = subprocess.run(command, cwd=REPO_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def compose(*arguments: str) -> str:
    """`docker compose --profile demo ...`."""
    return run("docker", "compose", "--profile", PROFILE, *arguments)


def containers(*services: str) -> list[Container]:
    """Those of these services, by name."""
    rows = [json.loads(line) for line in compose("ps", "-a", "--format", "json", *services).splitlines()]
    found = [Container(row["Service"], row["Name"], row["Health"] == "healthy") for row in rows]
    return sorted(found, key=lambda container: container.name)


def ask(container: Container, path: str) -> str:
    """What a process answers to those inside."""
    return run("docker", "exec", container.name, "python", "-c", _ASK, f"http://127.0.0.1:8000{path}")


def clients() -> dict[str, int]:
    """Clients of each gateway, by its container's name; of one that does not answer there are none."""
    counts = {}
    for gateway in containers("gateway"):
        try:
            counts[gateway.name] = int(json.loads(ask(gateway, "/health"))["clients"])
        except (RuntimeError, ValueError):
            counts[gateway.name] = 0
    return counts


def holder() -> Container:
    """The ingestor that has most rooms."""
    told = json.loads(ask(containers("gateway")[0], "/cluster"))["ingestors"]
    most = max(told, key=lambda ingestor: ingestor["rooms"])["name"]
    for ingestor in containers("ingestor"):
        if most.startswith(run("docker", "inspect", "-f", "{{.Config.Hostname}}", ingestor.name).strip()):
            return ingestor
    raise RuntimeError(f"no container of {most}")


def servers_up() -> int:
    """Gateways that the balancer sends clients to."""
    balancer = containers("balancer")[0].name
    told = run("docker", "exec", balancer, "wget", "-q", "-O", "-", "http://127.0.0.1:8404/metrics")
    line = next(line for line in told.splitlines() if line.startswith('haproxy_backend_active_servers{proxy="ready"}'))
    return int(float(line.split()[-1]))


def restart(container: Container) -> float:
    """End a process as a deployment does, start it again and wait until it is healthy; returns the seconds it took."""
    began = time.monotonic()
    run("docker", "restart", container.name)
    until(lambda: all(one.healthy for one in containers(container.service)), f"{container.name} is healthy")
    return time.monotonic() - began


def kill(container: Container) -> None:
    """End a process as a crash does: `docker kill` would count as wanted, and nothing be started again."""
    init = run("docker", "inspect", "-f", "{{.State.Pid}}", container.name).strip()
    for child in run("pgrep", "-P", init).split():
        os.kill(int(child), signal.SIGKILL)


def until(holds: Callable[[], object], what: str, within_s: float = WITHIN_S) -> float:
    """Wait for it; returns the seconds it took.

    Raises:
        TimeoutError: it did not happen.
    """
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > within_s:
            raise TimeoutError(f"not within {within_s:.0f} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - began
