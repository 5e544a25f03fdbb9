"""Which metrics and labels an expression of Prometheus names: enough of its grammar for our own rules and panels."""

import re
from dataclasses import dataclass

_KEYWORDS = frozenset("and or unless by without on ignoring group_left group_right bool offset inf nan".split())
_SELECTOR = re.compile(r"([A-Za-z_:][\w:]*)\s*\{([^}]*)\}")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"[^\"]*\"")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]")
_FUNCTION = re.compile(r"\b[A-Za-z_]\w*\s*(?=\()")
_NAME = re.compile(r"(?<![\w.:])[A-Za-z_:][\w:]*")


@dataclass(frozen=True, slots=True)
class Named:
    """What an expression names.

    Attributes:
        metrics: metric name -> the labels it is selected by.
        grouped: labels that results are grouped or joined by.
    """

    metrics: dict[str, set[str]]
    grouped: set[str]


def named(expression: str) -> Named:
    """Take an expression apart."""
    metrics: dict[str, set[str]] = {}

    def select(match: re.Match[str]) -> str:
        metrics.setdefault(match[1], set()).update(_MATCHER.findall(match[2]))
        return " "

    rest = _RANGE.sub(" ", _SELECTOR.sub(select, expression))
    grouped = {label.strip() for group in _GROUPING.findall(rest) for label in group.split(",") if label.strip()}
    rest = _FUNCTION.sub(" ", _GROUPING.sub(" ", rest))
    for name in _NAME.findall(rest):
        if name.lower() not in _KEYWORDS:
            metrics.setdefault(name, set())
    return Named(metrics, grouped)
