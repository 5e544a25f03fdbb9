"""Where short links lead."""

import pytest

from ingestor.connectors.douyin.links import Links

LINKS = Links("https://live.douyin.com", "https://webcast.amemv.com", "https://v.douyin.com")


@pytest.mark.parametrize(
    ("url", "room"),
    [
        ("https://live.douyin.com/728804746624", "728804746624"),
        ("https://live.douyin.com/728804746624/?a=b#c", "728804746624"),
        ("https://live.douyin.com/", None),
        ("https://live.douyin.com/a/b", None),
        ("https://webcast.amemv.com/douyin/webcast/reflow/7690183442860198697?u=1", "room.7690183442860198697"),
        ("https://www.douyin.com/share/live/1", None),
        ("https://v.douyin.com/iRNBho6u/", None),
    ],
)
def test_a_room_is_read_off_the_address(url: str, room: str | None) -> None:
    assert LINKS.room_of(url) == room


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://live.douyin.com/1", "https://live.douyin.com/1"),
        ("https://www.douyin.com/x", "https://www.douyin.com/x"),
        ("/next", "https://v.douyin.com/next"),
        ("https://evil.example/live.douyin.com/1", None),
        ("https://live.douyin.com@evil.example/1", None),
        ("http://[", None),
        ("javascript:alert(1)", None),
    ],
)
def test_only_known_hosts_are_followed(location: str, target: str | None) -> None:
    assert LINKS.next_hop("https://v.douyin.com/iRNBho6u/", location) == target
