"""The figures as a picture of four panels."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.cases import CASES, Record, median
from bench.measure import Load
from bench.servers import VARIANTS

COLORS = {
    "naive": "#888888",
    "ws": "#4c9f70",
    "socketio": "#a3b18a",
    "gateway": "#d1495b",
    "gateway-50": "#7a1f2b",
    "gateway-0": "#edae49",
    "gateway-deflate": "#8d6a9f",
    "limit": "#30638e",
}


def draw(machine: Mapping[str, object], records: Sequence[Record], path: Path) -> None:
    """Write a picture of what was measured."""
    matplotlib.rcParams["svg.hashsalt"] = "roomcast"  # the same figures give the same file
    figure = Figure(figsize=(12, 8), layout="constrained")
    axes = figure.subplots(2, 2)
    _bars(axes[0, 0], records, "busy", "cpu_us", "CPU us per delivery, 1,000 clients x 60/s")
    _bars(axes[0, 1], records, "held", "per_s", "deliveries/s held, 1,000 clients")
    _lines(axes[1, 0], records, "growth", lambda load: load.clients, "clients of one room, 60,000 deliveries/s")
    _lines(axes[1, 1], records, "rooms", lambda load: load.rooms, "rooms, 10,000 clients, 50,000 deliveries/s")
    figure.suptitle(f"{machine['cpu']}, {machine['cores']} cores: {machine['cores_used']}", fontsize=9)
    figure.savefig(path, metadata={"Date": None})


def _bars(axes: Axes, records: Sequence[Record], case: str, name: str, title: str) -> None:
    values = {variant: _median(records, case, variant, name) for variant in reversed(CASES[case].variants)}
    shown = {variant: value for variant, value in values.items() if value is not None}
    bars = axes.barh(
        [VARIANTS[variant].label for variant in shown],
        list(shown.values()),
        color=[COLORS[variant] for variant in shown],
    )
    axes.bar_label(bars, [f"{value:,.2f}" if value < 100 else f"{value:,.0f}" for value in shown.values()], padding=3)
    axes.margins(x=0.2)
    axes.set_visible(bool(shown))
    axes.set_title(title, fontsize=10)


def _lines(axes: Axes, records: Sequence[Record], case: str, size: Callable[[Load], int], title: str) -> None:
    for variant in CASES[case].variants:
        points = {size(load): _median(records, case, variant, "cpu_us", load) for load in CASES[case].loads}
        known = {at: value for at, value in points.items() if value is not None}
        if known:
            axes.plot(
                list(known), list(known.values()), marker="o", label=VARIANTS[variant].label, color=COLORS[variant]
            )
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("CPU us per delivery")
    axes.set_xlabel(title)
    axes.set_visible(bool(axes.lines))
    if axes.lines:
        axes.legend(fontsize=8)


def _median(records: Sequence[Record], case: str, variant: str, name: str, load: Load | None = None) -> float | None:
    of_variant = [record for record in records if record.case == case and record.variant == variant]
    return median([record for record in of_variant if load in (None, record.load)], name)
