"""`python app.py`: everything in one process, as a newcomer meets it."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port
from tests.e2e.cluster import Client, Processes, until, wait_for


class Laptop:
    """A running `python app.py --demo`."""

    def __init__(self, processes: Processes) -> None:
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        self.processes = processes
        self.process = processes.start("app.py", "--demo", "--port", str(port), env={"ROOMCAST_LOG_LEVEL": "INFO"})
        wait_for(f"http://{self.address}/readyz", self.process)


@contextlib.contextmanager
def running_laptop(folder: Path) -> Iterator[Laptop]:
    """Without any Redis server, and with nothing in the environment."""
    processes = Processes(folder)
    try:
        yield Laptop(processes)
    finally:
        processes.end()


@pytest.fixture(scope="module")
def _shared_laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with running_laptop(tmp_path_factory.mktemp("laptop")) as laptop:
        yield laptop


@pytest.fixture
def laptop(_shared_laptop: Laptop) -> Iterator[Laptop]:
    """For tests that leave it as they found it."""
    yield _shared_laptop
    print(_shared_laptop.processes.output()[-10_000:])


@pytest.fixture
def own_laptop(tmp_path: Path) -> Iterator[Laptop]:
    """For one test: nobody was there before, and it may be ended."""
    with running_laptop(tmp_path) as laptop:
        yield laptop
        print(laptop.processes.output()[-10_000:])


async def test_the_demo_shows_a_room_and_the_steps_to_it(own_laptop: Laptop) -> None:
    async with Client(own_laptop.address, "@demo") as client:
        await client.has_status("connected")
        await until(lambda: len(client.of_type("chat")) > 6, what="chat")
    assert client.statuses == ["connecting", "creating_crawler", "getting_token", "checking_live", "connected"]
    assert [frame["step"] for frame in client.frames if "status" in frame] == [1, 2, 3, 4, 4]
    assert client.of_type("live_status")[0]["live_status"]["state"] == "live"
    assert "viewer     http://localhost:" in own_laptop.processes.output()


@pytest.mark.parametrize(
    ("room", "code"), [("@offline", "offline"), ("@restricted", "restricted"), ("@nobody.here", "not_found"),
                       ("7300000000000000400", "offline"), ("7300000000000000999", "not_found"), ("a b", "bad_room")]
)  # fmt: skip
async def test_a_room_that_cannot_be_watched_is_told_and_closed(laptop: Laptop, room: str, code: str) -> None:
    async with Client(laptop.address, room) as client:
        await until(lambda: client.close_code is not None, what=f"the close; {client.frames}")
    assert client.close_code == 1000
    assert client.frames[-1]["code"] == code
    assert client.frames[-1]["reconnect"] is False


async def test_an_interrupt_ends_it_cleanly_and_tells_its_clients(own_laptop: Laptop) -> None:
    async with Client(own_laptop.address, "@demo") as client:
        await client.has_status("connected")
        own_laptop.process.send_signal(signal.SIGINT)
        await until(lambda: own_laptop.process.poll() is not None, what="the end")
        await until(lambda: client.close_code is not None, what="the close")
    assert own_laptop.process.returncode == 0
    assert client.close_code == 1012
    assert client.frames[-1]["code"] == "draining"
    assert "Traceback" not in own_laptop.processes.output()


def test_what_the_readme_names_answers(laptop: Laptop) -> None:
    for path in ("/", "/health", "/healthz", "/readyz", "/metrics", "/rooms", "/viewer"):
        assert httpx.get(f"http://{laptop.address}{path}").status_code == 200, path
    assert httpx.get(f"http://{laptop.address}/").json() == {"msg": "Hello, TikHubIO!"}
