"""What is applied to Kubernetes is what it takes, and matches what the processes do."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.settings import GatewaySettings
from ingestor.settings import IngestorSettings
from shared.settings import NAMES_FILE
from tests.conftest import REPO_ROOT
from tests.unit.deploy import manifests
from tests.unit.deploy.manifests import K8S, committed, faults, pods
from tests.unit.deploy.promql import named
from tests.unit.deploy.test_monitoring import known

PREFIXED = re.compile(r"\bROOMCAST_[A-Z0-9_]+\b")
UVICORN_S = 2  # timeout_graceful_shutdown of the gateway's server, after all else


def relative(path: Path) -> str:
    return path.relative_to(K8S).as_posix()


def settings() -> dict[str, str]:
    lines = (K8S / "base" / "settings.env").read_text("utf8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("path", manifests.files(), ids=relative)
def test_the_api_takes_it(path: Path) -> None:
    assert [fault for manifest in manifests.read(path) for fault in faults(manifest)] == []


def test_a_misspelt_field_a_wrong_type_and_an_unknown_kind_are_found() -> None:
    deployment = next(manifest for manifest in committed() if manifest["kind"] == "Deployment")
    assert faults(deployment) == []
    assert faults({**deployment, "spec": {**deployment["spec"], "minReadySecond": 5}})
    assert faults({**deployment, "spec": {**deployment["spec"], "replicas": "three"}})
    assert faults({**deployment, "apiVersion": "apps/v1beta1"})


@pytest.mark.parametrize("path", manifests.kustomizations(), ids=relative)
def test_a_kustomization_names_all_its_files_and_only_those_there_are(path: Path) -> None:
    (content,) = manifests.read(path)
    resources = content.get("resources", [])
    assert {name for name in resources if not name.startswith("..")} == {
        file.name for file in path.parent.glob("*.yaml") if file in manifests.files()
    }
    for folder in [*(name for name in resources if name.startswith("..")), *content.get("components", [])]:
        assert (path.parent / folder / "kustomization.yaml").is_file()


@pytest.mark.parametrize("folder", manifests.overlays(), ids=relative)
def test_it_builds_and_the_api_takes_what_comes_out(folder: Path) -> None:
    command = manifests.builder()
    if command is None:  # no Debian package brings one that is new enough, so nothing is asked for here
        pytest.skip("no kustomize, and no kubectl of 1.21 or newer")
    result = subprocess.run([*command, str(folder)], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    built = list(yaml.safe_load_all(result.stdout))
    assert [fault for manifest in built for fault in faults(manifest)] == []
    if folder.name == "demo":
        (args,) = (pod["spec"]["containers"][0]["args"] for name, pod in pods(built) if name == "roomcast-ingestor")
        assert args[:3] == ["python", "-m", "simulator.lead"]
        for manifest in built:
            if manifest["kind"] == "NetworkPolicy" and manifest["metadata"]["name"] == "roomcast-gateway":
                assert manifest["spec"]["egress"][0]["to"]
    if folder.name == "production":
        scaled = [manifest for manifest in built if manifest["kind"] == "HorizontalPodAutoscaler"]
        assert [len(manifest["spec"]["metrics"]) for manifest in scaled] == [4, 4]
        assert not any("replicas" in manifest["spec"] for manifest in built if manifest["kind"] == "Deployment")


@pytest.mark.parametrize(("name", "pod"), [pytest.param(*pod, id=pod[0]) for pod in pods(committed())])
def test_a_pod_may_do_no_more_than_it_has_to(name: str, pod: dict[str, Any]) -> None:
    spec = pod["spec"]
    assert spec["automountServiceAccountToken"] is False
    # A Service called roomcast-gateway sets ROOMCAST_GATEWAY_PORT, and no part starts with a name it does not know.
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"].keys() == {"memory"}
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "readinessProbe" in container
        if container["image"] == "roomcast":
            assert spec["securityContext"]["runAsUser"] == 10001  # the user of the image


def test_selectors_select_the_pods_they_are_meant_for() -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(committed())}
    for manifest in committed():
        spec, name = manifest.get("spec", {}), manifest["metadata"]["name"]
        if manifest["kind"] == "Service":
            assert spec["selector"] == labels[name]
        elif manifest["kind"] in {"Deployment", "PodDisruptionBudget"}:
            assert spec["selector"]["matchLabels"] == labels[name]
        elif manifest["kind"] == "NetworkPolicy":
            assert spec["podSelector"]["matchLabels"] == labels[name.removesuffix("-to-simulator")]
        elif manifest["kind"] == "HorizontalPodAutoscaler":
            assert spec["scaleTargetRef"]["name"] == name
            assert name in labels


def test_a_gateway_has_time_to_send_its_clients_away() -> None:
    ((_, pod),) = (found for found in pods(committed()) if found[0] == "roomcast-gateway")
    set_here, defaults = settings(), GatewaySettings.model_fields
    steps = [
        float(set_here.get(f"ROOMCAST_{name.upper()}", defaults[name].default))
        for name in ("drain_notice_s", "drain_window_s", "shutdown_s")
    ]
    before = pod["spec"]["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert before + sum(steps) + UVICORN_S < pod["spec"]["terminationGracePeriodSeconds"]


def test_an_ingestor_has_time_to_store_what_is_left() -> None:
    ((_, pod),) = (found for found in pods(committed()) if found[0] == "roomcast-ingestor")
    drain_s = float(settings().get("ROOMCAST_DRAIN_S", IngestorSettings.model_fields["drain_s"].default))
    assert 2 * drain_s < pod["spec"]["terminationGracePeriodSeconds"]


def test_every_setting_named_in_deploy_is_one() -> None:
    names = set(NAMES_FILE.read_text("utf8").split())
    for path in sorted((REPO_ROOT / "deploy").rglob("*")):
        if path.suffix in {".env", ".yaml", ".yml", ".service", ".json", ".example"}:
            assert set(PREFIXED.findall(path.read_text("utf8"))) - names == set(), path
    assert {name for name in settings() if name not in names} == set()
    (secret,) = manifests.read(K8S / "secret.example.yaml")
    assert set(secret["stringData"]) - names == set()
    assert set(secret["stringData"].values()) == {""}


def test_the_autoscalers_ask_for_metrics_there_are() -> None:
    values = yaml.safe_load((K8S / "components" / "autoscale-metrics" / "prometheus-adapter.values.yaml").read_text())
    offered = set()
    for rule in [*values["rules"]["custom"], *values["rules"]["external"]]:
        query = rule["metricsQuery"].replace("<<.LabelMatchers>>", "").replace("<<.GroupBy>>", "pod")
        asked = named(query).metrics.keys()
        assert asked == named(rule["seriesQuery"]).metrics.keys()
        assert asked <= known().keys()
        offered.add(rule["name"]["as"] if "name" in rule else next(iter(asked)))
    patches = (K8S / "components" / "autoscale-metrics" / "kustomization.yaml").read_text("utf8")
    assert set(re.findall(r"metric: {name: (\w+)}", patches)) == offered
