"""`make drill`: a cluster of Docker Compose is scaled, restarted piece by piece and hit, while clients listen to it.

Needs Docker with Compose v2. Brings the cluster up anew from the files here, takes some three minutes, and leaves
nothing behind. Exit code 1 when an event was lost, doubled or out of order, or a promise was not kept.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from tests.conftest import REPO_ROOT
from tests.drill import compose

CLIENTS = 300
BACK_WITHIN_S = 5.0
TAKEN_OVER_WITHIN_S = 16.0  # a lease runs out after 10, a scan follows within 3, then the platform is asked
ROOMS = "@demo,douyin/728804746624"


class Drill:
    """One run.

    Attributes:
        failures: what did not go as promised.
    """

    def __init__(self, url: str) -> None:
        self.failures: list[str] = []
        self._url = url

    def say(self, text: str) -> None:
        """Tell what happens."""
        print(text, flush=True)

    def demand(self, kept: bool, promise: str) -> None:
        """Note whether a promise was kept."""
        self.say(f"  {'yes' if kept else 'NO'}: {promise}")
        if not kept:
            self.failures.append(promise)

    @contextlib.contextmanager
    def listening(self, clients: int) -> Iterator[Callable[[], dict[str, Any]]]:
        """So many clients listen while the block runs; the value ends them and returns their report."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.drill.clients", "--url", self._url, "--rooms", ROOMS),
                    *("--clients", str(clients), "--seconds", "600", "--report", str(report)),
                ],
                cwd=REPO_ROOT,
                stdout=subprocess.DEVNULL,
            )

            def end() -> dict[str, Any]:
                process.send_signal(signal.SIGINT)
                process.wait(60)
                told: dict[str, Any] = json.loads(report.read_text("utf8"))
                return told

            try:
                yield end
            finally:
                process.kill()
                process.wait()

    def judge(self, report: dict[str, Any], *, unnoticed: bool = False) -> None:
        """Hold a report of the clients against what is promised."""
        for name in ("owed", "closes", "refused", "resumes", "gaps", "silence_s", "absence_s"):
            self.say(f"  {name} {report[name]}")
        kept = f"{report['owed']} events owed: {report['lost']} lost, {report['doubled']} doubled, "
        self.demand(report["clean"], f"{kept}{report['disordered']} out of order, {report['late']} clients left behind")
        if unnoticed:
            self.demand(not report["closes"], "no client noticed anything")

    # --- what is done ------------------------------------------------------------------------------------------------

    def spread(self) -> None:
        """Clients are spread evenly."""
        self.say(f"{CLIENTS} clients over the gateways")
        with self.listening(CLIENTS) as end:
            compose.until(lambda: sum(compose.clients().values()) == CLIENTS, "all are there")
            counts = compose.clients()
            self.say(f"  {counts}")
            self.demand(max(counts.values()) - min(counts.values()) <= CLIENTS // 100, "they are spread evenly")
            self.judge(end(), unnoticed=True)

    def scale(self) -> None:
        """Two more gateways, live."""
        self.say(f"--scale gateway=5 while {CLIENTS} clients listen")
        with self.listening(CLIENTS) as end:
            compose.until(lambda: sum(compose.clients().values()) == CLIENTS, "all are there")
            before = compose.clients()
            compose.compose("up", "-d", "--wait", "--no-recreate", "--scale", "gateway=5")
            took_s = compose.until(lambda: compose.servers_up() == 5, "the balancer found them")
            self.say(f"  found by the balancer {took_s:.1f} s after they were healthy")
            with self.listening(len(before) * 40):
                newcomers = len(before) * 40
                compose.until(lambda: sum(compose.clients().values()) == CLIENTS + newcomers, "newcomers are there")
                after = compose.clients()
                self.say(f"  {before} -> {after}")
                came = {name: count - before.get(name, 0) for name, count in after.items()}
                self.demand(
                    sum(count for name, count in came.items() if name not in before) == newcomers,
                    "newcomers went to the new gateways",
                )
            self.judge(end(), unnoticed=True)

    def restart_all(self) -> None:
        """Every process but Redis, one after the other."""
        with self.listening(CLIENTS) as end:
            compose.until(lambda: sum(compose.clients().values()) == CLIENTS, "all are there")
            for service in ("gateway", "ingestor", "balancer", "simulator"):
                self.say(f"rolling restart: {service}")
                for container in compose.containers(service):
                    took_s = compose.restart(container)
                    self.say(f"  {container.name}: healthy again after {took_s:.1f} s, {compose.servers_up()} ready")
                    compose.until(lambda: sum(compose.clients().values()) == CLIENTS, "all are back")
            self.judge(end())

    def kill_each(self) -> None:
        """A crash of a gateway, and one of an ingestor."""
        for service in ("gateway", "ingestor"):
            self._kill_one(service)

    def _kill_one(self, service: str) -> None:
        """Of ingestors one that holds a room: the others only watch until its lease has run out."""
        self.say(f"kill -9 of one {service}")
        with self.listening(CLIENTS) as end:
            compose.until(lambda: sum(compose.clients().values()) == CLIENTS, "all are there")
            compose.kill(compose.holder() if service == "ingestor" else compose.containers(service)[0])
            compose.until(lambda: sum(compose.clients().values()) == CLIENTS, "all are back")
            compose.until(lambda: all(one.healthy for one in compose.containers(service)), "it is started again")
            report = end()
            self.judge(report)
            if service == "ingestor":
                silence_s = report["silence_s"]["max"]
                self.demand(silence_s < TAKEN_OVER_WITHIN_S, f"its rooms went on after {silence_s} s")
            else:
                absence_s = report["absence_s"]["max"]
                self.demand(absence_s < BACK_WITHIN_S, f"all were back within {BACK_WITHIN_S:g} s: after {absence_s} s")


@click.command()
@click.option("--keep", is_flag=True, help="Leave the cluster running at the end.")
@click.option("--steps", default="spread,scale,restart,kill", show_default=True, help="What is done, with commas.")
def main(keep: bool, steps: str) -> None:
    """Handle a whole cluster roughly while clients listen, and say what they noticed."""
    drill = Drill(f"ws://127.0.0.1:{os.environ.get('PORT', '8000')}")
    chosen: dict[str, Callable[[], None]] = {
        "spread": drill.spread,
        "scale": drill.scale,
        "restart": drill.restart_all,
        "kill": drill.kill_each,
    }
    try:
        drill.say("docker compose --profile demo up -d --build --wait")
        compose.compose("up", "-d", "--build", "--wait")
        for step in steps.split(","):
            chosen[step]()
    finally:
        if not keep:
            compose.run("docker", "compose", "--profile", "*", "down", "--volumes")
    drill.say("; ".join(drill.failures) or "all as promised")
    sys.exit(bool(drill.failures))


if __name__ == "__main__":
    main()
