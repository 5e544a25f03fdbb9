"""The figures as tables of plain text that are Markdown too: medians over the repeats."""

import statistics
from collections.abc import Iterator, Mapping, Sequence

from bench.cases import CASES, DISTURBED, Record, median
from bench.measure import Load
from bench.servers import VARIANTS

COLUMNS: dict[str, dict[str, tuple[str, str]]] = {
    "steady": {
        "cpu_us": ("CPU us/delivery", ".2f"),
        "per_s": ("deliveries/s", ",.0f"),
        "p50": ("p50 ms", ".1f"),
        "p99": ("p99 ms", ".1f"),
        "p999": ("p99.9 ms", ".1f"),
        "joined": ("events/read", ".1f"),
        "wire_bytes": ("bytes/delivery", ".0f"),
        "server_cores": ("server core", ".0%"),
        "other_cores": ("other core", ".0%"),
        "foreign_cores": ("disturbed", ".0%"),
        "batch": ("joined by the limit", ".0f"),
        "slow_closed": ("slow ones closed", ".0f"),
        "subscriptions": ("subscriptions", ".0f"),
    },
    "held": {
        "per_s": ("deliveries/s held", ",.0f"),
        "p50": ("p50 ms", ".1f"),
        "p99": ("p99 ms", ".1f"),
        "p999": ("p99.9 ms", ".1f"),
        "cpu_us": ("CPU us/delivery", ".2f"),
        "server_cores": ("server core", ".0%"),
        "other_cores": ("other core", ".0%"),
        "foreign_cores": ("disturbed", ".0%"),
    },
    "memory": {
        "kib_at_5000": ("KiB/client at 5,000", ".1f"),
        "kib_at_10000": ("KiB/client at 10,000", ".1f"),
        "kib_before": ("KiB before", ",.0f"),
    },
}
RATIO_OF = {"steady": "cpu_us", "held": "per_s", "memory": "kib_at_5000"}
"""The figure that is also shown as a ratio to the first variant's."""

GROWTH_OF = {
    "growth": ("cpu_us", Load(1, 1000, 60)),
    "rooms": ("cpu_us", Load(1, 10_000, 5)),
    "slow": ("p99", Load(1, 1000, 600)),
}
"""Of these cases, a figure at the last load is also shown as a ratio to that at another."""


def tables(machine: Mapping[str, object], records: Sequence[Record]) -> str:
    """All cases that were measured."""
    parts = [" · ".join(f"{name} {value}" for name, value in machine.items())]
    disturbed = statistics.median([record.figures.get("foreign_cores", 0.0) for record in records])
    if disturbed > DISTURBED:
        parts.append(f"Other processes took {disturbed:.0%} of a core meanwhile: only ratios of CPU time say much.")
    for name, case in CASES.items():
        of_case = [record for record in records if record.case == name]
        if of_case:
            parts += [f"### {case.title}", "\n".join(_table(name if name in COLUMNS else "steady", of_case))]
            if name in GROWTH_OF:
                parts.append("\n".join(_growth(case.loads[-1], of_case, *GROWTH_OF[name])))
    return "\n\n".join(parts) + "\n"


def _growth(last: Load, records: Sequence[Record], name: str, base: Load) -> Iterator[str]:
    """One figure at the last load, as a ratio to the same server's at another."""
    for variant in dict.fromkeys(record.variant for record in records):
        own = [record for record in records if record.variant == variant]
        before = median([record for record in own if record.load == base], name)
        after = median([record for record in own if record.load == last], name)
        if before and after:
            title, _ = COLUMNS["steady"][name]
            against = f"at {describe(last)} against {describe(base)}"
            yield f"- {VARIANTS[variant].label}: {title} {after / before:.2f} x {against}"


def _table(kind: str, records: Sequence[Record]) -> Iterator[str]:
    columns = {
        name: column for name, column in COLUMNS[kind].items() if any(record.figures.get(name) for record in records)
    }
    first = records[0].variant
    loads = list(dict.fromkeys(record.load for record in records))
    head = ["server", *(["load"] if len(loads) > 1 else []), *(title for title, _ in columns.values()), f"x {first}"]
    rows = [head]
    for load in loads:
        base: float | None = None
        for variant in dict.fromkeys(record.variant for record in records):
            group = [record for record in records if record.load == load and record.variant == variant]
            if not group:
                continue
            cells = [VARIANTS[variant].label, *([describe(load)] if len(loads) > 1 else [])]
            values = {name: median(group, name) for name in columns}
            if all(value is None for value in values.values()):
                rows.append([*cells, next(record.error for record in group if record.error)[:100]])
                continue
            if "limited" in group[-1].figures:
                cells[0] += f" ({group[-1].figures['limited']})"
            cells += ["-" if value is None else f"{value:{columns[name][1]}}" for name, value in values.items()]
            shown = values.get(RATIO_OF[kind])
            base = shown if variant == first else base
            rows.append([*cells, f"{shown / base:.2f}" if shown and base else "-"])
    yield from _aligned(rows)


def describe(load: Load) -> str:
    """A load in few words."""
    rooms = f"{load.rooms:,} rooms x " if load.rooms > 1 else ""
    slow = f" + {load.slow} slow" if load.slow else ""
    return f"{rooms}{load.clients:,} clients x {load.rate:g}/s{slow}"


def _aligned(rows: Sequence[list[str]]) -> Iterator[str]:
    """A short row ends with a remark, which may be as long as it likes."""
    columns = len(rows[0])
    widths = [0] * columns
    for row in rows:
        for column, cell in enumerate(row if len(row) == columns else row[:-1]):
            widths[column] = max(widths[column], len(cell))
    for index, row in enumerate(rows):
        full = row + [""] * (columns - len(row))
        yield "| " + " | ".join(cell.ljust(size) for cell, size in zip(full, widths, strict=True)) + " |"
        if index == 0:
            yield "|" + "|".join("-" * (size + 2) for size in widths) + "|"
