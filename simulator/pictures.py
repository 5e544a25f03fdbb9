"""Small drawings for avatars, gifts and emotes, so that a demo without the internet has faces. Pure."""

import colorsys
from random import Random

from simulator.catalogue import EMOTES


def avatar(user_id: int) -> str:
    """A friendly face that belongs to this id alone, or nearly."""
    random = Random(user_id)
    hue = random.random()
    back, skin = _color(hue, 0.55, 0.75), _color(hue + random.uniform(0.3, 0.7), 0.45, 0.95)
    tilt, side, rise = random.randrange(-25, 26), random.randrange(-6, 7), random.randrange(0, 8)
    eyes = random.choice((5, 6, 7))
    mouth = random.choice(("M38 62q12 12 24 0", "M40 62h20", "M38 60q12 18 24 0z", "M44 64a6 4 0 0 0 12 0"))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
        f'<rect width="100" height="100" fill="{back}"/>'
        f'<g transform="rotate({tilt} 50 50) translate({side} {rise})">'
        f'<rect x="12" y="14" width="76" height="90" rx="38" fill="{skin}"/>'
        f'<circle cx="{50 - 2 * eyes}" cy="46" r="4"/><circle cx="{50 + 2 * eyes}" cy="46" r="4"/>'
        f'<path d="{mouth}" fill="none" stroke="#000" stroke-width="3" stroke-linecap="round"/>'
        "</g></svg>"
    )


def gift(gift_id: int, sign: str) -> str:
    """A gift's sign on a soft ground."""
    return _sign(sign, gift_id)


def emote(number: int) -> str:
    """One of the stickers."""
    return _sign(EMOTES[number % len(EMOTES)], number)


def _sign(text: str, seed: int) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
        f'<circle cx="50" cy="50" r="48" fill="{_color(Random(seed).random(), 0.25, 1.0)}"/>'
        f'<text x="50" y="54" font-size="56" text-anchor="middle" dominant-baseline="middle">{text}</text></svg>'
    )


def _color(hue: float, saturation: float, value: float) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hsv_to_rgb(hue % 1, saturation, value))
