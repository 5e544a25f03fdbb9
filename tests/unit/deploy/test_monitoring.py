"""Alerts and dashboard name what the code tells, and Prometheus accepts them."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from shared import metrics
from tests.conftest import REPO_ROOT, need
from tests.unit.deploy.promql import named

DEPLOY = REPO_ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "roomcast.json"
RUNBOOK = REPO_ROOT / "docs" / "alerts.md"

OF_TARGETS = {"job", "instance"}  # every sample has these from its scrape
OF_OTHERS = {
    "up": set(),
    "ALERTS": {"alertname", "alertstate"},
    "process_cpu_seconds_total": set(),
    "process_open_fds": set(),
    "process_resident_memory_bytes": set(),
}
SAMPLES = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""], "info": ["_info"]}


def known() -> dict[str, set[str]]:
    """Every sample that can be asked for -> its labels."""
    found = {name: labels | OF_TARGETS for name, labels in OF_OTHERS.items()}
    for metric in vars(metrics).values():
        if not isinstance(metric, MetricWrapperBase):
            continue
        (family,) = metric.describe()
        labels = OF_TARGETS | set(metric._labelnames)  # nothing public tells them before the first value
        labels |= {label for family in metric.collect() for sample in family.samples for label in sample.labels}
        for suffix in SAMPLES[family.type]:
            found[family.name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    return found


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text("utf8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text("utf8"))["panels"]
    return found


def expressions() -> list[Any]:
    """Every expression, with the labels that are shown of its result."""
    found = []
    for rule in alerts():
        shown = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
        found.append(pytest.param(rule["expr"], shown, id=rule["alert"]))
    for panel in panels():
        for target in panel.get("targets", []):
            shown = set(re.findall(r"{{\s*(\w+)\s*}}", target["legendFormat"]))
            found.append(pytest.param(target["expr"], shown, id=f"{panel['title']}: {target['refId']}"))
    return found


@pytest.mark.parametrize(("expression", "shown"), expressions())
def test_every_metric_and_label_is_told_by_the_code(expression: str, shown: set[str]) -> None:
    have, asked = known(), named(expression)
    assert set(asked.metrics) - set(have) == set(), "no such metric"
    for metric, labels in asked.metrics.items():
        assert labels - have[metric] == set(), f"{metric} has no such label"
    assert (asked.grouped | shown) - set().union(*(have[metric] for metric in asked.metrics)) == set()


@pytest.mark.parametrize(("expression", "shown"), expressions())
def test_labels_that_are_shown_survive_the_aggregation(expression: str, shown: set[str]) -> None:
    if re.search(r"\b(sum|max|min|count|avg)\b", expression):
        assert shown <= named(expression).grouped


def test_every_alert_says_what_to_do_and_has_its_heading() -> None:
    headings = re.findall(r"^### (\w+)$", RUNBOOK.read_text("utf8"), re.MULTILINE)
    assert headings == [rule["alert"] for rule in alerts()]
    for rule in alerts():
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}
        assert rule["annotations"]["runbook"].endswith(f". docs/alerts.md#{rule['alert'].lower()}")
        assert rule["labels"]["severity"] in {"page", "ticket"}


@pytest.mark.parametrize(
    "sample",
    [
        'roomcast_ingestor_leases_total{what="lost"}',
        'roomcast_redis_malformed_total{where="key"}',
        'roomcast_redis_refusals_total{word="OOM"}',
        'roomcast_redis_refusals_total{word="MISCONF"}',
        'roomcast_redis_refusals_total{word="NOAUTH"}',
        'roomcast_redis_refusals_total{word="other"}',
    ],
)
def test_counters_that_jump_are_told_from_zero_on(sample: str) -> None:
    """A paused ingestor loses all its leases in one moment: as a first value that would be no increase."""
    code = "import prometheus_client, shared.redis_client; print(prometheus_client.generate_latest().decode())"
    result = subprocess.run([sys.executable, "-c", code], cwd=REPO_ROOT, capture_output=True, text=True, check=True)
    assert f"{sample} 0.0" in result.stdout.splitlines()


def test_every_alert_is_made_to_fire_by_a_story() -> None:
    stories = (RULES.parent / "alerts.test.yml").read_text("utf8")
    assert {rule["alert"] for rule in alerts()} == set(re.findall(r'alertname="(\w+)"', stories))


def test_panels_have_each_a_place_of_their_own() -> None:
    cells: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        taken = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        cells |= taken
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_prometheus_accepts_its_configuration_and_the_rules() -> None:
    promtool("check", "config", str(RULES.parent / "prometheus.yml"))
    promtool("check", "rules", str(RULES))


def test_the_stories_fire_what_they_say() -> None:
    promtool("test", "rules", str(RULES.parent / "alerts.test.yml"))


def test_prometheus_understands_every_panel(tmp_path: Path) -> None:
    texts = [target["expr"] for panel in panels() for target in panel.get("targets", [])]
    rules = [
        {"record": f"panel:{number}", "expr": text.replace("$__rate_interval", "1m")}
        for number, text in enumerate(texts)
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", str(file))


def promtool(*arguments: str) -> None:
    result = subprocess.run(
        [need("promtool", "prometheus"), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
