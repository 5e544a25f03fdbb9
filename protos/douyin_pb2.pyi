from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Common(_message.Message):
    __slots__ = ("method", "msg_id", "room_id", "create_time", "is_show_msg", "describe", "display_text", "user", "app_id")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    MSG_ID_FIELD_NUMBER: _ClassVar[int]
    ROOM_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    IS_SHOW_MSG_FIELD_NUMBER: _ClassVar[int]
    DESCRIBE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_TEXT_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    method: bytes
    msg_id: int
    room_id: int
    create_time: int
    is_show_msg: bool
    describe: bytes
    display_text: Text
    user: User
    app_id: int
    def __init__(self, method: _Optional[bytes] = ..., msg_id: _Optional[int] = ..., room_id: _Optional[int] = ..., create_time: _Optional[int] = ..., is_show_msg: _Optional[bool] = ..., describe: _Optional[bytes] = ..., display_text: _Optional[_Union[Text, _Mapping]] = ..., user: _Optional[_Union[User, _Mapping]] = ..., app_id: _Optional[int] = ...) -> None: ...

class Text(_message.Message):
    __slots__ = ("key", "default_pattern", "pieces")
    KEY_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_PATTERN_FIELD_NUMBER: _ClassVar[int]
    PIECES_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    default_pattern: bytes
    pieces: _containers.RepeatedCompositeFieldContainer[TextPiece]
    def __init__(self, key: _Optional[bytes] = ..., default_pattern: _Optional[bytes] = ..., pieces: _Optional[_Iterable[_Union[TextPiece, _Mapping]]] = ...) -> None: ...

class TextPiece(_message.Message):
    __slots__ = ("type", "string_value", "user_value", "gift_value", "pattern_ref_value", "image_value")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    STRING_VALUE_FIELD_NUMBER: _ClassVar[int]
    USER_VALUE_FIELD_NUMBER: _ClassVar[int]
    GIFT_VALUE_FIELD_NUMBER: _ClassVar[int]
    PATTERN_REF_VALUE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_VALUE_FIELD_NUMBER: _ClassVar[int]
    type: int
    string_value: bytes
    user_value: TextPieceUser
    gift_value: TextPieceGift
    pattern_ref_value: PatternRef
    image_value: TextPieceImage
    def __init__(self, type: _Optional[int] = ..., string_value: _Optional[bytes] = ..., user_value: _Optional[_Union[TextPieceUser, _Mapping]] = ..., gift_value: _Optional[_Union[TextPieceGift, _Mapping]] = ..., pattern_ref_value: _Optional[_Union[PatternRef, _Mapping]] = ..., image_value: _Optional[_Union[TextPieceImage, _Mapping]] = ...) -> None: ...

