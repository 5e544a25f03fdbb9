"""Recordings as rooms: what was recorded is told again, byte for byte, through all that a live room passes through."""

import asyncio
import gzip
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from ingestor.connectors.base import LiveRoom, Message, SeenIds
from ingestor.connectors.registry import CONNECTORS
from ingestor.connectors.replay import playback
from ingestor.connectors.replay.connector import LEFT_MAX, ReplayConnector
from ingestor.connectors.replay.playback import PAUSE_MAX_S
from ingestor.connectors.replay.reel import Reel
from ingestor.connectors.replay.settings import ReplaySettings
from ingestor.connectors.tiktok.messages import TikTokDecoder
from ingestor.recording import Header, Opened, Record, member
from ingestor.upstream import running
from protos import douyin_pb2 as douyin
from protos import tiktok_pb2 as tiktok
from protos import webcast_pb2 as webcast
from shared.errors import BadRoom, RoomNotFound, RoomOffline, UpstreamLeft, UpstreamUnavailable
from shared.events import LiveStatus
from shared.phases import Phase
from shared.platforms import parse_room
from shared.room import RoomKey
from tests.fixtures.replay.generate import ROOMS, generate, replayed
from tests.recordings import ingesting

FIXTURES = Path(__file__).parents[1] / "fixtures" / "replay"
T0 = 1_765_432_100_000
TIKTOK = 7300000000000000001
ROOM = RoomKey("replay", "a.rec")
FAST = 1000.0
ENDED = b'"ended":{"reason":"unknown"}}'


def expected(folder: Path, room: RoomKey) -> list[bytes]:
    return gzip.decompress((folder / f"{room.platform}.expected.gz").read_bytes()).splitlines()


@pytest.mark.parametrize("room", ROOMS, ids=str)
async def test_a_recording_tells_what_the_room_told_when_it_was_live(room: RoomKey) -> None:
    """The committed recordings have two connections each, of which the first one was cut."""
    was_told = expected(FIXTURES, room)
    async with ingesting({"replay_dir": str(FIXTURES), "replay_speed": FAST}) as ingestor:
        await ingestor.wants(replayed(room))
        events = await ingestor.over(replayed(room))
    assert events[: len(was_told)] == was_told
    assert [event for event in events[len(was_told) :] if b'"type":"gift"' not in event] == [events[-1]]
    assert events[-1].endswith(ENDED)


async def test_what_is_recorded_now_is_told_again_by_another_ingestor(tmp_path: Path) -> None:
    await generate(tmp_path, 2)
    async with ingesting({"replay_dir": str(tmp_path), "replay_speed": 10.0}) as ingestor:
        for room in ROOMS:
            await ingestor.wants(replayed(room))
        for room in ROOMS:
            was_told = expected(tmp_path, room)
            assert len(was_told) > 5
            assert (await ingestor.over(replayed(room)))[: len(was_told)] == was_told


# --- recordings made by hand ------------------------------------------------------------------------------------------


def frame(*messages: tuple[str, bytes, int]) -> bytes:
    items = [webcast.Message(method=method.encode(), payload=payload, msg_id=id) for method, payload, id in messages]
    response = webcast.Response(messages=items, cursor=f"c{messages[-1][2]}".encode()).SerializeToString()
    return webcast.PushFrame(payload_type=b"msg", payload=response).SerializeToString()


def chat(content: str, id: int, *, room: int = TIKTOK) -> tuple[str, bytes, int]:
    common = tiktok.Common(msg_id=id, room_id=room)
    return "WebcastChatMessage", tiktok.ChatMessage(common=common, content=content.encode()).SerializeToString(), id


def press(units: int, id: int) -> tuple[str, bytes, int]:
    gift = tiktok.Gift(id=5655, name=b"Rose", combo=True, type=1, diamond_count=1)
    message = tiktok.GiftMessage(
        common=tiktok.Common(msg_id=id, room_id=TIKTOK), gift_id=5655, gift=gift, repeat_count=units, group_id=1,
        group_count=1, user=tiktok.User(id=7),
    )  # fmt: skip
    return "WebcastGiftMessage", message.SerializeToString(), id


def opening(at_s: float = 0, *, position: str = "", room_id: str = str(TIKTOK), title: str = "Morning") -> Record:
    opened = Opened(live=LiveRoom(title=title), room_id=room_id, position=position, overlapped=False)
    return Record.opened(T0 + int(at_s * 1000), opened)


