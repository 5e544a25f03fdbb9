"""What the log rests on, each as a switch, so that a test can show what every rule is there for."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in force.

    Attributes:
        lease_check: `publish` is refused to whoever does not hold the lease.
        hole_check: `publish` is refused when the log does not end right before the batch.
        nomkstream: `publish` begins no log.
        microseconds: an epoch is a time in microseconds; else in milliseconds.
        jitter: an epoch that the clock cannot give is chosen with randomness.
        heartbeat: `renew` tells the log's last id on the channel.
        inclusive_read: a reader asks for the entry it has, too, and for the last id when there is none.
        doubles_per_epoch: what was delivered is remembered for each epoch; else for the present one.
        gap_entry: whatever was given up, or fell between two holders, is announced by an entry of its own.
        given_up: a batch without an answer is not numbered anew; the gap entry stands for it.
        read_on_subscribe: a confirmed subscription is followed by a read.
        first_log: clients who were there before the log are owed all of it.
        one_place: who gets events as they come is where all others are; who is behind a gap that they are not told of
            yet is not.
        no_step_back: a client that is ahead of its gateway waits for it; else it is brought to the gateway's place.
    """

    lease_check: bool = True
    hole_check: bool = True
    nomkstream: bool = True
    microseconds: bool = True
    jitter: bool = True
    heartbeat: bool = True
    inclusive_read: bool = True
    doubles_per_epoch: bool = True
    gap_entry: bool = True
    given_up: bool = True
    read_on_subscribe: bool = True
    first_log: bool = True
    one_place: bool = True
    no_step_back: bool = True

    def without(self, *names: str) -> "Rules":
        """The same, with some taken out."""
        return replace(self, **dict.fromkeys(names, False))
