"""Real messages of TikTok rooms, with the values that another decoder found in them.

Captures hold real persons and are not part of the repository: they lie beside it, or these tests are skipped.
"""

import json
import os
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ingestor.connectors.base import Message, SeenIds
from ingestor.connectors.tiktok.frames import dialect
from ingestor.connectors.tiktok.messages import TABLE, TikTokDecoder
from ingestor.connectors.webcast import WebcastProtocol
from shared import events
from shared.room import RoomKey

CAPTURES = Path(__file__).parents[4] / "shared" / "captures" / "tiktok"
RECEIVED_MS = 1_765_432_111_123
YEAR_2020_MS = 1_577_836_800_000

if not CAPTURES.exists() and os.environ.get("REQUIRE_CAPTURES") != "1":
    pytest.skip("no captures beside the repository", allow_module_level=True)

MANIFEST = json.loads((CAPTURES / "MANIFEST.json").read_text("utf8"))
Field = Callable[[dict[str, Any]], object]


def at(path: str) -> Field:
    """The value at a dotted path of an event's JSON; numbers are places in lists."""

    def value(frame: Any) -> object:
        for step in path.split("."):
            frame = frame[int(step)] if isinstance(frame, list) else frame[step]
        return frame

    return value


def size(path: str) -> Field:
    def value(frame: Any) -> object:
        found = at(path)(frame)
        assert isinstance(found, list)
        return len(found)

    return value


def absent(frame: object) -> object:
    """Of fields that events do not carry, on purpose."""
    return NotImplemented


USER = {f"user.{name}": at(f"user.{name}") for name in ("id", "unique_id", "nickname", "sec_uid")}
ENVELOPE_STATES = {"shown": 1, "hidden": 2}
CONTROL_ACTIONS = {"paused": 1, "live": 2, "ended": 3}
BATTLE_ACTIONS = {"started": 4, "finished": 5}
RANK_TYPES = {"weekly": 1, "daily": 8}
POLL_TYPES = {"votes": 2}

