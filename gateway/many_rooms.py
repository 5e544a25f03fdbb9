"""A connection for any number of rooms, which the client names as it goes along."""

import logging
from collections.abc import Collection, Mapping
from typing import ClassVar

from msgspec import UNSET, UnsetType
from starlette.websockets import WebSocket

from gateway.admission import Admission
from gateway.close_codes import Code
from gateway.commands import (
    BadCommand,
    Close,
    Command,
    ListRooms,
    Ping,
    Subscribe,
    TooLarge,
    Unsubscribe,
    parse_command,
)
from gateway.options import Options, read_options
from gateway.protocol import (
    CommandId,
    closing_frame,
    error_frame,
    pong_frame,
    subscribed_frame,
    subscribed_room,
    subscriptions_frame,
    unsubscribed_frame,
)
from gateway.relay import Relay
from gateway.session import Session
from gateway.share import Share
from gateway.subscriber import Sink
from gateway.subscription import Subscription
from shared import metrics
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.errors import BadRoom
from shared.platforms import parse_room
from shared.room import RoomKey

logger = logging.getLogger(__name__)

KINDS: Mapping[type[Command | BadCommand | TooLarge], str] = {
    Subscribe: "subscribe",
    Unsubscribe: "unsubscribe",
    ListRooms: "list",
    Close: "close",
    Ping: "ping",
    BadCommand: "ignored",
    TooLarge: "too_large",
}
"""What each is called in metrics, where a connection for one room has some of them too."""


class ManyRooms(Session):
    """A client that subscribes to rooms, and unsubscribes. The end of one disturbs no other.

    Args:
        relay: where the rooms are.
        admission: how many of them the client may start.
        websocket: the client.
        origin: on whose account.
        defaults: of the options of each subscription.
    """

    __slots__ = ("_defaults", "_rooms")

    many: ClassVar[bool] = True

    def __init__(
        self, relay: Relay, admission: Admission, websocket: WebSocket, origin: str, defaults: Options
    ) -> None:
        super().__init__(relay, admission, websocket, origin, defaults.lang)
        self._defaults = defaults
        self._rooms: dict[RoomKey, Subscription] = {}  # by what was asked for

    @property
    def subscriptions(self) -> Collection[Subscription]:
        return list(self._rooms.values())

    @property
    def place(self) -> object:
        return f"{len(self._rooms)} rooms"

    def share(self) -> Sink:
        return Share(self.sink)

    def holds(self, room: RoomKey, but: Subscription) -> bool:
        return any(other.key == room for other in self._rooms.values() if other is not but)

    def on_end(self, subscription: Subscription, code: Code, since: Cursor | None = None) -> None:
        logger.debug("room over for client client=%012x room=%s code=%s", self.number, subscription.key, code)
        subscription.leave()
        if self._rooms.get(subscription.asked) is subscription:
            del self._rooms[subscription.asked]

    def _begin(self) -> None:
        for code, detail in self._defaults.problems:
            self._refuse(UNSET, code, detail=detail)

    def _forget(self) -> None:
        self._rooms.clear()

    # --- what the client says ----------------------------------------------------------------------------------------

    def _hear(self, frame: str | bytes) -> None:
        command = parse_command(frame)
        metrics.CLIENT_FRAMES.labels(KINDS[type(command)]).inc()
        match command:
            case Subscribe():
                self._subscribe(command)
            case Unsubscribe():
                self._unsubscribe(command)
            case ListRooms():
                self._list(command)
            case Ping():
                self.catch_up()
                self.tell(pong_frame(now_ms(), None, self._positions))
            case Close():
                self.close(Code.REQUESTED)
            case BadCommand():
                self._refuse(command.id, Code.BAD_COMMAND, detail=command.detail)
            case TooLarge():
                self.fail(Code.TOO_LARGE)

    def _subscribe(self, command: Subscribe) -> None:
        try:
            asked = parse_room(command.room, command.platform)
        except BadRoom as error:
            return self._refuse(command.id, Code.BAD_ROOM, detail=str(error))
        if self._find(asked) is not None:
            return self._refuse(command.id, Code.ALREADY_SUBSCRIBED, asked)
        if len(self._rooms) >= (most := self.relay.settings.rooms_per_client):
            return self._refuse(command.id, Code.TOO_MANY_ROOMS, asked, detail=str(most))
        options = read_options(command.options, self._defaults)
        subscription = self._rooms[asked] = Subscription(self, asked, options, command.id)
        self.tell(subscribed_frame(command.id, asked))
        return subscription.begin()

    def _unsubscribe(self, command: Unsubscribe) -> None:
        try:
            room = parse_room(command.room, command.platform)
        except BadRoom as error:
            return self._refuse(command.id, Code.BAD_ROOM, detail=str(error))
        subscription = self._find(room)
        if subscription is None:
            return self._refuse(command.id, Code.NOT_SUBSCRIBED, room)
        self.catch_up()
        position = subscription.position
        subscription.leave()
        self._rooms.pop(subscription.asked, None)
        return self.tell(unsubscribed_frame(command.id, subscription.asked, position))

    def _list(self, command: ListRooms) -> None:
        self.catch_up()
        rooms = [
            subscribed_room(asked, subscription.key, subscription.position, subscription.status)
            for asked, subscription in self._rooms.items()
        ]
        self.tell(subscriptions_frame(command.id, rooms))

    def _find(self, room: RoomKey) -> Subscription | None:
        """The subscription to a room, by what was asked for or by what that came to."""
        found = self._rooms.get(room)
        return found or next((other for other in self._rooms.values() if other.key == room), None)

    def _refuse(
        self, answers: CommandId | UnsetType, code: Code, room: RoomKey | None = None, *, detail: str = ""
    ) -> None:
        """Tell that a command cannot be done; the connection stays."""
        metrics.CLIENT_ERRORS.labels(code).inc()
        self.tell(error_frame(code, self.lang, room, detail=detail, command_id=answers))

    # --- closing -----------------------------------------------------------------------------------------------------

    def _last_words(self, code: Code, places: Mapping[RoomKey, Cursor]) -> tuple[str, Cursor | None]:
        return closing_frame(code, self.lang, cursors=places), None

    def _error(self, code: Code, detail: str) -> str:
        return error_frame(code, self.lang, detail=detail, cursors=self._positions)
