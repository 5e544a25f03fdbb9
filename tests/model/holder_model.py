"""A holder in the model: `LogWriter` as functions on a frozen value. One call is in flight at a time.

Upstream shows no continuity, so every epoch behind another begins with a gap entry.
"""

from typing import NamedTuple

from tests.model.rules import Rules
from tests.model.server_model import GAP, Acquire, Answer, Publish, Renew, Request, Token

BATCH_MAX = 2  # entries
KEPT_MAX = 2  # entries, for refilling


class Holder(NamedTuple):
    """One ingestor, as far as this room goes.

    Attributes:
        token: of the lease it believes in.
        asking: the acquire it waits for: the first, or that of a new epoch.
        stored: the last offset known to be stored; behind it `frozen`, then `waiting`, and `kept` before it.
        unanswered: the frozen batch was sent, and what became of it is not known.
        dropped: events behind the frozen ones that a full buffer cost; a new epoch is needed.
        refill: the log ends at this offset of this epoch: send the kept ones behind it.
        added: events it ever took in.
    """

    token: Token | None = None
    asking: Acquire | None = None
    stored: int = 0
    kept: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    unanswered: bool = False
    dropped: tuple[str, ...] = ()
    refill: int | None = None
    added: int = 0

    def without_room(self) -> "Holder":
        """The lease is lost, given up, or the process died."""
        return Holder(added=self.added)

    def begin_epoch(self) -> "Holder":
        """Ask for a new epoch in the place of the present one."""
        assert self.token is not None
        return self._replace(asking=Acquire(replaces=self.token.owner, floor=self.token.epoch), refill=None)

    def gives_up(self, rules: Rules) -> bool:
        """Whether a new epoch goes on without the frozen batch."""
        return (self.unanswered and rules.given_up) or bool(self.dropped)

    def freeze(self) -> "Holder":
        """Make the next batch, unless there is one whose fate is not known."""
        if self.frozen:
            return self
        return self._replace(frozen=self.waiting[:BATCH_MAX], waiting=self.waiting[BATCH_MAX:])

    def next_call(self) -> Publish:
        """The call that brings what waits nearer to the log."""
        assert self.token is not None
        if self.refill is not None:
            return Publish(self.token, self.refill + 1, self.kept[self.refill - self.stored :])
        return Publish(self.token, self.stored + 1, self.frozen)

    def hear(self, request: Request, answer: Answer, rules: Rules) -> "Holder":
        """The answer of its call came."""
        match request, answer.word:
            case Acquire(), "OK":
                return self._acquired(request.owner, answer, rules)
            case Acquire(), _:
                return self.without_room()
            case Publish(), "OK":
                return self._replace(refill=None) if self.refill is not None else self._settled()
            case Publish(), "LOST":
                return self._replace(refill=None)  # renewing finds out
            case Publish(), "HOLE" if self.refill is None and (missing := self._refillable(answer)) is not None:
                return self._replace(refill=missing)
            case Renew(), "OK":
                return self
            case ((Publish() | Renew()), ("NOLOG" | "HOLE")):
                return self.begin_epoch()
            case _:
                return self.without_room()

    def _refillable(self, answer: Answer) -> int | None:
        """The offset behind which all is still kept."""
        assert self.token is not None
        assert answer.last is not None
        epoch, offset = answer.last
        return offset if epoch == self.token.epoch and offset >= self.stored - len(self.kept) else None

    def _settled(self) -> "Holder":
        """The frozen batch is in the log."""
        return self._replace(
            stored=self.stored + len(self.frozen),
            kept=(*self.kept, *self.frozen)[-KEPT_MAX:],
            frozen=(),
            unanswered=False,
        )

    def _acquired(self, owner: int, answer: Answer, rules: Rules) -> "Holder":
        token = Token(answer.epoch, owner)
        gap = (GAP,) if rules.gap_entry and (self.token is not None or answer.last is not None) else ()
        survivors = (*(() if self.gives_up(rules) else self.frozen), *self.waiting)
        return Holder(token, waiting=(*gap, *survivors), added=self.added)
