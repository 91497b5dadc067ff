"""
The way of queued events from requests to the polls of their recipients.

Every event is stored for each of its recipients until it is acknowledged. What
requests change is written to the database once in each turn of the reactor, in
one transaction; after that the polls are answered that wait for it, and in the
next turn the senders. So a message whose sender was told that it is accepted,
and the events of a reply to a poll, are in the database and survive a crash.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from txwebqq.model import KickNotice, Number, Sent
from txwebqq.server.domain.history import HistoryRecorder
from txwebqq.server.domain.refusals import REPLACED, refusalFor
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.events.storedformat import encodeQueued
from txwebqq.server.sessions.acknowledgement import Acknowledgement
from txwebqq.server.sessions.messageids import MessageIdGenerator
from txwebqq.server.sessions.pollreplies import PollReplies
from txwebqq.server.sessions.session import (
    EndedSession,
    EndReason,
    HeldPoll,
    PollReply,
    Session,
)
from txwebqq.server.sessions.sessions import Sessions
from txwebqq.server.sessions.storedsessions import toReplaced, toStored
from txwebqq.server.storage.messages.eventwriter import EventWriter
from txwebqq.server.storage.store import Store
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.messages import PollResult

BATCH = 100
"""Number of polls that are answered in one turn of the reactor."""

WRITE_WITHIN = 0.1
"""Time within which acknowledgements are written to the database, in seconds."""

LOCK_RETRY = 0.1
"""Time between two attempts to write while another process is writing to the
database, in seconds."""

SYSTEM = Number(10000)
"""The sender whose ids the notices of the server have."""


class ScheduledCall(Protocol):
    """
    A call that is scheduled on a L{Clock}.
    """

    def cancel(self) -> None: ...


class Clock(Protocol):
    """
    The part of L{twisted.internet.interfaces.IReactorTime} that the router
    needs.
    """

    def seconds(self) -> float: ...

    def callLater(
        self, delay: float, call: Callable[[], object], /
    ) -> ScheduledCall: ...


class MessageRouter:
    """
    Stores events for their recipients, and answers held polls with them.

    @param onError: is called with a sentence for the log and its fields while
        an exception of the database is handled, as
        L{twisted.logger.Logger.failure}.
    """

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        recorder: HistoryRecorder,
        messageIds: MessageIdGenerator,
        clock: Clock,
        onError: Callable[..., object],
    ) -> None:
        self._messages = store.messages
        self._sessions = sessions
        self._recorder = recorder
        self._messageIds = messageIds
        self._clock = clock
        self._onError = onError
        self._writer = EventWriter(self._messages, clock.seconds, self._forget)
        # Accounts whose sessions are to be stored.
        self._changed: set[Number] = set()
        self._replies = self._makeReplies()
        # Sessions whose polls are to be answered, in the order of their events.
        self._ready: OrderedDict[Session, None] = OrderedDict()
        # Senders that wait for the next write to the database, each with the
        # number of writes that had failed before.
        self._senders: list[tuple[Callable[[bool], object], int]] = []
        # Senders that are answered in the next turn, after the recipients.
        self._leaving: list[tuple[Callable[[bool], object], bool]] = []
        self._turn: ScheduledCall | None = None
        self._writing: ScheduledCall | None = None
        self._isStopped = False

    def _makeReplies(self) -> PollReplies:
        return PollReplies(self._messages, self._writer, self._clock.seconds)

    def stop(self) -> None:
        """
        Deliver what can be delivered, write all changes, and leave nothing on
        the clock. Polls without an event stay held.
        """
        self._isStopped = True
        self._writer.stop()
        while self._ready or self._senders or self._leaving:
            self._deliver()
        for call in (self._turn, self._writing):
            if call is not None:
                call.cancel()
        self._turn = self._writing = None
        self._tryCommit()

    def route(self, event: QueuedEvent, numbers: Iterable[Number]) -> None:
        """
        Queue an event for accounts, and wake their polls.

        The event is written to the database in the next turn of the reactor;
        L{whenStored} tells when.
        """
        recipients = list(numbers)
        body = encodeQueued(event)
        serial = self._messages.nextSerial() if recipients else 0
        self._recorder.record(event, body, recipients, serial)
        if not recipients:
            return
        self._writer.changes.add(serial, event, body)
        waiting = self._writer.changes.waiting
        for number in recipients:
            waiting[number, serial] = 0
        self._announce(serial, event, recipients)

    def _announce(
        self, serial: int, event: QueuedEvent, recipients: Iterable[Number]
    ) -> None:
        """
        Wake the polls of the recipients of an event.
        """
        for number in recipients:
            session = self._sessions.existing(number)
            if session is not None:
                session.mailbox.add(serial, event)
                if session.poll is not None and not session.isThrottled:
                    self._ready[session] = None
        self._schedule()

    def routeFromOperator(
        self, event: QueuedEvent, numbers: Iterable[Number], serial: int
    ) -> None:
        """
        Queue an event of C{webqq-admin}, which is deleted from the table of these in
        the transaction that stores it for its recipients.

        @param serial: its number in that table.
        """
        self._writer.changes.operatorEvents.append(serial)
        self.route(event, numbers)
        self._writeSoon()

    def sendOnce(
        self, sender: Number, sendId: str, send: Callable[[], Sent | Refusal]
    ) -> Sent | Refusal:
        """
        Send a message, unless the account has sent one with the same id.

        @param sendId: the client's own id of the message, C{""} for none.

        @return: the answer that the first one was given.
        """
        known = self.sent(sender, sendId)
        if known is not None:
            return known
        sent = send()
        if sendId and isinstance(sent, Sent):
            # In the same transaction as the message.
            self._writer.changes.sent[sender, sendId] = sent
            self._writeSoon()
        return sent

    def sent(self, sender: Number, sendId: str) -> Sent | None:
        """
        Return the answer to the message of an account with an id of its client, L{None}
        if there is no such message.
        """
        if not sendId:
            return None
        pending = self._writer.changes.sent.get((sender, sendId))
        return pending or self._messages.sentIds.find(sender, sendId)

    @property
    def keepsSentIds(self) -> bool:
        """
        Whether messages are recognised after a restart of the server.
        """
        return self._messages.sentIds.isFile

    def withdraw(self, serial: int, body: str) -> list[Number]:
        """
        Drop an event for the accounts that have been given it in no reply yet.

        @param serial: its serial number.
        @param body: the event in its stored form.

        @return: those accounts.

        @raise Exception: when the database fails; then nothing is dropped.
        """
        self.commit()
        numbers = self._messages.withdraw(serial, body)
        for number in numbers:
            session = self._sessions.existing(number)
            if session is not None:
                session.mailbox.remove(serial)
        return numbers

    def forgetStatus(self, session: Session, friend: Number) -> None:
        """
        Drop the new status of an account that is no friend any more.
        """
        session.mailbox.presence.pop(friend, None)

    def sendTransient(self, event: QueuedEvent, numbers: Sequence[Number]) -> None:
        """
        Give an event to those of some accounts that are online. The event is not
        stored, and is dropped if no poll takes it within the lifetime of its kind.
        """
        self._sessions.load(numbers)
        for session in filter(None, map(self._sessions.online, numbers)):
            session.mailbox.addTransient(event, self._clock.seconds())
            self.wake(session)

    def wake(self, session: Session) -> None:
        """
        Answer the poll of a session, if one is held, in the next turn of the
        reactor, since it has events.
        """
        if session.poll is not None and not session.isThrottled:
            self._ready[session] = None
            self._schedule()

    def hold(self, session: Session, poll: HeldPoll, said: Acknowledgement) -> bool:
        """
        Hold a poll of a session until there is an event for it.

        @param said: the acknowledgement in the poll.

        @return: whether the poll is throttled, because the client has been
            given the same reply several times: then the poll is answered after
            L{resume} only.

        @raise Exception: when the database fails; then the poll is not held.
        """
        self.supersede(session)
        self.acknowledge(session, said)
        self._writeSoon()
        session.poll = poll
        self._sessions.markPolling(session)
        reply = session.unacknowledged
        # A client that cannot decode a reply polls again immediately, without
        # end.
        session.isThrottled = reply is not None and reply.repeats > 0
        if session.hasPending:
            self.wake(session)
        return session.isThrottled

    def resume(self, session: Session) -> None:
        """
        Answer the poll of a session, if one is held, also if it is throttled.
        """
        session.isThrottled = False
        self.wake(session)

    def release(self, session: Session, poll: HeldPoll) -> None:
        """
        Hold a poll no longer, because it is answered or its client has
        disconnected.
        """
        if session.poll is poll:
            session.poll = None
            if session.ended is None:
                self._sessions.markIdle(session)

    def supersede(self, session: Session) -> None:
        """
        End the held poll of a session, because the client polls again or
        signs on again.
        """
        older = session.poll
        if older is not None:
            self.release(session, older)
            older.superseded()

    def endedReply(self, ended: EndedSession) -> PollReply:
        """
        Return the reply to a poll of a session that has ended.
        """
        ended.told = True
        if ended.reason is not EndReason.REPLACED:
            return refusalFor(ended)
        first = self._messageIds.nextMessageId(SYSTEM)
        notice = KickNotice(REPLACED, True, ended.number, first, first + 1)
        return PollResult((notice,))

    def acknowledge(self, session: Session, said: Acknowledgement) -> None:
        """
        Settle the unacknowledged reply of a session by what its client says
        about it.
        """
        self._replies.acknowledge(session, said)

    @property
    def hasRouted(self) -> bool:
        """
        Whether there are events that are not yet in the database.
        """
        return bool(self._writer.changes.events)

    @property
    def lastSerial(self) -> int:
        """
        The serial number of the last event that was routed.
        """
        return self._messages.lastSerial

    def hasDeliveries(self, since: int) -> bool:
        """
        Check whether there are events that are not yet in the database, or
        polls to be answered. While another process is writing to the database,
        only events after a serial number count: other requests need not wait.
        """
        if self._writer.isWaiting and since == self.lastSerial:
            return False
        return bool(self._writer.changes.events or self._ready)

    def whenStored(self, callback: Callable[[bool], object]) -> None:
        """
        Call a function in the turn after the events that were routed until now
        have been written to the database, and given to the first polls.

        @param callback: is called with L{False} if the write has failed.
        """
        self._senders.append((callback, self._writer.failures))
        self._schedule()

    def storeSession(self, number: Number) -> None:
        """
        Store the session of an account within L{WRITE_WITHIN}, or its end.
        """
        self._changed.add(number)
        self._writeSoon()

    def storeReplaced(self, session: Session) -> None:
        """
        Store as soon that a session was replaced, of which its client may be told by
        a later run of the server.
        """
        self._writer.changes.replaced.append(toReplaced(session, self._clock.seconds()))
        self._writeSoon()

    def _schedule(self) -> None:
        if self._turn is None and not self._isStopped:
            delay = LOCK_RETRY if self._writer.isWaiting else 0
            self._turn = self._clock.callLater(delay, self._cbTurn)

    def _writeSoon(self) -> None:
        # Nothing else may cause a write for a long time.
        if self._writing is None and self._hasChanges and not self._isStopped:
            self._writing = self._clock.callLater(WRITE_WITHIN, self._cbWrite)

    def _cbTurn(self) -> None:
        self._turn = None
        self._deliver()

    def _deliver(self) -> None:
        """
        Write all changes to the database, and answer up to L{BATCH} polls; the
        others are answered in later turns.
        """
        leaving, self._leaving = self._leaving, []
        for callback, isStored in leaving:
            callback(isStored)
        if not (self._ready or self._senders or self._writer.changes.events):
            return
        if self._writer.isWaiting and not self._tryCommit() and self._writer.isWaiting:
            self._schedule()
            return
        given = []
        for _ in range(min(BATCH, len(self._ready))):
            session, _ = self._ready.popitem(last=False)
            poll = session.poll
            if poll is None or session.isThrottled:
                continue
            if not poll.isLive():
                self.release(session, poll)
                continue
            try:
                reply = self._takePending(session)
            except Exception as e:
                if self._writer.isWaiting:
                    self._ready[session] = None
                    break
                self._onError(
                    "Reading events from the database failed (account {number}): "
                    "{reason}; the poll stays held.",
                    number=session.number,
                    reason=str(e),
                )
                continue
            if reply is not None:
                given.append((session, poll, reply))
        isWritten = self._tryCommit()
        for session, poll, reply in given:
            # A kick or a new ptwebqq is not in the database.
            if session.poll is poll and (isWritten or not _hasEvents(session, reply)):
                self.release(session, poll)
                poll.answer(reply)
            elif self._writer.isWaiting:
                self._takeBack(session)
        # After another failure the polls stay held: their events are not in the
        # database, or are read from it again.
        if not self._writer.isWaiting:
            senders, self._senders = self._senders, []
            for callback, failures in senders:
                # An earlier write in this turn may have failed.
                self._leaving.append((callback, failures == self._writer.failures))
        if self._ready or self._leaving or self._senders:
            self._schedule()

    def _takeBack(self, session: Session) -> None:
        """
        Have the next poll answered with a reply that was made and not given.
        """
        reply = session.unacknowledged
        if reply is not None and reply.isWritten:
            reply.isWritten = False
            reply.repeats -= 1
        if session.poll is not None:
            self._ready[session] = None

    def _takePending(self, session: Session) -> PollReply | None:
        """
        Take the reply to the poll of a session out of its mailbox.

        @return: L{None} when there is nothing for the session.
        """
        if session.ended is not None:
            return self.endedReply(session.ended)
        if session.rotation is not None:
            rotation, session.rotation = session.rotation, None
            return Refusal(116, ptwebqq=rotation)
        return self._replies.take(session)

    @property
    def _hasChanges(self) -> bool:
        return bool(self._changed) or not self._writer.changes.isEmpty

    def commit(self) -> None:
        """
        Write all changes to the database; fails as L{EventWriter.commit}.
        """
        for number in self._changed:
            session = self._sessions.existing(number)
            stored = None if session is None else toStored(session)
            self._writer.changes.sessions[number] = stored
        self._changed.clear()
        self._writer.commit()

    def _forget(self, numbers: Iterable[Number]) -> None:
        """
        Have the events of accounts read from the database again.
        """
        for number in numbers:
            session = self._sessions.existing(number)
            if session is not None:
                session.mailbox.forget()
                session.unacknowledged, session.isRestored = None, False

    def flush(self) -> None:
        """
        Write all changes to the database, or soon if that is not possible now.
        """
        self._tryCommit()
        self._writeSoon()

    def _tryCommit(self) -> bool:
        try:
            self.commit()
        except Exception as e:
            if self._writer.isWaiting:
                return False
            self._onError(
                "Writing to the database failed: {reason}; "
                "the messages since the last write are refused.",
                reason=str(e),
            )
            return False
        return True

    def _cbWrite(self) -> None:
        self._writing = None
        self._tryCommit()
        if self._writer.isWaiting:
            self._writeSoon()


def _hasEvents(session: Session, reply: PollReply) -> bool:
    return session.ended is None and isinstance(reply, PollResult)
