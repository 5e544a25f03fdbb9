"""What is worth a line of its own, and how it reads. Pure; no text of a stranger leaves it as it came."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gateway.watch.plain_text import shown

NAME_MAX_CHARS = 30

Frame = dict[str, Any]
Line = Sequence[tuple[str, str]]
"""Parts of a line: the text of each, and its style."""


def _name(frame: Frame, field: str = "user") -> tuple[str, str]:
    user = frame.get(field) or {}
    return shown(user.get("nickname") or user.get("unique_id") or "somebody", NAME_MAX_CHARS), "bold cyan"


def _chat(frame: Frame) -> Line:
    return [_name(frame), (": ", ""), (shown(frame["content"]), "")]


def _gift(frame: Frame) -> Line:
    if not frame["final"]:
        return []  # it is told when the streak is over
    what = f"{frame['total']} × {shown(frame['gift']['name'], NAME_MAX_CHARS)}"
    value = frame["total"] * frame["gift"]["diamond_count"]
    return [_name(frame), (" gives ", ""), (what, "bold magenta"), (f"  {value} ♦" if value else "", "magenta")]


def _emote(frame: Frame) -> Line:
    texts = [shown(emote.get("text") or "[emote]", NAME_MAX_CHARS) for emote in frame["emote"]["emotes"]]
    return [_name(frame), (": ", ""), (" ".join(texts), "")]


def _subscribe(frame: Frame) -> Line:
    return [_name(frame), (f" subscribes ({shown(frame['subscribe']['kind'], NAME_MAX_CHARS)})", "green")]


def _question(frame: Frame) -> Line:
    return [_name(frame), (" asks: ", "green"), (shown(frame["question"].get("text") or "…"), "")]


def _notice(frame: Frame) -> Line:
    return [(shown(frame["notice"]["text"]), "dim")]


def _live_status(frame: Frame) -> Line:
    status = frame["live_status"]
    return [(f"{shown(status['state'], NAME_MAX_CHARS)}  ", "bold green"), (shown(status.get("title") or ""), "")]


def _ended(frame: Frame) -> Line:
    return [(f"the broadcast is over ({shown(frame['ended']['reason'], NAME_MAX_CHARS)})", "bold yellow")]


def _gap(frame: Frame) -> Line:
    return [(f"events are missing here ({shown(frame['reason'], NAME_MAX_CHARS)})", "bold red")]


def _dropped(frame: Frame) -> Line:
    return [(f"{frame['count']} events left out: this terminal reads too slowly", "red")]


_LINES: Mapping[str, Callable[[Frame], Line]] = MappingProxyType(
    {
        "chat": _chat,
        "gift": _gift,
        "emote": _emote,
        "follow": lambda frame: [_name(frame), (" follows", "green")],
        "share": lambda frame: [_name(frame), (" shares the room", "green")],
        "subscribe": _subscribe,
        "question": _question,
        "notice": _notice,
        "live_status": _live_status,
        "ended": _ended,
        "gap": _gap,
        "dropped": _dropped,
    }
)
"""Likes, joins and numbers are not among them: they are in the sums."""


def line_of(frame: Frame) -> Line:
    """The line of a frame; empty when it has none."""
    if "error" in frame:
        text = f"{frame['error']}: {frame['detail']}. {frame['suggestion']}"
        return [(shown(text), "red" if not frame["reconnect"] else "yellow")]
    if "status" in frame:
        return [(shown(frame["message"]), "dim")]
    kind = frame.get("type")
    return _LINES[kind](frame) if isinstance(kind, str) and kind in _LINES else []
