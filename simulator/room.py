"""One simulated broadcast. Everybody who listens gets the same messages; nothing here waits.

While nobody listens nothing happens, but the latest messages are kept: whoever comes with a cursor is told what it
missed, and everybody is told the last few things again, as the platforms do.
"""

import sys
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from enum import IntEnum
from random import Random
from typing import NamedTuple

from protos.webcast_pb2 import Header, Message, PushFrame
from simulator.faults import FaultKind, Faults
from simulator.listener import Close, Listener, Wait
from simulator.platform import Platform
from simulator.source import ControlAction, Sent, Source, ends_broadcast

BACKLOG = 300  # messages kept for those who come back with a cursor; a minute of a lively room
LISTED_MAX = 10_000  # messages whose ids the control endpoint can list; 1.5 MB
REPLAYED_MAX = 20  # a client may ask for so much history
POLLED_FOR_S = 10.0  # without another question nobody listens any more; clients ask every 1 to 3 s
FRAME_MESSAGES_MAX = 8  # Source: two recordings of April 2026: 1 to 8 messages in a frame, 2.8 on average
FRAME_SIZES = (2, 3, 4, 5, FRAME_MESSAGES_MAX)
CATCH_UP_MAX_S = 2.0  # after a pause of the whole process, no flood
GOODBYE_S = 0.5  # between the control message that ends the room and the close frame


class RoomStatus(IntEnum):
    """As the platforms number it in their pages and answers."""

    LIVE = 2
    PAUSED = 3
    ENDED = 4


_STATUS_AFTER = {
    ControlAction.PAUSED: RoomStatus.PAUSED,
    ControlAction.RESUMED: RoomStatus.LIVE,
    ControlAction.ENDED: RoomStatus.ENDED,
    ControlAction.BANNED: RoomStatus.ENDED,
}
_NO_GZIP = b"\x1f\x8b\x08" + b"\x5a" * 61  # the magic, and nothing that follows from it


class Listed(NamedTuple):
    """What is remembered of a message for long."""

    serial: int
    id: int
    method: str


