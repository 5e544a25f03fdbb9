"""Events that are ready to be added to a log."""

from msgspec import UNSET

from shared.events import Chat, Like, Member, User
from shared.room import RoomKey

ANA = User(id="1", unique_id="ana", nickname="Ana", avatar="", roles=[], badges=[])


def chat(room: RoomKey, text: str, *, message_id: str = "", time: int = 1) -> Chat:
    """Ana says something."""
    return Chat(
        platform=room.platform, room=room.room, id=message_id or UNSET, time=time, user=ANA, content=text,
        emotes=[], mentions=[],
    )  # fmt: skip


def like(room: RoomKey, total: int) -> Like:
    """Ana likes the room."""
    return Like(platform=room.platform, room=room.room, time=1, user=ANA, like_count=1, total_like_count=total)


def member(room: RoomKey) -> Member:
    """Ana comes in."""
    return Member(platform=room.platform, room=room.room, time=1, user=ANA, member_count=3, action="enter", action_id=1)
