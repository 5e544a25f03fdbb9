"""What broadcasts and short links of Douyin lead to."""

import pytest

from shared.errors import RoomNotFound
from shared.room import RoomKey
from tests.douyin import REFLOW, ROOM, ROOM_ID, Make, redirect
from tests.scripted_server import ScriptedServer, as_json


async def test_a_broadcast_leads_to_its_room(server: ScriptedServer, make: Make) -> None:
    server.answers[REFLOW] = [as_json({"data": {"room": {"id_str": ROOM_ID, "owner": {"web_rid": ROOM.room}}}})]
    assert await make().resolve(RoomKey("douyin", f"room.{ROOM_ID}")) == ROOM
    assert server.asked[-1].query["room_id"] == ROOM_ID


async def test_a_short_link_is_followed_hop_by_hop(server: ScriptedServer, make: Make) -> None:
    server.answers["/_short/iRNBho6u/"] = [redirect("/_short/further")]
    server.answers["/_short/further"] = [redirect(f"{server.url}/{ROOM.room}?from=share")]
    assert await make().resolve(RoomKey("douyin", "link.iRNBho6u")) == ROOM


async def test_a_short_link_to_a_broadcast_is_looked_up(server: ScriptedServer, make: Make) -> None:
    server.answers["/_short/abc/"] = [redirect(f"{server.url}/douyin/webcast/reflow/{ROOM_ID}?x=1")]
    server.answers[REFLOW] = [as_json({"status_code": 0, "data": {"room": {"owner": {"web_rid": ROOM.room}}}})]
    assert await make().resolve(RoomKey("douyin", "link.abc")) == ROOM


@pytest.mark.parametrize(
    "location", ["https://evil.example/728804746624", "/_short/abc/", "https://live.douyin.com/a/b", ""]
)
async def test_a_link_that_leads_elsewhere_or_in_circles_is_no_room(
    server: ScriptedServer, make: Make, location: str
) -> None:
    server.answers["/_short/abc/"] = [redirect(location)]
    with pytest.raises(RoomNotFound):
        await make().resolve(RoomKey("douyin", "link.abc"))
    assert len(server.asked) <= 6
