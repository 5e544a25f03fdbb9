"""Whether the signature of an HTTP request, `a_bogus`, is right, as far as a server can tell. Pure.

Source: public clients of 2025, and three of their values with the time pinned. The platform does not insist on it.
"""

from typing import Final

from simulator.douyin.arithmetic import decode, encode, rc4, sm3

_ALPHABET: Final = b"Dkdpgh2ZmsQB80/MfvV36XI1R45-WUAlEixNLwoqYTOPuzKFjJnry79HbGcaStCe"
_AGENT_ALPHABET: Final = b"ckdp1h4ZKsUB80/Mfvw36XIgR25+WQAlEi7NLboqYTOPuzmFjJnryx9HVGDaStCe"
_BODY_KEY: Final = b"y"
_AGENT_KEY: Final = bytes([0, 1, 14])
_SALT: Final = b"cus"
_PREFIX: Final = 12  # random bytes
_AID: Final = 6383

# The header's fields by number, in the order they are written.
_FIELDS: Final = (
    18, 20, 52, 26, 30, 34, 58, 38, 40, 53, 42, 21, 27, 54, 55, 31, 35, 57, 39, 41, 43, 22, 28, 32, 60, 36, 23, 29, 33,
    37, 44, 45, 59, 46, 47, 48, 49, 50, 24, 25, 65, 66, 70, 71,
)  # fmt: skip


def wrong_with(a_bogus: str, query: str, user_agent: str) -> str | None:
    """What is wrong with the a_bogus of a request without a body; None when nothing is.

    Args:
        a_bogus: unescaped.
        query: as sent, up to where a_bogus begins.
        user_agent: of the request.
    """
    if not a_bogus:
        return "missing"
    try:
        body = rc4(_BODY_KEY, decode(_ALPHABET, a_bogus.rstrip("="))[_PREFIX:])
    except ValueError:
        return "alphabet"
    if len(body) <= len(_FIELDS):
        return "length"
    field = dict(zip(_FIELDS, body, strict=False))
    environment = body[len(_FIELDS) : -1]
    if field[65] | field[66] << 8 != len(environment):
        return "length"
    check = 0
    for byte in field.values():
        check ^= byte
    if body[-1] != check:
        return "checksum"
    said = {
        "query": (sm3(sm3(query.encode() + _SALT)), (38, 39), 21),
        "body": (sm3(sm3(_SALT)), (40, 41), 21),
        "user_agent": (sm3(encode(_AGENT_ALPHABET, rc4(_AGENT_KEY, user_agent.encode()))), (42, 43), 23),
    }
    for what, (digest, numbers, at) in said.items():
        if [field[number] for number in numbers] != [digest[at], digest[at + 1]]:
            return what
    if bytes(field[number] for number in (57, 58, 59, 60)) != _AID.to_bytes(4, "little"):
        return "aid"
    return None
