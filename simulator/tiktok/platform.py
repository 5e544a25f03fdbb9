"""TikTok in the simulator: its hosts, how its rooms are numbered, and how it writes a place in a room. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Final

from protos.webcast_pb2 import Message
from simulator.people import Crowd
from simulator.platform import Cursors, HostProfile
from simulator.scenario import Scenario
from simulator.source import ControlAction, MessageIds, Sent, Source
from simulator.tiktok.content import CATALOGUE
from simulator.tiktok.people import make_host, make_person
from simulator.tiktok.programme import PROGRAMME
from simulator.tiktok.writer import TikTokWriter, control_message

FIRST_ID: Final = 7300000000000000000
GENERATED_FROM: Final = FIRST_ID + 10_000
NEXT_BROADCAST: Final = 1_000  # added to a room id for the host's next broadcast

HOSTS: Final[Mapping[str, HostProfile]] = MappingProxyType(
    {
        "demo": HostProfile("Night kitchen: ramen, music, your questions", number=1, viewers=1800),
        "quiet": HostProfile("Slow morning, tea and sketching", number=2, pace=0.025, viewers=14),
        "ending": HostProfile("Just a minute!", number=3, viewers=240, comes_and_goes=True),
        "offline": HostProfile("See you on Friday", number=400, live=False),
        "restricted": HostProfile("After dark", number=401, viewers=320, restricted=True),
    }
)


class TikTok:
    """The platform, as the world sees it."""

    name = "tiktok"
    hosts = HOSTS
    player = ("payloads", HostProfile("Recorded payloads", number=900, viewers=100))
    catalogue = CATALOGUE

    def __init__(self) -> None:
        self.cursors: Cursors = TikTokCursors()

    def generated(self, number: int) -> tuple[str, HostProfile]:
        """@room0, @room1 ..."""
        profile = HostProfile(f"Room {number}", number=GENERATED_FROM - FIRST_ID + number, viewers=50 + number % 500)
        return f"room{number}", profile

    def number_of(self, name: str) -> int | None:
        """Which generated host has this name."""
        number = name.removeprefix("room")
        if name.startswith("room") and number.isdecimal() and str(int(number)) == number:
            return int(number)
        return None

    def number_of_room(self, room_id: int) -> int | None:
        """Which generated host's first room has this id."""
        return room_id - GENERATED_FROM

    def room_id(self, profile: HostProfile, *, previous: int, now_ms: int, random: Random) -> int:
        """A number that does not depend on the time: tests and demos can rely on it."""
        return previous + NEXT_BROADCAST if previous else FIRST_ID + profile.number

    def scenario(
        self, room_id: int, name: str, profile: HostProfile, random: Random, *, rate: float, pictures: str
    ) -> Source:
        """What happens in a room."""
        ids = MessageIds(random)
        return Scenario(
            room_id,
            make_host(name),
            profile.title,
            Crowd(random, make_person),
            TikTokWriter(room_id, random, ids, pictures),
            PROGRAMME,
            random,
            ids,
            rate=rate,
            viewers=profile.viewers,
        )

    def control(self, action: ControlAction, room_id: int, msg_id: int, now_ms: int) -> Message:
        """A control message."""
        return control_message(action, room_id, msg_id, now_ms)

    def in_order(self, messages: Iterable[Message]) -> list[Message]:
        """As it happened."""
        return list(messages)

    def is_replayed(self, message: Message) -> bool:
        """The last chats are told again."""
        return message.method == b"WebcastChatMessage"


class TikTokCursors:
    """Five numbers between underscores, as the platform writes them. What its own mean is not known; ours are room and
    place.
    """

    def write(self, room_id: int, serial: int, msg_id: int, now_ms: int) -> str:
        """The place behind a message."""
        return f"{now_ms}_{room_id}_1_1_{serial}_0"

    def read(self, cursor: str, room_id: int, backlog: Sequence[Sent]) -> int | None:
        """The serial of the last message before the place."""
        parts = cursor.split("_")
        if len(parts) == 6 and parts[1] == str(room_id) and parts[4].isdecimal():
            return int(parts[4])
        return None
