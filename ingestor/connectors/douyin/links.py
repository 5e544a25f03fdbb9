"""Where a short link leads: the addresses on the way, hop by hop. Pure."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from shared.errors import BadRoom
from shared.platforms import parse_room

HOPS_MAX: Final = 5
_SITE: Final = "https://www.douyin.com"  # a station on the way of some links
_REFLOW: Final = re.compile(r"/reflow/([0-9]{1,20})(?:/|$)")


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses that links lead over.

    Attributes:
        web, reflow, short: base URLs of the settings.
    """

    web: str
    reflow: str
    short: str

    def next_hop(self, url: str, location: str) -> str | None:
        """Where a redirect leads, None when that is nobody's we know."""
        try:
            target = urljoin(url, location)
            host = urlsplit(target).netloc
        except ValueError:
            return None
        known = {urlsplit(base).netloc for base in (self.web, self.reflow, self.short, _SITE)}
        return target if host in known else None

    def room_of(self, url: str) -> str | None:
        """The room, or name of one, that an address is of; None when it is neither's."""
        path = urlsplit(url).path
        if found := _REFLOW.search(path):
            return f"room.{found[1]}"
        if not url.startswith(f"{self.web}/"):
            return None
        try:
            room = parse_room(url.removeprefix(f"{self.web}/").partition("?")[0].partition("#")[0].strip("/"), "douyin")
        except BadRoom:
            return None
        return room.room
