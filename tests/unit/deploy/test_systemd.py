"""The units are what systemd takes, and match what the processes do."""

import re
import subprocess
from pathlib import Path

import pytest

from gateway.settings import GatewaySettings
from ingestor.settings import IngestorSettings
from shared.settings import NAMES_FILE, environment_names
from tests.conftest import REPO_ROOT, need
from tests.unit.deploy.test_kubernetes import UVICORN_S

UNITS = REPO_ROOT / "deploy" / "systemd"
TEMPLATES = {"roomcast-gateway@.service": "8000", "roomcast-ingestor@.service": "8001"}


def lines(unit: str) -> dict[str, str]:
    found = re.findall(r"^(\w+)=(.*)$", (UNITS / unit).read_text("utf8"), re.MULTILINE)
    return dict(found)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as instances, on a machine where what they start is there."""
    for unit, port in TEMPLATES.items():
        text = (UNITS / unit).read_text("utf8")
        text = text.replace("/opt/roomcast/.venv/bin/python", "/usr/bin/env").replace("/opt/roomcast", "/")
        (tmp_path / unit.replace("@", f"@{port}")).write_text(text)
    (tmp_path / "roomcast.target").write_text((UNITS / "roomcast.target").read_text("utf8"))
    return tmp_path


def analyze(*arguments: str) -> str:
    command = [need("systemd-analyze", "systemd"), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_systemd_takes_the_units_without_a_word(installed: Path) -> None:
    assert analyze("verify", "--man=no", *map(str, sorted(installed.iterdir()))).strip() == ""


@pytest.mark.parametrize("unit", TEMPLATES)
def test_a_process_may_do_no_more_than_it_has_to(unit: str, installed: Path) -> None:
    # In tenths; 96 is a service without any bound.
    analyze("security", "--offline=true", "--threshold=15", str(installed / unit.replace("@", f"@{TEMPLATES[unit]}")))
    assert "ProcSubset" not in lines(unit)  # the process_* metrics are read from /proc/stat, too


def test_processes_have_time_to_end_by_themselves() -> None:
    gateway, ingestor = GatewaySettings.model_fields, IngestorSettings.model_fields
    leaving = [float(gateway[name].default) for name in ("drain_notice_s", "drain_window_s", "shutdown_s")]
    assert sum(leaving) + UVICORN_S < float(lines("roomcast-gateway@.service")["TimeoutStopSec"])
    assert 2 * ingestor["drain_s"].default < float(lines("roomcast-ingestor@.service")["TimeoutStopSec"])


def test_a_gateway_may_open_a_file_for_each_client() -> None:
    clients = GatewaySettings.model_fields["clients_max"].default
    assert int(lines("roomcast-gateway@.service")["LimitNOFILE"]) > 2 * clients


def test_the_environment_is_made_of_settings() -> None:
    names = set(NAMES_FILE.read_text("utf8").split())
    example = (UNITS / "roomcast.env.example").read_text("utf8")
    assert set(re.findall(r"^(\w+)=", example, re.MULTILINE)) - names == set()
    assert "PORT" in environment_names(GatewaySettings).values()
    # On the command line: what is in the file stands above Environment=, and all instances would have one port.
    assert lines("roomcast-gateway@.service")["ExecStart"].startswith("/usr/bin/env PORT=%i ")
    assert lines("roomcast-ingestor@.service")["ExecStart"].startswith("/usr/bin/env ROOMCAST_INGESTOR_PORT=%i ")
    assert "ROOMCAST_INGESTOR_PORT" in names
