"""
The replies to polls of a server of several processes: made of what the database has,
where each of them is until it is acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable

from txwebqq.model import WEB_CLIENT, Event, Number, Status, StatusChange
from txwebqq.server.events.storedformat import decodeQueued
from txwebqq.server.fleet.sessions import FleetSession
from txwebqq.server.sessions.acknowledgement import Acknowledgement, UnacknowledgedReply
from txwebqq.server.sessions.pollreplies import PollReplies
from txwebqq.server.sessions.session import Session
from txwebqq.server.storage.fleet.signals import Signal, SignalStore
from txwebqq.server.storage.messages.eventwriter import EventWriter
from txwebqq.server.storage.messages.queue import MessageStore


class FleetReplies(PollReplies):
    """
    Takes the replies of sessions out of the database.

    @param process: the name of this process. A reply that another one has written
        counts as not arrived for clients that do not say so, because that process may
        have ended before the reply was sent; but not a second time, so that a client
        whose polls come to the processes by turns is given the next one.
    """

    def __init__(
        self,
        messages: MessageStore,
        writer: EventWriter,
        seconds: Callable[[], float],
        store: SignalStore,
        process: str,
    ) -> None:
        super().__init__(messages, writer, seconds)
        self._store = store
        self._process = process
        # By account, the signals that are in no reply, and whether one has any.
        self._given: dict[Number, bool] = {}

    def forget(self) -> None:
        """
        Forget what was read, at the beginning of a batch.
        """
        self._given.clear()

    def restore(self, session: Session) -> None:
        assert isinstance(session, FleetSession)
        super().restore(session)
        events: list[Event] = []
        now = self._seconds()
        signals = self._store.signals(session.number)
        self._given[session.number] = any(each.reply for each in signals)
        for each in signals:
            if each.until < now:
                continue
            if each.reply:
                events.append(_event(session, each))
            else:
                _add(session, each)
        reply, polls = session.unacknowledged, session.polls
        if events:
            if reply is None:
                reply = UnacknowledgedReply(polls.reply, (), (), isWritten=False)
                session.unacknowledged = reply
            reply.events = (*events, *reply.events)
        if reply is not None:
            isOwn = polls.writer == self._process or polls.repeats > 0
            reply.isWritten = bool(polls.writer) and isOwn
            reply.repeats = polls.repeats
            reply.unnamed = polls.unnamed

    def acknowledge(self, session: Session, said: Acknowledgement) -> None:
        super().acknowledge(session, said)
        reply = session.unacknowledged
        hasSignals = reply is not None and len(reply.events) > len(reply.serials)
        if self._given.get(session.number) and not hasSignals:
            self._store.dropSignals(session.number)
            self._given[session.number] = False

    def _new(self, session: Session) -> UnacknowledgedReply | None:
        mailbox = session.mailbox
        keys = [f"presence {friend}" for friend in mailbox.presence]
        keys += [f"{kind} {number}" for kind, number in mailbox.transient]
        reply = super()._new(session)
        if reply is not None and keys:
            self._store.giveSignals(session.number, keys, reply.number)
            self._given[session.number] = True
        return reply

    def _nextNumber(self, session: Session) -> int:
        # The clocks of the processes may differ.
        assert isinstance(session, FleetSession)
        return max(super()._nextNumber(session), session.polls.reply + 1)


def _add(session: FleetSession, signal: Signal) -> None:
    kind, _, number = signal.key.rpartition(" ")
    if kind == "presence":
        status = Status.fromCode(int(signal.body))
        session.mailbox.presence[Number(int(number))] = status
    else:
        until = signal.until, decodeQueued(signal.body)
        session.mailbox.transient[kind, int(number)] = until


def _event(session: FleetSession, signal: Signal) -> Event:
    kind, _, number = signal.key.rpartition(" ")
    if kind == "presence":
        uin = session.sessionIds.uin(Number(int(number)))
        return StatusChange(uin, Status.fromCode(int(signal.body)), WEB_CLIENT)
    return decodeQueued(signal.body).event(session.sessionIds)