class TextPieceUser(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: User
    def __init__(self, user: _Optional[_Union[User, _Mapping]] = ...) -> None: ...

class TextPieceGift(_message.Message):
    __slots__ = ("gift_id", "name_ref")
    GIFT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_REF_FIELD_NUMBER: _ClassVar[int]
    gift_id: int
    name_ref: PatternRef
    def __init__(self, gift_id: _Optional[int] = ..., name_ref: _Optional[_Union[PatternRef, _Mapping]] = ...) -> None: ...

class PatternRef(_message.Message):
    __slots__ = ("key", "default_pattern")
    KEY_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_PATTERN_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    default_pattern: bytes
    def __init__(self, key: _Optional[bytes] = ..., default_pattern: _Optional[bytes] = ...) -> None: ...

class TextPieceImage(_message.Message):
    __slots__ = ("image",)
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    image: Image
    def __init__(self, image: _Optional[_Union[Image, _Mapping]] = ...) -> None: ...

class Image(_message.Message):
    __slots__ = ("url_list", "height", "width", "image_type", "content")
    URL_LIST_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    IMAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    url_list: _containers.RepeatedScalarFieldContainer[bytes]
    height: int
    width: int
    image_type: int
    content: ImageContent
    def __init__(self, url_list: _Optional[_Iterable[bytes]] = ..., height: _Optional[int] = ..., width: _Optional[int] = ..., image_type: _Optional[int] = ..., content: _Optional[_Union[ImageContent, _Mapping]] = ...) -> None: ...

class ImageContent(_message.Message):
    __slots__ = ("name", "level", "alternative_text")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    ALTERNATIVE_TEXT_FIELD_NUMBER: _ClassVar[int]
    name: bytes
    level: int
    alternative_text: bytes
    def __init__(self, name: _Optional[bytes] = ..., level: _Optional[int] = ..., alternative_text: _Optional[bytes] = ...) -> None: ...

class User(_message.Message):
    __slots__ = ("id", "short_id", "nickname", "avatar_thumb", "verified", "badge_image_list", "follow_info", "pay_grade", "fans_club", "user_attr", "display_id", "sec_uid", "badge_image_list_v2", "mystery_man", "web_rid", "desensitized_nickname", "is_anonymous")
    ID_FIELD_NUMBER: _ClassVar[int]
    SHORT_ID_FIELD_NUMBER: _ClassVar[int]
    NICKNAME_FIELD_NUMBER: _ClassVar[int]
    AVATAR_THUMB_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    BADGE_IMAGE_LIST_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_INFO_FIELD_NUMBER: _ClassVar[int]
    PAY_GRADE_FIELD_NUMBER: _ClassVar[int]
    FANS_CLUB_FIELD_NUMBER: _ClassVar[int]
    USER_ATTR_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_ID_FIELD_NUMBER: _ClassVar[int]
    SEC_UID_FIELD_NUMBER: _ClassVar[int]
    BADGE_IMAGE_LIST_V2_FIELD_NUMBER: _ClassVar[int]
    MYSTERY_MAN_FIELD_NUMBER: _ClassVar[int]
    WEB_RID_FIELD_NUMBER: _ClassVar[int]
    DESENSITIZED_NICKNAME_FIELD_NUMBER: _ClassVar[int]
    IS_ANONYMOUS_FIELD_NUMBER: _ClassVar[int]
    id: int
    short_id: int
    nickname: bytes
    avatar_thumb: Image
    verified: bool
    badge_image_list: _containers.RepeatedCompositeFieldContainer[Image]
    follow_info: FollowInfo
    pay_grade: PayGrade
    fans_club: FansClub
    user_attr: UserAttr
    display_id: bytes
    sec_uid: bytes
    badge_image_list_v2: _containers.RepeatedCompositeFieldContainer[Image]
    mystery_man: int
    web_rid: bytes
    desensitized_nickname: bytes
    is_anonymous: bool
    def __init__(self, id: _Optional[int] = ..., short_id: _Optional[int] = ..., nickname: _Optional[bytes] = ..., avatar_thumb: _Optional[_Union[Image, _Mapping]] = ..., verified: _Optional[bool] = ..., badge_image_list: _Optional[_Iterable[_Union[Image, _Mapping]]] = ..., follow_info: _Optional[_Union[FollowInfo, _Mapping]] = ..., pay_grade: _Optional[_Union[PayGrade, _Mapping]] = ..., fans_club: _Optional[_Union[FansClub, _Mapping]] = ..., user_attr: _Optional[_Union[UserAttr, _Mapping]] = ..., display_id: _Optional[bytes] = ..., sec_uid: _Optional[bytes] = ..., badge_image_list_v2: _Optional[_Iterable[_Union[Image, _Mapping]]] = ..., mystery_man: _Optional[int] = ..., web_rid: _Optional[bytes] = ..., desensitized_nickname: _Optional[bytes] = ..., is_anonymous: _Optional[bool] = ...) -> None: ...

class FollowInfo(_message.Message):
    __slots__ = ("following_count", "follower_count", "follow_status")
    FOLLOWING_COUNT_FIELD_NUMBER: _ClassVar[int]
    FOLLOWER_COUNT_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_STATUS_FIELD_NUMBER: _ClassVar[int]
    following_count: int
    follower_count: int
    follow_status: int
    def __init__(self, following_count: _Optional[int] = ..., follower_count: _Optional[int] = ..., follow_status: _Optional[int] = ...) -> None: ...

class PayGrade(_message.Message):
    __slots__ = ("level",)
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    level: int
    def __init__(self, level: _Optional[int] = ...) -> None: ...

class FansClub(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: FansClubData
    def __init__(self, data: _Optional[_Union[FansClubData, _Mapping]] = ...) -> None: ...

class FansClubData(_message.Message):
    __slots__ = ("club_name", "level", "user_fans_club_status")
    CLUB_NAME_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    USER_FANS_CLUB_STATUS_FIELD_NUMBER: _ClassVar[int]
    club_name: bytes
    level: int
    user_fans_club_status: int
    def __init__(self, club_name: _Optional[bytes] = ..., level: _Optional[int] = ..., user_fans_club_status: _Optional[int] = ...) -> None: ...

class UserAttr(_message.Message):
    __slots__ = ("is_admin", "is_super_admin")
    IS_ADMIN_FIELD_NUMBER: _ClassVar[int]
    IS_SUPER_ADMIN_FIELD_NUMBER: _ClassVar[int]
    is_admin: bool
    is_super_admin: bool
    def __init__(self, is_admin: _Optional[bool] = ..., is_super_admin: _Optional[bool] = ...) -> None: ...

class ChatMessage(_message.Message):
    __slots__ = ("common", "user", "content", "gift_image", "event_time", "rtf_content", "rtf_content_v2")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    GIFT_IMAGE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    RTF_CONTENT_FIELD_NUMBER: _ClassVar[int]
    RTF_CONTENT_V2_FIELD_NUMBER: _ClassVar[int]
    common: Common
    user: User
    content: bytes
    gift_image: Image
    event_time: int
    rtf_content: Text
    rtf_content_v2: Text
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., user: _Optional[_Union[User, _Mapping]] = ..., content: _Optional[bytes] = ..., gift_image: _Optional[_Union[Image, _Mapping]] = ..., event_time: _Optional[int] = ..., rtf_content: _Optional[_Union[Text, _Mapping]] = ..., rtf_content_v2: _Optional[_Union[Text, _Mapping]] = ...) -> None: ...

class EmojiChatMessage(_message.Message):
    __slots__ = ("common", "user", "emoji_id", "emoji_content", "default_content")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    EMOJI_ID_FIELD_NUMBER: _ClassVar[int]
    EMOJI_CONTENT_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_CONTENT_FIELD_NUMBER: _ClassVar[int]
    common: Common
    user: User
    emoji_id: int
    emoji_content: Text
    default_content: bytes
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., user: _Optional[_Union[User, _Mapping]] = ..., emoji_id: _Optional[int] = ..., emoji_content: _Optional[_Union[Text, _Mapping]] = ..., default_content: _Optional[bytes] = ...) -> None: ...

