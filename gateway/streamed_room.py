"""A client that listens to one room by HTTP: it says nothing, and is given signs of life instead of pings."""

import asyncio

from gateway.event_stream import COMMENT
from gateway.frames import event_frame
from gateway.protocol import pong_frame
from gateway.relay import Relay
from gateway.single_room import SingleRoom
from gateway.subscription import Subscription
from shared.clock import now_ms
from shared.cursor import Cursor
from shared.errors import BrokerUnavailable
from shared.phases import Phase
from shared.platforms import is_name
from shared.room import RoomKey


class StreamedRoom(SingleRoom):
    """A client of an event stream. The end of its room is the end of the stream."""

    __slots__ = ()

    def on_joined(self, subscription: Subscription) -> None:
        if subscription.position is not None:
            self._tell_place()

    async def _read(self) -> None:
        while not self.sink.closing:
            try:
                async with asyncio.timeout(self.relay.settings.ping_interval_s):
                    message = await self._peer.receive()
            except TimeoutError:
                self._tell_place()
                continue
            if message["type"] == "http.disconnect":
                self.sink.gone()

    def _tell_place(self) -> None:
        """Give a sign of life; with the place where the client is, if no event of it had that as its id.

        It may have come when nothing happened, or want nothing of what does.
        """
        self.catch_up()
        position = self._subscription.position
        if position is None or position == self.sink.sent:
            self._write(COMMENT)
        else:
            self._write(event_frame("", pong_frame(now_ms(), position).encode(), position))


async def has_read_all(relay: Relay, asked: RoomKey, since: Cursor | None) -> bool:
    """Whether the room is over, as far as is known, and a client that is at this place has read it to its end."""
    try:
        phase = (await relay.broker.state(asked)).phase
        room = await relay.demand.target(asked) if is_name(asked) else asked
        if room is not None and room != asked and phase is not None and phase.phase is Phase.TARGET:
            phase = (await relay.broker.state(room)).phase
        if phase is None or phase.phase not in (Phase.ENDED, Phase.NOT_LIVE) or not phase.rests(now_ms()):
            return False
        return room is None or await relay.broker.last_id(room) in (None, since)
    except BrokerUnavailable:
        return False
