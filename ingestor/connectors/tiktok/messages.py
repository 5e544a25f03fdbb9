"""TikTok's messages by name, and what becomes of each: an event, or `raw`. Nothing here performs I/O.

Whatever bytes come, a message makes one valid event that fits into a log entry, and nothing is raised.
"""

import base64
import functools
import logging
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, NoneType
from typing import Any, Final

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as ProtobufMessage
from msgspec import UNSET

from ingestor.connectors.base import Message
from ingestor.connectors.sanitize import decimal
from ingestor.connectors.tiktok import audience, notices, stage
from ingestor.connectors.tiktok.header import Head, head_of
from protos import tiktok_pb2 as pb
from shared import metrics
from shared.events import ENTRY_MAX_BYTES, RAW_PAYLOAD_MAX_BYTES, Event, Raw, encode
from shared.room import RoomKey

logger = logging.getLogger(__name__)

DECODED_MAX_BYTES: Final = 256 * 1024
"""Of a payload that is looked into; captured ones stay below 50 KB. Two bytes on the wire can cost 100 in memory."""

WEIGHED_FROM_BYTES: Final = 4 * 1024
"""Of a payload from which on its event is measured. In JSON a byte becomes 6 at most, lists have their ceilings: the
event of a smaller payload is far below the size of a log entry."""

METHOD_MAX_CHARS: Final = 128  # the longest known method has 40

_LONGEST_CURSOR: Final = f"{2**53 - 1}-{2**53 - 1}"


@dataclass(frozen=True, slots=True)
class Decode:
    """How one kind of message is read.

    Attributes:
        schema: of its payload; has a `common`.
        event: makes the event; None means that the message has none of its own, and is passed on as `raw`.
    """

    schema: type[ProtobufMessage]
    event: Callable[[Any, Head], Event | None]

    @property
    def types(self) -> tuple[str, ...]:
        """The types of event it can make, as its signature says."""
        made = typing.get_type_hints(self.event)["return"]
        return tuple(str(cls.__struct_config__.tag) for cls in typing.get_args(made) or (made,) if cls is not NoneType)


