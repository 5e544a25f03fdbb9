"""`make bench`: what the gateway costs, and how much it carries, beside other servers on this machine.

The server under test has a core to itself; Redis, the publisher and the clients share another one. All variants take
turns within each repeat, and medians are printed: ratios within one run say more than any figure by itself.
"""

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from types import FrameType

import click

from bench.cases import CASES, Asked, Record
from bench.errors import BenchError
from bench.measure import Bench, bench
from bench.report import tables
from bench.servers import VARIANTS


class Names(click.ParamType[list[str]]):
    """Names with commas between, out of a fixed set."""

    name = "names"

    def __init__(self, known: list[str]) -> None:
        self._known = known

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        names = value.split(",")
        if unknown := set(names) - set(self._known):
            self.fail(f"{', '.join(sorted(unknown))}: not one of {', '.join(self._known)}")
        return names


@click.command()
@click.option("--only", default=",".join(CASES), type=Names(list(CASES)), help="Cases to measure.")
@click.option("--variants", default=",".join(VARIANTS), type=Names(list(VARIANTS)), help="Servers to measure.")
@click.option("--repeats", default=3, show_default=True, type=click.IntRange(1, 20))
@click.option("--seconds", default=3.0, show_default=True, type=click.FloatRange(0.5, 60), help="Of a measurement.")
@click.option("--out", default="bench/results/latest", show_default=True, help="Files to write, without their ending.")
def main(only: list[str], variants: list[str], repeats: int, seconds: float, out: str) -> None:
    """Measure, and write tables, a plot and every single figure."""
    if shutil.which("redis-server") is None or not sys.platform.startswith("linux"):
        sys.exit("this needs Linux and a redis-server (apt install redis-server)")
    signal.signal(signal.SIGTERM, _end)
    records: list[Record] = []
    machine = about_machine()
    print(machine["cores_used"], flush=True)
    started = time.monotonic()
    try:
        with bench() as shared:
            for case in only:
                for repeat in range(1, min(repeats, CASES[case].repeats_max) + 1):
                    _measure(shared, case, repeat, variants, seconds, records)
    except KeyboardInterrupt:
        print("interrupted")
    finally:
        machine["minutes"] = round((time.monotonic() - started) / 60, 1)
        _write(Path(out), machine, records)


def _measure(shared: Bench, case: str, repeat: int, variants: list[str], seconds: float, records: list[Record]) -> None:
    """One repeat of a case: every load, and at each every variant in turn."""
    for load in CASES[case].loads:
        for variant in CASES[case].variants:
            if variant not in variants:
                continue
            if missing := VARIANTS[variant].missing():
                if repeat == 1:
                    print(f"{case} {variant}: skipped, {missing}")
                continue
            record = Record(case, load, variant, repeat, {})
            try:
                figures = CASES[case].kind(Asked(shared, case, load, variant, seconds, records))
                record = Record(case, load, variant, repeat, figures)
            except BenchError as error:
                record = Record(case, load, variant, repeat, {}, str(error))
            records.append(record)
            print(_line(record), flush=True)


def _line(record: Record) -> str:
    load = record.load
    what = f"{record.case} {record.repeat}  {load.rooms} x {load.clients:,} x {load.rate:g}/s  {record.variant:16}"
    shown = {name: f"{value:,.5g}" for name, value in record.figures.items() if isinstance(value, int | float)}
    return f"{what} {record.error or '  '.join(f'{name} {value}' for name, value in shown.items())}"


def _write(out: Path, machine: dict[str, object], records: list[Record]) -> None:
    if not records:
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    text = tables(machine, records)
    print("\n" + text)
    rows = [asdict(record) for record in records]
    out.with_suffix(".json").write_text(json.dumps({"machine": machine, "measurements": rows}, indent=1) + "\n")
    out.with_suffix(".md").write_text(text)
    try:
        from bench.plot import draw
    except ImportError:
        print("no plot: matplotlib is not installed (`make bench` installs it)")
    else:
        draw(machine, records, out.with_suffix(".svg"))
    print(f"written: {out}.*")


def about_machine() -> dict[str, object]:
    """What the figures were got on."""
    cores = sorted(os.sched_getaffinity(0))
    about_cpu = Path("/proc/cpuinfo").read_text().partition("model name")[2]
    packages = ("starlette", "uvicorn", "uvloop", "redis", "hiredis")
    alone = f"the server has core {cores[0]}; clients, publisher and Redis share core {cores[-1]}"
    return {
        "cores": len(cores),
        "cores_used": alone if len(cores) > 1 else "one core for all: the figures say little, only their ratios do",
        "cpu": about_cpu.partition("\n")[0].strip("\t: ") or platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "redis-server": _says("redis-server", "--version").partition("v=")[2].partition(" ")[0],
        "node": _says("node", "--version"),
        **{f"{package} (Python)": version(package) for package in packages},
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def _says(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() if shutil.which(command[0]) else ""


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main(prog_name="python -m bench")