def at(at_s: float, *messages: tuple[str, bytes, int]) -> Record:
    return Record.frame(T0 + int(at_s * 1000), frame(*messages))


def write(path: Path, records: Sequence[Record], *, platform: str = "tiktok") -> None:
    header = Header(platform=platform, room=str(TIKTOK), started_at=T0)
    path.write_bytes(member(header.line() + b"".join(record.packed() for record in records)))


def shown(events: Sequence[bytes]) -> list[tuple[str, int]]:
    """What was told, in order, with its time in ms since the start."""
    told = []
    for event in map(json.loads, events):
        texts = {
            "chat": event.get("content"),
            "gift": f"gift {event.get('total')}{' final' * bool(event.get('final'))}",
        }
        told.append((texts.get(event["type"]) or event["type"], event.get("time", T0) - T0))
    return told


async def played(folder: Path, room: RoomKey = ROOM, speed: float = FAST) -> list[tuple[str, int]]:
    async with ingesting({"replay_dir": str(folder), "replay_speed": speed}) as ingestor:
        await ingestor.wants(room)
        return shown(await ingestor.over(room))


async def test_all_times_are_those_of_the_recording(tmp_path: Path) -> None:
    """A streak that nobody ends is over 10 s after its last press, whenever that is played."""
    write(tmp_path / "a.rec", [opening(), at(1, press(1, 1)), at(2, press(3, 2)), at(14, chat("later", 3))])
    assert await played(tmp_path) == [
        ("live_status", 0), ("gift 1", 1000), ("gift 3", 2000), ("gift 3 final", 12_000), ("later", 14_000),
        ("ended", 14_000),
    ]  # fmt: skip


async def test_a_second_connection_is_made_again_and_what_it_may_have_missed_is_told(tmp_path: Path) -> None:
    write(
        tmp_path / "a.rec",
        [
            opening(),
            at(1, chat("one", 1)),
            opening(2),
            opening(3, position="c1", title="Evening"),
            at(4, chat("one", 1), chat("two", 2)),
            opening(5, position="c2", title="Evening"),
            at(6, chat("three", 3)),
        ],
    )
    assert await played(tmp_path) == [
        ("live_status", 0), ("one", 1000), ("room_update", 3000), ("two", 4000), ("gap", 0), ("three", 6000),
        ("ended", 6000),
    ]  # fmt: skip


async def test_a_connection_that_says_nothing_of_use_is_passed_over(tmp_path: Path) -> None:
    """Five times as many as there are attempts. Nothing in it shows whether something was missed."""
    leave = Record.frame(T0, webcast.PushFrame(payload_type=b"close").SerializeToString())
    nothing = Record.frame(T0, webcast.PushFrame(payload_type=b"hb").SerializeToString())
    write(tmp_path / "a.rec", [*[opening(), nothing, nothing] * 15, opening(), leave, opening(), at(1, chat("one", 1))])
    assert await played(tmp_path) == [("live_status", 0), ("gap", 0), ("one", 1000), ("ended", 1000)]


async def test_a_recording_that_is_over_can_be_played_again(tmp_path: Path) -> None:
    write(tmp_path / "a.rec", [opening(), at(1, chat("one", 1)), at(2, chat("two", 2))])
    settings = {"replay_dir": str(tmp_path), "replay_speed": FAST}
    async with ingesting(settings, offline_ttl_s=0.1) as ingestor:
        for times in (1, 2):
            await ingestor.has(ROOM, 4 * (times - 1))
            await ingestor.wants(ROOM)
            await ingestor.has(ROOM, 4 * times)
        events = await ingestor.events(ROOM)
    assert [name for name, _ in shown(events)] == ["live_status", "one", "two", "ended"] * 2
    assert not any(b'"history"' in event for event in events)


@pytest.mark.parametrize("name", ["missing.rec", "folder", "text.rec", "empty.rec", "foreign.rec", "nothing.rec"])
async def test_what_cannot_be_played_is_a_room_that_is_not_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.rec").write_text("hello")
    (tmp_path / "empty.rec").write_bytes(b"")
    write(tmp_path / "foreign.rec", [opening(), at(1, chat("one", 1))], platform="elsewhere")
    write(tmp_path / "nothing.rec", [])
    room = RoomKey("replay", name)
    async with ingesting({"replay_dir": str(tmp_path)}) as ingestor:
        await ingestor.wants(room)
        await ingestor.over(room, Phase.NOT_LIVE)
        phase = (await ingestor.broker.state(room)).phase
    assert phase is not None
    assert phase.code == "not_found"


