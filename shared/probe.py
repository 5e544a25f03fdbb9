"""`python -m shared.probe [URL]`: a health check for containers that have no curl. Exit code 0 for HTTP 200, else 1.

It is started every few seconds beside a server that needs the time itself: so it imports next to nothing, not even
`http.client`, with which Python takes twice as long to start.
"""

import os
import socket
import sys
import time

WITHIN_S = 2.0  # all of it, whatever a server drips
ANSWER_MAX_BYTES = 4096
SHOWN_MAX = 200  # characters of a body; ours have 30


def main(arguments: list[str]) -> int:
    """Ask, and print one line; returns the exit code."""
    port = os.environ.get("ROOMCAST_INGESTOR_PORT") or os.environ.get("PORT") or "8000"
    url = arguments[0] if arguments else f"http://127.0.0.1:{port}/healthz"
    try:
        status, body = ask(url)
    except (OSError, ValueError) as error:
        sys.stdout.write(f"{url}: {error}\n")
        return 1
    sys.stdout.write(f"{url}: {status} {body}\n")
    return 0 if status == 200 else 1


def ask(url: str) -> tuple[int, str]:
    """The status and the body's beginning, on one line.

    Raises:
        OSError: no answer, or not in time.
        ValueError: the URL is not `http://host:port/path`, or the answer is not HTTP.
    """
    scheme, _, rest = url.partition("://")
    address, slash, path = rest.partition("/")
    host, _, port = address.rpartition(":")
    if scheme != "http" or not host or not port.isdecimal() or not url.isprintable():
        raise ValueError("is not of the form http://host:port/path")
    request = f"GET {slash or '/'}{path} HTTP/1.0\r\nHost: {address}\r\n\r\n"
    answer = _exchange(host.strip("[]"), int(port), request.encode())
    head, _, body = answer.decode("utf8", "replace").partition("\r\n\r\n")
    protocol, _, line = head.partition(" ")
    if not protocol.startswith("HTTP/") or not line[:3].isdecimal():
        raise ValueError("the answer is not HTTP")
    return int(line[:3]), "".join(filter(str.isprintable, body[:SHOWN_MAX]))


def _exchange(host: str, port: int, request: bytes) -> bytes:
    """All that is answered before the other side closes."""
    ends_at = time.monotonic() + WITHIN_S
    answer = b""
    with socket.create_connection((host, port), timeout=WITHIN_S) as connection:
        connection.sendall(request)
        while len(answer) < ANSWER_MAX_BYTES:
            left_s = ends_at - time.monotonic()
            if left_s <= 0:
                raise TimeoutError("timed out")
            connection.settimeout(left_s)
            received = connection.recv(ANSWER_MAX_BYTES)
            if not received:
                break
            answer += received
    return answer


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