class ScreenChatMessage(_message.Message):
    __slots__ = ("common", "user", "screen_chat_type", "content", "event_time", "rtf_content", "rtf_content_v2")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    SCREEN_CHAT_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    RTF_CONTENT_FIELD_NUMBER: _ClassVar[int]
    RTF_CONTENT_V2_FIELD_NUMBER: _ClassVar[int]
    common: Common
    user: User
    screen_chat_type: int
    content: bytes
    event_time: int
    rtf_content: Text
    rtf_content_v2: Text
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., user: _Optional[_Union[User, _Mapping]] = ..., screen_chat_type: _Optional[int] = ..., content: _Optional[bytes] = ..., event_time: _Optional[int] = ..., rtf_content: _Optional[_Union[Text, _Mapping]] = ..., rtf_content_v2: _Optional[_Union[Text, _Mapping]] = ...) -> None: ...

class PrivilegeScreenChatMessage(_message.Message):
    __slots__ = ("common", "user", "content", "rtf_content", "rtf_content_v2")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    RTF_CONTENT_FIELD_NUMBER: _ClassVar[int]
    RTF_CONTENT_V2_FIELD_NUMBER: _ClassVar[int]
    common: Common
    user: User
    content: bytes
    rtf_content: Text
    rtf_content_v2: Text
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., user: _Optional[_Union[User, _Mapping]] = ..., content: _Optional[bytes] = ..., rtf_content: _Optional[_Union[Text, _Mapping]] = ..., rtf_content_v2: _Optional[_Union[Text, _Mapping]] = ...) -> None: ...

class AudioChatMessage(_message.Message):
    __slots__ = ("common", "user", "content", "rtf_content")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    RTF_CONTENT_FIELD_NUMBER: _ClassVar[int]
    common: Common
    user: User
    content: bytes
    rtf_content: Text
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., user: _Optional[_Union[User, _Mapping]] = ..., content: _Optional[bytes] = ..., rtf_content: _Optional[_Union[Text, _Mapping]] = ...) -> None: ...

class EpisodeChatMessage(_message.Message):
    __slots__ = ("common", "user", "content")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    common: Common
    user: User
    content: bytes
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., user: _Optional[_Union[User, _Mapping]] = ..., content: _Optional[bytes] = ...) -> None: ...

class HotChatMessage(_message.Message):
    __slots__ = ("common", "title", "content", "rtf_content")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    RTF_CONTENT_FIELD_NUMBER: _ClassVar[int]
    common: Common
    title: bytes
    content: bytes
    rtf_content: Text
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., title: _Optional[bytes] = ..., content: _Optional[bytes] = ..., rtf_content: _Optional[_Union[Text, _Mapping]] = ...) -> None: ...

class GiftMessage(_message.Message):
    __slots__ = ("common", "gift_id", "fan_ticket_count", "group_count", "repeat_count", "combo_count", "user", "to_user", "repeat_end", "group_id", "gift", "total_count", "send_time")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    GIFT_ID_FIELD_NUMBER: _ClassVar[int]
    FAN_TICKET_COUNT_FIELD_NUMBER: _ClassVar[int]
    GROUP_COUNT_FIELD_NUMBER: _ClassVar[int]
    REPEAT_COUNT_FIELD_NUMBER: _ClassVar[int]
    COMBO_COUNT_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    TO_USER_FIELD_NUMBER: _ClassVar[int]
    REPEAT_END_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    GIFT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEND_TIME_FIELD_NUMBER: _ClassVar[int]
    common: Common
    gift_id: int
    fan_ticket_count: int
    group_count: int
    repeat_count: int
    combo_count: int
    user: User
    to_user: User
    repeat_end: int
    group_id: int
    gift: Gift
    total_count: int
    send_time: int
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., gift_id: _Optional[int] = ..., fan_ticket_count: _Optional[int] = ..., group_count: _Optional[int] = ..., repeat_count: _Optional[int] = ..., combo_count: _Optional[int] = ..., user: _Optional[_Union[User, _Mapping]] = ..., to_user: _Optional[_Union[User, _Mapping]] = ..., repeat_end: _Optional[int] = ..., group_id: _Optional[int] = ..., gift: _Optional[_Union[Gift, _Mapping]] = ..., total_count: _Optional[int] = ..., send_time: _Optional[int] = ...) -> None: ...