# --- the connector by itself ------------------------------------------------------------------------------------------


def connector(folder: Path | str, speed: float = FAST) -> ReplayConnector:
    return ReplayConnector(ReplaySettings(replay_dir=str(folder), replay_speed=speed), CONNECTORS)


async def heard(
    replay: ReplayConnector, position: str = "", seen: SeenIds | None = None, room: RoomKey = ROOM
) -> tuple[list[str], list[str]]:
    """The ids of the messages of one connection, and the position behind each."""
    live = await replay.check_live(room)
    upstream = await replay.connect(room, live, position, SeenIds() if seen is None else seen)
    ids, positions = [], []
    async with running(upstream, silence_s=10) as arrivals:
        with pytest.raises((UpstreamLeft, RoomOffline)):
            async for _, messages in arrivals:
                ids += [message.id for message in messages]
                positions += [upstream.protocol.position] * len(messages)
    return ids, positions


async def test_messages_that_came_with_the_opening_are_told_first_and_once(tmp_path: Path) -> None:
    method, payload, _ = chat("old", 1)
    first = Record.message(T0, Message(method, payload, "1", history=True))
    write(tmp_path / "a.rec", [opening(), first, at(1, chat("old", 1), chat("new", 2))])
    assert (await heard(connector(tmp_path)))[0] == ["1", "2"]


async def test_another_holder_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    write(tmp_path / "a.rec", [opening(), *(at(number, chat("x", number)) for number in range(1, 6))])
    ids, positions = await heard(connector(tmp_path))
    assert (ids, positions[1]) == (["1", "2", "3", "4", "5"], "3 c2")
    assert (await heard(connector(tmp_path), positions[1]))[0] == ["3", "4", "5"]


async def test_where_nothing_is_left_it_begins_anew_whatever_was_told(tmp_path: Path) -> None:
    write(tmp_path / "a.rec", [opening(), at(1, chat("x", 1)), at(2, chat("x", 2))])
    seen = SeenIds()
    _, positions = await heard(connector(tmp_path), seen=seen)
    assert (await heard(connector(tmp_path), positions[-1], seen))[0] == ["1", "2"]


@pytest.mark.parametrize("position", ["x", "-1 c", "1e3 c", "9" * 30, " "])
async def test_a_place_that_is_none_is_the_beginning(tmp_path: Path, position: str) -> None:
    write(tmp_path / "a.rec", [opening(), at(1, chat("x", 1))])
    assert (await heard(connector(tmp_path), position))[0] == ["1"]


async def test_a_recording_that_is_torn_is_played_to_there(tmp_path: Path) -> None:
    write(tmp_path / "a.rec", [opening(), at(1, chat("x", 1))])
    with (tmp_path / "a.rec").open("ab") as stream:
        stream.write(member(at(2, chat("x", 2)).packed())[:-4])
    assert (await heard(connector(tmp_path)))[0][:1] == ["1"]


async def test_a_room_id_that_the_platform_cannot_have_is_an_error_of_the_upstream(tmp_path: Path) -> None:
    write(tmp_path / "a.rec", [opening(room_id="9" * 20), at(1, chat("x", 1))])
    replay = connector(tmp_path)
    with pytest.raises(UpstreamUnavailable):
        await replay.connect(ROOM, await replay.check_live(ROOM), "", SeenIds())


async def test_the_decoder_is_that_of_what_was_recorded(tmp_path: Path) -> None:
    write(tmp_path / "a.rec", [opening(), at(1, chat("x", 1))])
    replay = connector(tmp_path)
    decoder = replay.decoder(ROOM)
    method, payload, _ = chat("hello", 1)
    message = Message(method, payload, "1", history=False)
    assert decoder.decode(message, T0) == []  # nothing is connected yet
    await replay.check_live(ROOM)
    assert decoder.decode(message, T0) == TikTokDecoder(ROOM).decode(message, T0)


@pytest.mark.parametrize("gifts", [True, False])
async def test_the_decoder_knows_whether_the_recorded_session_was_told_gifts(tmp_path: Path, gifts: bool) -> None:
    opened = Opened(live=LiveRoom(gifts=gifts), room_id="", position="", overlapped=False)
    write(tmp_path / "a.rec", [Record.opened(T0, opened)], platform="douyin")
    replay = connector(tmp_path)
    decoder = replay.decoder(ROOM)
    await replay.check_live(ROOM)
    paused = douyin.ControlMessage(common=douyin.Common(msg_id=1), action=1).SerializeToString()
    (event,) = decoder.decode(Message("WebcastControlMessage", paused, "1", history=False), T0)
    assert isinstance(event, LiveStatus)
    assert event.live_status.gifts is gifts


