"""The viewer page in a browser, before real processes: what a newcomer, a moderator and a streaming software see."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from playwright.async_api import CDPSession

from protos import tiktok_pb2 as pb
from tests.browser import Viewer, viewer
from tests.conftest import RedisServer, free_port
from tests.e2e.cluster import Client, Processes, until, wait_for
from tests.e2e.test_main_path import control, inject
from tests.topologies import Topology

DEMO = "7300000000000000001"
QUIET = "@quiet"
DOUYIN = "douyin/728804746624"
HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>&lt;b&gt; \u202e{{7*7}}'
ROWS_MAX = 200
PHONE: Final[dict[str, Any]] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


class House:
    """A simulator, an ingestor and a gateway."""

    def __init__(self, processes: Processes) -> None:
        self.processes = processes
        processes.simulator()
        processes.ingestor()
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.open_gateway()

    def open_gateway(self) -> None:
        """Begin it, at the same address as before."""
        self.gateway = self.processes.start("-m", "gateway", env={"PORT": str(self.port), "HOST": "127.0.0.1"})
        wait_for(f"http://{self.address}/readyz", self.gateway)

    def say(self, *texts: str, room: str = DEMO, nickname: str = "Ana") -> None:
        """Let somebody say this in a room of TikTok."""
        user = pb.User(id=42, nickname=nickname.encode(), display_id=b"ana")
        chats = [pb.ChatMessage(user=user, content=text.encode()) for text in texts]
        inject(self.processes, room, *[("WebcastChatMessage", chat.SerializeToString()) for chat in chats])

    def give(self, *presses: int, room: str = DEMO) -> None:
        """Let somebody press a gift that many times, one message for each number."""
        gift = pb.Gift(id=5655, name=b"Rose", diamond_count=1, type=1, combo=True)
        user = pb.User(id=43, nickname=b"Ben")
        given = [
            pb.GiftMessage(user=user, gift=gift, gift_id=5655, group_id=77, group_count=1, repeat_count=count)
            for count in presses
        ]
        inject(self.processes, room, *[("WebcastGiftMessage", message.SerializeToString()) for message in given])


@pytest.fixture(scope="module")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    redis = RedisServer(tmp_path_factory.mktemp("redis"))
    processes = Processes(tmp_path_factory.mktemp("house"), redis.url)
    try:
        yield House(processes)
    finally:
        processes.end()
        redis.stop()


@pytest.fixture
def house(_house: House) -> Iterator[House]:
    """For tests that leave it as they found it."""
    yield _house
    print(_house.processes.output()[-5000:])


async def test_rooms_of_both_platforms_stand_side_by_side(house: House) -> None:
    async with viewer(house.address, f"room=@demo&room={DOUYIN}&lang=en") as opened:
        page = opened.page
        await page.get_by_role("region", name="Night kitchen").wait_for()
        await page.get_by_role("region", name="深夜小厨房").wait_for()
        for number in (0, 1):
            room = page.locator(".room").nth(number)
            await room.locator(".lines li").nth(3).wait_for()
            await room.get_by_role("status").filter(has_text="Live").wait_for()
            await room.locator(".plot canvas").wait_for()
        left, right = [await page.locator(".room").nth(number).bounding_box() for number in (0, 1)]
        assert left is not None
        assert right is not None
        assert left["x"] + left["width"] <= right["x"]
        assert "Night kitchen" in await page.title()
        assert len(opened.sockets) == 1
        assert opened.hosts == {house.address, house.processes.simulator_url.removeprefix("http://")}
    assert opened.problems == []


async def test_rooms_come_and_go_by_keyboard_and_the_address_keeps_them(house: House) -> None:
    async with viewer(house.address, "lang=en") as opened:
        page = opened.page
        await page.keyboard.type("@demo")  # the field has the focus
        await page.keyboard.press("Enter")
        await page.get_by_role("region", name="Night kitchen").wait_for()
        await page.get_by_label("@name, number or link").focus()
        await page.keyboard.type(DOUYIN)
        await page.keyboard.press("Enter")
        await page.locator(".room").nth(1).wait_for()
        assert opened.rooms == ["@demo", DOUYIN]

        await page.reload()
        await page.locator(".room").nth(1).wait_for()
        await page.locator("body").press("Tab")
        assert await focused(opened) == "Skip to the rooms"
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        assert await focused(opened) == "Leave @demo"
        await page.keyboard.press("Enter")
        assert opened.rooms == [DOUYIN]
        assert await page.locator(".room").count() == 1
        assert await focused(opened) == "Leave 728804746624"

        await page.go_back()
        await page.locator(".room").nth(1).wait_for()
        assert opened.rooms == ["@demo", DOUYIN]
    assert opened.problems == []


async def focused(opened: Viewer) -> str:
    """What a screen reader would call the element that the keyboard is at."""
    name: str = await opened.page.evaluate("(document.activeElement.ariaLabel ?? document.activeElement.innerText)")
    return name


async def test_what_people_call_themselves_and_say_stays_text(house: House) -> None:
    async with viewer(house.address, f"room={QUIET}&lang=en") as opened:
        page = opened.page
        await is_live(opened)
        house.say(HOSTILE, room=QUIET, nickname=HOSTILE)
        row = page.locator(".lines li").filter(has_text="{{7*7}}").last
        await row.wait_for()
        assert await row.locator(".text").inner_text() == HOSTILE
        assert await row.locator(".name").evaluate("name => [name.tagName, name.textContent]") == ["BDI", HOSTILE]
        assert await page.locator(".room :is(script, img[src=x], b b)").count() == 0
    assert opened.problems == []


async def test_a_page_whose_gateway_is_killed_misses_nothing(topology: Topology, tmp_path: Path) -> None:
    processes = Processes(tmp_path, topology.url)
    try:
        house = House(processes)
        other = processes.gateway()
        async with (
            viewer(house.address, f"room=@demo&room={QUIET}&lang=en") as opened,
            Client(other, "@demo", "last=500") as demo,
            Client(other, QUIET, "last=500") as quiet,
        ):
            page = opened.page
            await is_live(opened, rooms=2)
            for client in (demo, quiet):
                await client.has_status("connected")
            marks = [f"mark {number}" for number in range(30)]

            def say(*texts: str) -> None:
                for room in (DEMO, QUIET):
                    house.say(*texts, room=room)

            say(*marks[:10])
            await page.get_by_text(marks[9], exact=True).nth(1).wait_for(state="attached")
            house.gateway.kill()
            house.gateway.wait()
            await page.get_by_role("status").filter(has_text="Reconnecting").nth(1).wait_for()
            say(*marks[10:20])
            house.open_gateway()
            await is_live(opened, rooms=2)
            say(*marks[20:])
            for number in (0, 1):
                shown = page.locator(".room").nth(number)
                await shown.get_by_text(marks[-1], exact=True).wait_for(state="attached")
                said = await shown.locator(".lines .text").all_inner_texts()
                assert [text for text in said if text.startswith("mark ")] == marks
                await shown.get_by_text("1 reconnect", exact=True).wait_for()
                await shown.get_by_text("0 gaps", exact=True).wait_for()

            # What it counted is what clients counted that nothing happened to.
            for client, room in ((demo, DEMO), (quiet, QUIET)):
                control(processes, f"/rooms/{room}/pause", {})
                await is_told_the_pause(client)
            await page.get_by_role("status").filter(has_text="Paused").nth(1).wait_for()
            for group, types in (("chat", {"chat", "emote"}), ("gift", {"gift"}), ("join", {"member"})):
                expected = sum(event["type"] in types for client in (demo, quiet) for event in client.events)
                await page.locator(f"#told-{group}").filter(has_text=re.compile(f"^{expected:,}$")).wait_for()
        others = [problem for problem in opened.problems if not problem.startswith("WebSocket connection to")]
        assert others == []
    finally:
        processes.end()
        print(processes.output()[-5000:])


async def test_groups_of_events_are_hidden_and_stay_so(house: House) -> None:
    async with viewer(house.address, f"room={QUIET}&lang=en") as opened:
        page = opened.page
        await is_live(opened)
        house.say("can you see me", room=QUIET)
        row = page.get_by_text("can you see me").last
        await row.wait_for()
        await page.get_by_role("checkbox", name="Chat", exact=True).uncheck()
        await row.wait_for(state="hidden")
        await page.reload()
        await is_live(opened)
        await row.wait_for(state="attached")
        assert await row.is_hidden()
        await page.get_by_role("checkbox", name="Chat", exact=True).check()
        await row.wait_for(state="visible")
    assert opened.problems == []


async def test_dark_and_light_zh_and_en_and_reading_aloud_are_up_to_the_reader(house: House) -> None:
    async with viewer(house.address, f"room={QUIET}&lang=en", color_scheme="dark") as opened:
        page = opened.page
        dark = page.get_by_role("button", name="Dark colours")
        ground = "getComputedStyle(document.documentElement).backgroundColor"
        assert await dark.get_attribute("aria-pressed") == "true"
        night = await page.evaluate(ground)
        await dark.click()
        assert await page.evaluate(ground) != night
        await page.reload()
        assert await dark.get_attribute("aria-pressed") == "false"

        log = page.get_by_role("log", name="Chat")
        assert await log.get_attribute("aria-live") == "off"
        await page.get_by_role("checkbox", name="Read chat aloud").check()
        await page.locator("[role=log][aria-live=polite]").wait_for()

        await page.get_by_role("link", name="中文").click()
        await page.get_by_role("button", name="进入").wait_for()
        assert await page.locator("html").get_attribute("lang") == "zh-CN"
        assert opened.rooms == [QUIET]
    assert opened.problems == []


async def test_a_phone_shows_one_room_at_a_time(house: House) -> None:
    async with viewer(house.address, f"room=@demo&room={DOUYIN}&lang=en", **PHONE) as opened:
        page = opened.page
        tabs = page.get_by_role("navigation", name="Rooms").get_by_role("button")
        await page.get_by_role("region", name="Night kitchen").wait_for()
        assert await page.locator(".room:visible").count() == 1
        await tabs.nth(1).click()
        await page.get_by_role("region", name="深夜小厨房").wait_for()
        assert await page.locator(".room:visible").count() == 1
        assert await tabs.nth(1).get_attribute("aria-current") == "true"
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert opened.problems == []


async def test_a_chat_overlay_is_lines_on_nothing(house: House) -> None:
    async with viewer(house.address, f"overlay=chat&room={QUIET}&lang=en") as opened:
        page = opened.page
        await page.locator("html[data-view=overlay]").wait_for()
        await is_told_live(opened)
        house.give(1, room=QUIET)
        house.say("said on the stream", room=QUIET)
        await page.get_by_text("said on the stream").last.wait_for()
        assert await page.locator(".lines .gift").count() == 0
        seen = ["html", "body", "#lines", "#rooms"]
        grounds = [await page.locator(which).evaluate("it => getComputedStyle(it).backgroundColor") for which in seen]
        assert set(grounds) == {"rgba(0, 0, 0, 0)"}
        assert await page.locator(":is(header, nav, button, input, .room):visible").count() == 0
    assert opened.problems == []


async def test_a_gift_overlay_counts_a_streak_up_in_one_line(house: House) -> None:
    async with viewer(house.address, f"overlay=gifts&room={QUIET}&lang=en") as opened:
        page = opened.page
        await is_told_live(opened)
        house.give(31, 32, room=QUIET)
        streak = page.locator("#lines .gift").filter(has_text="Ben")
        await streak.get_by_text("×32").wait_for()
        house.give(33, room=QUIET)
        await streak.get_by_text("×33").wait_for()
        assert await streak.count() == 1
        assert await page.locator("#lines .chat").count() == 0
    assert opened.problems == []


async def test_an_overlay_of_a_room_that_is_not_there_says_so(house: House) -> None:
    async with viewer(house.address, "overlay=chat&room=@nobody.here&lang=en") as opened:
        await opened.page.get_by_text("@nobody.here: Room not found").wait_for()
    assert opened.problems == []


async def is_live(opened: Viewer, *, rooms: int = 1) -> None:
    """Until the page says so of so many rooms."""
    await opened.page.get_by_role("status").filter(has_text="Live").nth(rooms - 1).wait_for()


async def is_told_the_pause(client: Client) -> None:
    """Until it has got everything: nothing happens in a room that is paused."""
    await until(
        lambda: any(event["live_status"]["state"] == "paused" for event in client.of_type("live_status")), what="pause"
    )


async def is_told_live(opened: Viewer) -> None:
    """Until the page knows that its room is live; an overlay says nothing of it."""
    await until(lambda: any('"status":"connected"' in frame for frame in opened.received), what="connected")


async def test_two_hundred_events_a_second_leave_the_page_bounded(house: House) -> None:
    """Prints what they cost; how much that may be depends on the machine."""
    url = f"{house.processes.simulator_url}/_control/rooms/{DEMO}"
    async with viewer(house.address, "room=@demo&lang=en", viewport={"width": 1280, "height": 800}) as opened:
        await is_live(opened)
        devtools = await opened.page.context.new_cdp_session(opened.page)
        await devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        httpx.patch(url, json={"rate": 200}, timeout=10).raise_for_status()
        try:
            before, received = await measured(devtools), len(opened.received)
            await until(lambda: len(opened.received) > received + 2500, timeout_s=60, what="events")
            after, events = await measured(devtools), len(opened.received) - received
        finally:
            httpx.patch(url, json={"rate": 4}, timeout=10).raise_for_status()
        seconds = after.pop("Timestamp") - before["Timestamp"]
        shares = {name: f"{(value - before[name]) / seconds:.1%}" for name, value in after.items()}
        print(f"{events / seconds:.0f} events/s; of a core: {shares}")
        assert await opened.told("chat") > 100
        assert await opened.page.locator(".lines li").count() <= ROWS_MAX
    assert opened.problems == []


async def measured(devtools: CDPSession) -> dict[str, float]:
    """Seconds that the page's main thread has worked, without those it waited for its turn, and on what."""
    found = (await devtools.send("Performance.getMetrics"))["metrics"]
    wanted = {"Timestamp", "TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"}
    return {metric["name"]: metric["value"] for metric in found if metric["name"] in wanted}
