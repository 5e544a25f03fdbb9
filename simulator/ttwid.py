"""The cookie that both platforms give an anonymous visitor, and the page that gives it. Pure."""

import hashlib
import re
from base64 import urlsafe_b64encode
from random import Random

# Source: captured values; the escapes belong to the value and must come back as they are.
_TTWID = re.compile(r"1%7C[A-Za-z0-9_-]+%7C[0-9]+%7C[0-9a-f]+", re.IGNORECASE)


def new_ttwid(random: Random, now_ms: int) -> str:
    """An anonymous visitor's cookie."""
    device = urlsafe_b64encode(random.randbytes(32)).decode().rstrip("=")
    check = hashlib.sha256(device.encode()).hexdigest()
    return f"1%7C{device}%7C{now_ms // 1000}%7C{check}"


def is_ttwid(value: str) -> bool:
    """Whether a cookie looks like one of the platforms', with its escapes neither undone nor doubled."""
    return _TTWID.fullmatch(value) is not None


def set_cookie(ttwid: str) -> str:
    """The header that gives it."""
    return f"ttwid={ttwid}; Path=/; Max-Age=31536000; HttpOnly; SameSite=None"