@pytest.mark.parametrize("name", ["..", ".", ".hidden", "../a.rec", "a/b", "a\\b", "/etc/passwd", "a\0", "", "a" * 65])
def test_only_names_within_the_folder_are_rooms(name: str) -> None:
    with pytest.raises(BadRoom):
        parse_room(name, "replay")


@pytest.mark.parametrize("name", ["..", ".hidden", "@a"])
async def test_a_key_that_was_not_parsed_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    for file in (tmp_path / ".hidden", tmp_path / "@a"):
        write(file, [opening(), at(1, chat("x", 1))])
    with pytest.raises(RoomNotFound):
        await connector(tmp_path).check_live(RoomKey("replay", name))


async def test_without_a_folder_there_are_no_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.rec", [opening(), at(1, chat("x", 1))])
    with pytest.raises(RoomNotFound):
        await connector("").check_live(ROOM)


async def test_frames_come_at_their_distances_and_long_pauses_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[float] = []

    async def sleep(pause_s: float) -> None:
        paused.append(pause_s)

    monkeypatch.setattr(playback, "sleep", sleep)
    monkeypatch.setattr(playback, "monotonic", lambda: 50.0 + sum(paused))
    write(tmp_path / "a.rec", [opening(), at(1, chat("x", 1)), at(3, chat("x", 2)), at(9000, chat("x", 3))])
    await heard(connector(tmp_path, speed=4.0))
    assert paused == pytest.approx([0.25, 0.5, PAUSE_MAX_S])


async def test_the_next_connection_goes_on_in_the_file_that_is_open(tmp_path: Path) -> None:
    """Else a recording of many connections would be read from its beginning for each of them."""
    write(
        tmp_path / "a.rec",
        [opening(), at(1, chat("x", 1)), opening(2), at(3, chat("x", 2)), opening(4), at(5, chat("x", 3))],
    )
    replay = connector(tmp_path)
    assert (await heard(replay))[0] == ["1"]
    (tmp_path / "a.rec").unlink()
    assert (await heard(replay))[0] == ["2"]
    await replay.aclose()
    with pytest.raises(RoomNotFound):
        await heard(replay)


async def test_of_many_rooms_few_files_stay_open(tmp_path: Path) -> None:
    replay, rooms = connector(tmp_path), [RoomKey("replay", f"{number}.rec") for number in range(LEFT_MAX + 1)]
    for room in rooms:
        write(tmp_path / room.room, [opening(), at(1, chat("x", 1)), opening(2), at(3, chat("x", 2))])
        assert (await heard(replay, room=room))[0] == ["1"]
        (tmp_path / room.room).unlink()
    with pytest.raises(RoomNotFound):
        await heard(replay, room=rooms[0])
    assert (await heard(replay, room=rooms[1]))[0] == ["2"]
    await replay.aclose()


async def test_a_file_that_nobody_waits_for_any_more_is_closed(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()
    streams: list[IO[Any]] = []

    class Slow(type(tmp_path)):  # type: ignore[misc]
        def open(self, *args: Any, **kwargs: Any) -> IO[Any]:
            streams.append(super().open(*args, **kwargs))
            begun.set()
            go_on.wait(15)
            return streams[0]

    write(tmp_path / "a.rec", [opening()])
    waiting = asyncio.create_task(Reel.open(Slow(tmp_path / "a.rec"), 0))
    await asyncio.to_thread(begun.wait, 15)
    waiting.cancel()
    await asyncio.wait({waiting})
    go_on.set()
    async with asyncio.timeout(15):
        while not streams[0].closed:
            await asyncio.sleep(0.005)


# --- plug-ins ---------------------------------------------------------------------------------------------------------


async def test_replayed_rooms_pass_through_plug_ins_too(tmp_path: Path) -> None:
    said = ["hello", "darn", "https://spam.example", "bye"]
    write(tmp_path / "a.rec", [opening(), *(at(number, chat(text, number)) for number, text in enumerate(said, 1))])
    settings = {"replay_dir": str(tmp_path), "replay_speed": FAST}
    async with ingesting(settings, plugins=("example.plugins.house_rules",)) as ingestor:
        await ingestor.wants(ROOM)
        told = shown(await ingestor.over(ROOM))
    assert [name for name, _ in told] == ["live_status", "hello", "****", "bye", "ended"]
