"""What happened in a room, platform-neutral: every event a client can receive, with its JSON encoding and JSON Schema.

The structs are the contract between ingestor and gateway and the source of the event reference. Optional fields hold
UNSET when unknown and are then absent from the JSON; all others are written even when they are `0`, `false`, `""` or
`[]`. Ids are strings; counts and prices are integers below 2^53; `time`, `*_at` and `*_ms` are milliseconds.

Seed names (chat, gift, like, member, follow, share, room_stats) have their fields flat on the event. Every other type
has them in one object named after the type, so that it can never be taken for another by a client that looks at keys.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from shared.cursor import Cursor
from shared.schemas import of_written

RESERVED_KEYS: Final = frozenset(
    "status error message detail details suggestion step total_steps timestamp reconnect pong_count"
    " connection_duration".split()
)
"""Top-level keys that no event may have: clients of tkLiveWebSocket take a frame with one for something else."""

ENTRY_MAX_BYTES: Final = 64 * 1024
"""An encoded event above this is not published but counted."""

RAW_PAYLOAD_MAX_BYTES: Final = 45 * 1024
"""Of an unmapped message's payload; 60 KiB in base64, which leaves room for the rest of the entry."""

TEXT_MAX_BYTES: Final = 4 * 1024
"""A longer text of a peer is cut."""

ALWAYS_SENT: Final = frozenset({"live_status", "ended", "gap"})
"""Types that no `events=` filter takes away."""


class Badge(Struct, frozen=True, gc=False, kw_only=True):
    """A mark beside a name. `kind` says what for: moderator, subscriber, rank, payer, fans, other."""

    kind: str
    level: int | UnsetType = UNSET
    text: str | UnsetType = UNSET
    image: str | UnsetType = UNSET


class User(Struct, frozen=True, gc=False, kw_only=True):
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
    level: int | UnsetType = UNSET
    fans_level: int | UnsetType = UNSET
    fans_club: str | UnsetType = UNSET
    sec_uid: str | UnsetType = UNSET
    verified: bool | UnsetType = UNSET
    masked: bool | UnsetType = UNSET


class Event(Struct, frozen=True, gc=False, kw_only=True, tag_field="type"):
    """Common to all: the canonical room, the platform's message id, the place in the log, and when.

    `id` is absent on events made here and where the platform gave 0. `cursor` is set when the event is numbered.
    `time` is the platform's, else that of receipt. `history`: told on connecting, happened before we listened.
    """

    shed: ClassVar[int] = 0
    """Order of dropping for a slow client: 1 first, then 2, 3; 0 never."""

    platform: str
    room: str
    id: str | UnsetType = UNSET
    cursor: str | UnsetType = UNSET
    time: int
    history: bool | UnsetType = UNSET


class ChatEmote(Struct, frozen=True, gc=False, kw_only=True):
    """A picture within a chat text, at the character `index`."""

    id: str
    image: str
    index: int


class Chat(Event, frozen=True, gc=False, kw_only=True, tag="chat"):
    """A viewer said something. `highlight`: screen or privilege, a paid display."""

    user: User
    content: str
    lang: str | UnsetType = UNSET
    emotes: list[ChatEmote]
    mentions: list[User]
    highlight: str | UnsetType = UNSET
    gift_image: str | UnsetType = UNSET


class EmotePicture(Struct, frozen=True, gc=False, kw_only=True):
    """One picture sent instead of text."""

    id: str
    image: str
    text: str | UnsetType = UNSET


class EmoteDetail(Struct, frozen=True, gc=False, kw_only=True):
    """Fields of `emote`."""

    emotes: list[EmotePicture]


class Emote(Event, frozen=True, gc=False, kw_only=True, tag="emote"):
    """A viewer sent pictures instead of text."""

    shed: ClassVar[int] = 3
    user: User
    emote: EmoteDetail


class GiftInfo(Struct, frozen=True, gc=False, kw_only=True):
    """What was given. `diamond_count` is the price of one; `combo` says whether presses add up to a streak."""

    id: str
    name: str
    describe: str
    diamond_count: int
    diamondCount: int  # noqa: N815 - the Go client of tkLiveWebSocket reads this key
    type: int
    combo: bool
    image: str


