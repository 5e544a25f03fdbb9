"""Both ends of a protocol, tied together in memory: a platform's room that can be left and met again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingestor.connectors.base import Message, UpstreamProtocol
from protos import webcast_pb2 as pb


@dataclass
class Room:
    """A room on the platform's side.

    Attributes:
        messages: all that ever happened, in order; a cursor is a count of them.
        acks: log ids it wants to hear of again, and what with.
        heartbeats: numbers that clients sent.
    """

    messages: list[pb.Message] = field(default_factory=list)
    acks: dict[int, bytes] = field(default_factory=dict)
    heartbeats: list[int] = field(default_factory=list)

    def happen(self, count: int) -> None:
        """Let something happen."""
        for _ in range(count):
            number = len(self.messages) + 1
            self.messages.append(pb.Message(method=b"Chat", payload=b"%d" % number, msg_id=number))


class Pair:
    """One connection between a room and a client's protocol.

    Attributes:
        told: ids of all messages it carried.
    """

    def __init__(self, room: Room, client: UpstreamProtocol, place: int, *, overlap: int) -> None:
        """Connect.

        Args:
            room: the platform's side.
            client: ours, just made.
            place: the cursor the client came with.
            overlap: messages before it that the platform tells again.
        """
        self.told: list[int] = []
        self._room = room
        self._client = client
        self._place = max(0, place - overlap)
        self._log_id = 1000 * (len(room.heartbeats) + 1)

    def exchange(self, most: int) -> list[Message]:
        """What the client sent reaches the room, then a frame of up to `most` messages the client; returns these."""
        for frame in self._client.frames_to_send():
            self._take(pb.PushFrame.FromString(frame))
        told = self._room.messages[self._place : self._place + most]
        self._place += len(told)
        self.told += [message.msg_id for message in told]
        return self._client.receive_frame(self._frame(told))

    def _frame(self, messages: Sequence[pb.Message]) -> bytes:
        self._log_id += 1
        internal_ext = b"ext-%d" % self._log_id
        self._room.acks[self._log_id] = internal_ext
        response = pb.Response(messages=messages, cursor=b"%d" % self._place, internal_ext=internal_ext, need_ack=True)
        return pb.PushFrame(
            log_id=self._log_id, payload_type=b"msg", payload=response.SerializeToString()
        ).SerializeToString()

    def _take(self, frame: pb.PushFrame) -> None:
        match frame.payload_type:
            case b"ack":
                assert self._room.acks.pop(frame.log_id) == frame.payload
            case b"hb":
                self._room.heartbeats.append(pb.HeartBeat.FromString(frame.payload).send_packet_seq_id)
            case other:
                assert other == b"im_enter_room"