class Gift(_message.Message):
    __slots__ = ("image", "describe", "id", "combo", "type", "diamond_count", "name", "icon")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    DESCRIBE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    COMBO_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DIAMOND_COUNT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ICON_FIELD_NUMBER: _ClassVar[int]
    image: Image
    describe: bytes
    id: int
    combo: bool
    type: int
    diamond_count: int
    name: bytes
    icon: Image
    def __init__(self, image: _Optional[_Union[Image, _Mapping]] = ..., describe: _Optional[bytes] = ..., id: _Optional[int] = ..., combo: _Optional[bool] = ..., type: _Optional[int] = ..., diamond_count: _Optional[int] = ..., name: _Optional[bytes] = ..., icon: _Optional[_Union[Image, _Mapping]] = ...) -> None: ...

class LightGiftMessage(_message.Message):
    __slots__ = ("common", "group_count", "repeat_count", "combo_count", "to_user_id", "gift_info", "count", "gift_struct")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    GROUP_COUNT_FIELD_NUMBER: _ClassVar[int]
    REPEAT_COUNT_FIELD_NUMBER: _ClassVar[int]
    COMBO_COUNT_FIELD_NUMBER: _ClassVar[int]
    TO_USER_ID_FIELD_NUMBER: _ClassVar[int]
    GIFT_INFO_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    GIFT_STRUCT_FIELD_NUMBER: _ClassVar[int]
    common: Common
    group_count: int
    repeat_count: int
    combo_count: int
    to_user_id: int
    gift_info: LightGift
    count: int
    gift_struct: Gift
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., group_count: _Optional[int] = ..., repeat_count: _Optional[int] = ..., combo_count: _Optional[int] = ..., to_user_id: _Optional[int] = ..., gift_info: _Optional[_Union[LightGift, _Mapping]] = ..., count: _Optional[int] = ..., gift_struct: _Optional[_Union[Gift, _Mapping]] = ...) -> None: ...

class LightGift(_message.Message):
    __slots__ = ("gift_id", "gift_icon", "diamond_count")
    GIFT_ID_FIELD_NUMBER: _ClassVar[int]
    GIFT_ICON_FIELD_NUMBER: _ClassVar[int]
    DIAMOND_COUNT_FIELD_NUMBER: _ClassVar[int]
    gift_id: int
    gift_icon: Image
    diamond_count: int
    def __init__(self, gift_id: _Optional[int] = ..., gift_icon: _Optional[_Union[Image, _Mapping]] = ..., diamond_count: _Optional[int] = ...) -> None: ...

class LikeMessage(_message.Message):
    __slots__ = ("common", "count", "total", "user")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    common: Common
    count: int
    total: int
    user: User
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., count: _Optional[int] = ..., total: _Optional[int] = ..., user: _Optional[_Union[User, _Mapping]] = ...) -> None: ...

class MemberMessage(_message.Message):
    __slots__ = ("common", "user", "member_count", "operator", "is_set_to_admin", "action", "user_id", "anchor_display_text")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    IS_SET_TO_ADMIN_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_DISPLAY_TEXT_FIELD_NUMBER: _ClassVar[int]
    common: Common
    user: User
    member_count: int
    operator: User
    is_set_to_admin: bool
    action: int
    user_id: int
    anchor_display_text: Text
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., user: _Optional[_Union[User, _Mapping]] = ..., member_count: _Optional[int] = ..., operator: _Optional[_Union[User, _Mapping]] = ..., is_set_to_admin: _Optional[bool] = ..., action: _Optional[int] = ..., user_id: _Optional[int] = ..., anchor_display_text: _Optional[_Union[Text, _Mapping]] = ...) -> None: ...

class SocialMessage(_message.Message):
    __slots__ = ("common", "user", "share_type", "action", "share_target", "follow_count", "share_total_count")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    SHARE_TYPE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SHARE_TARGET_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_COUNT_FIELD_NUMBER: _ClassVar[int]
    SHARE_TOTAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    common: Common
    user: User
    share_type: int
    action: int
    share_target: bytes
    follow_count: int
    share_total_count: int
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., user: _Optional[_Union[User, _Mapping]] = ..., share_type: _Optional[int] = ..., action: _Optional[int] = ..., share_target: _Optional[bytes] = ..., follow_count: _Optional[int] = ..., share_total_count: _Optional[int] = ...) -> None: ...

class FansclubMessage(_message.Message):
    __slots__ = ("common", "action", "content", "user")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    common: Common
    action: int
    content: bytes
    user: User
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., action: _Optional[int] = ..., content: _Optional[bytes] = ..., user: _Optional[_Union[User, _Mapping]] = ...) -> None: ...