class Gift(Event, frozen=True, gc=False, kw_only=True, tag="gift"):
    """A press of a gift. The sum of `delta` is the number of gifts, of `diamonds` the value.

    `repeat_count`, `combo_count`, `repeat_end` (0 or 1), `group_id` ("0" when none) and `group_count` (>= 1, units per
    press) are the platform's; `delta`, `total`, `diamonds` and `final` are computed when the event is published.
    """

    user: User
    gift: GiftInfo
    gift_id: str
    repeat_count: int
    combo_count: int
    repeat_end: int
    group_id: str
    group_count: int
    delta: int = 0
    total: int = 0
    diamonds: int = 0
    final: bool = False
    to_user: User | UnsetType = UNSET


class Like(Event, frozen=True, gc=False, kw_only=True, tag="like"):
    """Likes of one viewer: `like_count` >= 1 in this batch; `total_like_count` of the room, which never goes down."""

    shed: ClassVar[int] = 1
    user: User
    like_count: int
    total_like_count: int


class Member(Event, frozen=True, gc=False, kw_only=True, tag="member"):
    """Somebody came, went, or was muted, kicked, made admin: `action`, and the platform's number in `action_id`."""

    shed: ClassVar[int] = 1
    user: User
    member_count: int
    action: str
    action_id: int
    operator: User | UnsetType = UNSET


class Follow(Event, frozen=True, gc=False, kw_only=True, tag="follow"):
    """Somebody follows the host; `follow_count` is the number of followers after it."""

    user: User
    action: str = "follow"
    follow_count: int | UnsetType = UNSET


class Share(Event, frozen=True, gc=False, kw_only=True, tag="share"):
    """Somebody shared the room; `share_count` is the number of people who came by it."""

    shed: ClassVar[int] = 2
    user: User
    action: str = "share"
    target: str | UnsetType = UNSET
    share_count: int | UnsetType = UNSET


class SubscribeDetail(Struct, frozen=True, gc=False, kw_only=True):
    """`kind`: new, renewal, gifted, cancelled, super_fan."""

    kind: str
    months: int | UnsetType = UNSET
    gifter: User | UnsetType = UNSET


class Subscribe(Event, frozen=True, gc=False, kw_only=True, tag="subscribe"):
    """Somebody subscribed to the host."""

    user: User
    subscribe: SubscribeDetail


class FansClubDetail(Struct, frozen=True, gc=False, kw_only=True):
    """`kind`: join, level_up."""

    kind: str
    level: int | UnsetType = UNSET
    name: str | UnsetType = UNSET


class FansClub(Event, frozen=True, gc=False, kw_only=True, tag="fans_club"):
    """Somebody joined the host's fans club, or rose in it."""

    user: User
    fans_club: FansClubDetail


class QuestionDetail(Struct, frozen=True, gc=False, kw_only=True):
    """`state`: asked, selected, removed, on, off."""

    id: str
    state: str
    text: str | UnsetType = UNSET


class Question(Event, frozen=True, gc=False, kw_only=True, tag="question"):
    """A question to the host, or the question box switched on or off."""

    user: User | UnsetType = UNSET
    question: QuestionDetail


class EnvelopeDetail(Struct, frozen=True, gc=False, kw_only=True):
    """`state`: shown, hidden. `people` can open it, from `opens_at` on."""

    id: str
    state: str
    kind: str
    diamonds: int | UnsetType = UNSET
    people: int | UnsetType = UNSET
    opens_at: int | UnsetType = UNSET


class Envelope(Event, frozen=True, gc=False, kw_only=True, tag="envelope"):
    """A treasure box (Douyin: lucky box) appeared or went."""

    user: User | UnsetType = UNSET
    envelope: EnvelopeDetail


class Supporter(Struct, frozen=True, gc=False, kw_only=True):
    """Somebody who scored for one side of a battle."""

    user: User
    score: int


class BattleSide(Struct, frozen=True, gc=False, kw_only=True):
    """One host of a battle. `result`: win, lose, draw."""

    anchor: User
    score: int
    result: str | UnsetType = UNSET
    top: list[Supporter]


class BattleDetail(Struct, frozen=True, gc=False, kw_only=True):
    """`state`: invited, started, scores, finished, cancelled, punish_finished, item."""

    id: str
    state: str
    started_at: int | UnsetType = UNSET
    duration_ms: int | UnsetType = UNSET
    sides: list[BattleSide]


class Battle(Event, frozen=True, gc=False, kw_only=True, tag="battle"):
    """A match between hosts: its start, scores, end."""

    battle: BattleDetail


class GoalPart(Struct, frozen=True, gc=False, kw_only=True):
    """One thing to collect for a goal."""

    id: str
    progress: int
    target: int
    gift_name: str | UnsetType = UNSET


