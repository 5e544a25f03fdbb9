"""A server in a thread of its own, on a loop of one's choice, and the clients that are set upon it: raw and foreign."""

import asyncio
import base64
import json
import os
import queue
import socket
import struct
import subprocess
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Message, Ping, Pong, Request, TextMessage
from wsproto.extensions import PerMessageDeflate

DEADLINE_S = 10.0
MORE, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


# --- servers ----------------------------------------------------------------------------------------------------------


@contextmanager
def in_a_thread(
    new_loop: Callable[[], asyncio.AbstractEventLoop], lifetime: Callable[[], AbstractAsyncContextManager[int]]
) -> Iterator[int]:
    """Enter an asynchronous lifetime on a loop in a thread, which gives a port; leave it at the end."""
    ready: queue.Queue[int | BaseException] = queue.Queue()
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event

    async def live() -> None:
        nonlocal loop, stop
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        async with lifetime() as port:
            ready.put(port)
            await stop.wait()

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(live())
        except BaseException as error:
            ready.put(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    port = ready.get(timeout=DEADLINE_S)
    if isinstance(port, BaseException):
        raise port
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(DEADLINE_S)
        assert not thread.is_alive(), "the server did not stop"


# --- frames -----------------------------------------------------------------------------------------------------------


def frame(
    opcode: int, payload: bytes = b"", *, last: bool = True, reserved: int = 0, masked: bool = True, size: int = -1
) -> bytes:
    """A frame of a client, masked with zeros; `size` is what its head says, if not the truth."""
    size = len(payload) if size < 0 else size
    mask = 0x80 * masked
    head = bytes([0x80 * last | reserved << 4 | opcode])
    if size < 126:
        head += bytes([mask | size])
    elif size < 65536:
        head += bytes([mask | 126]) + size.to_bytes(2)
    else:
        head += bytes([mask | 127]) + size.to_bytes(8)
    return head + bytes(4 * masked) + payload


def close(code: int, reason: bytes = b"") -> bytes:
    """A close frame of a client."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


def deflate(payload: bytes, *, bits: int = 15) -> bytes:
    """A message's payload, compressed by itself."""
    compressor = zlib.compressobj(wbits=-bits)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


def inflate(payload: bytes, *, bits: int) -> bytes:
    """A message's payload, read by itself, with a window of so many bits."""
    reader = zlib.decompressobj(wbits=-bits)
    return reader.decompress(payload + b"\x00\x00\xff\xff") + reader.flush()


@dataclass(frozen=True)
class Received:
    """A frame of the server."""

    opcode: int
    payload: bytes
    compressed: bool = False


def parse(data: bytes) -> tuple[list[Received], bytes]:
    """Frames of a server, which must be whole messages and unmasked, and what is left of an incomplete one."""
    frames = []
    while len(data) >= 2:
        first, second = data[:2]
        assert first & 0xB0 == 0x80, f"fragment or reserved bits: {first:#x}"
        assert not second & 0x80, "masked"
        size, at = second, 2
        if size >= 126:
            at = 4 if size == 126 else 10
            size = int.from_bytes(data[2:at])
        if len(data) < at + size:
            break
        frames.append(Received(first & 0xF, data[at : at + size], bool(first & 0x40)))
        data = data[at + size :]
    return frames, data


# --- a raw client -----------------------------------------------------------------------------------------------------


class Peer:
    """A socket without manners.

    Attributes:
        head: of the answer to the request.
    """

    def __init__(self, port: int, *, receive_bytes: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = b""
        self._read = b""

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, path: str, *headers: str) -> None:
        """Ask for a WebSocket."""
        lines = [
            f"GET {path} HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", *headers, "", "",
        ]  # fmt: skip
        self.send("\r\n".join(lines).encode())

    def upgrade(self, path: str, *headers: str) -> "Peer":
        """Ask for one, and get it."""
        self.ask(path, *headers)
        self.read_head()
        assert self.head.startswith(b"HTTP/1.1 101 "), self.head
        return self

    def read_head(self) -> None:
        """Read the answer's head."""
        while b"\r\n\r\n" not in self._read:
            part = self.socket.recv(65536)
            assert part, f"no answer: {self._read!r}"
            self._read += part
        self.head, _, self._read = self._read.partition(b"\r\n\r\n")

    def header(self, name: str) -> str | None:
        """A header of the answer."""
        for line in self.head.decode().splitlines():
            found, _, value = line.partition(": ")
            if found.lower() == name.lower():
                return value
        return None

    def send(self, data: bytes, *, one_by_one: bool = False) -> None:
        """Send, in one go or byte by byte. The server may be gone in the middle of it."""
        if not data:
            return  # sending nothing would take the news of a reset from who reads
        try:
            if one_by_one:
                for byte in data:
                    self.socket.sendall(bytes([byte]))
            else:
                self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def half_close(self) -> None:
        """Send no more."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def next(self) -> Received:
        """The next frame."""
        while True:
            frames, _ = parse(self._read)
            if frames:
                used = _size_of_first(self._read)
                self._read = self._read[used:]
                return frames[0]
            part = self.socket.recv(65536)
            assert part, f"the connection ended: {self._read!r}"
            self._read += part

    def rest(self) -> tuple[list[Received], str]:
        """All frames up to the end, and which end it was: "eof" or "reset"."""
        end = "eof"
        try:
            while part := self.socket.recv(65536):
                self._read += part
        except ConnectionResetError:
            end = "reset"
        frames, incomplete = parse(self._read)
        assert end == "reset" or not incomplete, f"the last frame is incomplete: {incomplete!r}"
        return frames, end


def _size_of_first(data: bytes) -> int:
    size = data[1]
    if size < 126:
        return 2 + size
    at = 4 if size == 126 else 10
    return at + int.from_bytes(data[2:at])


# --- foreign clients --------------------------------------------------------------------------------------------------


@dataclass
class Talk:
    """What a client was sent, and how it ended."""

    received: list[str | bytes] = field(default_factory=list)
    code: int = 0
    reason: str = ""
    extensions: str = ""


Talker = Callable[..., Awaitable[Talk]]
"""Called with a URL, messages to be sent, what to close with after so many answers, and whether to offer compression.

Without a close of its own it waits for the server's."""


async def aiohttp_client(
    url: str, messages: list[str | bytes], *, closes: tuple[int, str] | None = None, compress: bool = False
) -> Talk:
    """aiohttp, with its own parser, in C."""
    talk = Talk()
    async with (
        asyncio.timeout(DEADLINE_S),
        aiohttp.ClientSession() as session,
        session.ws_connect(url, compress=15 if compress else 0, max_msg_size=0, autoclose=False) as client,
    ):
        talk.extensions = client._response.headers.get("Sec-WebSocket-Extensions", "")
        for message in messages:
            await (client.send_str(message) if isinstance(message, str) else client.send_bytes(message))
        if closes is not None:
            talk.received = [(await client.receive()).data for _ in messages]
            await client.close(code=closes[0], message=closes[1].encode())
            return replace(talk, code=client.close_code or 0, reason=closes[1])
        while (answer := await client.receive()).type is not aiohttp.WSMsgType.CLOSE:
            assert answer.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), answer
            talk.received.append(answer.data)
        return replace(talk, code=answer.data, reason=answer.extra or "")


