"""The manifests of deploy/k8s: read as they are committed, built as they are applied, checked against the API."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from tests.conftest import REPO_ROOT

K8S = REPO_ROOT / "deploy" / "k8s"
SCHEMAS = REPO_ROOT / "tests" / "fixtures" / "kubernetes.json"  # says where it is from
KUSTOMIZE = "kustomize.config.k8s.io/"
CUSTOM = {"HTTPRoute", "PodMonitor"}
"""Kinds that are not of Kubernetes itself; nothing here knows their schemas."""

Manifest = dict[str, Any]


def read(path: Path) -> list[Manifest]:
    """All documents of a file."""
    return [document for document in yaml.safe_load_all(path.read_text("utf8")) if document]


def files() -> list[Path]:
    """Every YAML file, but for kustomizations and what Helm reads."""
    every = sorted(K8S.rglob("*.yaml"))
    return [path for path in every if path.name != "kustomization.yaml" and not path.name.endswith(".values.yaml")]


def kustomizations() -> list[Path]:
    return sorted(K8S.rglob("kustomization.yaml"))


def overlays() -> list[Path]:
    """What is applied as a whole."""
    return [K8S / "base", *sorted((K8S / "overlays").iterdir())]


def committed() -> list[Manifest]:
    return [manifest for path in files() for manifest in read(path)]


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Name and template of everything that makes pods."""
    for manifest in manifests:
        if manifest["kind"] == "Deployment":
            yield manifest["metadata"]["name"], manifest["spec"]["template"]


def builder() -> list[str] | None:
    """The command that builds a folder, where there is one that knows components."""
    if path := shutil.which("kustomize"):
        return [path, "build"]
    if path := shutil.which("kubectl"):
        version = subprocess.run([path, "version", "--client"], capture_output=True, text=True, check=False).stdout
        told = re.search(r"Kustomize Version: v(\d+)", version)
        return [path, "kustomize"] if told and int(told[1]) >= 4 else None
    return None


@cache
def _schemas() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMAS.read_text("utf8"))
    return found


def faults(manifest: Manifest) -> list[str]:
    """What the API would refuse, and every field it does not know."""
    kind = f"{manifest['apiVersion']} {manifest['kind']}"
    known = _schemas()["kinds"]
    if kind not in known:
        return [] if manifest["kind"] in CUSTOM else [f"{kind} is not known"]
    schema = {"$ref": known[kind], "$defs": _schemas()["$defs"]}
    return [
        f"{kind} {error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(manifest)
    ]
