import re
from random import Random

from simulator.tiktok.tickets import TICKET_LIFE_S, Tickets


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
