"""A text frame and what a queue must know of it; made once per event, then shared by every client that gets it."""

from dataclasses import dataclass

from shared.cursor import Cursor


@dataclass(frozen=True, slots=True)
class Frame:
    """One text frame.

    Attributes:
        type: the event's; "" of a frame made by the gateway, which is never filtered or shed.
        text: the JSON.
        size: of it, in bytes.
        cursor: the event's place in the log; None of a gateway's frame.
    """

    type: str
    text: str
    size: int
    cursor: Cursor | None = None


def control(text: str) -> Frame:
    """A frame of the gateway's own."""
    return Frame("", text, len(text))


@dataclass(frozen=True, slots=True)
class Delivery:
    """One entry of the log as clients get it: its frame, with a `gap` frame before it where something is missing.

    A marker has no frame of its own, but a place: a client's position may be one.
    """

    cursor: Cursor
    frames: tuple[Frame, ...]

    @property
    def size(self) -> int:
        """Bytes of all frames."""
        return sum(frame.size for frame in self.frames)