# Method -> the manifest's name of a field -> where the event has it. All names of the manifest are here.
FIELDS: Mapping[str, Mapping[str, Field]] = {
    "RoomMessage": {"content": at("notice.text"), "is_welcome": lambda frame: frame["notice"]["kind"] == "welcome"},
    "WebcastBarrageMessage": {
        "msg_type": absent,
        "duration": absent,
        "content.key": at("notice.key"),
        **{f"userGradeParam.{name}": field for name, field in USER.items()},
    },
    "WebcastBottomMessage": {},
    # The field's name says ms, its value seconds; events have ms only.
    "WebcastCaptionMessage": {
        "timestamp_ms": lambda frame: str(frame["caption"]["start_at"] // 1000),
        "duration_ms": lambda frame: str(frame["caption"]["duration_ms"]),
    },
    "WebcastChatMessage": {
        "content": at("content"),
        "content_language": at("lang"),
        "len(emotes)": size("emotes"),
        **USER,
    },
    "WebcastControlMessage": {
        "action": lambda frame: (
            3 if frame["type"] == "ended" else {"paused": 1, "live": 2}[frame["live_status"]["state"]]
        )
    },
    "WebcastEmoteChatMessage": {
        "emote_list.0.emote_id": at("emote.emotes.0.id"),
        "len(emote_list)": size("emote.emotes"),
        **USER,
    },
    "WebcastEnvelopeMessage": {
        "display": lambda frame: ENVELOPE_STATES[frame["envelope"]["state"]],
        "envelope_info.envelope_id": at("envelope.id"),
        "envelope_info.business_type": lambda frame: {"user": 1}[frame["envelope"]["kind"]],
        "envelope_info.diamond_count": at("envelope.diamonds"),
        "envelope_info.people_count": at("envelope.people"),
        "envelope_info.send_user_name": at("user.unique_id"),
        "envelope_info.send_user_id": at("user.id"),
    },
    "WebcastGiftBroadcastMessage": {},
    "WebcastGiftMessage": {
        "gift_id": at("gift_id"),
        "group_id": at("group_id"),
        "repeat_count": at("repeat_count"),
        "combo_count": at("combo_count"),
        "group_count": at("group_count"),
        "repeat_end": at("repeat_end"),
        "gift.id": at("gift.id"),
        "gift.name": at("gift.name"),
        "gift.type": at("gift.type"),
        "gift.combo": at("gift.combo"),
        "gift.diamond_count": at("gift.diamond_count"),
        "fan_ticket_count": absent,
        "describe": absent,  # of the header; the event's is the gift's own
        **USER,
    },
    "WebcastGoalUpdateMessage": {
        "goal.id": at("goal.id"),
        "goal.type": absent,
        "goal.status": at("goal.state"),
        "goal.description": at("goal.description"),
        "goal.sub_goals.0.progress": lambda frame: str(frame["goal"]["parts"][0]["progress"]),
        "goal.sub_goals.0.target": lambda frame: str(frame["goal"]["parts"][0]["target"]),
        "goal.sub_goals.0.gift.name": at("goal.parts.0.gift_name"),
    },
    "WebcastHourlyRankRewardMessage": {},
    "WebcastImDeleteMessage": {"delete_user_ids": at("delete.user_ids")},
    "WebcastLikeMessage": {
        "count": at("like_count"),
        "total": lambda frame: str(frame["total_like_count"]),
        **USER,
    },
    "WebcastLinkMicArmies": {
        "battle_id": at("battle.id"),
        "channel_id": absent,
        "trigger_reason": absent,
        "len(armies)": size("battle.sides"),
    },
    "WebcastLinkMicBattle": {
        "battle_id": at("battle.id"),
        "action": lambda frame: BATTLE_ACTIONS[frame["battle"]["state"]],
        "battle_settings.duration": lambda frame: frame["battle"]["duration_ms"] // 1000,
        "battle_settings.channel_id": absent,
        "battle_settings.status": absent,
        "len(anchors_info)": size("battle.sides"),
    },
    "WebcastLinkMicBattleItemCard": {},
    "WebcastLinkMicBattlePunishFinish": {},
    "WebcastLiveIntroMessage": {
        "id": absent,
        "content": at("intro.text"),
        "content_language": at("intro.lang"),
        **USER,
    },
    "WebcastMemberMessage": {
        "member_count": at("member_count"),
        "action": at("action_id"),
        "client_enter_source": absent,
        "display_text.key": absent,
        **USER,
    },
    "WebcastOecLiveShoppingMessage": {
        "action_type": lambda frame: {"popped": 1}[frame["shopping"]["state"]],
        "pop_product.title": at("shopping.product.title"),
        "pop_product.price": at("shopping.product.price"),
        "pop_product.product_id": at("shopping.product.id"),
    },
    "WebcastPollMessage": {
        "message_type": lambda frame: str(POLL_TYPES[frame["poll"]["state"]]),
        "poll_id": at("poll.id"),
    },
    "WebcastQuestionNewMessage": {
        "question_id": at("question.id"),
        "content": at("question.text"),
        "create_time": absent,
        **{f"data.{name}": field for name, field in USER.items()},
    },
    "WebcastRankTextMessage": {
        "scene": lambda frame: {"audience": 1}[frame["rank"]["kind"]],
        "owner_idx_before_update": absent,
        "owner_idx_after_update": lambda frame: str(frame["rank"]["top"][0]["rank"]),
        "cur_user_id": at("rank.top.0.user.id"),
    },
    "WebcastRankUpdateMessage": {
        "updates.0.rank_type": lambda frame: RANK_TYPES[frame["rank"]["kind"]],
        "group_type": absent,
        "len(updates)": absent,  # the first is told
    },
    # A blank content means that the text comes as pattern and pieces.
    "WebcastRoomMessage": {
        "content": absent,
        "scene": lambda frame: {"fans_club": "user_join_fans"}[frame["type"]],
        "display_text.key": lambda frame: frame["notice"]["key"] if frame["type"] == "notice" else NotImplemented,
    },
    "WebcastRoomNotifyMessage": {},
    "WebcastRoomPinMessage": {
        "method": lambda frame: (
            "WebcastChatMessage"
            if frame["pin"]["state"] == "unpinned"  # where nothing is left of it but its id
            else {"gift": "WebcastGiftMessage", "chat": "WebcastChatMessage"}[frame["pin"]["event"]["type"]]
        ),
        "pin_time": absent,
        "action": lambda frame: {"pinned": 1, "unpinned": 2}[frame["pin"]["state"]],
        "pinned_gift.gift_id": at("pin.event.gift_id"),
        "pinned_chat.content": at("pin.event.content"),
    },
    "WebcastRoomUserSeqMessage": {
        "total": lambda frame: str(frame["viewer_count"]),
        "total_user": lambda frame: str(frame["total_user"]),
        "len(ranks)": size("top"),
        "ranks.0.rank": lambda frame: str(frame["top"][0]["rank"]),
        "ranks.0.score": lambda frame: str(frame["top"][0]["score"]),
        **{f"ranks.0.{name}": at(f"top.0.{name}") for name in USER},
    },
    "WebcastSocialMessage": {
        "action": lambda frame: {"follow": "1", "share": "3"}[frame["action"]],
        "share_type": absent,
        "share_target": lambda frame: frame["target"] if frame["type"] == "share" else NotImplemented,
        "follow_count": lambda frame: str(frame["follow_count"]),
        "share_count": at("share_count"),
        "display_text.key": absent,
        **USER,
    },
    "WebcastSubNotifyMessage": {
        "sub_month": lambda frame: str(frame["subscribe"]["months"]),
        "subscribing_status": lambda frame: {"new": 1}[frame["subscribe"]["kind"]],
        **USER,
    },
    "WebcastUnauthorizedMemberMessage": {
        "action": at("action_id"),
        "nick_name": lambda frame: frame["user"]["nickname"].removeprefix("Viewer"),
    },
}


def decode(method: str, payload: bytes, room: str) -> dict[str, Any]:
    message = Message(method, payload, "", history=False)
    (event,) = TikTokDecoder(RoomKey("tiktok", room)).decode(message, RECEIVED_MS)
    frame: dict[str, Any] = json.loads(events.encode(event, "0-1"))
    return frame


def leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    """The manifest's fields by dotted names; lists are leaves."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    else:
        yield path, value


def check(method: str, payload: bytes, expected: Mapping[str, Any]) -> str:
    """Compare an event with what the manifest says; returns its type."""
    common = expected.get("common", {})
    frame = decode(method, payload, common.get("room_id", "1"))
    assert frame["platform"] == "tiktok"
    assert frame.get("id") == common.get("msg_id")
    assert frame["room"] == common.get("room_id", "1")
    created = int(common.get("create_time", RECEIVED_MS))
    assert frame["time"] in (created, created * 1000)  # some lines of the platform itself have seconds
    assert frame["time"] > YEAR_2020_MS
    if frame["type"] == "raw":
        assert frame["method"] == method
        assert b64decode(frame["payload"]) == payload[: events.RAW_PAYLOAD_MAX_BYTES]
        assert "decode_error" not in frame
    else:
        for name, value in leaves(expected.get("fields", {}), ""):
            found = FIELDS.get(method, {})[name](frame)
            assert found is NotImplemented or found == value, name
    return str(frame["type"])


@pytest.mark.parametrize("file", MANIFEST["files"], ids=lambda file: file["method"])
def test_every_captured_payload_gives_the_expected_values(file: dict[str, Any]) -> None:
    lines = [json.loads(line) for line in (CAPTURES / file["file"]).read_text("utf8").splitlines()]
    assert len(lines) == file["count"] == len(file["expected"])
    types = set()
    for line, expected in zip(lines, file["expected"], strict=True):
        assert line["id"] == expected["id"]
        types.add(check(line["method"], b64decode(line["payload_b64"]), expected))
    assert types <= set(TABLE.types()[file["method"]])


@pytest.mark.parametrize("single", MANIFEST["singles"], ids=lambda single: Path(single["file"]).stem)
def test_every_single_payload_gives_the_expected_values(single: dict[str, Any]) -> None:
    check(single["method"], (CAPTURES / single["file"]).read_bytes(), single["expected"])


def test_the_table_names_every_captured_method_and_the_checks_every_decoded_one() -> None:
    methods = {entry["method"] for entry in (*MANIFEST["files"], *MANIFEST["singles"])}
    assert methods <= TABLE.types().keys()
    with_fields = {
        file["method"] for file in MANIFEST["files"] if any(expected.get("fields") for expected in file["expected"])
    }
    assert methods & with_fields & TABLE.decoders.keys() <= FIELDS.keys()


@pytest.mark.parametrize("stream", MANIFEST["frame_streams"], ids=lambda stream: stream["host"])
def test_a_captured_stream_of_frames_decodes_whole(stream: dict[str, Any]) -> None:
    data, messages = (CAPTURES / stream["file"]).read_bytes(), []
    protocol = WebcastProtocol(dialect("7309128470994258694"), seen=SeenIds())
    while data:
        end = 4 + int.from_bytes(data[:4], "little")
        messages += protocol.receive_frame(data[4:end])
        data = data[end:]
    expected = [(method, identity) for frame in stream["expected_frames"] for method, identity in frame["messages"]]
    assert [(message.method, message.id) for message in messages] == expected
    decoder = TikTokDecoder(RoomKey("tiktok", "7309128470994258694"))
    told = [event for message in messages for event in decoder.decode(message, RECEIVED_MS)]
    assert len(told) == stream["messages"]
    assert [event.id for event in told] == [identity for _, identity in expected]
    types = Counter(map(events.type_of, told))
    assert not [event for event in told if isinstance(event, events.Raw) and event.method in TABLE.decoders], types
