"""Generated from `shared/events.py` by `make docs`: every event there is, as it comes over the wire.

A newer gateway may send other types and other fields: pass over what you do not know.
"""

from typing import Literal, NotRequired, TypeAlias, TypedDict


class Badge(TypedDict):
    """A mark beside a name. `kind` says what for: moderator, subscriber, rank, payer, fans, other."""

    kind: str
    level: NotRequired[int]
    text: NotRequired[str]
    image: NotRequired[str]


class User(TypedDict):
    """A person. Only the first six are always there; unknown ones are empty.

    `unique_id` is the @handle (Douyin: the display number); `roles` of anchor, moderator, subscriber, follower, mutual,
    super_fan; `level` the payer grade; `masked` a placeholder that many viewers share: never a key.
    """

    id: str
    unique_id: str
    nickname: str
    avatar: str
    roles: list[str]
    badges: list[Badge]
    level: NotRequired[int]
    fans_level: NotRequired[int]
    fans_club: NotRequired[str]
    sec_uid: NotRequired[str]
    verified: NotRequired[bool]
    masked: NotRequired[bool]


class Common(TypedDict):
    """Common to all: the canonical room, the platform's message id, the place in the log, and when.

    `id` is absent on events made here and where the platform gave 0. `cursor` is set when the event is numbered.
    `time` is the platform's, else that of receipt. `history`: told on connecting, happened before we listened.
    """

    platform: str
    room: str
    id: NotRequired[str]
    cursor: NotRequired[str]
    time: int
    history: NotRequired[bool]


class ChatEmote(TypedDict):
    """A picture within a chat text, at the character `index`."""

    id: str
    image: str
    index: int


class Chat(Common):
    """A viewer said something. `highlight`: screen or privilege, a paid display."""

    type: Literal["chat"]
    user: User
    content: str
    lang: NotRequired[str]
    emotes: list[ChatEmote]
    mentions: list[User]
    highlight: NotRequired[str]
    gift_image: NotRequired[str]


class EmotePicture(TypedDict):
    """One picture sent instead of text."""

    id: str
    image: str
    text: NotRequired[str]


class EmoteDetail(TypedDict):
    """Fields of `emote`."""

    emotes: list[EmotePicture]


class Emote(Common):
    """A viewer sent pictures instead of text."""

    type: Literal["emote"]
    user: User
    emote: EmoteDetail


class GiftInfo(TypedDict):
    """What was given. `diamond_count` is the price of one; `combo` says whether presses add up to a streak."""

    id: str
    name: str
    describe: str
    diamond_count: int
    diamondCount: int
    type: int
    combo: bool
    image: str


class Gift(Common):
    """A press of a gift. The sum of `delta` is the number of gifts, of `diamonds` the value.

    `repeat_count`, `combo_count`, `repeat_end` (0 or 1), `group_id` ("0" when none) and `group_count` (>= 1, units per
    press) are the platform's; `delta`, `total`, `diamonds` and `final` are computed when the event is published.
    """

    type: Literal["gift"]
    user: User
    gift: GiftInfo
    gift_id: str
    repeat_count: int
    combo_count: int
    repeat_end: int
    group_id: str
    group_count: int
    delta: int
    total: int
    diamonds: int
    final: bool
    to_user: NotRequired[User]


class Like(Common):
    """Likes of one viewer: `like_count` >= 1 in this batch; `total_like_count` of the room, which never goes down."""

    type: Literal["like"]
    user: User
    like_count: int
    total_like_count: int


class Member(Common):
    """Somebody came, went, or was muted, kicked, made admin: `action`, and the platform's number in `action_id`."""

    type: Literal["member"]
    user: User
    member_count: int
    action: str
    action_id: int
    operator: NotRequired[User]


class Follow(Common):
    """Somebody follows the host; `follow_count` is the number of followers after it."""

    type: Literal["follow"]
    user: User
    action: str
    follow_count: NotRequired[int]


class Share(Common):
    """Somebody shared the room; `share_count` is the number of people who came by it."""

    type: Literal["share"]
    user: User
    action: str
    target: NotRequired[str]
    share_count: NotRequired[int]


