"""A connection for one room: its end is the end of the connection."""

from collections.abc import Mapping

from gateway.admission import Admission
from gateway.close_codes import Code
from gateway.options import Options
from gateway.protocol import ClientFrame, closing_frame, parse_client_frame, pong_frame
from gateway.relay import Relay
from gateway.session import Peer, Session
from gateway.subscription import Subscription
from shared import metrics
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.room import RoomKey


class SingleRoom(Session):
    """A client that came for one room."""

    __slots__ = ("_subscription",)

    def __init__(
        self,
        relay: Relay,
        admission: Admission,
        peer: Peer,
        origin: str,
        options: Options,
        asked: RoomKey,
    ) -> None:
        super().__init__(relay, admission, peer, origin, options.lang)
        self._subscription = Subscription(self, asked, options)

    @property
    def subscriptions(self) -> tuple[Subscription]:
        return (self._subscription,)

    @property
    def place(self) -> object:
        return self._subscription.key

    def on_end(self, subscription: Subscription, code: Code, since: Cursor | None = None) -> None:
        self._log_close(code)
        self.sink.close(code, since=since)
        self._leave()

    def fail(self, code: Code) -> None:
        self._subscription.dismiss(code)

    def _begin(self) -> None:
        self._subscription.begin()

    def _hear(self, frame: str | bytes) -> None:
        kind = parse_client_frame(frame)
        metrics.CLIENT_FRAMES.labels(kind.value).inc()
        match kind:
            case ClientFrame.PING:
                self.catch_up()
                self.tell(pong_frame(now_ms(), self._subscription.position))
            case ClientFrame.CLOSE:
                self.close(Code.REQUESTED)
            case ClientFrame.TOO_LARGE:
                self._subscription.end(Code.TOO_LARGE)

    def _forget(self) -> None:
        del self._subscription

    def _last_words(self, code: Code, places: Mapping[RoomKey, Cursor]) -> tuple[str, Cursor | None]:
        since = next(iter(places.values()), None)
        return closing_frame(code, self.lang, cursor=since), since