class RoomUserSeqMessage(_message.Message):
    __slots__ = ("common", "ranks", "total", "total_user", "total_user_str", "total_str", "online_user_for_anchor", "total_pv_for_anchor")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    TOTAL_USER_FIELD_NUMBER: _ClassVar[int]
    TOTAL_USER_STR_FIELD_NUMBER: _ClassVar[int]
    TOTAL_STR_FIELD_NUMBER: _ClassVar[int]
    ONLINE_USER_FOR_ANCHOR_FIELD_NUMBER: _ClassVar[int]
    TOTAL_PV_FOR_ANCHOR_FIELD_NUMBER: _ClassVar[int]
    common: Common
    ranks: _containers.RepeatedCompositeFieldContainer[Contributor]
    total: int
    total_user: int
    total_user_str: bytes
    total_str: bytes
    online_user_for_anchor: bytes
    total_pv_for_anchor: bytes
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., ranks: _Optional[_Iterable[_Union[Contributor, _Mapping]]] = ..., total: _Optional[int] = ..., total_user: _Optional[int] = ..., total_user_str: _Optional[bytes] = ..., total_str: _Optional[bytes] = ..., online_user_for_anchor: _Optional[bytes] = ..., total_pv_for_anchor: _Optional[bytes] = ...) -> None: ...

class Contributor(_message.Message):
    __slots__ = ("score", "user", "rank", "is_hidden", "exactly_score")
    SCORE_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    IS_HIDDEN_FIELD_NUMBER: _ClassVar[int]
    EXACTLY_SCORE_FIELD_NUMBER: _ClassVar[int]
    score: int
    user: User
    rank: int
    is_hidden: bool
    exactly_score: bytes
    def __init__(self, score: _Optional[int] = ..., user: _Optional[_Union[User, _Mapping]] = ..., rank: _Optional[int] = ..., is_hidden: _Optional[bool] = ..., exactly_score: _Optional[bytes] = ...) -> None: ...

class RoomStatsMessage(_message.Message):
    __slots__ = ("common", "display_short", "display_middle", "display_long", "display_value", "display_version", "incremental", "is_hidden", "total", "display_type")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_SHORT_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_MIDDLE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_LONG_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_VALUE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_VERSION_FIELD_NUMBER: _ClassVar[int]
    INCREMENTAL_FIELD_NUMBER: _ClassVar[int]
    IS_HIDDEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_TYPE_FIELD_NUMBER: _ClassVar[int]
    common: Common
    display_short: bytes
    display_middle: bytes
    display_long: bytes
    display_value: int
    display_version: int
    incremental: bool
    is_hidden: bool
    total: int
    display_type: int
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., display_short: _Optional[bytes] = ..., display_middle: _Optional[bytes] = ..., display_long: _Optional[bytes] = ..., display_value: _Optional[int] = ..., display_version: _Optional[int] = ..., incremental: _Optional[bool] = ..., is_hidden: _Optional[bool] = ..., total: _Optional[int] = ..., display_type: _Optional[int] = ...) -> None: ...

class RoomRankMessage(_message.Message):
    __slots__ = ("common", "ranks")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    common: Common
    ranks: _containers.RepeatedCompositeFieldContainer[RoomRank]
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., ranks: _Optional[_Iterable[_Union[RoomRank, _Mapping]]] = ...) -> None: ...

class RoomRank(_message.Message):
    __slots__ = ("user", "score_str")
    USER_FIELD_NUMBER: _ClassVar[int]
    SCORE_STR_FIELD_NUMBER: _ClassVar[int]
    user: User
    score_str: bytes
    def __init__(self, user: _Optional[_Union[User, _Mapping]] = ..., score_str: _Optional[bytes] = ...) -> None: ...

class RanklistHourEntranceMessage(_message.Message):
    __slots__ = ("common", "info")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    common: Common
    info: RanklistHourEntrance
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., info: _Optional[_Union[RanklistHourEntrance, _Mapping]] = ...) -> None: ...

class RanklistHourEntrance(_message.Message):
    __slots__ = ("global_infos", "default_global_infos", "vertical_infos", "default_vertical_infos")
    GLOBAL_INFOS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_GLOBAL_INFOS_FIELD_NUMBER: _ClassVar[int]
    VERTICAL_INFOS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VERTICAL_INFOS_FIELD_NUMBER: _ClassVar[int]
    global_infos: _containers.RepeatedCompositeFieldContainer[RanklistInfo]
    default_global_infos: _containers.RepeatedCompositeFieldContainer[RanklistInfo]
    vertical_infos: _containers.RepeatedCompositeFieldContainer[RanklistInfo]
    default_vertical_infos: _containers.RepeatedCompositeFieldContainer[RanklistInfo]
    def __init__(self, global_infos: _Optional[_Iterable[_Union[RanklistInfo, _Mapping]]] = ..., default_global_infos: _Optional[_Iterable[_Union[RanklistInfo, _Mapping]]] = ..., vertical_infos: _Optional[_Iterable[_Union[RanklistInfo, _Mapping]]] = ..., default_vertical_infos: _Optional[_Iterable[_Union[RanklistInfo, _Mapping]]] = ...) -> None: ...

