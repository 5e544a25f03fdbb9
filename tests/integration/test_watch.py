"""`python -m gateway watch`: what it follows, what it shows, and that nobody in a room can reach the terminal."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from gateway.watch.follower import Followed, Follower, Frame
from shared.backoff import Backoff
from shared.errors import ConfigError
from shared.events import Gift, GiftInfo
from shared.phases import Phase
from shared.platforms import room_called
from shared.room import RoomKey
from tests.conftest import REPO_ROOT, free_port
from tests.events import ANA, chat, like
from tests.gateways import DEADLINE_S, Gateway, running_gateway
from tests.holder import Holder, HolderClient
from tests.terminal import CTRL_C, terminal

ONE, TWO = "7300000000000000001", "728804746624"
HOSTILE = "\x1b]0;owned\x07 \x1b[2J \x1bc \x9b31m red \u202e backwards \u2066 \r\n hidden"
ROSE = GiftInfo(
    id="5655", name="Rose\x1b[8m", describe="", diamond_count=2, diamondCount=2, type=1, combo=True, image=""
)  # fmt: skip


@pytest.fixture
async def gateway(redis_server: str) -> AsyncIterator[Gateway]:
    async with running_gateway(redis_server) as gateway:
        yield gateway


@pytest.fixture
async def cluster(redis_server: str) -> AsyncIterator[HolderClient]:
    async with HolderClient(redis_server) as cluster:
        yield cluster


async def live(cluster: HolderClient, key: str) -> Holder:
    holder = cluster.holder(key)
    await holder.go_live()
    return holder


def roses(room: RoomKey, total: int, *, final: bool) -> Gift:
    """Ana gives one more."""
    return Gift(
        platform=room.platform, room=room.room, time=1, user=ANA, gift=ROSE, gift_id="5655", repeat_count=total,
        combo_count=total, repeat_end=int(final), group_id="9", group_count=1, delta=int(not final), total=total,
        diamonds=2 * int(not final), final=final,
    )  # fmt: skip


# --- following --------------------------------------------------------------------------------------------------------


class Following:
    """A follower in this process, and all it was told."""

    def __init__(self, port: int, *called: str, **options: str) -> None:
        self.rooms = [Followed(room_called(text)) for text in called]
        self.frames: list[Frame] = []
        self.losses: list[str] = []
        self._news = asyncio.Event()
        self._follower = Follower(
            f"ws://127.0.0.1:{port}", self.rooms, self._note, self._lose, query={"lang": "en"} | options,
            backoff=Backoff(base_s=0.01, cap_s=0.05),
        )  # fmt: skip

    def _note(self, _: str, frame: Frame, room: Followed | None) -> None:
        if room is not None:
            self.frames.append(frame | {"of": str(room.asked)})
        self._news.set()

    def _lose(self, fault: str, _: float) -> None:
        self.losses.append(fault)
        self._news.set()

    async def __aenter__(self) -> "Following":
        self.task = asyncio.create_task(self._follower.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])

    def said(self, room: str) -> list[str]:
        return [frame["content"] for frame in self.frames if frame["of"] == room and frame.get("type") == "chat"]

    async def until(self, content: str, *, times: int = 1) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while sum(content in (frame.get("content"), frame.get("status")) for frame in self.frames) < times:
                self._news.clear()
                await self._news.wait()


async def test_it_goes_on_in_each_room_where_it_was_when_the_gateway_is_back(
    redis_server: str, cluster: HolderClient
) -> None:
    one, two = await live(cluster, f"tiktok:{ONE}"), await live(cluster, f"douyin:{TWO}")
    port = free_port()
    async with Following(port, ONE, f"douyin:{TWO}") as following:
        async with running_gateway(redis_server, port=port):
            await following.until("connected", times=2)
            await one.chat("1")
            await two.chat("a")
            await following.until("1")
            await following.until("a")
        await one.chat("2", "3")
        await two.chat("b")
        async with running_gateway(redis_server, port=port):
            await following.until("3")
            await following.until("b")
            await one.chat("4")
            await following.until("4")
    assert following.said(f"tiktok:{ONE}") == ["1", "2", "3", "4"]
    assert following.said(f"douyin:{TWO}") == ["a", "b"]
    assert following.losses[:1] != []


async def test_it_follows_a_name_to_its_room(gateway: Gateway, cluster: HolderClient) -> None:
    name, holder = cluster.holder("tiktok:@ana"), await live(cluster, f"tiktok:{ONE}")
    await name.acquire()
    await name.point_to(ONE)
    async with Following(gateway.port, "@Ana") as following:
        await following.until("connected")
        cursor = await holder.chat("hello")
        await following.until("hello")
    assert following.said("tiktok:@ana") == ["hello"]
    assert following.rooms[0].cursor == str(cursor)


async def test_it_ends_when_every_room_is_over_and_comes_back_to_no_room_that_is(
    gateway: Gateway, cluster: HolderClient
) -> None:
    one, two = await live(cluster, f"tiktok:{ONE}"), await live(cluster, f"douyin:{TWO}")
    async with Following(gateway.port, ONE, f"douyin:{TWO}") as following:
        await following.until("connected", times=2)
        await one.rest(Phase.NOT_LIVE, "offline")
        async with asyncio.timeout(DEADLINE_S):
            while not following.rooms[0].over:
                await asyncio.sleep(0.01)
        await two.chat("goes on")
        await following.until("goes on")
        await two.rest(Phase.ENDED)
        async with asyncio.timeout(DEADLINE_S):
            await following.task
    assert [room.over for room in following.rooms] == ["offline", "ended"]


async def test_a_room_too_many_is_over_and_the_others_are_not(redis_server: str, cluster: HolderClient) -> None:
    holder = await live(cluster, f"tiktok:{ONE}")
    async with (
        running_gateway(redis_server, rooms_per_client=1) as gateway,
        Following(gateway.port, ONE, f"douyin:{TWO}") as following,
    ):
        await following.until("connected")
        await holder.chat("one")
        await following.until("one")
        assert [room.over for room in following.rooms] == ["", "too_many_rooms"]


async def test_an_address_that_is_none_is_said_at_once() -> None:
    with pytest.raises(ConfigError):
        await Follower("localhost", [Followed(room_called("@a"))], print, print, query={}).run()


# --- in a pipe --------------------------------------------------------------------------------------------------------


def watch(gateway: Gateway, *arguments: str) -> list[str]:
    return ["-m", "gateway", "watch", "--url", f"http://127.0.0.1:{gateway.port}", *arguments]


async def test_lines_of_json_are_for_pipes(gateway: Gateway, cluster: HolderClient) -> None:
    holder = await live(cluster, f"tiktok:{ONE}")
    cursor = await holder.chat("before")
    await holder.chat(HOSTILE)
    command = watch(gateway, "--json", "--since", str(cursor), "--events", "chat", ONE)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=REPO_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        async for line in process.stdout:
            frame = json.loads(line)
            if frame.get("status") == "connected":
                await holder.publish(like(holder.room, 1), chat(holder.room, "after"))
            if frame.get("type") == "chat" and frame["content"] != "after":
                assert frame["content"] == HOSTILE
                assert not any(harm in line.decode() for harm in "\x1b\x07\x9b\u202e\u2066")
            if frame.get("content") == "after":
                break
            assert frame.get("content") != "before"
            assert frame.get("type") != "like"
        process.stdout._transport.close()  # type: ignore[attr-defined]  # as `head` does when it has enough
        await holder.chat("nobody reads this")
        _, complaints = await process.communicate()
    assert process.returncode == 1
    assert b"Traceback" not in complaints and b"Exception" not in complaints


async def test_it_ends_as_the_rooms_did(gateway: Gateway, cluster: HolderClient) -> None:
    holder = cluster.holder(f"tiktok:{ONE}")
    await holder.acquire()
    await holder.rest(Phase.NOT_LIVE, "offline")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *watch(gateway, "--json", ONE), cwd=REPO_ROOT, stdout=subprocess.PIPE
    )
    async with asyncio.timeout(20):
        output, _ = await process.communicate()
    assert process.returncode == 1
    assert json.loads(output.splitlines()[-1])["code"] == "offline"


@pytest.mark.parametrize(
    "arguments",
    [[], ["not a room"], [ONE, "@ana", "--since", "1-1"], [ONE, "--since", "x"], [ONE, "--last", "501"]],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "gateway", "watch", *arguments], cwd=REPO_ROOT, capture_output=True)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_without_rich_it_says_what_is_missing() -> None:
    hiding = "import sys; sys.modules['rich'] = None; from gateway.__main__ import main; main(['watch', '@a'])"
    done = subprocess.run([sys.executable, "-c", hiding], cwd=REPO_ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install rich" in done.stderr and "--json" in done.stderr


# --- in a terminal ----------------------------------------------------------------------------------------------------


async def test_the_terminal_shows_what_happens_and_what_adds_up(gateway: Gateway, cluster: HolderClient) -> None:
    one, two = await live(cluster, f"tiktok:{ONE}"), await live(cluster, f"douyin:{TWO}")
    async with terminal(*watch(gateway, ONE, f"douyin:{TWO}")) as shown:
        await shown.until(lambda text: text.count("Connected; events follow") >= 2)
        await one.publish(chat(one.room, "good morning"), roses(one.room, 1, final=False), like(one.room, 12345))
        await one.publish(roses(one.room, 2, final=False), roses(one.room, 3, final=False))
        await two.publish(chat(two.room, "早上好"))
        text = await shown.until(lambda text: "Rose[8m × 3" in text and "早" in text)
        assert f"tiktok:{ONE}  Ana: good morning" in text
        assert "12,345" in text
        assert " gives " not in text
        await one.publish(roses(one.room, 3, final=True))
        await shown.until(lambda text: "Ana gives 3 × Rose[8m  6 ♦" in text and "Rose[8m × 3" not in text)
        shown.press(CTRL_C)
        assert await shown.ended() == 130
        assert shown.cursor_is_shown
    assert b"Traceback" not in shown.output


async def test_nobody_in_a_room_can_reach_the_terminal(gateway: Gateway, cluster: HolderClient) -> None:
    holder = await live(cluster, f"tiktok:{ONE}")
    async with terminal(*watch(gateway, ONE)) as shown:
        await shown.until(lambda text: "Connected; events follow" in text)
        await holder.publish(chat(holder.room, HOSTILE), chat(holder.room, "[bold]:smile: e" + "\u0301" * 9))
        text = await shown.until(lambda text: ":smile:" in text)
        assert "Ana: ]0;owned [2J c 31m red backwards hidden" in " ".join(text.split())
        assert "[bold]:smile:" in text
        for harm in (b"\x1b]0", b"\x07", b"\x1b[2J", b"\x1bc", "\x9b".encode(), "\u202e".encode(), "\u2066".encode()):
            assert harm not in shown.output
        shown.process.terminate()
        assert await shown.ended() == 143
        assert shown.cursor_is_shown


async def test_a_gateway_that_is_not_there_is_said_and_found_when_it_comes(
    redis_server: str, cluster: HolderClient
) -> None:
    await live(cluster, f"tiktok:{ONE}")
    port = free_port()
    async with terminal("-m", "gateway", "watch", "--url", f"ws://127.0.0.1:{port}", ONE) as shown:
        await shown.until(lambda text: "not connected" in text and "again in" in text)
        async with running_gateway(redis_server, port=port):
            await shown.until(lambda text: "Connected; events follow" in text)