async def wsproto_client(
    url: str, messages: list[str | bytes], *, closes: tuple[int, str] | None = None, compress: bool = False
) -> Talk:
    """wsproto, every message in three fragments with a ping between them."""
    return await asyncio.to_thread(_wsproto, url, messages, closes, compress)


def _fragments(message: str | bytes) -> Iterator[Message[Any] | Ping]:
    kind: Any = TextMessage if isinstance(message, str) else BytesMessage
    third = len(message) // 3
    yield kind(message[:third], message_finished=False)
    yield Ping(b"first")
    yield kind(message[third : 2 * third], message_finished=False)
    yield Ping(b"second")
    yield kind(message[2 * third :])


def _wsproto(url: str, messages: list[str | bytes], closes: tuple[int, str] | None, compress: bool) -> Talk:
    host, _, path = url.removeprefix("ws://").partition("/")
    name, _, port = host.partition(":")
    talk, parts, pongs, told = Talk(), list[Any](), list[bytes](), False
    connection = WSConnection(ConnectionType.CLIENT)
    with socket.create_connection((name, int(port)), timeout=DEADLINE_S) as link:
        offered: list[Any] = [PerMessageDeflate()] if compress else []
        link.sendall(connection.send(Request(host=host, target=f"/{path}", extensions=offered)))
        while part := link.recv(65536):
            connection.receive_data(part)
            for event in connection.events():
                match event:
                    case AcceptConnection():
                        talk.extensions = ",".join(extension.name for extension in event.extensions)
                        for message in messages:
                            link.sendall(b"".join(connection.send(piece) for piece in _fragments(message)))
                    case TextMessage() | BytesMessage():
                        parts.append(event.data if isinstance(event, TextMessage) else bytes(event.data))
                        if event.message_finished:
                            talk.received.append(parts[0][:0].join(parts))
                            parts.clear()
                    case Pong():
                        pongs.append(bytes(event.payload))
                    case CloseConnection():
                        talk.code, talk.reason = event.code, event.reason or ""
                        if not told:
                            link.sendall(connection.send(event.response()))
            if closes is not None and len(talk.received) == len(messages) and not told:
                link.sendall(connection.send(CloseConnection(*closes)))
                told = True
    assert pongs == [b"first", b"second"] * len(messages)
    return talk


NODE = """
const talkOver = ([url, messages, closes]) => new Promise((done) => {
  const talk = {received: [], code: 0, reason: "", extensions: ""};
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    talk.extensions = socket.extensions;
    for (const message of messages) socket.send(typeof message === "string" ? message : new Uint8Array(message));
  };
  socket.onmessage = ({data}) => {
    talk.received.push(typeof data === "string" ? data : [...new Uint8Array(data)]);
    if (closes && talk.received.length === messages.length) socket.close(...closes);
  };
  socket.onclose = ({code, reason}) => done({...talk, code, reason});
});
Promise.all(JSON.parse(require("fs").readFileSync(0)).map(talkOver)).then((all) => console.log(JSON.stringify(all)));
"""


def node_clients(*orders: tuple[str, list[str | bytes], tuple[int, str] | None]) -> list[Talk]:
    """Node's own WebSocket, which always offers compression: a client for each URL, its messages and its close."""
    told = [[url, [m if isinstance(m, str) else list(m) for m in messages], ends] for url, messages, ends in orders]
    done = subprocess.run(
        ["node", "--no-warnings", "--experimental-websocket", "-e", NODE],
        input=json.dumps(told).encode(),
        stdout=subprocess.PIPE,
        timeout=3 * DEADLINE_S,
        check=True,
    )
    talks = [Talk(**said) for said in json.loads(done.stdout)]
    for talk in talks:
        talk.received = [part if isinstance(part, str) else bytes(part) for part in talk.received]
    return talks


def node_has_websocket() -> bool:
    """Whether this machine's Node has one: since 20.10."""
    look = ["--no-warnings", "--experimental-websocket", "-e", "process.exit(typeof WebSocket === 'function' ? 0 : 1)"]
    return subprocess.run(["node", *look], capture_output=True).returncode == 0
