"""The secrets that open sockets: the simulated providers give them out, the platform wants them back. Pure.

A ticket (`wrss` on the wire) opens one socket of one room, once, within 30 s of its issue.
"""

from base64 import urlsafe_b64encode
from collections import OrderedDict
from dataclasses import dataclass
from random import Random

TICKET_LIFE_S = 30.0  # Source: peer libraries agree; signed material is refused afterwards.
TICKETS_MAX = 50_000  # outstanding; the oldest is forgotten first


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
