"""Douyin's side of a connection: how things stand, what was told before, then what happens. Pure.

Source: anonymous sessions recorded in September 2026, a browser's frame of April 2026; byte for byte in what is not
made up. Since 2026 gifts are told to sessions that are logged in only. Source: public reports of many clients.
"""

import gzip
from collections import Counter, deque
from collections.abc import Sequence
from random import Random

from protos.webcast_pb2 import Message, PushFrame, Response
from simulator.connection import METHOD, SERVICE, ServerConnection, WrongAck, header_list
from simulator.douyin.writer import STATE

HEARTBEAT_S = 15  # announced in every response that was captured
AGAIN_AFTER_S = 0.6  # Source: measured by a peer client, 2026: 8 of 333 chats came again
AGAIN_SHARE = 8 / 333
ROOM, STANDING = "r", "wrds"  # what a frame is about

_STATE_METHODS = frozenset(method.encode() for method in STATE)
_GIFT = b"WebcastGiftMessage"
_CHAT = b"WebcastChatMessage"


class DouyinConnection(ServerConnection):
    """State of one connection.

    Its `counters` have also acks_odd (right, but not laid out as the web player's), gifts_withheld and told_again.
    """

    def __init__(
        self,
        random: Random,
        counters: Counter[str],
        *,
        gzip_allowed: bool,
        ack_s: float,
        gifts: bool,
        first_req_ms: int,
    ) -> None:
        super().__init__(random, counters, gzip_allowed=gzip_allowed, ack_s=ack_s)
        self._gifts = gifts
        self._first_req_ms = first_req_ms
        # Of a server that asked the room's stream before we came. Source: recorded 2026-09, 20 to 30 minutes apart.
        self._stream_req_ms = first_req_ms - random.randrange(60_000, 1_800_000)
        self._standing_id = 0
        self._again: deque[tuple[float, Message]] = deque(maxlen=100)

    # From the client

    def _receive_ack(self, frame: PushFrame, data: bytes) -> WrongAck | None:
        plain = PushFrame(log_id=frame.log_id, payload_type=b"ack", payload=frame.payload)
        self._counters["acks_odd"] += data != plain.SerializeToString()
        return super()._receive_ack(frame, data)

    # To the client

    def opening(
        self, greeting: Sequence[Message], history: Sequence[Message], cursor: str, now_ms: int, now_s: float
    ) -> list[PushFrame]:
        """How things stand, without a place in the room; then what was told before."""
        nowhere = f"t-{now_ms}_r-1_d-1_u-1"
        parts = ((STANDING, greeting, nowhere), (ROOM, history, cursor))
        return [self._frame(kind, told, place, now_ms, now_s) for kind, told, place in parts if told]

    def messages(self, messages: Sequence[Message], cursor: str, now_ms: int, now_s: float) -> list[PushFrame]:
        """A frame of what happened, and one of what changed in how things stand."""
        news = [message for message in messages if not is_standing(message)]
        standing = [message for message in messages if is_standing(message)]
        told = visible(news, self._counters, gifts=self._gifts)
        while self._again and self._again[0][0] <= now_s:
            told.append(self._again.popleft()[1])
            self._counters["told_again"] += 1
        for message in news:
            if message.method == _CHAT and self._random.random() < AGAIN_SHARE:
                self._again.append((now_s + AGAIN_AFTER_S, message))
        # What happened goes first: the cursor of either stands behind both.
        return [
            self._frame(kind, chosen, cursor, now_ms, now_s)
            for kind, chosen in ((ROOM, told), (STANDING, standing))
            if chosen
        ]

    def heartbeat_answer(self, cursor: str, now_ms: int) -> PushFrame:
        """The `hb` frame: numbered, no log id, no encoding, nothing gzipped. Source: recorded 2026-09."""
        self._seq_id += 1
        return PushFrame(
            seq_id=self._seq_id,
            service=SERVICE,
            method=METHOD,
            headers=header_list({"server_time": str(now_ms), "compress_type": "gzip"}),
            payload_type=b"hb",
            payload=gzip.compress(b"", mtime=0),
        )

    def _frame(self, kind: str, messages: Sequence[Message], cursor: str, now_ms: int, now_s: float) -> PushFrame:
        """One `msg` frame. All ask for an ack.

        Header and response name internal_ext, cursor and time apart, as recorded; the ack may hold either internal_ext.
        """
        if kind == STANDING:
            self._standing_id = max(message.msg_id for message in messages)
        header_ext = self._internal_ext(kind, self._first_req_ms, "")
        seq = "|seq:5" if kind == ROOM and self._random.random() < 0.5 else ""
        own = self._seq_id < 2 or self._random.random() < 0.5
        response_ext = header_ext if own else self._internal_ext(kind, self._stream_req_ms, seq)
        asked_ms = now_ms if own else now_ms - self._random.randrange(30)
        response = Response(
            messages=messages,
            cursor=cursor.replace(f"t-{now_ms}_", f"t-{asked_ms}_").encode(),
            now=asked_ms,
            internal_ext=response_ext.encode(),
            heartbeat_duration=HEARTBEAT_S,
            need_ack=True,
        )
        headers = {
            "compress_type": "gzip" if self._gzip_allowed else "none",
            "im-internal_ext": header_ext,
            "im-cursor": cursor,
            "im-now": str(now_ms),
            "im-live_cursor": "d-1_u-1",
        }
        frame = self._framed(b"msg", response, header_list(headers), gzipped=self._gzip_allowed)
        self._expect_ack(frame, now_s, response_ext.encode(), header_ext.encode())
        return frame

    def _internal_ext(self, kind: str, first_req_ms: int, seq: str) -> str:
        standing = f"|wrds_v:{self._standing_id}" if kind == STANDING or self._seq_id >= 2 else ""
        return f"internal_src:pushserver|first_req_ms:{first_req_ms}{seq}|wss_msg_type:{kind}{standing}"


def is_standing(message: Message) -> bool:
    """Whether a message tells how things stand."""
    return message.method in _STATE_METHODS


def visible(messages: Sequence[Message], counters: Counter[str], *, gifts: bool) -> list[Message]:
    """What a session is told of this; `gifts_withheld` in `counters` grows by the rest."""
    told = [message for message in messages if gifts or message.method != _GIFT]
    counters["gifts_withheld"] += len(messages) - len(told)
    return told
