"""The secrets the simulated platform gives out and wants back: tickets for sockets, and anonymous cookies. Pure.

A ticket (`wrss` on the wire) opens one socket of one room, once, within 30 s of its issue.
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections import OrderedDict
from dataclasses import dataclass
from random import Random

TICKET_LIFE_S = 30.0  # Source: peer libraries agree; signed material is refused afterwards.
TICKETS_MAX = 50_000  # outstanding; the oldest is forgotten first

# Source: captured values; the escapes belong to the value and must come back as they are.
_TTWID = re.compile(r"1%7C[A-Za-z0-9_-]+%7C[0-9]+%7C[0-9a-f]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket is good for. `cursor` is the place in the room that its bootstrap ended at."""

    room_id: int
    cursor: str
    expires_s: float


class Tickets:
    """The tickets that were given out and not used."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._open: OrderedDict[str, Ticket] = OrderedDict()

    def issue(self, room_id: int, cursor: str, now_s: float) -> str:
        """A new ticket: 43 url-safe characters."""
        wrss = urlsafe_b64encode(self._random.randbytes(32)).decode().rstrip("=")
        self._open[wrss] = Ticket(room_id, cursor, now_s + TICKET_LIFE_S)
        if len(self._open) > TICKETS_MAX:
            self._open.popitem(last=False)
        return wrss

    def redeem(self, wrss: str, room_id: int, now_s: float) -> Ticket | None:
        """Use a ticket up. None: never issued, used before, too old, or of another room."""
        ticket = self._open.pop(wrss, None)
        if ticket is None or ticket.room_id != room_id or now_s >= ticket.expires_s:
            return None
        return ticket


def new_ttwid(random: Random, now_ms: int) -> str:
    """An anonymous visitor's cookie."""
    device = urlsafe_b64encode(random.randbytes(32)).decode().rstrip("=")
    check = hashlib.sha256(device.encode()).hexdigest()
    return f"1%7C{device}%7C{now_ms // 1000}%7C{check}"


def is_ttwid(value: str) -> bool:
    """Whether a cookie looks like one of the platform's, with its escapes neither undone nor doubled."""
    return _TTWID.fullmatch(value) is not None
