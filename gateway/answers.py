"""What the HTTP endpoints answer, as the documents describe it. A field that is not known is absent."""

from typing import Any, NotRequired, TypedDict

from gateway.rates import Rate
from shared.phases import Phase

Load = dict[str, int | float | str]
"""A member of the cluster and whatever it tells of itself: `name`, `age_s` of its last sign of life, and more."""


class Hello(TypedDict):
    """The greeting that health checks of tkLiveWebSocket deployments look for."""

    msg: str


class State(TypedDict):
    """`ok`, or what is wrong."""

    status: str
    detail: NotRequired[str]


class Summary(TypedDict):
    """This gateway: `clients` connected to it, in so many `rooms`."""

    status: str
    gateway: str
    clients: int
    rooms: int


class LastError(TypedDict):
    """The latest thing that went wrong with a room, also when all went well since."""

    at: int
    phase: Phase
    code: NotRequired[str]
    detail: NotRequired[str]


class RoomState(TypedDict):
    """What `/rooms` and the page of one room both tell: `clients_here` at this gateway; in its `phase` `since` then."""

    platform: str
    room: str
    clients_here: int
    fault: NotRequired[str]
    phase: NotRequired[Phase]
    code: NotRequired[str]
    since: NotRequired[int]
    holder: NotRequired[str]
    title: NotRequired[str]
    viewers: NotRequired[int]
    gifts: NotRequired[bool]


class ListedRoom(RoomState):
    """A room: `clients` in the whole cluster, `clients_here` at this gateway; in its `phase` `since` that time.

    `fault`: what stands in Redis about it was written by somebody else.
    """

    clients: int
    cursor: NotRequired[str]


class Rooms(TypedDict):
    """The latest demanded first; `total` counts those that are not listed too."""

    total: int
    rooms: list[ListedRoom]


class Extent(TypedDict):
    """What a room's log holds."""

    length: int
    first: NotRequired[str]
    last: str


class Place(TypedDict):
    """A room of which nothing more is known."""

    platform: str
    room: str


class Room(RoomState):
    """One room. `wanted_ms`: how long it runs on if nobody asks for it again; `target`: where a name points.

    `fault`: what stands in Redis about it was written by somebody else; then little more is known.
    """

    clients: NotRequired[int]
    wanted_ms: NotRequired[int]
    raw: NotRequired[bool]
    epoch: NotRequired[int]
    detail: NotRequired[str]
    attempt: NotRequired[int]
    retry_at: NotRequired[int]
    owner: NotRequired[Any]
    paused: NotRequired[bool]
    last_error: NotRequired[LastError]
    log: NotRequired[Extent]
    rates: NotRequired[list[Rate]]
    target: NotRequired[dict[str, Any]]


class Cluster(TypedDict):
    """`clients_left` and `rooms_left` fit in yet; `rooms_unowned` are wanted, and nobody takes them."""

    clients: int
    clients_left: int
    rooms_wanted: int
    rooms_held: int
    rooms_unowned: int
    rooms_left: int
    gateways: list[Load]
    ingestors: list[Load]