class RanklistInfo(_message.Message):
    __slots__ = ("details",)
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    details: _containers.RepeatedCompositeFieldContainer[RanklistDetail]
    def __init__(self, details: _Optional[_Iterable[_Union[RanklistDetail, _Mapping]]] = ...) -> None: ...

class RanklistDetail(_message.Message):
    __slots__ = ("pages", "ranklist_type", "title")
    PAGES_FIELD_NUMBER: _ClassVar[int]
    RANKLIST_TYPE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    pages: _containers.RepeatedCompositeFieldContainer[RanklistPage]
    ranklist_type: int
    title: bytes
    def __init__(self, pages: _Optional[_Iterable[_Union[RanklistPage, _Mapping]]] = ..., ranklist_type: _Optional[int] = ..., title: _Optional[bytes] = ...) -> None: ...

class RanklistPage(_message.Message):
    __slots__ = ("content",)
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    def __init__(self, content: _Optional[bytes] = ...) -> None: ...

class ControlMessage(_message.Message):
    __slots__ = ("common", "action", "tips", "extra")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    TIPS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    common: Common
    action: int
    tips: bytes
    extra: ControlExtra
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., action: _Optional[int] = ..., tips: _Optional[bytes] = ..., extra: _Optional[_Union[ControlExtra, _Mapping]] = ...) -> None: ...

class ControlExtra(_message.Message):
    __slots__ = ("ban_info_url", "title", "violation_reason", "content")
    BAN_INFO_URL_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    VIOLATION_REASON_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    ban_info_url: bytes
    title: bytes
    violation_reason: bytes
    content: bytes
    def __init__(self, ban_info_url: _Optional[bytes] = ..., title: _Optional[bytes] = ..., violation_reason: _Optional[bytes] = ..., content: _Optional[bytes] = ...) -> None: ...

class ImDeleteMessage(_message.Message):
    __slots__ = ("common", "delete_msg_ids")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    DELETE_MSG_IDS_FIELD_NUMBER: _ClassVar[int]
    common: Common
    delete_msg_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., delete_msg_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class RoomMessage(_message.Message):
    __slots__ = ("common", "content", "biz_scene")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    BIZ_SCENE_FIELD_NUMBER: _ClassVar[int]
    common: Common
    content: bytes
    biz_scene: bytes
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., content: _Optional[bytes] = ..., biz_scene: _Optional[bytes] = ...) -> None: ...

class RoomNotifyMessage(_message.Message):
    __slots__ = ("common", "content", "user", "biz_scene")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    BIZ_SCENE_FIELD_NUMBER: _ClassVar[int]
    common: Common
    content: bytes
    user: User
    biz_scene: bytes
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., content: _Optional[bytes] = ..., user: _Optional[_Union[User, _Mapping]] = ..., biz_scene: _Optional[bytes] = ...) -> None: ...

class ToastMessage(_message.Message):
    __slots__ = ("common", "content")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    common: Common
    content: bytes
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., content: _Optional[bytes] = ...) -> None: ...

class CommonTextMessage(_message.Message):
    __slots__ = ("common", "user", "scene")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    SCENE_FIELD_NUMBER: _ClassVar[int]
    common: Common
    user: User
    scene: bytes
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., user: _Optional[_Union[User, _Mapping]] = ..., scene: _Optional[bytes] = ...) -> None: ...

class NotifyEffectMessage(_message.Message):
    __slots__ = ("common", "icons", "text")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    ICONS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    common: Common
    icons: _containers.RepeatedCompositeFieldContainer[Image]
    text: Text
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., icons: _Optional[_Iterable[_Union[Image, _Mapping]]] = ..., text: _Optional[_Union[Text, _Mapping]] = ...) -> None: ...

class LuckyBoxMessage(_message.Message):
    __slots__ = ("common", "diamond_count", "box_id", "send_time", "delay_time", "box_type", "title", "is_official", "user", "box_status", "box_id_str")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    DIAMOND_COUNT_FIELD_NUMBER: _ClassVar[int]
    BOX_ID_FIELD_NUMBER: _ClassVar[int]
    SEND_TIME_FIELD_NUMBER: _ClassVar[int]
    DELAY_TIME_FIELD_NUMBER: _ClassVar[int]
    BOX_TYPE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    IS_OFFICIAL_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    BOX_STATUS_FIELD_NUMBER: _ClassVar[int]
    BOX_ID_STR_FIELD_NUMBER: _ClassVar[int]
    common: Common
    diamond_count: int
    box_id: int
    send_time: int
    delay_time: int
    box_type: int
    title: bytes
    is_official: bool
    user: User
    box_status: int
    box_id_str: bytes
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., diamond_count: _Optional[int] = ..., box_id: _Optional[int] = ..., send_time: _Optional[int] = ..., delay_time: _Optional[int] = ..., box_type: _Optional[int] = ..., title: _Optional[bytes] = ..., is_official: _Optional[bool] = ..., user: _Optional[_Union[User, _Mapping]] = ..., box_status: _Optional[int] = ..., box_id_str: _Optional[bytes] = ...) -> None: ...