class GoalDetail(Struct, frozen=True, gc=False, kw_only=True):
    """`state` is the platform's number."""

    id: str
    state: int
    description: str
    parts: list[GoalPart]
    contributor: User | UnsetType = UNSET


class Goal(Event, frozen=True, gc=False, kw_only=True, tag="goal"):
    """The host's goal moved on."""

    shed: ClassVar[int] = 3
    goal: GoalDetail


class PollOption(Struct, frozen=True, gc=False, kw_only=True):
    """One answer and its votes so far."""

    index: int
    text: str
    votes: int


class PollDetail(Struct, frozen=True, gc=False, kw_only=True):
    """`state`: started, votes, ended."""

    id: str
    state: str
    title: str | UnsetType = UNSET
    options: list[PollOption]
    ends_at: int | UnsetType = UNSET


class Poll(Event, frozen=True, gc=False, kw_only=True, tag="poll"):
    """A poll of the host."""

    poll: PollDetail


class RankEntry(Struct, frozen=True, gc=False, kw_only=True):
    """A place in a ranking; `score` as the platform writes it."""

    rank: int
    score: str
    user: User


class RankDetail(Struct, frozen=True, gc=False, kw_only=True):
    """`kind` names the ranking; `own_rank` is the host's place."""

    kind: str
    own_rank: int | UnsetType = UNSET
    text: str | UnsetType = UNSET
    countdown_ms: int | UnsetType = UNSET
    top: list[RankEntry]


class Rank(Event, frozen=True, gc=False, kw_only=True, tag="rank"):
    """A ranking the host takes part in."""

    shed: ClassVar[int] = 3
    rank: RankDetail


class CaptionText(Struct, frozen=True, gc=False, kw_only=True):
    """What was said, in one language."""

    lang: str
    text: str


class CaptionDetail(Struct, frozen=True, gc=False, kw_only=True):
    """`final` false: the sentence may still change."""

    texts: list[CaptionText]
    start_at: int
    duration_ms: int
    final: bool


class Caption(Event, frozen=True, gc=False, kw_only=True, tag="caption"):
    """Subtitles of the host's speech."""

    shed: ClassVar[int] = 2
    caption: CaptionDetail


class PinDetail(Struct, frozen=True, gc=False, kw_only=True):
    """`state`: pinned, unpinned. `event` is the pinned event, without cursor."""

    state: str
    message_id: str
    duration_ms: int | UnsetType = UNSET
    operator: User | UnsetType = UNSET
    event: Chat | Gift | Like | Member | Follow | Share | UnsetType = UNSET


class Pin(Event, frozen=True, gc=False, kw_only=True, tag="pin"):
    """A message was pinned, or its pin taken off."""

    pin: PinDetail


class DeleteDetail(Struct, frozen=True, gc=False, kw_only=True):
    """Messages, and users with all their messages."""

    message_ids: list[str]
    user_ids: list[str]


class Delete(Event, frozen=True, gc=False, kw_only=True, tag="delete"):
    """Take these off the screen."""

    delete: DeleteDetail


class IntroDetail(Struct, frozen=True, gc=False, kw_only=True):
    """Fields of `intro`."""

    text: str
    lang: str | UnsetType = UNSET


class Intro(Event, frozen=True, gc=False, kw_only=True, tag="intro"):
    """The host's introduction."""

    user: User | UnsetType = UNSET
    intro: IntroDetail


class NoticeDetail(Struct, frozen=True, gc=False, kw_only=True):
    """`kind`: welcome, room, system, barrage, level_up, toast, bottom, notify."""

    kind: str
    text: str
    key: str | UnsetType = UNSET
    level: int | UnsetType = UNSET


class Notice(Event, frozen=True, gc=False, kw_only=True, tag="notice"):
    """Something the platform shows in the chat of the room."""

    shed: ClassVar[int] = 3
    user: User | UnsetType = UNSET
    notice: NoticeDetail


class Product(Struct, frozen=True, gc=False, kw_only=True):
    """Something for sale; `price` as the platform writes it."""

    id: str
    title: str
    price: str
    image: str


class ShoppingDetail(Struct, frozen=True, gc=False, kw_only=True):
    """`state`: popped, updated, removed. `products` is their number."""

    state: str
    product: Product | UnsetType = UNSET
    products: int | UnsetType = UNSET


class Shopping(Event, frozen=True, gc=False, kw_only=True, tag="shopping"):
    """The room's shop changed."""

    shed: ClassVar[int] = 3
    shopping: ShoppingDetail


class TopViewer(Struct, frozen=True, gc=False, kw_only=True):
    """One of the room's top gifters."""

    rank: int
    score: int
    user: User


