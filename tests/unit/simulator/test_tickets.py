import re
from random import Random

import pytest

from simulator.tickets import TICKET_LIFE_S, Tickets, is_ttwid, new_ttwid


def test_a_ticket_opens_one_socket() -> None:
    tickets = Tickets(Random(1))
    wrss = tickets.issue(7, "cursor", 0.0)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", wrss)
    ticket = tickets.redeem(wrss, 7, 29.9)
    assert ticket is not None
    assert ticket.cursor == "cursor"
    assert tickets.redeem(wrss, 7, 29.9) is None


def test_a_ticket_is_refused_when_it_is_too_old() -> None:
    tickets = Tickets(Random(1))
    assert tickets.redeem(tickets.issue(7, "", 0.0), 7, TICKET_LIFE_S) is None


def test_a_ticket_is_refused_in_another_room() -> None:
    tickets = Tickets(Random(1))
    assert tickets.redeem(tickets.issue(7, "", 0.0), 8, 0.0) is None


def test_a_made_up_ticket_is_refused() -> None:
    assert Tickets(Random(1)).redeem("x" * 43, 7, 0.0) is None


def test_an_issued_cookie_is_known_again() -> None:
    assert is_ttwid(new_ttwid(Random(1), 1_700_000_000_000))


@pytest.mark.parametrize("value", ["", "x", "1|abc|1700000000|00ff", "1%257Cabc%257C1700000000%257C00ff"])
def test_a_cookie_whose_escapes_were_undone_or_doubled_is_not(value: str) -> None:
    assert not is_ttwid(value)
