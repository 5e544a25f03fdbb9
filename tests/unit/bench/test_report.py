from bench.cases import Record, median
from bench.measure import Load
from bench.report import tables

SMALL, LARGE = Load(1, 1000, 60), Load(1, 10_000, 6)


def record(variant: str, load: Load, repeat: int, cpu_us: float | None) -> Record:
    if cpu_us is None:
        return Record("growth", load, variant, repeat, {}, "2 events were missed or doubled")
    return Record("growth", load, variant, repeat, {"cpu_us": cpu_us, "foreign_cores": 0.0})


def test_a_table_shows_medians_and_ratios_to_the_first_server() -> None:
    records = [record("naive", SMALL, n, cpu) for n, cpu in enumerate((10.0, 12.0, 90.0), 1)]
    records += [record("gateway", SMALL, n, cpu) for n, cpu in enumerate((2.0, 3.0, 4.0), 1)]
    text = tables({"cores": 2}, records)
    naive, gateway = (line.split("|") for line in text.splitlines() if line.startswith(("| Starlette", "| gateway")))
    assert [cell.strip() for cell in naive[2:-1]] == ["12.00", "1.00"]
    assert [cell.strip() for cell in gateway[2:-1]] == ["3.00", "0.25"]


def test_growth_is_shown_as_a_ratio() -> None:
    records = [record("gateway", SMALL, 1, 2.0), record("gateway", LARGE, 1, 3.0)]
    assert "- gateway: CPU us/delivery 1.50 x at 10,000 clients x 6/s" in tables({}, records)


def test_measurements_that_mostly_failed_give_no_figure_but_the_reason() -> None:
    records = [record("gateway", SMALL, 1, 2.0), record("gateway", SMALL, 2, None), record("gateway", SMALL, 3, None)]
    assert median(records, "cpu_us") is None
    assert median([*records, record("gateway", SMALL, 4, 3.0), record("gateway", SMALL, 5, 4.0)], "cpu_us") == 3.0
    assert "2 events were missed or doubled" in tables({}, records)