class Room:
    """One broadcast.

    Attributes:
        listeners: the clients that entered and are still there.
        counters: what clients did, see `ServerConnection`, connections_opened, and live_checks: how often it was asked
            for at the doors that tell whether it is live.
        methods: how many messages of which method were sent live.
        listed: the newest of them.
    """

    def __init__(
        self,
        room_id: int,
        name: str,
        title: str,
        source: Source,
        platform: Platform,
        faults: Faults,
        random: Random,
        *,
        push_s: float,
        started_ms: int,
        status: RoomStatus = RoomStatus.LIVE,
        restricted: bool = False,
    ) -> None:
        self.id = room_id
        self.name = name
        self.title = title
        self.source = source
        self.started_ms = started_ms
        self.status = status
        self.restricted = restricted
        self.entered_s: float | None = None
        self.listeners: set[Listener] = set()
        self.counters: Counter[str] = Counter()
        self.methods: Counter[str] = Counter()
        self.listed: deque[Listed] = deque(maxlen=LISTED_MAX)
        self._platform = platform
        self._faults = faults
        self._random = random
        self._push_s = push_s
        self._serial = 0
        self._backlog: deque[Sent] = deque(maxlen=BACKLOG)
        self._replayed = deque((Sent(0, message) for message in source.past(started_ms)), maxlen=REPLAYED_MAX)
        self._ticked_s = 0.0
        self._polled_until_s = 0.0

    def __repr__(self) -> str:
        return f"<Room {self.id} @{self.name} {self.status.name} listeners={len(self.listeners)}>"

    # Clients

    def is_watched(self, now_s: float) -> bool:
        """Whether anybody listens, or asked lately."""
        return bool(self.listeners) or now_s < self._polled_until_s

    def cursor(self, now_ms: int) -> str:
        """The place behind all that happened so far."""
        return self._cursor_at(self._serial, now_ms)

    def history(self, cursor: str, count: int) -> list[Message]:
        """What newcomers are told again: up to the cursor, oldest first."""
        # What is behind the cursor is about to be told live, and must not pass for history.
        place = self._place(cursor)
        messages = [sent.message for sent in self._replayed if sent.serial <= place]
        return messages[max(0, len(messages) - count) :]

    def enter(self, listener: Listener, cursor: str, history: int, now_ms: int, now_s: float) -> None:
        """Begin to tell a client what happens, from the cursor on where it is one of this room."""
        self._wake(now_s)
        place = self._place(cursor)
        greeting, past = self.source.greeting(now_ms), self.history(cursor, history)
        for frame in listener.protocol.opening(greeting, past, self._cursor_at(place, now_ms), now_ms, now_s):
            listener.send(frame)
        if self.status is RoomStatus.ENDED:
            listener.put(Close(1000))
            return
        self.listeners.add(listener)
        missed = [sent for sent in self._backlog if sent.serial > place]
        for start in range(0, len(missed), FRAME_MESSAGES_MAX):
            self._tell(listener, missed[start : start + FRAME_MESSAGES_MAX], now_ms, now_s)

    def leave(self, listener: Listener) -> None:
        """The client is gone."""
        self.listeners.discard(listener)

    def poll(self, cursor: str, now_s: float) -> list[Message]:
        """What happened behind a cursor, for those who ask again and again; the room goes on meanwhile."""
        self._wake(now_s)
        self._polled_until_s = now_s + POLLED_FOR_S
        place = self._place(cursor)
        return [sent.message for sent in self._backlog if sent.serial > place]

    def _wake(self, now_s: float) -> None:
        if not self.is_watched(now_s):
            self._ticked_s = now_s
        if self.entered_s is None:
            self.entered_s = now_s

    # What happens

    def tick(self, now_ms: int, now_s: float) -> None:
        """Let time go by for those who listen."""
        if now_s - self._ticked_s < self._push_s:
            return
        elapsed_s, self._ticked_s = min(now_s - self._ticked_s, CATCH_UP_MAX_S), now_s
        if self.status is RoomStatus.LIVE:
            self.emit(self.source.advance(elapsed_s, now_ms), now_ms, now_s)

    def emit(self, messages: Iterable[Message], now_ms: int, now_s: float) -> None:
        """Something happened: remember it and tell everybody."""
        fresh = [self._remember(message) for message in self._platform.in_order(messages)]
        if fresh and self._faults.take(FaultKind.CORRUPT_PAYLOAD, self.id, now_s):
            broken = Message(method=b"WebcastChatMessage", payload=b"\x0a\xff\xff\x03?")
            broken.msg_id = self.source.ids.next(now_ms)
            fresh.append(self._remember(broken))
        start = 0
        while start < len(fresh):
            chunk = fresh[start : start + self._random.choice(FRAME_SIZES)]
            start += len(chunk)
            for listener in list(self.listeners):
                self._tell(listener, chunk, now_ms, now_s)
        if any(ends_broadcast(sent.message) for sent in fresh):
            self.status = RoomStatus.ENDED
            for listener in self.listeners:
                listener.put(Wait(GOODBYE_S))
                listener.put(Close(1000))

    def control(self, action: ControlAction, now_ms: int, now_s: float) -> None:
        """The host, or the platform, does something to the broadcast."""
        self.status = _STATUS_AFTER[action]
        self.emit([self.source.control(action, now_ms)], now_ms, now_s)

    def _remember(self, message: Message) -> Sent:
        self._serial += 1
        sent = Sent(self._serial, message)
        self._backlog.append(sent)
        method = sys.intern(message.method.decode(errors="replace"))
        self.methods[method] += 1
        self.listed.append(Listed(self._serial, message.msg_id, method))
        if self._platform.is_replayed(message):
            self._replayed.append(sent)
        return sent

    def _tell(self, listener: Listener, chunk: Sequence[Sent], now_ms: int, now_s: float) -> None:
        """Frame messages for one client, with whatever faults strike."""
        messages = [sent.message for sent in chunk]
        cursor = self._cursor_at(chunk[-1].serial, now_ms)
        if fault := self._faults.take(FaultKind.DELAY, self.id, now_s):
            listener.put(Wait(fault.number("delay_s")))
        if self._faults.take(FaultKind.CORRUPT_FRAME, self.id, now_s):
            listener.put(b"\xff" * 24)
        if self._faults.take(FaultKind.UNKNOWN_FRAME, self.id, now_s):
            listener.send(PushFrame(payload_encoding=b"pb", payload_type=b"mystery", payload=b"?"))
            listener.put("a text frame")
        if self._faults.take(FaultKind.REORDER, self.id, now_s):
            messages.reverse()
        sound = listener.protocol.messages(messages, cursor, now_ms, now_s)
        if self._faults.take(FaultKind.CORRUPT_GZIP, self.id, now_s):
            broken = PushFrame(payload_encoding=b"pb", payload_type=b"msg", payload=_NO_GZIP)
            broken.headers.append(Header(key=b"compress_type", value=b"gzip"))
            listener.send(broken)
        again = self._faults.take(FaultKind.DUPLICATE, self.id, now_s) is not None
        for frame in sound + (listener.protocol.messages(messages, cursor, now_ms, now_s) if again else []):
            listener.send(frame)

    # Places

    def _cursor_at(self, place: int, now_ms: int) -> str:
        behind = self._serial - place
        msg_id = self._backlog[-1 - behind].message.msg_id if behind < len(self._backlog) else 0
        return self._platform.cursors.write(self.id, place, msg_id, now_ms)

    def _place(self, cursor: str) -> int:
        """The serial of the last message before the cursor; of the latest, where it names no place of this room."""
        place = self._platform.cursors.read(cursor, self.id, self._backlog)
        return self._serial if place is None else min(place, self._serial)