class LuckyBoxEndMessage(_message.Message):
    __slots__ = ("common", "box_id", "box_id_str")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    BOX_ID_FIELD_NUMBER: _ClassVar[int]
    BOX_ID_STR_FIELD_NUMBER: _ClassVar[int]
    common: Common
    box_id: int
    box_id_str: bytes
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., box_id: _Optional[int] = ..., box_id_str: _Optional[bytes] = ...) -> None: ...

class LinkMicBattle(_message.Message):
    __slots__ = ("common", "battle_settings", "user_infos")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    BATTLE_SETTINGS_FIELD_NUMBER: _ClassVar[int]
    USER_INFOS_FIELD_NUMBER: _ClassVar[int]
    common: Common
    battle_settings: BattleSettings
    user_infos: _containers.RepeatedCompositeFieldContainer[BattleUserEntry]
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., battle_settings: _Optional[_Union[BattleSettings, _Mapping]] = ..., user_infos: _Optional[_Iterable[_Union[BattleUserEntry, _Mapping]]] = ...) -> None: ...

class BattleSettings(_message.Message):
    __slots__ = ("battle_id", "start_time_ms", "duration", "channel_id", "finished")
    BATTLE_ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    battle_id: int
    start_time_ms: int
    duration: int
    channel_id: int
    finished: int
    def __init__(self, battle_id: _Optional[int] = ..., start_time_ms: _Optional[int] = ..., duration: _Optional[int] = ..., channel_id: _Optional[int] = ..., finished: _Optional[int] = ...) -> None: ...

class BattleUserEntry(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: int
    value: BattleUserInfo
    def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[BattleUserInfo, _Mapping]] = ...) -> None: ...

class BattleUserInfo(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: BattleBaseUserInfo
    def __init__(self, user: _Optional[_Union[BattleBaseUserInfo, _Mapping]] = ...) -> None: ...

class BattleBaseUserInfo(_message.Message):
    __slots__ = ("user_id", "nick_name", "avatar_thumb", "display_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    AVATAR_THUMB_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    nick_name: bytes
    avatar_thumb: Image
    display_id: bytes
    def __init__(self, user_id: _Optional[int] = ..., nick_name: _Optional[bytes] = ..., avatar_thumb: _Optional[_Union[Image, _Mapping]] = ..., display_id: _Optional[bytes] = ...) -> None: ...

class LinkMicMethod(_message.Message):
    __slots__ = ("common", "message_type", "channel_id", "start_time", "duration", "user_scores", "battle_id")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    USER_SCORES_FIELD_NUMBER: _ClassVar[int]
    BATTLE_ID_FIELD_NUMBER: _ClassVar[int]
    common: Common
    message_type: int
    channel_id: int
    start_time: int
    duration: int
    user_scores: _containers.RepeatedCompositeFieldContainer[UserScore]
    battle_id: int
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., message_type: _Optional[int] = ..., channel_id: _Optional[int] = ..., start_time: _Optional[int] = ..., duration: _Optional[int] = ..., user_scores: _Optional[_Iterable[_Union[UserScore, _Mapping]]] = ..., battle_id: _Optional[int] = ...) -> None: ...

class UserScore(_message.Message):
    __slots__ = ("score", "user_id", "score_blur_text", "battle_rank")
    SCORE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_BLUR_TEXT_FIELD_NUMBER: _ClassVar[int]
    BATTLE_RANK_FIELD_NUMBER: _ClassVar[int]
    score: int
    user_id: int
    score_blur_text: bytes
    battle_rank: int
    def __init__(self, score: _Optional[int] = ..., user_id: _Optional[int] = ..., score_blur_text: _Optional[bytes] = ..., battle_rank: _Optional[int] = ...) -> None: ...

class LinkMicArmies(_message.Message):
    __slots__ = ("common", "user_armies_map")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    USER_ARMIES_MAP_FIELD_NUMBER: _ClassVar[int]
    common: Common
    user_armies_map: _containers.RepeatedCompositeFieldContainer[UserArmiesEntry]
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., user_armies_map: _Optional[_Iterable[_Union[UserArmiesEntry, _Mapping]]] = ...) -> None: ...

class UserArmiesEntry(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: int
    value: UserArmies
    def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[UserArmies, _Mapping]] = ...) -> None: ...

class UserArmies(_message.Message):
    __slots__ = ("user_armies",)
    USER_ARMIES_FIELD_NUMBER: _ClassVar[int]
    user_armies: _containers.RepeatedCompositeFieldContainer[UserArmy]
    def __init__(self, user_armies: _Optional[_Iterable[_Union[UserArmy, _Mapping]]] = ...) -> None: ...