DECODERS: Final[Mapping[str, Decode]] = MappingProxyType(
    {
        "RoomMessage": Decode(pb.RoomMessage, notices.room_message),  # the welcome; its inner name is SystemMessage
        "WebcastBarrageMessage": Decode(pb.BarrageMessage, notices.barrage),
        "WebcastBottomMessage": Decode(pb.BottomMessage, notices.bottom),
        "WebcastCaptionMessage": Decode(pb.CaptionMessage, stage.caption),
        "WebcastChatMessage": Decode(pb.ChatMessage, audience.chat),
        "WebcastControlMessage": Decode(pb.ControlMessage, stage.control),
        "WebcastEmoteChatMessage": Decode(pb.EmoteChatMessage, audience.emote),
        "WebcastEnvelopeMessage": Decode(pb.EnvelopeMessage, stage.envelope),
        "WebcastGiftBroadcastMessage": Decode(pb.GiftBroadcastMessage, notices.gift_broadcast),
        "WebcastGiftMessage": Decode(pb.GiftMessage, audience.gift),
        "WebcastGoalUpdateMessage": Decode(pb.GoalUpdateMessage, stage.goal),
        "WebcastHourlyRankRewardMessage": Decode(pb.HourlyRankRewardMessage, stage.rank_reward),
        "WebcastImDeleteMessage": Decode(pb.ImDeleteMessage, stage.delete),
        "WebcastLikeMessage": Decode(pb.LikeMessage, audience.like),
        "WebcastLinkMicArmies": Decode(pb.LinkMicArmies, stage.battle_scores),
        "WebcastLinkMicBattle": Decode(pb.LinkMicBattle, stage.battle),
        "WebcastLinkMicBattleItemCard": Decode(pb.LinkMicBattleItemCard, stage.battle_item),
        "WebcastLinkMicBattlePunishFinish": Decode(pb.LinkMicBattlePunishFinish, stage.battle_punish_finish),
        "WebcastLiveIntroMessage": Decode(pb.LiveIntroMessage, stage.intro),
        "WebcastMemberMessage": Decode(pb.MemberMessage, audience.member),
        "WebcastNoticeMessage": Decode(pb.NoticeMessage, notices.platform_notice),
        "WebcastOecLiveShoppingMessage": Decode(pb.OecLiveShoppingMessage, stage.shopping),
        "WebcastPollMessage": Decode(pb.PollMessage, stage.poll),
        "WebcastQuestionDeleteMessage": Decode(pb.QuestionDeleteMessage, audience.question_removed),
        "WebcastQuestionNewMessage": Decode(pb.QuestionNewMessage, audience.question),
        "WebcastQuestionSelectedMessage": Decode(pb.QuestionSelectedMessage, audience.question_selected),
        "WebcastQuestionSlideDownMessage": Decode(pb.QuestionSlideDownMessage, audience.question_removed),
        "WebcastQuestionSwitchMessage": Decode(pb.QuestionSwitchMessage, audience.question_switch),
        "WebcastRankTextMessage": Decode(pb.RankTextMessage, stage.rank_text),
        "WebcastRankUpdateMessage": Decode(pb.RankUpdateMessage, stage.rank_update),
        "WebcastRoomMessage": Decode(pb.RoomMessage, notices.room_message),
        "WebcastRoomNotifyMessage": Decode(pb.RoomNotifyMessage, notices.notify),
        "WebcastRoomPinMessage": Decode(pb.RoomPinMessage, stage.pin),
        "WebcastRoomUserSeqMessage": Decode(pb.RoomUserSeqMessage, audience.room_stats),
        "WebcastSocialMessage": Decode(pb.SocialMessage, audience.social),
        "WebcastSubNotifyMessage": Decode(pb.SubNotifyMessage, audience.subscription),
        "WebcastSystemMessage": Decode(pb.SystemMessage, notices.system_message),
        "WebcastToastMessage": Decode(pb.ToastMessage, notices.toast),
        "WebcastUnauthorizedMemberMessage": Decode(pb.UnauthorizedMemberMessage, audience.anonymous_member),
    }
)

RAW_METHODS: Final = frozenset(
    """
    LinkMicMethod WebcastAccessControlMessage WebcastAccessRecallMessage WebcastAISummaryMessage
    WebcastAnchorToolModificationMessage WebcastBALeadGenMessage WebcastBoostCardMessage WebcastCapsuleMessage
    WebcastCommentTrayMessage WebcastDonationStickerModifyMethod WebcastEnvelopePortalMessage
    WebcastGameRankNotifyMessage WebcastGameServerFeatureMessage WebcastGiftCollectionUpdateMessage
    WebcastGiftDynamicRestrictionMessage WebcastGiftPanelUpdateMessage WebcastGiftPromptMessage WebcastGoodyBagMessage
    WebcastGuideMessage WebcastHashtagMessage WebcastHourlyRankMessage WebcastInRoomBannerMessage
    WebcastInRoomBannerRefreshMessage WebcastLinkLayerMessage WebcastLinkMessage WebcastLinkMicAnchorGuideMessage
    WebcastLinkMicFanTicketMethod WebcastLinkMicLayoutStateMessage WebcastLinkMicMethod WebcastLinkScreenChangeMessage
    WebcastLinkStateMessage WebcastLinkmicBattleNoticeMessage WebcastLinkmicBattleTaskMessage
    WebcastLiveGameIntroMessage WebcastMarqueeAnnouncementMessage WebcastMsgDetectMessage
    WebcastPaidContentLiveShoppingMessage WebcastPartnershipCardChangeMessage WebcastPartnershipDownloadCountMessage
    WebcastPartnershipDropsUpdateMessage WebcastPartnershipGameOfflineMessage WebcastPartnershipPunishMessage
    WebcastPerceptionMessage WebcastPictionaryEndMessage WebcastPictionaryExitMessage WebcastPictionaryStartMessage
    WebcastPictionaryUpdateMessage WebcastPrivilegeAdvanceMessage WebcastRoomStickerMessage WebcastRoomVerifyMessage
    WebcastSpeakerMessage WebcastSubPinEventMessage WebcastSubTimerStickerMessage WebcastSubWaveMessage
    WebcastSubscriptionGuideMessage WebcastUpdateShareRevenueNoticeMessage WebcastViewerPicksUpdateMessage
    WebcastWeeklyRankRewardMessage
    """.split()
)
"""Known, and without an event of their own."""


