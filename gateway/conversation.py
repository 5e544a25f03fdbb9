"""One client's side of the WebSocket protocol as websockets reads it, where it is not strict, or not bounded, enough.

What is wrong is found frame by frame, so that it does not matter in which pieces the bytes come in.
"""

import codecs
from collections.abc import Generator
from typing import Final

from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, State
from websockets.server import ServerProtocol

FRAGMENTS_MAX: Final = 256  # of one message; empty ones cost no bytes, so the limit of bytes does not count them

TAKEN_MAX_BYTES: Final = 512 * 1024  # out of one segment, which is 256 KiB at most: only what is inflated gets so large

_decoder = codecs.getincrementaldecoder("utf-8")


class TooManyFragments(PayloadTooBig):
    """A message of more than `FRAGMENTS_MAX` frames."""

    def __init__(self) -> None:
        super().__init__(None, 0)

    def __str__(self) -> str:
        return "too many fragments"


class TooMuchAtOnce(PayloadTooBig):
    """Frames that came in together, of more than `TAKEN_MAX_BYTES` when inflated."""

    def __init__(self) -> None:
        super().__init__(None, 0)

    def __str__(self) -> str:
        return "too much at once"


class Conversation(ServerProtocol):
    """A connection from its request on.

    Attributes:
        answers_pings: while it is unset, pings are passed over.
        taken: bytes of frames since it was set to 0.
    """

    answers_pings = True
    taken = 0
    _fragments = 0
    _text: codecs.IncrementalDecoder | None = None  # of the fragmented text that comes in

    def parse(self) -> Generator[None]:
        return super().parse() if self.state is State.CONNECTING else Protocol.parse(self)

    def forget_handshake(self) -> None:
        """Hold the request no longer. Only right after the answer: what was read in part would be lost."""
        self.available_extensions = None
        self.parser = self.parse()
        next(self.parser)

    def recv_frame(self, frame: Frame) -> None:
        self.taken += len(frame.data)
        if self.taken > TAKEN_MAX_BYTES:
            raise TooMuchAtOnce
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY:
                self._fragments = 1
                self._text = None
                if frame.opcode is Opcode.TEXT:
                    text = _decoder()
                    text.decode(frame.data, frame.fin)
                    self._text = None if frame.fin else text
            case Opcode.CONT:
                self._fragments += 1
                if self._fragments > FRAGMENTS_MAX:
                    raise TooManyFragments
                if self._text is not None:
                    self._text.decode(frame.data, frame.fin)
            case Opcode.CLOSE:
                self.current_size = None  # it may come amid a fragmented message, as every control frame
            case Opcode.PING if self.state is not State.OPEN or not self.answers_pings:
                return
        super().recv_frame(frame)