class SubscribeDetail(TypedDict):
    """`kind`: new, renewal, gifted, cancelled, super_fan."""

    kind: str
    months: NotRequired[int]
    gifter: NotRequired[User]


class Subscribe(Common):
    """Somebody subscribed to the host."""

    type: Literal["subscribe"]
    user: User
    subscribe: SubscribeDetail


class FansClubDetail(TypedDict):
    """`kind`: join, level_up."""

    kind: str
    level: NotRequired[int]
    name: NotRequired[str]


class FansClub(Common):
    """Somebody joined the host's fans club, or rose in it."""

    type: Literal["fans_club"]
    user: User
    fans_club: FansClubDetail


class QuestionDetail(TypedDict):
    """`state`: asked, selected, removed, on, off."""

    id: str
    state: str
    text: NotRequired[str]


class Question(Common):
    """A question to the host, or the question box switched on or off."""

    type: Literal["question"]
    user: NotRequired[User]
    question: QuestionDetail


class EnvelopeDetail(TypedDict):
    """`state`: shown, hidden. `people` can open it, from `opens_at` on."""

    id: str
    state: str
    kind: str
    diamonds: NotRequired[int]
    people: NotRequired[int]
    opens_at: NotRequired[int]


class Envelope(Common):
    """A treasure box (Douyin: lucky box) appeared or went."""

    type: Literal["envelope"]
    user: NotRequired[User]
    envelope: EnvelopeDetail


class Supporter(TypedDict):
    """Somebody who scored for one side of a battle."""

    user: User
    score: int


class BattleSide(TypedDict):
    """One host of a battle. `result`: win, lose, draw."""

    anchor: User
    score: int
    result: NotRequired[str]
    top: list[Supporter]


class BattleDetail(TypedDict):
    """`state`: invited, started, scores, finished, cancelled, punish_finished, item."""

    id: str
    state: str
    started_at: NotRequired[int]
    duration_ms: NotRequired[int]
    sides: list[BattleSide]


class Battle(Common):
    """A match between hosts: its start, scores, end."""

    type: Literal["battle"]
    battle: BattleDetail


class GoalPart(TypedDict):
    """One thing to collect for a goal."""

    id: str
    progress: int
    target: int
    gift_name: NotRequired[str]


class GoalDetail(TypedDict):
    """`state` is the platform's number."""

    id: str
    state: int
    description: str
    parts: list[GoalPart]
    contributor: NotRequired[User]


class Goal(Common):
    """The host's goal moved on."""

    type: Literal["goal"]
    goal: GoalDetail


class PollOption(TypedDict):
    """One answer and its votes so far."""

    index: int
    text: str
    votes: int


class PollDetail(TypedDict):
    """`state`: started, votes, ended."""

    id: str
    state: str
    title: NotRequired[str]
    options: list[PollOption]
    ends_at: NotRequired[int]


class Poll(Common):
    """A poll of the host."""

    type: Literal["poll"]
    poll: PollDetail


class RankEntry(TypedDict):
    """A place in a ranking; `score` as the platform writes it."""

    rank: int
    score: str
    user: User


class RankDetail(TypedDict):
    """`kind` names the ranking; `own_rank` is the host's place."""

    kind: str
    own_rank: NotRequired[int]
    text: NotRequired[str]
    countdown_ms: NotRequired[int]
    top: list[RankEntry]


class Rank(Common):
    """A ranking the host takes part in."""

    type: Literal["rank"]
    rank: RankDetail


class CaptionText(TypedDict):
    """What was said, in one language."""

    lang: str
    text: str


class CaptionDetail(TypedDict):
    """`final` false: the sentence may still change."""

    texts: list[CaptionText]
    start_at: int
    duration_ms: int
    final: bool


class Caption(Common):
    """Subtitles of the host's speech."""

    type: Literal["caption"]
    caption: CaptionDetail


class PinDetail(TypedDict):
    """`state`: pinned, unpinned. `event` is the pinned event, without cursor."""

    state: str
    message_id: str
    duration_ms: NotRequired[int]
    operator: NotRequired[User]
    event: NotRequired[Chat | Gift | Like | Member | Follow | Share]