def message_table() -> dict[str, tuple[str, ...]]:
    """Every known method with the types of event it can make."""
    table = {method: decode.types for method, decode in DECODERS.items()}
    return dict(sorted((table | dict.fromkeys(RAW_METHODS, ("raw",))).items()))


def room_of(message: Message) -> str:
    """The room that a message says it is from, "" when it does not tell."""
    common = _header_of(message.payload)
    return decimal(common.room_id) if common else ""


class TikTokDecoder:
    """Decodes the messages of one room; `Decoder` in `base.py` says what that means."""

    def __init__(self, room: RoomKey) -> None:
        """Create it for a canonical room, which on this platform is a number."""
        self._room = room

    def decode(self, message: Message, received_ms: int) -> list[Event]:
        """The event of a message."""
        decode = DECODERS.get(message.method)
        if decode is None:
            if message.method not in RAW_METHODS:
                metrics.MESSAGES_UNKNOWN.inc()
                _tell_unknown(message.method[:METHOD_MAX_CHARS])
            return [self._raw(message, received_ms)]
        try:
            if len(message.payload) > DECODED_MAX_BYTES:
                raise _Undecodable("too large to be decoded")
            return [self._event(decode, message, received_ms) or self._raw(message, received_ms)]
        except _Undecodable as error:
            metrics.MESSAGES_UNDECODABLE.inc()
            return [self._raw(message, received_ms, str(error))]

    def _event(self, decode: Decode, message: Message, received_ms: int) -> Event | None:
        try:
            content: Any = decode.schema.FromString(message.payload)
        except DecodeError:
            raise _Undecodable("not of the method's schema") from None
        # Rooms that broadcast together could tell each other's news. The web player drops what names another room
        # (2026), and no recorded session has any: it is passed on, labelled by its own header, but is no event of ours.
        if str(content.common.room_id) not in (self._room.room, "0"):
            return None
        event = decode.event(content, head_of(self._room, message, content.common, received_ms))
        if (
            event is not None
            and len(message.payload) > WEIGHED_FROM_BYTES
            and len(encode(event, _LONGEST_CURSOR)) > ENTRY_MAX_BYTES
        ):
            raise _Undecodable("its event would be too large")
        return event

    def _raw(self, message: Message, received_ms: int, decode_error: str = "") -> Raw:
        head = head_of(self._room, message, _header_of(message.payload), received_ms)
        return Raw(
            **head,
            method=message.method[:METHOD_MAX_CHARS],
            payload=base64.b64encode(message.payload[:RAW_PAYLOAD_MAX_BYTES]).decode(),
            truncated=len(message.payload) > RAW_PAYLOAD_MAX_BYTES or UNSET,
            decode_error=decode_error or UNSET,
        )


class _Undecodable(ValueError):
    """A message that was expected to make an event and cannot."""


@functools.lru_cache(maxsize=1000)
def _tell_unknown(method: str) -> None:
    logger.info("unknown message method=%r", method)


def _header_of(payload: bytes) -> pb.Header | None:
    """The common header of any message; of a broken one too, when it came first and is whole."""
    try:
        message = pb.AnyMessage.FromString(payload)
    except DecodeError:
        return _leading_header(payload)
    return message.common if message.HasField("common") else None


def _leading_header(payload: bytes) -> pb.Header | None:
    if payload[:1] != b"\x0a":  # field 1, with a length
        return None
    length = shift = 0
    for position, byte in enumerate(payload[1:4], start=2):  # headers stay far below 2 MiB
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            try:
                return pb.Header.FromString(payload[position : position + length])
            except DecodeError:
                return None
    return None
