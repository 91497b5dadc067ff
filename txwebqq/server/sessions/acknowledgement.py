"""
Acknowledgement of poll replies: when the events of a reply count as delivered.

A session has at most one unacknowledged reply. Each poll first settles that
reply: either its events are delivered, or the same reply is given again, with
its events in the same order. Clients acknowledge in three ways
(protocol.md 2.2.1):

 - by C{ack}, the number of the last reply that the client has processed;
 - by C{ids}, the ids of the messages that the client has shown;
 - by the next poll, as most clients of 2012 to 2014 do. The poll acknowledges
   the reply before it, unless the connection of that reply indicates that it
   did not arrive (L{ConnectionHabit}).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from txwebqq.model import Event

MAX_REPEATS = 10
"""Maximum number of repetitions of a reply to a client that does not send
C{ack}, without regard to its connections."""

MAX_UNNAMED = 3
"""Maximum number of repetitions of messages to a client that acknowledges
other messages by C{ids} but never these, although their replies have arrived."""


class Outcome(Enum):
    """
    The state of the connection that a reply was written to, by the time of the
    next poll.
    """

    ARRIVED = "the connection was used again, or is open and all is received"
    CLOSED = "closed by the client after the reply, instead of being kept"
    BROKEN = "reset, timed out, or closed against the rules of TLS"
    SILENT = "no sign of life on a connection that both sides close, over TLS"
    UNRECEIVED = "the client's system has not received all of the reply"


HABITS = {Outcome.CLOSED: 2, Outcome.SILENT: 1, Outcome.BROKEN: 3}
"""Number of consecutive replies with the same outcome after which the outcome is
a habit of the client, and says nothing about the arrival of a reply. Clients
close connections for many reasons, and reset them for few."""


class WatchedReply(Protocol):
    """
    A reply that was written to a connection which is watched.
    """

    def isOn(self, connection: object) -> bool:
        """
        Check whether the reply was written to this connection.
        """

    def outcome(self) -> Outcome:
        """
        Return the state of the connection.
        """


class ConnectionHabit:
    """
    The way in which a client ends the connections of its polls.

    Some clients close a persistent connection after each reply. Once that is
    known as a habit of the client, a closed connection says nothing about the
    arrival of a reply.

    @ivar last: the last reply, L{None} if its connection is not watched.
    """

    __slots__ = ("_reuses", "_seen", "_streak", "last")

    def __init__(self) -> None:
        self.last: WatchedReply | None = None
        self._reuses = False
        self._seen = Outcome.ARRIVED
        self._streak = 0

    def hasArrived(self, connection: object) -> bool:
        """
        Check whether there is no indication that the last reply was lost.

        @param connection: the connection of the present poll.
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
    The acknowledgement of earlier replies in a poll or a logout.

    @ivar ack: as in L{txwebqq.wire.commands.messages.Poll2}, like C{ids}.
    @ivar hasArrived: whether the connection of the last reply gives no
        indication that the reply was lost.
    """

    ack: int | None = None
    ids: tuple[str, ...] = ()
    hasArrived: bool = True


@dataclass(slots=True)
class UnacknowledgedReply:
    """
    A reply with events that have not been acknowledged.

    @ivar number: the number of the reply, which increases from reply to reply
        of an account.
    @ivar events: the events of the reply, with the ids of the session.
    @ivar serials: the serial numbers of the queued events among them, which
        are the last ones.
    @ivar isWritten: whether the reply has been given to a poll; L{False} while
        it waits to be repeated.
    @ivar repeats: the number of repetitions.
    @ivar unnamed: the number of polls that did not name its messages, although it had
        arrived.
    """

    number: int
    events: tuple[Event, ...]
    serials: tuple[int, ...]
    isWritten: bool = True
    repeats: int = 0
    unnamed: int = field(default=0, repr=False)

    def settle(self, said: Acknowledgement, namesIds: bool) -> Sequence[int]:
        """
        Apply an acknowledgement: remove the events that it confirms from
        C{events} and C{serials}.

        @param namesIds: whether the session acknowledges messages by C{ids}.

        @return: the serial numbers of the queued events that it confirms.
        """
        if said.ack is not None:
            isDelivered = said.ack >= self.number
        elif not (self.isWritten or said.ids):
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
        hasArrived = self.isWritten and said.hasArrived
        delivered, left, events = [], [], []
        # Events without serial numbers come before all others.
        others: list[int | None] = [None] * (len(self.events) - len(self.serials))
        self.unnamed += hasArrived
        isLast = self.unnamed > MAX_UNNAMED or self.repeats >= MAX_REPEATS
        for event, serial in zip(self.events, [*others, *self.serials], strict=True):
            messageId = messageIdOf(event)
            isDone = (
                messageId in named
                if messageId is not None and not isLast
                else hasArrived or isLast
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
    Return the id of a message, as clients send it in C{ids}; L{None} for other
    events.
    """
    if hasattr(event, "content"):
        return str(getattr(event, "messageId", ""))
    return None
