"""docs/clients.md says what is so."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from gateway.close_codes import OUTCOMES
from shared.phases import Phase
from tests.conftest import REPO_ROOT, free_port
from tests.gateways import running_gateway
from tests.holder import HolderClient

GUIDE = (REPO_ROOT / "docs" / "clients.md").read_text("utf8")


async def test_its_program_misses_nothing_over_a_restart_and_ends_with_the_room(
    redis_server: str, tmp_path: Path
) -> None:
    port = free_port()
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert "localhost:8000/ws/tiktok/@demo" in code
    program = tmp_path / "client.py"
    program.write_text(code.replace("localhost:8000", f"127.0.0.1:{port}"), "utf8")
    async with HolderClient(redis_server) as cluster:
        name, holder = cluster.holder("tiktok:@demo"), cluster.holder("tiktok:7300000000000000001")
        await holder.go_live()
        await name.acquire()
        await name.point_to(holder.room.room)
        process = await asyncio.create_subprocess_exec(sys.executable, program, stdout=subprocess.PIPE)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(30):
                async with running_gateway(redis_server, port=port) as gateway:
                    rooms = gateway.app.state.relay.rooms
                    while not (holder.room in rooms and len(rooms[holder.room].hub)):
                        await asyncio.sleep(0.01)
                    await holder.chat("1")
                    assert await process.stdout.readline() == b"Ana: 1\n"
                await holder.chat("2", "3")
                async with running_gateway(redis_server, port=port):
                    assert [await process.stdout.readline() for _ in range(2)] == [b"Ana: 2\n", b"Ana: 3\n"]
                    await holder.chat("4")
                    assert await process.stdout.readline() == b"Ana: 4\n"
                    await holder.rest(Phase.ENDED)
                    assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def test_its_table_of_closes_is_that_of_the_gateway() -> None:
    rows = re.findall(r"^\| (1\d{3}) \| (.+) \| (yes|no)\b", GUIDE, re.MULTILINE)
    told = {(word, int(close), back == "yes") for close, words, back in rows for word in re.findall(r"`(\w+)`", words)}
    assert told == {
        (str(code), outcome.close, outcome.reconnect) for code, outcome in OUTCOMES.items() if outcome.close is not None
    }
