"""The shell around a connection: frames that came in together."""

from collections.abc import Sequence

import pytest

from ingestor.connectors.base import Message, Upstream
from ingestor.upstream import running
from shared.errors import RemoteProtocolError, UpstreamClosed


class Together:
    """Hands frames over in the given portions."""

    def __init__(self, *portions: list[bytes]) -> None:
        self._portions = list(portions)
        self.sent: list[Sequence[bytes]] = []

    async def receive(self) -> list[bytes]:
        if not self._portions:
            raise UpstreamClosed("no more")
        return self._portions.pop(0)

    async def send(self, frames: Sequence[bytes]) -> None:
        self.sent.append(frames)

    async def aclose(self) -> None: ...


class Acknowledging:
    """A frame is a message, its own position, and acknowledged; `close` asks us to leave, `bad` cannot be read."""

    heartbeat_s = 1000.0
    position = ""
    overlapped = False
    closing = False

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def frames_to_send(self) -> list[bytes]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def receive_frame(self, frame: bytes) -> list[Message]:
        if frame == b"bad":
            raise RemoteProtocolError("bad")
        self.closing = frame == b"close"
        self.position = frame.decode()
        self._waiting.append(b"ack " + frame)
        return [Message("chat", frame, self.position, history=False)]

    def heartbeat(self) -> None: ...


async def relayed(transport: Together, protocol: Acknowledging) -> list[tuple[str, str]]:
    """Id of each message and the protocol's position when it was passed on."""
    passed = []
    async with running(Upstream(transport, protocol), silence_s=10) as frames:
        with pytest.raises((UpstreamClosed, RemoteProtocolError)):
            async for _, messages in frames:
                passed += [(message.id, protocol.position) for message in messages]
    return passed


async def test_each_frame_is_passed_on_at_its_own_position_and_acks_go_together() -> None:
    transport = Together([b"1", b"2", b"3"], [b"4"])
    assert await relayed(transport, Acknowledging()) == [("1", "1"), ("2", "2"), ("3", "3"), ("4", "4")]
    assert transport.sent == [[b"ack 1", b"ack 2", b"ack 3"], [b"ack 4"]]


async def test_a_frame_that_ends_the_connection_takes_none_before_it_along() -> None:
    assert await relayed(Together([b"1", b"2", b"bad", b"3"]), Acknowledging()) == [("1", "1"), ("2", "2")]


async def test_a_frame_that_cannot_be_read_is_passed_on_before_the_connection_ends() -> None:
    """Whoever records wants to see it."""
    came = []
    async with running(Upstream(Together([b"1", b"bad"]), Acknowledging()), silence_s=10) as arrivals:
        with pytest.raises(RemoteProtocolError):
            async for frame, messages in arrivals:
                came.append((frame, len(messages)))
    assert came == [(b"1", 1), (b"bad", 0)]


async def test_nothing_is_taken_in_once_asked_to_leave() -> None:
    transport = Together([b"1", b"close", b"2"], [b"3"])
    assert await relayed(transport, Acknowledging()) == [("1", "1"), ("close", "close")]
    assert transport.sent == [[b"ack 1", b"ack close"]]


async def test_frames_that_came_before_a_close_count_though_they_cannot_be_acknowledged() -> None:
    class Closing(Together):
        async def send(self, frames: Sequence[bytes]) -> None:
            if frames:
                raise UpstreamClosed("closed")

    assert await relayed(Closing([b"1", b"2"]), Acknowledging()) == [("1", "1"), ("2", "2")]