class UserArmy(_message.Message):
    __slots__ = ("user_id", "score", "nickname", "avatar_thumb")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    NICKNAME_FIELD_NUMBER: _ClassVar[int]
    AVATAR_THUMB_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    score: int
    nickname: bytes
    avatar_thumb: Image
    def __init__(self, user_id: _Optional[int] = ..., score: _Optional[int] = ..., nickname: _Optional[bytes] = ..., avatar_thumb: _Optional[_Union[Image, _Mapping]] = ...) -> None: ...

class LinkMicBattleFinish(_message.Message):
    __slots__ = ("common", "battle_settings", "battle_armies", "battle_scores")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    BATTLE_SETTINGS_FIELD_NUMBER: _ClassVar[int]
    BATTLE_ARMIES_FIELD_NUMBER: _ClassVar[int]
    BATTLE_SCORES_FIELD_NUMBER: _ClassVar[int]
    common: Common
    battle_settings: BattleSettings
    battle_armies: _containers.RepeatedCompositeFieldContainer[BattleArmy]
    battle_scores: _containers.RepeatedCompositeFieldContainer[BattleScore]
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., battle_settings: _Optional[_Union[BattleSettings, _Mapping]] = ..., battle_armies: _Optional[_Iterable[_Union[BattleArmy, _Mapping]]] = ..., battle_scores: _Optional[_Iterable[_Union[BattleScore, _Mapping]]] = ...) -> None: ...

class BattleArmy(_message.Message):
    __slots__ = ("anchor_id", "rank_list")
    ANCHOR_ID_FIELD_NUMBER: _ClassVar[int]
    RANK_LIST_FIELD_NUMBER: _ClassVar[int]
    anchor_id: int
    rank_list: _containers.RepeatedCompositeFieldContainer[BattleSupporter]
    def __init__(self, anchor_id: _Optional[int] = ..., rank_list: _Optional[_Iterable[_Union[BattleSupporter, _Mapping]]] = ...) -> None: ...

class BattleSupporter(_message.Message):
    __slots__ = ("user_id", "nickname", "avatar_thumb", "score")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    NICKNAME_FIELD_NUMBER: _ClassVar[int]
    AVATAR_THUMB_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    nickname: bytes
    avatar_thumb: Image
    score: int
    def __init__(self, user_id: _Optional[int] = ..., nickname: _Optional[bytes] = ..., avatar_thumb: _Optional[_Union[Image, _Mapping]] = ..., score: _Optional[int] = ...) -> None: ...

class BattleScore(_message.Message):
    __slots__ = ("score", "user_id", "score_blur_text", "battle_rank")
    SCORE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_BLUR_TEXT_FIELD_NUMBER: _ClassVar[int]
    BATTLE_RANK_FIELD_NUMBER: _ClassVar[int]
    score: int
    user_id: int
    score_blur_text: bytes
    battle_rank: int
    def __init__(self, score: _Optional[int] = ..., user_id: _Optional[int] = ..., score_blur_text: _Optional[bytes] = ..., battle_rank: _Optional[int] = ...) -> None: ...

class LiveShoppingMessage(_message.Message):
    __slots__ = ("common", "msg_type", "promotion_id", "updated_product_ids", "updated_product_info", "promotions_num")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    MSG_TYPE_FIELD_NUMBER: _ClassVar[int]
    PROMOTION_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATED_PRODUCT_IDS_FIELD_NUMBER: _ClassVar[int]
    UPDATED_PRODUCT_INFO_FIELD_NUMBER: _ClassVar[int]
    PROMOTIONS_NUM_FIELD_NUMBER: _ClassVar[int]
    common: Common
    msg_type: int
    promotion_id: int
    updated_product_ids: _containers.RepeatedScalarFieldContainer[int]
    updated_product_info: UpdatedProductInfo
    promotions_num: int
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., msg_type: _Optional[int] = ..., promotion_id: _Optional[int] = ..., updated_product_ids: _Optional[_Iterable[int]] = ..., updated_product_info: _Optional[_Union[UpdatedProductInfo, _Mapping]] = ..., promotions_num: _Optional[int] = ...) -> None: ...

class UpdatedProductInfo(_message.Message):
    __slots__ = ("title", "cover")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    COVER_FIELD_NUMBER: _ClassVar[int]
    title: bytes
    cover: bytes
    def __init__(self, title: _Optional[bytes] = ..., cover: _Optional[bytes] = ...) -> None: ...

class ProductChangeMessage(_message.Message):
    __slots__ = ("common", "update_product_info", "total")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    UPDATE_PRODUCT_INFO_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    common: Common
    update_product_info: _containers.RepeatedCompositeFieldContainer[ProductInfo]
    total: int
    def __init__(self, common: _Optional[_Union[Common, _Mapping]] = ..., update_product_info: _Optional[_Iterable[_Union[ProductInfo, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class ProductInfo(_message.Message):
    __slots__ = ("promotion_id", "index")
    PROMOTION_ID_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    promotion_id: int
    index: int
    def __init__(self, promotion_id: _Optional[int] = ..., index: _Optional[int] = ...) -> None: ...
