"""A SOCKS proxy that leads every connection to one port of this machine."""

import asyncio


class Socks5Proxy:
    """Lets everything through to one place, and remembers where it should have gone."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.asked: list[tuple[str, int]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            (methods,) = (await reader.readexactly(2))[1:]
            await reader.readexactly(methods)
            writer.write(b"\x05\x00")
            kind = (await reader.readexactly(4))[3]
            size = (await reader.readexactly(1))[0] if kind == 3 else 4
            host = await reader.readexactly(size)
            name = host.decode() if kind == 3 else ".".join(map(str, host))
            self.asked.append((name, int.from_bytes(await reader.readexactly(2))))
            writer.write(b"\x05\x00\x00\x01" + bytes(6))
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(pump(reader, back))
                pumps.create_task(pump(there, writer))
        finally:
            writer.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
    writer.close()