class RoomStats(Event, frozen=True, gc=False, kw_only=True, tag="room_stats"):
    """Viewers now (`viewer_count`, and `total`, its old name) and since the start (`total_user`)."""

    shed: ClassVar[int] = 1
    viewer_count: int
    total: int
    total_user: int
    viewers_text: str | UnsetType = UNSET
    top: list[TopViewer]


class RoomUpdateDetail(Struct, frozen=True, gc=False, kw_only=True):
    """Only what changed."""

    title: str | UnsetType = UNSET
    cover: str | UnsetType = UNSET
    owner: User | UnsetType = UNSET


class RoomUpdate(Event, frozen=True, gc=False, kw_only=True, tag="room_update"):
    """The room's front changed."""

    room_update: RoomUpdateDetail


class LiveStatusDetail(Struct, frozen=True, gc=False, kw_only=True):
    """`state`: live, paused. `gifts` false: this session will not be told gifts."""

    state: str
    title: str | UnsetType = UNSET
    owner: User | UnsetType = UNSET
    started_at: int | UnsetType = UNSET
    gifts: bool


class LiveStatus(Event, frozen=True, gc=False, kw_only=True, tag="live_status"):
    """The broadcast runs, or is paused."""

    live_status: LiveStatusDetail


class EndedDetail(Struct, frozen=True, gc=False, kw_only=True):
    """`reason`: host, banned, unknown."""

    reason: str
    text: str | UnsetType = UNSET


class Ended(Event, frozen=True, gc=False, kw_only=True, tag="ended"):
    """The last event of a broadcast."""

    ended: EndedDetail


class Raw(Event, frozen=True, gc=False, kw_only=True, tag="raw"):
    """A message without a mapping, or one that did not decode (`decode_error`). `payload` is base64."""

    shed: ClassVar[int] = 1
    method: str
    payload: str
    truncated: bool | UnsetType = UNSET
    decode_error: str | UnsetType = UNSET


class Gap(Struct, frozen=True, gc=False, kw_only=True, tag_field="type", tag="gap"):
    """Events are missing here, and cannot be had. Told, never hidden.

    `after` is the last one sure to be delivered, `before` the first one after it. `reason`: trimmed, expired, rewound
    (events after it may come again under new cursors), or upstream: lost before the log, and then itself an entry of
    the log, with a `cursor`.
    """

    shed: ClassVar[int] = 0
    platform: str
    room: str
    cursor: str | UnsetType = UNSET
    after: str
    before: str
    reason: str


EVENT_TYPES: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {
        str(cls.__struct_config__.tag): cls
        for cls in (
            Chat, Emote, Gift, Like, Member, Follow, Share, Subscribe, FansClub, Question, Envelope, Battle, Goal,
            Poll, Rank, Caption, Pin, Delete, Intro, Notice, Shopping, RoomStats, RoomUpdate, LiveStatus, Ended, Raw,
        )
    }
)  # fmt: skip
"""Every type of event by its name on the wire."""

SHED_ORDER: Final[Mapping[str, int]] = MappingProxyType({name: cls.shed for name, cls in EVENT_TYPES.items()})
"""Type -> order of dropping for a slow client; 0 and unlisted types are never dropped."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(
    Chat | Emote | Gift | Like | Member | Follow | Share | Subscribe | FansClub | Question | Envelope | Battle | Goal
    | Poll | Rank | Caption | Pin | Delete | Intro | Notice | Shopping | RoomStats | RoomUpdate | LiveStatus | Ended
    | Raw | Gap
)  # fmt: skip


_TYPES: Final[Mapping[type[Event | Gap], str]] = {Gap: "gap"} | {cls: name for name, cls in EVENT_TYPES.items()}


def type_of(event: Event | Gap) -> str:
    """The event's name on the wire."""
    return _TYPES[type(event)]


def encode(event: Event | Gap, cursor: Cursor | str) -> bytes:
    """The event's final JSON, numbered: what is stored, published and sent to every client."""
    return _encoder.encode(msgspec.structs.replace(event, cursor=str(cursor)))


def decode(data: bytes) -> Event | Gap:
    """Read `encode`'s output back.

    Raises:
        msgspec.DecodeError: it is none, or of a type this version does not know.
    """
    event: Event | Gap = _decoder.decode(data)
    return event


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one event frame: a `oneOf` over all types."""
    types = [*EVENT_TYPES.values(), Gap]
    refs, definitions = of_written(types)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "roomcast event",
        "oneOf": refs,
        "$defs": definitions,
    }
