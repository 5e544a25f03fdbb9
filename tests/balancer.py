"""What a load balancer does, as far as clients notice: each connection goes to the next gateway that is ready."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Final

import httpx

ASK_EVERY_S: Final = 0.1
ASK_WITHIN_S: Final = 1.0


class Balancer:
    """Asks the gateways, and takes turns with those that are ready.

    Attributes:
        ready: `host:port` of each, as of the last time that all were asked.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        self.ready: list[str] = []
        self._addresses = addresses
        self._turn = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Balancer"]:
        """Ask while the block runs; all that are ready at its begin are known."""
        async with httpx.AsyncClient(verify=False, trust_env=False, timeout=ASK_WITHIN_S) as http:
            await self._ask_all(http)
            asking = asyncio.create_task(self._ask(http))
            try:
                yield self
            finally:
                asking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await asking

    def pick(self) -> str:
        """`ws://host:port` of the next one.

        Raises:
            ConnectionError: none is ready.
        """
        if not self.ready:
            raise ConnectionError("no gateway is ready")
        self._turn += 1
        return f"ws://{self.ready[self._turn % len(self.ready)]}"

    async def _ask(self, http: httpx.AsyncClient) -> None:
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            await self._ask_all(http)

    async def _ask_all(self, http: httpx.AsyncClient) -> None:
        are_ready = await asyncio.gather(*(_is_ready(http, address) for address in self._addresses))
        self.ready = [address for address, ready in zip(self._addresses, are_ready, strict=True) if ready]


async def _is_ready(http: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await http.get(f"http://{address}/readyz")).status_code == 200
    except httpx.HTTPError:
        return False
