"""
The replies to polls: made of the events in the mailbox of a session, and given again
until they are acknowledged.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress

from txwebqq.model import Event
from txwebqq.server.events.extensions import withoutExtensions
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.sessions.acknowledgement import Acknowledgement, UnacknowledgedReply
from txwebqq.server.sessions.session import Session
from txwebqq.server.storage.messages.eventwriter import EventWriter
from txwebqq.server.storage.messages.queue import MessageStore
from txwebqq.wire.commands.messages import PollResult


class PollReplies:
    """
    Takes the replies of sessions out of their mailboxes and the database.

    @param seconds: returns the time in Unix seconds.
    """

    def __init__(
        self,
        messages: MessageStore,
        writer: EventWriter,
        seconds: Callable[[], float],
    ) -> None:
        self._messages = messages
        self._writer = writer
        self._seconds = seconds
        self._last = 0

    def restore(self, session: Session) -> None:
        """
        Read the reply that an earlier session of the account, or an earlier
        run of the server, gave and that was not acknowledged.

        @raise Exception: when the database fails, as all methods do.
        """
        if self._writer.isBehind(session.number):
            self._writer.commit()
        session.isRestored = True
        found = self._messages.unacknowledged(session.number)
        if found:
            events = tuple(event.event(session.sessionIds) for _, _, event in found)
            serials = tuple(serial for _, serial, _ in found)
            number = found[-1][0]
            session.unacknowledged = UnacknowledgedReply(
                number, events, serials, isWritten=False
            )

    def acknowledge(self, session: Session, said: Acknowledgement) -> None:
        """
        Settle the unacknowledged reply of a session by what its client says
        about it.
        """
        session.sendsAck = said.ack is not None
        if said.ack is not None:
            session.lastAck = said.ack
        session.namesIds = session.namesIds or bool(said.ids)
        if not session.isRestored:
            self.restore(session)
        reply = session.unacknowledged
        if reply is None:
            return
        delivered = reply.settle(said, session.namesIds)
        self._writer.changes.delivered.extend((session.number, n) for n in delivered)
        reply.isWritten = False
        if not reply.events:
            session.unacknowledged = None

    def take(self, session: Session) -> PollResult | None:
        """
        Return the unacknowledged reply of a session that is to be repeated, else the
        next one, L{None} when there are no events for the session.
        """
        if not session.isRestored:
            self.restore(session)
        while True:
            reply = session.unacknowledged
            if reply is None:
                reply = session.unacknowledged = self._new(session)
                if reply is None:
                    return None
            elif not reply.isWritten:
                reply.isWritten = True
                reply.repeats += 1
            # The newest event comes first (protocol.md 2.2.1).
            newestFirst = reply.events[::-1]
            if session.sendsAck:
                return PollResult(newestFirst, reply.number)
            known = withoutExtensions(newestFirst)
            if known:
                return PollResult(known)
            # The client knows none of the events, which are delivered by that.
            delivered = ((session.number, serial) for serial in reply.serials)
            self._writer.changes.delivered.extend(delivered)
            session.unacknowledged = None

    def _new(self, session: Session) -> UnacknowledgedReply | None:
        mailbox = session.mailbox
        room = mailbox.room
        if room:
            if self._writer.isBehind(session.number):
                self._writer.commit()
            mailbox.load(self._load(session, room), room)
        # Those clients follow the protocol that says how to sort.
        queued = mailbox.take(isSorted=bool(session.sendsAck))
        events: list[Event] = list(mailbox.takePresence(session.sessionIds))
        if mailbox.transient:
            transient = mailbox.takeTransient(self._seconds())
            events += [event.event(session.sessionIds) for event in transient]
        events += [event.event(session.sessionIds) for _, event in queued]
        if not events:
            return None
        number = self._nextNumber(session)
        serials = [serial for serial, _ in queued]
        for serial in serials:
            self._writer.changes.give(session.number, serial, number)
        return UnacknowledgedReply(number, tuple(events), tuple(serials))

    def _load(self, session: Session, limit: int) -> list[tuple[int, QueuedEvent]]:
        """
        Read the next events of a session from the database, without those that its
        client does not know.
        """
        found = self._messages.next(session.number, limit)
        if session.sendsAck or not any(event.kind.isExtension for _, event in found):
            return found
        # One reply after another without them, thousands would take minutes. While
        # another process is writing to the database, they are left out so.
        with suppress(sqlite3.Error):
            self._messages.dropExtensions(session.number)
            found = self._messages.next(session.number, limit)
        return found

    def _nextNumber(self, session: Session) -> int:
        # Microseconds, so that a server that is restarted without a database
        # goes on above the numbers that its clients remember.
        now = int(self._seconds() * 1_000_000)
        self._last = max(self._last + 1, now)
        return max(self._last, session.lastAck + 1)
