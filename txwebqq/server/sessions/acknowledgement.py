"""
Acknowledgement of poll replies: when the events of a reply count as delivered.

A session has at most one reply whose events are not acknowledged. Each poll
first settles that reply: either its events are delivered, or they are given
once more, the same and in the same order. Clients acknowledge in three ways:

 - by C{ack}, the number of the last reply that they have handed over;
 - by C{ids}, the messages that they have shown;
 - by polling again, which is all that most clients of 2012 to 2014 do. Their
   poll acknowledges the reply before it, unless the connection of that reply
   says otherwise (L{ConnectionHabit}).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from txwebqq.model import Event

MAX_REPEATS = 10
"""How often a reply is repeated to a client that does not send C{ack}, however
its connections end."""

MAX_UNNAMED = 3
"""How often messages are repeated to a client that names others by C{ids} but
never these, although their replies have arrived."""


class Outcome(Enum):
    """
    What the connection of a reply tells about whether it arrived, by the time
    of the next poll.
    """

    ARRIVED = "the connection was used again, or is open and all is received"
    CLOSED = "closed by the client after the reply, instead of being kept"
    BROKEN = "reset, timed out, or closed against the rules of TLS"
    SILENT = "no sign of life on a connection that both sides close, over TLS"
    UNRECEIVED = "the client's system has not received all of the reply"


HABITS = {Outcome.CLOSED: 2, Outcome.SILENT: 1, Outcome.BROKEN: 3}
"""After as many replies in a row whose connections ended alike, that is how the
client ends its connections: clients close them for many reasons, and break them
for few."""


class Answer(Protocol):
    """
    An answer to a poll, as far as its connection tells what became of it.
    """

    def isOn(self, connection: object) -> bool:
        """
        Whether it was written to this connection.
        """

    def outcome(self) -> Outcome:
        """
        What is known of its arrival.
        """


class ConnectionHabit:
    """
    How a client treats the connections that its polls are answered on.

    Some clients close a connection that is kept alive after each reply. That
    tells nothing about a single reply once it is known to be their habit.

    @ivar last: the last answer, L{None} when nothing is known of it.
    """

    __slots__ = ("_reuses", "_seen", "_streak", "last")

    def __init__(self) -> None:
        self.last: Answer | None = None
        self._reuses = False
        self._seen = Outcome.ARRIVED
        self._streak = 0

    def hasArrived(self, connection: object) -> bool:
        """
        Whether there is no reason to doubt that the last answer has arrived.

        @param connection: the one on which the client polls now.
        """
        last, self.last = self.last, None
        if last is None:
            return True
        if last.isOn(connection):
            self._reuses = True
            return True
        outcome = last.outcome()
        if outcome is Outcome.ARRIVED or outcome is Outcome.UNRECEIVED:
            self._streak = 0
            return outcome is Outcome.ARRIVED
        isSeen = outcome is self._seen and self._streak >= HABITS[outcome]
        isHabit = isSeen and not self._reuses
        self._streak = self._streak + 1 if outcome is self._seen else 1
        self._seen = outcome
        return isHabit


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """
    What one poll, or a logout, says about the replies before it.

    @ivar ack: as in L{txwebqq.wire.commands.messages.Poll2}, like C{ids}.
    @ivar hasArrived: whether the last reply's connection gives no reason to
        doubt that it has arrived.
    """

    ack: int | None = None
    ids: tuple[str, ...] = ()
    hasArrived: bool = True


@dataclass(slots=True)
class UnacknowledgedReply:
    """
    A reply with events that are not known to be delivered.

    @ivar number: grows from reply to reply of an account.
    @ivar events: all of it, as the session was told them.
    @ivar serials: the serial numbers of the letters in it, which are the last
        of the events.
    @ivar isWritten: whether it is on its way to the client; L{False} while it
        waits to be repeated.
    @ivar repeats: how often it has been given beyond the first time.
    """

    number: int
    events: tuple[Event, ...]
    serials: tuple[int, ...]
    isWritten: bool = True
    repeats: int = 0
    _unnamed: int = field(default=0, repr=False)

    def settle(self, said: Acknowledgement, namesIds: bool) -> Sequence[int]:
        """
        Take an acknowledgement into account: what is delivered by it is no
        longer among C{events} and C{serials}.

        @param namesIds: whether the session acknowledges messages by C{ids}.

        @return: the serial numbers of the letters that are delivered.
        """
        if said.ack is not None:
            isDelivered = said.ack >= self.number
        elif not self.isWritten:
            isDelivered = False
        elif namesIds:
            return self._settleByIds(said)
        else:
            isDelivered = said.hasArrived or self.repeats >= MAX_REPEATS
        if not isDelivered:
            return ()
        delivered = self.serials
        self.events = self.serials = ()
        return delivered

    def _settleByIds(self, said: Acknowledgement) -> Sequence[int]:
        named = set(said.ids)
        delivered, left, events = [], [], []
        # Events that are not stored stand before all that are.
        others: list[int | None] = [None] * (len(self.events) - len(self.serials))
        self._unnamed += said.hasArrived
        isLast = self._unnamed > MAX_UNNAMED or self.repeats >= MAX_REPEATS
        for event, serial in zip(self.events, [*others, *self.serials], strict=True):
            messageId = messageIdOf(event)
            isDone = (
                messageId in named
                if messageId is not None and not isLast
                else said.hasArrived or isLast
            )
            if not isDone:
                events.append(event)
                left += [] if serial is None else [serial]
            elif serial is not None:
                delivered.append(serial)
        self.events, self.serials = tuple(events), tuple(left)
        return delivered


def messageIdOf(event: Event) -> str | None:
    """
    The id that clients name in C{ids}; L{None} for what is no message.
    """
    if hasattr(event, "content"):
        return str(getattr(event, "messageId", ""))
    return None
