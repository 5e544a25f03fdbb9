"""What the documents for operators name is there: settings and their defaults, metrics, services, places linked to."""

import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from docs.__main__ import CLASSES
from shared import metrics
from shared.settings import NAMES_FILE, environment_names

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "docs" / name for name in ("operations.md", "scale.md")]
SUFFIXES = ("", "_total", "_bucket", "_count", "_sum", "_info")


def text(path: Path) -> str:
    return path.read_text("utf8")


def defaults() -> dict[str, object]:
    return {
        name: cls.model_fields[field].get_default()
        for cls in CLASSES.values()
        for field, name in environment_names(cls).items()
    }


def anchors(path: Path) -> set[str]:
    """Of a document's headings, as forges make them."""
    titles = re.findall(r"^#+ (.+)$", text(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_setting_that_is_named_can_be_set(path: Path) -> None:
    assert set(re.findall(r"ROOMCAST_\w*[A-Z0-9]", text(path))) - set(NAMES_FILE.read_text("utf8").split()) == set()


def test_a_default_that_is_told_beside_its_setting_is_the_default() -> None:
    told = re.findall(r"`(ROOMCAST_\w+)`[^|`\w]{1,2}([\d,]+)( MiB)?", "\n".join(map(text, DOCS)))
    assert len(told) > 10
    have = defaults()
    for name, number, mebibytes in told:
        value = int(number.replace(",", "")) * (1024 * 1024 if mebibytes else 1)
        assert value == have[name], name


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_metric_that_is_named_is_told(path: Path) -> None:
    told = {
        family.name + suffix
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
        for family in metric.describe()
        for suffix in SUFFIXES
    }
    assert set(re.findall(r"\broomcast_(?!default)[a-z_]+", text(path))) - told == set()


def test_every_service_in_a_command_is_one_of_the_compose_file() -> None:
    command = (
        r"docker compose (?:--profile \w+ )?(?:ps -q|restart|pause|stop|exec|logs -f) ((?:[a-z]+ ?)+)|--scale (\w+)="
    )
    words = {word for found in re.findall(command, text(DOCS[0])) for part in found for word in part.split()}
    services = yaml.safe_load(text(ROOT / "docker-compose.yml"))["services"]
    assert {"gateway", "ingestor", "redis", "simulator"} <= words
    assert words - set(services) == set()


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text(path))
    assert links
    for file, anchor in links:
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), file
        assert not anchor or anchor in anchors(target), f"{file}#{anchor}"
