"""Douyin's messages by name, and what becomes of each: an event, or `raw`. Nothing here performs I/O."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ingestor.connectors.decoder import Decode, MessageTable, WebcastDecoder
from ingestor.connectors.douyin import audience, notices, stage
from ingestor.connectors.douyin.gift_table import GiftTable
from ingestor.connectors.douyin.memory import Memory
from protos import douyin_pb2 as pb
from shared.room import RoomKey

_BATTLES: Final[Mapping[str, Decode]] = MappingProxyType(
    {
        "LinkMicArmies": Decode(pb.LinkMicArmies, stage.battle_armies),
        "LinkMicBattle": Decode(pb.LinkMicBattle, stage.battle),
        "LinkMicBattleFinish": Decode(pb.LinkMicBattleFinish, stage.battle_finish),
    }
)

DECODERS: Final[Mapping[str, Decode]] = MappingProxyType(
    {
        # Source: captured names differ in prefix and ending; peer clients know all of them.
        **{
            f"{prefix}{name}{ending}": decode
            for name, decode in _BATTLES.items()
            for prefix in ("", "Webcast")
            for ending in ("", "Method")
        },
        "LinkMicMethod": Decode(pb.LinkMicMethod, stage.battle_scores),
        "WebcastAudioChatMessage": Decode(pb.AudioChatMessage, audience.spoken_chat),
        "WebcastChatMessage": Decode(pb.ChatMessage, audience.chat),
        "WebcastCommonTextMessage": Decode(pb.CommonTextMessage, notices.common_text),
        "WebcastControlMessage": Decode(pb.ControlMessage, stage.control),
        "WebcastEmojiChatMessage": Decode(pb.EmojiChatMessage, audience.emoji_chat),
        "WebcastEpisodeChatMessage": Decode(pb.EpisodeChatMessage, audience.spoken_chat),
        "WebcastFansclubMessage": Decode(pb.FansclubMessage, audience.fans_club),
        "WebcastGiftMessage": Decode(pb.GiftMessage, audience.gift),
        "WebcastHotChatMessage": Decode(pb.HotChatMessage, notices.hot_chat),
        "WebcastImDeleteMessage": Decode(pb.ImDeleteMessage, stage.delete),
        "WebcastLightGiftMessage": Decode(pb.LightGiftMessage, audience.light_gift),
        "WebcastLikeMessage": Decode(pb.LikeMessage, audience.like),
        "WebcastLinkMicMethod": Decode(pb.LinkMicMethod, stage.battle_scores),
        "WebcastLiveShoppingMessage": Decode(pb.LiveShoppingMessage, stage.shopping),
        "WebcastLuckyBoxEndMessage": Decode(pb.LuckyBoxEndMessage, stage.lucky_box_end),
        "WebcastLuckyBoxMessage": Decode(pb.LuckyBoxMessage, stage.lucky_box),
        "WebcastMemberMessage": Decode(pb.MemberMessage, audience.member),
        "WebcastNotifyEffectMessage": Decode(pb.NotifyEffectMessage, notices.notify_effect),
        "WebcastPrivilegeScreenChatMessage": Decode(pb.PrivilegeScreenChatMessage, audience.privilege_chat),
        "WebcastProductChangeMessage": Decode(pb.ProductChangeMessage, stage.product_change),
        "WebcastRanklistHourEntranceMessage": Decode(pb.RanklistHourEntranceMessage, stage.rank_entrance),
        "WebcastRoomMessage": Decode(pb.RoomMessage, notices.room_message),
        "WebcastRoomNotifyMessage": Decode(pb.RoomNotifyMessage, notices.notify),
        "WebcastRoomRankMessage": Decode(pb.RoomRankMessage, stage.room_rank),
        "WebcastRoomStatsMessage": Decode(pb.RoomStatsMessage, audience.shown_stats),
        "WebcastRoomUserSeqMessage": Decode(pb.RoomUserSeqMessage, audience.room_stats),
        "WebcastScreenChatMessage": Decode(pb.ScreenChatMessage, audience.screen_chat),
        "WebcastSocialMessage": Decode(pb.SocialMessage, audience.social),
        "WebcastToastMessage": Decode(pb.ToastMessage, notices.toast),
    }
)

RAW_METHODS: Final = frozenset(
    f"Webcast{name}"
    for name in """
    ActivityEmojiGroupsMessage AssetMessage BackupSEIMessage BattleEndPunishMessage BattlePowerContainerMessage
    BattleTeamTaskMessage BindingGiftMessage ChatLikeMessage CommerceMessage CommonToastMessage DataLifeLiveMessage
    DecorationModifyMethod DecorationUpdateMessage DoubleLikeTopUserMessage EcomFansClubMessage ExhibitionChatMessage
    GameCPBaseMessage GameStatusMessage GiftIconFlashMessage GiftSortMessage GiftVoteMessage GrowthTaskMessage
    HighlightComment HotRoomMessage InRoomBannerMessage InteractEffectMessage KTVChallengeRankMessage
    KTVChallengeStatusMessage KTVContestSupportMessage KTVPlayModeStartMessage KTVSingerHotRankPosMessage
    KTVStartGrabSongMessage KTVUserSingingHotMessage KtvMessage LinkMessage LinkMicAudienceKtvMessage
    LinkMicPositionMessage LinkerContributeMessage LinkmicPlaymodeMessage LinkmicProfitMessage LinkmicTeamfightMessage
    LiveEcomGeneralMessage LiveEcomMessage LotteryDrawResultEventMessage LotteryEventNewMessage LowPcuGuideMessage
    LuckyBoxRewardMessage LuckyBoxTempStatusMessage MatchAgainstScoreMessage NoticeMessage NotifyMessage PortalMessage
    PrizeNoticeMessage ProfitGameStatusMessage ProfitInteractionScoreMessage PullStreamUpdateMessage
    QuizAudienceStatusMessage ResidentGuestMessage RoomAuthMessage RoomDataSyncMessage RoomIntroMessage
    RoomStreamAdaptationMessage RoomVerifyMessage SandwichBorderMessage ShelfTradeDataMessage SunDailyRankMessage
    SyncStreamMessage TempStateAreaReachMessage TopEffectMessage UpdateFanTicketMessage
    """.split()
)
"""Known, and without an event of their own."""

TABLE: Final = MessageTable(DECODERS, RAW_METHODS)


class DouyinDecoder(WebcastDecoder):
    """Decodes the messages of one room, and remembers what later ones leave out."""

    def __init__(self, room: RoomKey, *, gifts: bool = True, table: GiftTable | None = None) -> None:
        """Create it for a canonical room.

        Args:
            room: ours.
            gifts: whether our session is told gifts.
            table: of gifts, shared by all rooms; None: one of its own.
        """
        memory = Memory(gifts=gifts, table=GiftTable() if table is None else table)
        super().__init__(room, TABLE, memory.complete)
