"""`python -m roomcast ws://localhost:8000 tiktok:@demo`: prints what is said in rooms until all of them are over."""

import argparse
import asyncio
import json
import re
import sys
from contextlib import suppress

from . import Client, Event, Over, Room, State


def line(room: Room, event: Event) -> str | None:
    """An event as text, if it is one that people want to read."""
    match event["type"]:
        case "chat":
            return f"{room.asked}  {event['user']['nickname']}: {event['content']}"
        case "gift" if event["delta"]:
            return f"{room.asked}  {event['user']['nickname']} gives {event['delta']} x {event['gift']['name']}"
        case "gap":
            return f"{room.asked}  (events are missing: {event['reason']})"
    return None


def say(text: str, *, to_stderr: bool = False) -> None:
    """Print it without control characters: nicknames and comments may hold what a terminal obeys."""
    print(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text), file=sys.stderr if to_stderr else sys.stdout, flush=True)


async def watch(options: argparse.Namespace) -> None:
    """Print until all rooms are over."""
    async with Client(options.url, lang=options.lang) as client:
        for room in options.rooms:
            await client.join(room, events=options.events, last=options.last, wait=options.wait)
        async for room, item in client:
            if isinstance(item, Over):
                say(f"{room.asked}  over: {item.code} {item.text}", to_stderr=True)
                if options.json:
                    print(json.dumps({"over": room.asked, "code": item.code}), flush=True)
            elif isinstance(item, State):
                say(f"{room.asked}  {item.name} {item.text}", to_stderr=True)
            elif options.json:
                print(json.dumps(item, ensure_ascii=False), flush=True)
            elif (text := line(room, item)) is not None:
                say(text)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="roomcast", description=__doc__)
    parser.add_argument("url", help="of a gateway: ws://localhost:8000")
    parser.add_argument("rooms", nargs="+", metavar="room", help="tiktok:@name, tiktok:ID, douyin:NUMBER ...")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--events", type=lambda text: text.split(","), help="only these: chat,gift")
    parser.add_argument("--last", type=int, help="begin with so many of the latest events")
    parser.add_argument("--wait", action="store_true", help="for rooms that are not live yet")
    parser.add_argument("--lang", default="en", choices=["en", "zh"])
    with suppress(KeyboardInterrupt):
        asyncio.run(watch(parser.parse_args()))


if __name__ == "__main__":
    main()
