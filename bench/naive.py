"""The plain way: the same Redis channels, relayed by an `await send_text` loop per message.

Run as `python -m bench.naive PORT REDIS_URL CHANNEL`, where `%s` in CHANNEL stands for the room in the path.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect


def create_app(redis_url: str, channel: str) -> Starlette:
    """Everybody who connects gets every event of their room's channel."""
    rooms: defaultdict[str, set[WebSocket]] = defaultdict(set)
    client = redis.asyncio.Redis.from_url(redis_url, protocol=2)
    pubsub = client.pubsub()
    subscribed, subscribing = asyncio.Event(), asyncio.Lock()

    async def relay() -> None:
        await subscribed.wait()
        async for message in pubsub.listen():
            if message["type"] == "smessage":
                text = message["data"].split(b" ", 3)[3].decode()
                for socket in tuple(rooms[message["channel"].decode()]):
                    await socket.send_text(text)

    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        name = channel % socket.path_params["room"]
        if name not in rooms:
            rooms[name].add(socket)
            async with subscribing:  # redis-py would connect once for each that comes at the same time
                await pubsub.ssubscribe(name)
            subscribed.set()
        rooms[name].add(socket)
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            rooms[name].discard(socket)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(relay())
        yield
        task.cancel()

    return Starlette(routes=[WebSocketRoute("/ws/{room}", endpoint)], lifespan=lifespan)


if __name__ == "__main__":
    uvicorn.run(
        create_app(sys.argv[2], sys.argv[3]),
        port=int(sys.argv[1]),
        log_level="warning",
        ws_ping_interval=None,
        ws_per_message_deflate=False,
    )
