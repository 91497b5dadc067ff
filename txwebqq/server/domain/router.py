"""
The post office of a server: how letters reach sessions, and what waits.

Every letter is kept in the store for each of its recipients until it is
acknowledged. What is posted, given to polls and acknowledged is written to the
store by L{MessageRouter.commit}, in one transaction for many requests; nothing
that depends on it is answered before that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from txwebqq.model import Content, Event, Font, Gid, KickNotice, Number, Uin
from txwebqq.server.domain.history import HistoryRecorder
from txwebqq.server.domain.refusals import NO_SUCH_ID, REPLACED, refusalFor
from txwebqq.server.events.queued import (
    MAX_TOGETHER,
    EventChanges,
    QueuedEvent,
    QueuedFriendMessage,
    QueuedGroupMessage,
    encodeQueued,
    tidyContent,
    tidyFont,
)
from txwebqq.server.sessions.acknowledgement import Acknowledgement, UnacknowledgedReply
from txwebqq.server.sessions.messageids import MessageIdGenerator
from txwebqq.server.sessions.sessions import (
    EndedSession,
    EndReason,
    PollListener,
    Session,
    Sessions,
)
from txwebqq.server.storage.store import Store
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.messages import PollResult
from txwebqq.wire.content import MAX_TEXT, sizeOf

_SYSTEM = Number(10000)


class MessageRouter:
    """
    Stores events for their recipients, and gives them to polls.

    @ivar failures: the number of writes to the database that have failed.
    """

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        recorder: HistoryRecorder,
        messageIds: MessageIdGenerator,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._recorder = recorder
        self._messageIds = messageIds
        self._now = now
        self._changes = EventChanges()
        self._lastReply = 0
        self.failures = 0

    # ---- messages

    def sendToBuddy(
        self, session: Session, uin: Uin, content: Content, font: Font
    ) -> Refusal | None:
        """
        Send to a friend.

        @return: L{None} when the message is accepted.
        @raise MalformedReply: when the content cannot be passed on.
        """
        number = session.sessionIds.person(uin)
        if number is None or not self._store.friends.areFriends(session.number, number):
            return Refusal(NO_SUCH_ID, "to is nobody's uin in your friend list")
        content = tidyContent(content)
        if sizeOf(content) > MAX_TEXT:
            return Refusal(123, "the message is too long")
        event = QueuedFriendMessage(
            self._messageIds.next(session.number), content, tidyFont(font)
        )
        self.route(event, [number])
        return None

    def sendToGroup(
        self, session: Session, gid: Gid, content: Content, font: Font
    ) -> Refusal | None:
        """
        Send to the other members of a group.

        @return: L{None} when the message is accepted.
        @raise MalformedReply: when the content cannot be passed on.
        """
        group = session.sessionIds.groupOfGid(gid)
        if group is None or not self._store.groups.isMember(group, session.number):
            return Refusal(NO_SUCH_ID, "group_uin is no gid of your groups")
        content = tidyContent(content)
        if sizeOf(content) > MAX_TEXT:
            return Refusal(123, "the message is too long")
        event = QueuedGroupMessage(
            self._messageIds.next(session.number),
            content,
            tidyFont(font),
            group,
            self._messageIds.nextSequence(group),
        )
        audience = self._store.groups.recipients(group)
        self.route(event, [n for n in audience if n != session.number])
        return None

    def route(self, event: QueuedEvent, numbers: Iterable[Number]) -> None:
        """
        Keep a letter for these accounts, and wake those whose polls are held.
        It is accepted once L{commit} has been called.
        """
        recipients = list(numbers)
        body = encodeQueued(event)
        self._recorder.record(event, body, recipients)
        if not recipients:
            return
        serial = self._store.messages.nextSerial()
        self._changes.events.append((serial, body))
        waiting = self._changes.waiting
        for number in recipients:
            waiting[number, serial] = 0
            session = self._sessions.existing(number)
            if session is not None:
                session.mailbox.add(serial, event)
                self.wake(session)

    def wake(self, session: Session) -> None:
        """
        Answer the poll of a session, if one is held: there is something for it.
        """
        if session.listener is not None:
            session.listener.wake()

    @property
    def hasRouted(self) -> bool:
        """
        Whether letters wait to be written to the store.
        """
        return bool(self._changes.events)

    @property
    def hasChanges(self) -> bool:
        """
        Whether anything waits to be written to the store.
        """
        return not self._changes.isEmpty

    def commit(self) -> None:
        """
        Write to the store what was posted, given and acknowledged.

        @raise Exception: when the store cannot be written to: then nothing was
            posted or given since the last time, and acknowledgements wait for
            the next time.
        """
        changes, self._changes = self._changes, EventChanges()
        if changes.isEmpty:
            return
        try:
            self._store.messages.write(changes)
        except BaseException:
            self.failures += 1
            self._changes.delivered = changes.delivered + self._changes.delivered
            for number in {
                *(number for number, _ in changes.waiting),
                *(number for _, number, _ in changes.given),
            }:
                session = self._sessions.existing(number)
                if session is not None:
                    session.mailbox.forget()
                    session.unacknowledged, session.isRestored = None, False
            raise

    def sendTransient(self, event: QueuedEvent, number: Number, seconds: float) -> None:
        """
        Hand a letter to somebody who is there, and to nobody else: it is worth
        nothing after some seconds.
        """
        session = self._sessions.online(number)
        if session is None:
            return
        signals = session.mailbox.transient
        key = event.conversation
        if key not in signals and len(signals) >= MAX_TOGETHER:
            return
        signals[key] = self._now() + seconds, event
        self.wake(session)

    # ---- polls

    def acknowledge(self, session: Session, said: Acknowledgement) -> None:
        """
        Take into account what a poll says about the replies before it.
        """
        session.sendsAck = said.ack is not None
        if said.ack is not None:
            session.lastAck = said.ack
        session.namesIds = session.namesIds or bool(said.ids)
        self._restore(session)
        reply = session.unacknowledged
        if reply is None:
            return
        delivered = reply.settle(said, session.namesIds)
        self._changes.delivered.extend((session.number, n) for n in delivered)
        reply.isWritten = False
        if not reply.events:
            session.unacknowledged = None

    def _restore(self, session: Session) -> None:
        """
        Find the reply whose arrival was not acknowledged to an earlier session
        of the account, or an earlier run of the server.
        """
        if session.isRestored:
            return
        if self.hasChanges:
            self.commit()
        session.isRestored = True
        found = self._store.messages.unacknowledged(session.number)
        if found:
            events = tuple(event.event(session.sessionIds) for _, _, event in found)
            serials = tuple(serial for _, serial, _ in found)
            number = found[-1][0]
            session.unacknowledged = UnacknowledgedReply(
                number, events, serials, isWritten=False
            )

    def hasPending(self, session: Session) -> bool:
        """
        Whether L{takePending} is likely to find something for a session.
        """
        return (
            session.ended is not None
            or session.rotation is not None
            or session.unacknowledged is not None
            or not session.mailbox.isEmpty
        )

    def takePending(self, session: Session) -> PollResult | Refusal | None:
        """
        Take out what waits for a session, or L{None} if nothing does.

        To be called only when it can be written as soon as L{commit} has been
        called.
        """
        if session.ended is not None:
            return self.endedReply(session.ended)
        if session.listener is None:
            self._sessions.markIdle(session)
        if session.rotation is not None:
            rotation, session.rotation = session.rotation, None
            return Refusal(116, ptwebqq=rotation)
        self._restore(session)
        reply = session.unacknowledged
        if reply is None:
            reply = session.unacknowledged = self._newReply(session)
        elif not reply.isWritten:
            reply.isWritten = True
            reply.repeats += 1
        if reply is None:
            return None
        return PollResult(reply.events, reply.number if session.sendsAck else None)

    def _newReply(self, session: Session) -> UnacknowledgedReply | None:
        mailbox = session.mailbox
        room = mailbox.room
        if room:
            if self.hasChanges:
                self.commit()
            found = self._store.messages.waiting(session.number, mailbox.seen, room)
            mailbox.load(found, room)
        letters = mailbox.take()
        events: list[Event] = list(mailbox.takePresence(session.sessionIds))
        if mailbox.transient:
            signals = mailbox.takeTransient(self._now())
            events.extend(signal.event(session.sessionIds) for signal in signals)
        events.extend(event.event(session.sessionIds) for _, event in letters)
        if not events:
            return None
        number = self._nextReply(session)
        serials = tuple(serial for serial, _ in letters)
        for serial in serials:
            self._changes.give(session.number, serial, number)
        return UnacknowledgedReply(number, tuple(events), serials)

    def _nextReply(self, session: Session) -> int:
        # Microseconds, so that a server that is started again without a
        # database goes on above the numbers that its clients remember.
        now = int(self._now() * 1_000_000)
        self._lastReply = max(self._lastReply + 1, now)
        return max(self._lastReply, session.lastAck + 1)

    def listen(self, session: Session, listener: PollListener) -> None:
        """
        Hold a session's poll, after L{takePending} had nothing.
        """
        self.supersede(session)
        session.listener = listener
        self._sessions.markPolling(session)

    def supersede(self, session: Session) -> None:
        """
        Answer the poll that is held for a session with nothing.
        """
        older = session.listener
        if older is not None:
            self.removeListener(session, older)
            older.superseded()

    def removeListener(self, session: Session, listener: PollListener) -> None:
        """
        Stop holding it, because it is answered or its connection is gone.
        """
        if session.listener is listener:
            session.listener = None
            if session.ended is None:
                self._sessions.markIdle(session)

    def endedReply(self, ended: EndedSession) -> PollResult | Refusal:
        """
        What a poll on a ticket is answered that is no longer good.
        """
        ended.told = True
        if ended.reason is not EndReason.REPLACED:
            return refusalFor(ended)
        first = self._messageIds.nextMessageId(_SYSTEM)
        notice = KickNotice(REPLACED, True, ended.number, first, first + 1)
        return PollResult((notice,))
