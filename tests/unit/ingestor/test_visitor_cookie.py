"""The cookie every visitor gets: once for all who wait."""

import asyncio

import pytest

from ingestor.connectors.visitor_cookie import VisitorCookie
from shared.errors import Blocked, UpstreamError


class Site:
    """Hands out numbered cookies when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.refusal: UpstreamError | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def fetch(self) -> str:
        self.asked += 1
        await self.open.wait()
        if self.refusal:
            raise self.refusal
        return f"1%7C{self.asked}"


@pytest.fixture
def site() -> Site:
    return Site()


async def test_it_is_fetched_once_and_kept(site: Site) -> None:
    visitor = VisitorCookie(site.fetch)
    assert visitor.cookies == {}
    assert await asyncio.gather(*(visitor.get() for _ in range(5))) == [{"ttwid": "1%7C1"}] * 5
    assert visitor.cookies == {"ttwid": "1%7C1"}
    assert site.asked == 1


async def test_a_failure_is_shared_too_and_forgotten_soon(site: Site) -> None:
    now_s = 0.0
    visitor = VisitorCookie(site.fetch, clock=lambda: now_s)
    site.refusal = Blocked("captcha", retry_after_s=3)
    results = await asyncio.gather(*(visitor.get() for _ in range(5)), return_exceptions=True)
    assert [(type(result), str(result)) for result in results] == [(Blocked, "captcha")] * 5
    assert site.asked == 1
    site.refusal, now_s = None, 60.0
    assert await visitor.get() == {"ttwid": "1%7C2"}


async def test_who_stops_waiting_does_not_spoil_it_for_the_others(site: Site) -> None:
    visitor = VisitorCookie(site.fetch)
    site.open.clear()
    first, second = (asyncio.create_task(visitor.get()) for _ in range(2))
    while not site.asked:
        await asyncio.sleep(0)
    first.cancel()
    site.open.set()
    assert await second == {"ttwid": "1%7C2"}
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_refused_value_is_replaced_once(site: Site) -> None:
    visitor = VisitorCookie(site.fetch)
    await visitor.get()
    visitor.forget("1%7C1")
    assert await visitor.get() == {"ttwid": "1%7C2"}
    visitor.forget("1%7C1")  # another room, refused with the old one
    assert await visitor.get() == {"ttwid": "1%7C2"}


async def test_a_young_one_that_is_refused_is_kept(site: Site) -> None:
    now_s = 0.0
    visitor = VisitorCookie(site.fetch, young_s=60, clock=lambda: now_s)
    await visitor.get()
    now_s = 59.0
    assert not visitor.forget("1%7C1")
    assert await visitor.get() == {"ttwid": "1%7C1"}
    now_s = 60.0
    assert visitor.forget("1%7C1")
    assert await visitor.get() == {"ttwid": "1%7C2"}
    assert visitor.forget("1%7C1")  # another room, refused with the old one: there is a new one already
