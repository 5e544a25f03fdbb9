"""Live rooms of any number, over one WebSocket that comes back by itself and goes on where it stopped."""

from .client import Client
from .conversation import Over, Room, State
from .events import Event

__all__ = ["Client", "Event", "Over", "Room", "State"]
