"""What the kernel says about a process and all that it started: time on a CPU, and memory."""

import os
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def family(pid: int) -> Iterator[int]:
    """A process and its descendants."""
    yield pid
    for thread in _threads(pid):
        try:
            children = (thread / "children").read_text().split()
        except OSError:
            continue
        for child in children:
            yield from family(int(child))


def cpu_s(pid: int) -> float:
    """Seconds on a CPU so far, of all threads of the family; user and system."""
    total_ns = 0
    for member in family(pid):
        for thread in _threads(member):
            try:
                total_ns += int((thread / "schedstat").read_text().split()[0])
            except FileNotFoundError:
                total_ns += _ticks(thread) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return total_ns / 1e9


def machine_s() -> float:
    """Seconds that all cores were busy so far, with anything."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = (
        int(field) for field in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def memory_kib(pid: int) -> int:
    """Proportional set size of the family: its memory, with what is shared counted in parts."""
    total = 0
    for member in family(pid):
        for line in (_PROC / str(member) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def _threads(pid: int) -> list[Path]:
    try:
        return list((_PROC / str(pid) / "task").iterdir())
    except FileNotFoundError:
        return []


def _ticks(thread: Path) -> int:
    try:
        fields = (thread / "stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return int(fields[11]) + int(fields[12])
