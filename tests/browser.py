"""A headless browser on the viewer page, and all it complains about."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Page, WebSocket, async_playwright

from tests.conftest import need


class Viewer:
    """The page, opened.

    Attributes:
        page: for whatever a test wants to do.
        problems: errors, violations of the page's policy and dialogs, as the browser tells them.
        hosts: whom the browser asked for something.
        sockets: what it opened.
        received: the frames on them.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        self.hosts: set[str] = set()
        self.sockets: list[WebSocket] = []
        self.received: list[str] = []
        page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: self.problems.append(f"dialog {dialog.message}"))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.on("websocket", self._listen)

    @property
    def rooms(self) -> list[str]:
        """The rooms that the address asks for."""
        return re.findall(r"[?&]room=([^&]+)", self.page.url)

    async def told(self, group: str) -> int:
        """How many events of a group the page says it got."""
        return int((await self.page.locator(f"#told-{group}").inner_text()).replace(",", ""))

    def _listen(self, socket: WebSocket) -> None:
        self.sockets.append(socket)
        socket.on("framereceived", lambda frame: self.received.append(str(frame)))


@asynccontextmanager
async def viewer(address: str, query: str, **context: Any) -> AsyncIterator[Viewer]:
    """The viewer page of the gateway at `address`; `context`: as Playwright takes it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=need("chromium", "chromium"), headless=True)
        try:
            page = await browser.new_page(**context)
            opened = Viewer(page)
            await page.goto(f"http://{address}/viewer?{query}")
            yield opened
        finally:
            await browser.close()
