"""Cookies of logged-in sessions, as configured: one session for a platform, and others for single rooms. Pure."""

import json
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from ingestor.connectors.headers import parse_cookies
from shared.errors import BadRoom, ConfigError
from shared.platforms import is_name, parse_room
from shared.room import RoomKey

LOGIN_COOKIE: Final = "sessionid"
"""Who has it is logged in. Source: both platforms' web sites; peer clients agree."""


def _json_object(value: object) -> object:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("it is a JSON object, room: cookies") from None
    return value


CookiesByRoom = Annotated[Mapping[str, SecretStr], NoDecode, BeforeValidator(_json_object)]
"""A setting: a JSON object of rooms, as users call them, and the cookies of a session for each."""


class SessionCookies:
    """Which session listens to which room."""

    def __init__(
        self, platform: str, cookies: SecretStr, by_room: Mapping[str, SecretStr], *, by_name: bool = False
    ) -> None:
        """Read the settings.

        Args:
            platform: of all rooms.
            cookies: for rooms without some of their own.
            by_room: for others; rooms as users call them.
            by_name: whether `of` is asked with names too, so that cookies can be set for one.

        Raises:
            ConfigError: the platform has no such room.
        """
        self._cookies = parse_cookies(cookies.get_secret_value())
        self._by_room: dict[RoomKey, dict[str, str]] = {}
        for text, secret in by_room.items():
            setting = f"ROOMCAST_{platform.upper()}_ROOM_COOKIES"
            try:
                room = parse_room(text, platform)
            except BadRoom as error:
                raise ConfigError(f"{setting}: {error}") from None
            if room.platform != platform or (is_name(room) and not by_name):
                raise ConfigError(f"{setting}: cookies belong to a room itself, not to a link that leads to it")
            self._by_room[room] = parse_cookies(secret.get_secret_value())

    def has_own(self, room: RoomKey) -> bool:
        """Whether a room has cookies of its own."""
        return room in self._by_room

    def of(self, *keys: RoomKey) -> Mapping[str, str]:
        """The cookies for a room, by the first of its keys that has some of its own."""
        return next((self._by_room[key] for key in keys if key in self._by_room), self._cookies)


def is_logged_in(cookies: Mapping[str, str]) -> bool:
    """Whether these are the cookies of somebody who has an account."""
    return LOGIN_COOKIE in cookies
