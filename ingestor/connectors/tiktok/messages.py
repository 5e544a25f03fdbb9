"""TikTok's messages by name, and what becomes of each: an event, or `raw`. Nothing here performs I/O."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ingestor.connectors.decoder import Decode, MessageTable, WebcastDecoder
from ingestor.connectors.tiktok import audience, notices, stage
from protos import tiktok_pb2 as pb
from shared.room import RoomKey

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


TABLE: Final = MessageTable(DECODERS, RAW_METHODS)


class TikTokDecoder(WebcastDecoder):
    """Decodes the messages of one room."""

    def __init__(self, room: RoomKey, *, gifts: bool = True) -> None:
        """Create it for a canonical room; every session is told gifts."""
        super().__init__(room, TABLE)
