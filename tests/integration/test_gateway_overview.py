"""What operators are told of rooms and of the cluster."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from gateway.headcount import Headcount
from shared.broker import Published
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.demand import Demand
from shared.events import encode
from shared.keys import GATEWAYS, INGESTORS, ROOMS, RoomKeys, clients_of, load_of
from shared.phases import Phase
from shared.room import RoomKey
from tests.conftest import RedisServer
from tests.events import ANA, chat, like
from tests.gateways import Gateway, running_gateway
from tests.holder import Holder, HolderClient
from tests.topologies import ClusterTopology

ROOM = "7300000000000000001"
KEY = f"tiktok:{ROOM}"
NAME = "tiktok:@ana"


@pytest.fixture
async def gateway(redis_url: str) -> AsyncIterator[Gateway]:
    async with running_gateway(redis_url, gateway_name="gw-1") as gateway:
        yield gateway


async def test_rooms_of_the_cluster_are_listed(gateway: Gateway, cluster: HolderClient) -> None:
    async with gateway.join(ROOM) as client:
        holder = cluster.holder(KEY)
        await holder.wanted()
        await holder.go_live()
        cursor = await holder.chat("one")
        await client.until(content="one")
        answer = (await gateway.get("/rooms")).json()
    assert answer["total"] == 1
    room = answer["rooms"][0]
    assert room.pop("since") > 1_700_000_000_000
    assert room == {
        "platform": "tiktok",
        "room": ROOM,
        "clients": 1,
        "clients_here": 1,
        "phase": "connected",
        "holder": "holder",
        "cursor": str(cursor),
    }


async def test_a_room_is_shown_with_all_that_is_known_of_it(gateway: Gateway, cluster: HolderClient) -> None:
    async with gateway.join(ROOM) as client:
        holder = cluster.holder(KEY)
        await holder.wanted()
        await holder.go_live()
        await holder.tell(Phase.RECONNECTING, code="upstream_lost", detail="reset", attempt=1)
        told = await holder.broker.set_phase(
            holder.lease,
            await holder.tell(Phase.CONNECTED),
            {"title": "Morning", "owner": msgspec.json.encode(ANA), "viewer_count": "12", "gifts": "1"},
        )
        assert told
        last = await say(holder, 3)
        await client.until(type="like")
        room = (await gateway.get(f"/rooms/tiktok/{ROOM}")).json()
    error = room.pop("last_error")
    assert room["since"] >= error.pop("at") > 1_700_000_000_000
    assert error == {"phase": "reconnecting", "code": "upstream_lost", "detail": "reset"}
    assert 0 < room.pop("wanted_ms") <= 300_000
    of_ten_seconds, of_a_minute = room.pop("rates")
    assert of_ten_seconds["seconds"] == 10
    assert of_a_minute == {"seconds": 60, "events_per_s": 0.07, "by_type": {"chat": 0.05, "like": 0.02}}
    assert room.pop("since")
    epoch = holder.lease.epoch
    assert room == {
        "platform": "tiktok",
        "room": ROOM,
        "clients": 1,
        "clients_here": 1,
        "phase": "connected",
        "holder": "holder",
        "epoch": epoch,
        "title": "Morning",
        "owner": msgspec.to_builtins(ANA),
        "viewers": 12,
        "gifts": True,
        "log": {"length": 5, "first": f"{epoch}-0", "last": str(last)},
    }


async def say(holder: Holder, chats: int) -> Cursor:
    """Publish so many chats, and a like, that came in just now."""
    events = [*(chat(holder.room, str(n)) for n in range(chats)), like(holder.room, 1)]
    entries = [
        ("chat" if n < chats else "like", now_ms(), encode(event, Cursor(holder.lease.epoch, n + 1)))
        for n, event in enumerate(events)
    ]
    answer = await holder.broker.publish(holder.lease, 1, entries, state={}, min_id=None)
    assert isinstance(answer, Published)
    return answer.last


@pytest.mark.parametrize("called", ["@ana", "Ana", "https%3A%2F%2Fwww.tiktok.com%2F@ana%2Flive"])
async def test_a_name_is_shown_with_the_room_it_points_to(gateway: Gateway, cluster: HolderClient, called: str) -> None:
    name, holder = cluster.holder(NAME), cluster.holder(KEY)
    await holder.go_live()
    await name.acquire()
    await name.point_to(ROOM)
    async with gateway.join("@ana") as client:
        await client.until(status="connected")
        answer = (await gateway.get(f"/rooms/tiktok/{called}")).json()
    assert (answer["room"], answer["phase"], answer["clients"]) == ("@ana", "target", 1)
    target = answer["target"]
    assert (target["room"], target["phase"], target["clients"]) == (ROOM, "connected", 1)
    assert "rates" not in answer
    assert "rates" in target


async def test_a_room_that_rests_says_why_and_until_when(gateway: Gateway, cluster: HolderClient) -> None:
    holder = cluster.holder(KEY)
    await holder.acquire()
    await holder.rest(Phase.FAILED, "blocked")
    room = (await gateway.get(f"/rooms/tiktok/{ROOM}")).json()
    assert (room["phase"], room["code"], room["wanted_ms"]) == ("failed", "blocked", 0)
    assert room["retry_at"] > room["since"]
    assert room["last_error"]["code"] == "blocked"
    assert "holder" not in room


async def test_a_room_nobody_asks_for_is_not_found(gateway: Gateway) -> None:
    answer = await gateway.get(f"/rooms/tiktok/{ROOM}")
    assert (answer.status_code, answer.json()) == (404, {"status": "nobody asks for this room"})


@pytest.mark.parametrize("path", ["tiktok/a%20b", "tiktok/%00", "nowhere/1", "tiktok/", f"tiktok/{'1' * 600}"])
async def test_what_is_no_room_is_refused(gateway: Gateway, path: str) -> None:
    answer = await gateway.get(f"/rooms/{path}")
    assert answer.status_code == 400
    assert answer.json()["status"] == "bad room"
    assert "a b" not in answer.text


async def test_state_of_another_version_is_shown_as_far_as_it_can_be_read(
    gateway: Gateway, cluster: HolderClient
) -> None:
    keys = RoomKeys.of(RoomKey.parse(KEY))
    await cluster.redis.commands.hset(
        keys.state, mapping={"phase": "dancing", "owner": "{", "title": "T", "last_error": "[]"}
    )
    await cluster.redis.commands.set(keys.lease, "of another kind")
    room = (await gateway.get(f"/rooms/tiktok/{ROOM}")).json()
    assert room == {"platform": "tiktok", "room": ROOM, "clients": 0, "clients_here": 0, "title": "T", "wanted_ms": 0}


WRONG_LOG = {"fields": {"t": "chat"}, "id": f"{2**60}-1"}
FOREIGN = {
    "state of another type": lambda keys, redis: redis.set(keys.state, "1"),
    "lease of another type": lambda keys, redis: redis.hset(keys.lease, "1", "1"),
    "log of another type": lambda keys, redis: redis.set(keys.log, "1"),
    "log with ids too large": lambda keys, redis: redis.xadd(keys.log, **WRONG_LOG),
}


@pytest.mark.parametrize("what", FOREIGN)
async def test_a_key_of_somebody_else_spoils_one_room_only(gateway: Gateway, cluster: HolderClient, what: str) -> None:
    demand, commands = Demand(cluster.redis, idle_timeout_s=60), cluster.redis.commands
    spoilt, whole = RoomKey.parse(KEY), RoomKey("tiktok", "7300000000000000002")
    await FOREIGN[what](RoomKeys.of(spoilt), commands)
    for room in (spoilt, whole):
        await demand.announce(room)
    answer = (await gateway.get("/rooms")).json()
    rooms = {room["room"]: room for room in answer["rooms"]}
    assert answer["total"] == 2
    assert rooms[ROOM]["clients"] == 0
    assert rooms[ROOM]["fault"].startswith(f"rc:{{{KEY}}}:")
    assert "fault" not in rooms[whole.room]
    alone = await gateway.get(f"/rooms/tiktok/{ROOM}")
    assert (alone.status_code, alone.json()["fault"]) == (200, rooms[ROOM]["fault"])
    assert (await gateway.get("/cluster")).status_code == 200


async def test_members_whose_keys_are_of_another_type_hide_no_others(gateway: Gateway, cluster: HolderClient) -> None:
    demand, commands = Demand(cluster.redis, idle_timeout_s=60), cluster.redis.commands
    for kind in (GATEWAYS, INGESTORS):
        await commands.zadd(kind, {"odd": now_ms()})
    for key in (load_of("gateway:odd"), load_of("ingestor:odd"), clients_of("odd")):
        await commands.set(key, "1", ex=20)
    await demand.heartbeat("ingestor", "in-1", {"rooms": 3, "max_rooms": 10})
    await demand.announce(RoomKey.parse(KEY))
    answer = (await gateway.get("/cluster")).json()
    assert {member["name"] for member in answer["gateways"]} == {"gw-1", "odd"}
    faults = {member["name"]: member.get("fault") for member in answer["ingestors"]}
    assert faults == {"odd": "rc:load:ingestor:odd is of another type than ours", "in-1": None}
    assert (answer["clients_left"], answer["rooms_left"]) == (20_000, 7)
    assert [room["clients"] for room in (await gateway.get("/rooms")).json()["rooms"]] == [0]


async def test_an_index_of_another_type_is_told_as_such(gateway: Gateway, cluster: HolderClient) -> None:
    await cluster.redis.commands.set(ROOMS, "1")
    answer = await gateway.get("/rooms")
    assert (answer.status_code, "WRONGTYPE" in answer.json()["status"]) == (503, True)


async def test_what_is_nested_without_end_or_no_text_counts_as_unknown(gateway: Gateway, cluster: HolderClient) -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    state = {
        "owner": b'{"id":"1","x":%s}' % deep,
        "phase": b'{"phase":"connected","at":1,"x":%s}' % deep,
        "last_error": b'{"phase":"failed","at":1,"detail":"\xff"}',
    }
    await cluster.redis.commands.hset(RoomKeys.of(RoomKey.parse(KEY)).state, mapping=state | {"title": "T"})
    room = (await gateway.get(f"/rooms/tiktok/{ROOM}")).json()
    assert room == {"platform": "tiktok", "room": ROOM, "clients": 0, "clients_here": 0, "title": "T", "wanted_ms": 0}


async def test_clients_of_a_room_are_counted_wherever_they_are(gateway: Gateway, cluster: HolderClient) -> None:
    demand, room = Demand(cluster.redis, idle_timeout_s=60), RoomKey.parse(KEY)
    for name, clients in (("gw-2", 40), ("gw-3", 1)):
        await demand.heartbeat("gateway", name, {"clients": clients})
        await Headcount(cluster.redis, name).tell({room: clients})
    await Headcount(cluster.redis, "gone").tell({room: 1_000})  # its heartbeat is missing
    async with gateway.join(ROOM) as client:
        await client.next()
        for found in (
            (await gateway.get(f"/rooms/tiktok/{ROOM}")).json(),
            (await gateway.get("/rooms")).json()["rooms"][0],
        ):
            assert (found["clients"], found["clients_here"]) == (42, 1)


async def test_the_cluster_is_shown_with_its_members_and_what_is_left(gateway: Gateway, cluster: HolderClient) -> None:
    demand = Demand(cluster.redis, idle_timeout_s=60)
    await demand.heartbeat("ingestor", "in-1", {"rooms": 3, "max_rooms": 10, "version": "9.9", "mood": "good"})
    await demand.heartbeat("ingestor", "in-2", {"rooms": "some"})  # of a version that tells nothing we know
    await cluster.redis.commands.hset(load_of("ingestor:in-2"), mapping={b"\xff": b"\xff"})
    await demand.heartbeat("gateway", "gw-2", {"clients": 7, "clients_max": 10, "draining": 1})
    await demand.announce(RoomKey("tiktok", "7300000000000000009"))
    await demand.announce(RoomKey.parse(NAME))
    held = cluster.holder(KEY)
    await held.acquire()
    await demand.announce(held.room)
    answer = (await gateway.get("/cluster")).json()
    gateways = {member["name"]: member for member in answer.pop("gateways")}
    ingestors = {member["name"]: member for member in answer.pop("ingestors")}
    assert answer == {
        "clients": 7,
        "clients_left": 20_000,  # who drains has no place left
        "rooms_wanted": 2,
        "rooms_held": 3,
        "rooms_unowned": 1,
        "rooms_left": 7,
    }
    assert gateways.keys() == {"gw-1", "gw-2"}
    ours = gateways["gw-1"]
    assert (ours["clients"], ours["clients_max"], ours["rooms"], ours["draining"]) == (0, 20_000, 0, 0)
    assert ours["age_s"] >= 0
    assert ours["started"] > 1_700_000_000_000
    assert ours["version"]
    assert ingestors["in-1"].items() >= {"rooms": 3, "max_rooms": 10, "version": "9.9", "mood": "good"}.items()
    assert ingestors["in-2"]["rooms"] == "some"


@pytest.mark.parametrize("path", ["/rooms", f"/rooms/tiktok/{ROOM}", "/cluster"])
async def test_without_redis_nothing_is_known(own_redis: RedisServer, path: str) -> None:
    async with running_gateway(own_redis.url) as gateway:
        own_redis.stop()
        answer = await gateway.get(path)
    assert (answer.status_code, answer.json()) == (503, {"status": "redis is away"})


async def test_all_of_it_is_told_from_a_redis_of_several_masters(tmp_path: Path) -> None:
    topology = ClusterTopology(tmp_path / "redis")
    try:
        async with (
            HolderClient(topology.url) as cluster,
            running_gateway(topology.url) as gateway,
            gateway.join(ROOM) as client,
            gateway.join("7300000000000000002") as other,
        ):
            holder = cluster.holder(KEY)
            await holder.wanted()
            await cluster.holder("tiktok:7300000000000000002").wanted()
            await holder.go_live()
            await holder.chat("one")
            await client.until(content="one")
            await other.next()
            for name in ("gw-2", "gw-3", "gw-4"):
                await holder.demand.heartbeat("gateway", name, {"clients": 5})
                await Headcount(cluster.redis, name).tell({holder.room: 5})
            assert {room["clients"] for room in (await gateway.get("/rooms")).json()["rooms"]} == {16, 1}
            room = (await gateway.get(f"/rooms/tiktok/{ROOM}")).json()
            assert (room["phase"], room["clients"], room["log"]["length"]) == ("connected", 16, 2)
            answer = (await gateway.get("/cluster")).json()
            assert (len(answer["gateways"]), answer["rooms_wanted"], answer["rooms_unowned"]) == (4, 2, 1)
    finally:
        topology.stop()
