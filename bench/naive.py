"""What a gateway is measured against: the same Redis channel, relayed by a plain `await send_text` loop per message.

Run as `python -m bench.naive PORT REDIS_URL CHANNEL`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect


def create_app(redis_url: str, channel: str) -> Starlette:
    """One room: everybody who connects gets every event of `channel`."""
    clients: set[WebSocket] = set()

    async def relay() -> None:
        client = redis.asyncio.Redis.from_url(redis_url, protocol=2)
        pubsub = client.pubsub()
        await pubsub.ssubscribe(channel)
        async for message in pubsub.listen():
            if message["type"] == "smessage":
                text = message["data"].split(b" ", 3)[3].decode()
                for client_socket in tuple(clients):
                    await client_socket.send_text(text)

    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        clients.add(socket)
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            clients.discard(socket)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(relay())
        yield
        task.cancel()

    return Starlette(routes=[WebSocketRoute("/ws/{room}", endpoint)], lifespan=lifespan)


if __name__ == "__main__":
    uvicorn.run(create_app(sys.argv[2], sys.argv[3]), port=int(sys.argv[1]), log_level="warning", ws_ping_interval=None)
