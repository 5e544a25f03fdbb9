"""When a room, or name, that is not live and that somebody waits for is looked at again.

Between two looks nobody holds it: whoever waits asks anew when its rest is over, and one ingestor with a place for it
wins the lease for as long as the look takes. So a room that is waited for takes no place, survives any ingestor, and is
looked at no more when the last one who waits has left.
"""

import logging
import random

from msgspec.structs import replace

from ingestor.services import Services
from shared.clock import now_ms
from shared.errors import BrokerUnavailable, RoomNotFound
from shared.phases import Phase, RoomPhase
from shared.room import RoomKey

logger = logging.getLogger(__name__)

JITTER = 0.1  # of the pause; what began together shall not be looked at together for ever


async def with_next_look(services: Services, room: RoomKey, over: RoomPhase) -> RoomPhase:
    """The phase in which the room is left, with the time of the next look if there is to be one.

    Args:
        services: shared with the other workers.
        room: about to be released.
        over: as if nobody waited. What failed, or does not exist, is left as it is.
    """
    if over.phase not in (Phase.NOT_LIVE, Phase.ENDED) or over.code == RoomNotFound.code:
        return over
    demand, settings = services.demand, services.settings
    try:
        if not (await demand.look(room)).wait:
            return over
        pause_s = settings.wait_poll_s * random.uniform(1.0, 1.0 + JITTER)
        look_in_s = await demand.book_look(room.platform, rest_s=pause_s, gap_s=settings.wait_gap_s)
    except BrokerUnavailable as error:
        logger.warning("no look booked room=%s: %s", room, error)
        return over
    return replace(over, retry_at=now_ms() + int(look_in_s * 1000))