class Pin(Common):
    """A message was pinned, or its pin taken off."""

    type: Literal["pin"]
    pin: PinDetail


class DeleteDetail(TypedDict):
    """Messages, and users with all their messages."""

    message_ids: list[str]
    user_ids: list[str]


class Delete(Common):
    """Take these off the screen."""

    type: Literal["delete"]
    delete: DeleteDetail


class IntroDetail(TypedDict):
    """Fields of `intro`."""

    text: str
    lang: NotRequired[str]


class Intro(Common):
    """The host's introduction."""

    type: Literal["intro"]
    user: NotRequired[User]
    intro: IntroDetail


class NoticeDetail(TypedDict):
    """`kind`: welcome, room, system, barrage, level_up, toast, bottom, notify."""

    kind: str
    text: str
    key: NotRequired[str]
    level: NotRequired[int]


class Notice(Common):
    """Something the platform shows in the chat of the room."""

    type: Literal["notice"]
    user: NotRequired[User]
    notice: NoticeDetail


class Product(TypedDict):
    """Something for sale; `price` as the platform writes it."""

    id: str
    title: str
    price: str
    image: str


class ShoppingDetail(TypedDict):
    """`state`: popped, updated, removed. `products` is their number."""

    state: str
    product: NotRequired[Product]
    products: NotRequired[int]


class Shopping(Common):
    """The room's shop changed."""

    type: Literal["shopping"]
    shopping: ShoppingDetail


class TopViewer(TypedDict):
    """One of the room's top gifters."""

    rank: int
    score: int
    user: User


class RoomStats(Common):
    """Viewers now (`viewer_count`, and `total`, its old name) and since the start (`total_user`)."""

    type: Literal["room_stats"]
    viewer_count: int
    total: int
    total_user: int
    viewers_text: NotRequired[str]
    top: list[TopViewer]


class RoomUpdateDetail(TypedDict):
    """Only what changed."""

    title: NotRequired[str]
    cover: NotRequired[str]
    owner: NotRequired[User]


class RoomUpdate(Common):
    """The room's front changed."""

    type: Literal["room_update"]
    room_update: RoomUpdateDetail


class LiveStatusDetail(TypedDict):
    """`state`: live, paused. `gifts` false: this session will not be told gifts."""

    state: str
    title: NotRequired[str]
    owner: NotRequired[User]
    started_at: NotRequired[int]
    gifts: bool


class LiveStatus(Common):
    """The broadcast runs, or is paused."""

    type: Literal["live_status"]
    live_status: LiveStatusDetail


class EndedDetail(TypedDict):
    """`reason`: host, banned, unknown."""

    reason: str
    text: NotRequired[str]


class Ended(Common):
    """The last event of a broadcast."""

    type: Literal["ended"]
    ended: EndedDetail


class Raw(Common):
    """A message without a mapping, or one that did not decode (`decode_error`). `payload` is base64."""

    type: Literal["raw"]
    method: str
    payload: str
    truncated: NotRequired[bool]
    decode_error: NotRequired[str]


class Gap(TypedDict):
    """Events are missing here, and cannot be had. Told, never hidden.

    `after` is the last one sure to be delivered, `before` the first one after it. `reason`: trimmed, expired, rewound
    (events after it may come again under new cursors), or upstream: lost before the log, and then itself an entry of
    the log, with a `cursor`.
    """

    type: Literal["gap"]
    platform: str
    room: str
    cursor: NotRequired[str]
    after: str
    before: str
    reason: str


Event: TypeAlias = (
    Chat
    | Emote
    | Gift
    | Like
    | Member
    | Follow
    | Share
    | Subscribe
    | FansClub
    | Question
    | Envelope
    | Battle
    | Goal
    | Poll
    | Rank
    | Caption
    | Pin
    | Delete
    | Intro
    | Notice
    | Shopping
    | RoomStats
    | RoomUpdate
    | LiveStatus
    | Ended
    | Raw
    | Gap
)
"""Any of them; `event["type"]` tells which."""
