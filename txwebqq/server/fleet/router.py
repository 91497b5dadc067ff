"""
The way of events to polls that any process of the server may hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from txwebqq.model import Number
from txwebqq.server.domain.history import HistoryRecorder
from txwebqq.server.domain.router import Clock, MessageRouter
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.fleet.replies import FleetReplies
from txwebqq.server.fleet.sessions import FleetSession, FleetSessions
from txwebqq.server.sessions.acknowledgement import Acknowledgement
from txwebqq.server.sessions.messageids import MessageIdGenerator
from txwebqq.server.sessions.session import (
    EndedSession,
    EndReason,
    PollReply,
    Session,
)
from txwebqq.server.storage.fleet.polls import PollState
from txwebqq.server.storage.messages.queue import EventChanges
from txwebqq.server.storage.store import Store

_NOBODY = Number(0)


@dataclass(frozen=True, slots=True)
class Polled:
    """
    The result of a poll.

    @ivar reply: the reply, L{None} when the poll is to be held.
    @ivar number: the account.
    @ivar ticket: the SHA-256 of the C{psessionid}.
    @ivar poll: the number of the poll.
    @ivar sendsAck: as of L{Session}.
    @ivar isThrottled: whether the poll is answered after a delay only.
    @ivar isOver: whether the session has ended.
    @ivar isNews: whether that may be new to the client.
    @ivar isSuperseded: whether the client has sent another poll.
    """

    reply: PollReply | None = None
    number: Number = _NOBODY
    ticket: bytes = b""
    poll: int = 0
    sendsAck: bool | None = None
    isThrottled: bool = False
    isOver: bool = False
    isNews: bool = False
    isSuperseded: bool = False


class FleetRouter(MessageRouter):
    """
    Collects the events of a batch of requests for the database, and answers polls from
    it.

    @param order: is called before an event is given its number: from then to the end of
        the batch no other process gives one.

    @ivar woken: the accounts whose held polls are to be looked at after the batch.
    @ivar held: the accounts whose polls this process holds, to store that.
    """

    def __init__(
        self,
        store: Store,
        sessions: FleetSessions,
        recorder: HistoryRecorder,
        messageIds: MessageIdGenerator,
        clock: Clock,
        onError: Callable[..., object],
        order: Callable[[], object],
        process: str,
    ) -> None:
        self._fleet = store.fleet
        self._process = process
        self._order = order
        self._fleetSessions = sessions
        self.woken: set[Number] = set()
        self.held: set[Number] = set()
        self._polled: dict[Number, PollState] = {}
        # The accounts whose last reply is to be given again.
        self._repeated: set[Number] = set()
        super().__init__(store, sessions, recorder, messageIds, clock, onError)

    def _makeReplies(self) -> FleetReplies:
        self._fleetReplies = FleetReplies(
            self._messages,
            self._writer,
            self._clock.seconds,
            self._fleet.signals,
            self._process,
        )
        return self._fleetReplies

    def forget(self) -> None:
        """
        Forget all that is not in the database, at the beginning of a batch.
        """
        self._writer.changes = EventChanges()
        self._changed.clear()
        self._fleetReplies.forget()
        self._polled = {}
        self._repeated = set()
        self.woken = set()
        self.held = set()

    def write(self) -> None:
        """
        Write the changes of the batch to the database.
        """
        self.commit()
        polls, others = self._fleet.polls, self.held | self._repeated
        if others:
            polls.lockPolls(others.union(self._polled))
        if self.held:
            polls.touch(self.held, int(self._clock.seconds()))
        if self._polled:
            polls.polled(self._polled)
        for number in sorted(self._repeated):
            polls.repeat(number)

    def commit(self) -> None:
        if len(self._changed) > 1:
            self._fleet.polls.lockSessions(self._changed)
        super().commit()

    def stop(self) -> None:
        pass

    def flush(self) -> None:
        self.commit()

    def route(self, event: QueuedEvent, numbers: Iterable[Number]) -> None:
        self._order()
        super().route(event, numbers)

    def _announce(
        self, serial: int, event: QueuedEvent, recipients: Iterable[Number]
    ) -> None:
        self.woken.update(recipients)

    def forgetStatus(self, session: Session, friend: Number) -> None:
        super().forgetStatus(session, friend)
        self._fleet.signals.dropSignal(session.number, f"presence {friend}")

    def withdraw(self, serial: int, body: str) -> list[Number]:
        self.commit()
        return self._messages.withdraw(serial, body)

    def wake(self, session: Session) -> None:
        self.woken.add(session.number)

    def supersede(self, session: Session) -> None:
        assert isinstance(session, FleetSession)
        session.isSuperseded = True
        self.wake(session)

    def _schedule(self) -> None:
        pass

    def _writeSoon(self) -> None:
        pass

    def poll(self, ticket: bytes, said: Acknowledgement) -> Polled:
        """
        Begin a poll: settle the reply before it, and take the next one.
        """
        session = self._fleetSessions.byTicketDigest(ticket)
        if isinstance(session, EndedSession):
            return self._over(session)
        assert isinstance(session, FleetSession)
        polls = session.polls
        polls.poll += 1
        if polls.holder not in ("", self._process):
            # That process ends the poll before.
            self.wake(session)
        self.acknowledge(session, said)
        reply = session.unacknowledged
        if reply is not None and reply.repeats > 0:
            # A client that cannot decode a reply polls again immediately, without end.
            self._keep(session, isHeld=True)
            return self._result(session, None, isThrottled=True)
        return self._result(session, self._take(session))

    def take(self, ticket: bytes, poll: int, isThrottled: bool) -> Polled:
        """
        Take the reply to a poll that is held.

        @param ticket: the SHA-256 of the C{psessionid}.
        @param poll: the number of the poll.
        @param isThrottled: whether it is only to be ended if the session has.
        """
        session = self._fleetSessions.byTicketDigest(ticket)
        if isinstance(session, EndedSession):
            if session.reason is EndReason.RELINKED:
                return Polled(isSuperseded=True)
            return self._over(session)
        assert isinstance(session, FleetSession)
        if session.polls.poll != poll:
            return Polled(isSuperseded=True)
        if isThrottled:
            return self._result(session, None, isThrottled=True)
        return self._result(session, self._take(session))

    def repeat(self, number: Number) -> None:
        """
        Have the last reply to an account given again.
        """
        polls = self._polled.get(number)
        if polls is None:
            self._repeated.add(number)
        else:
            polls.writer = ""

    def _take(self, session: FleetSession) -> PollReply | None:
        reply = self._takePending(session)
        self._keep(session, isHeld=reply is None)
        return reply

    def _keep(self, session: FleetSession, isHeld: bool) -> None:
        polls, reply = session.polls, session.unacknowledged
        polls.seen = int(self._clock.seconds())
        polls.acks = -1 if session.sendsAck is None else int(session.sendsAck)
        polls.lastAck = session.lastAck
        polls.namesIds = int(session.namesIds)
        polls.holder = self._process if isHeld else ""
        if reply is None:
            polls.writer, polls.repeats, polls.unnamed = "", 0, 0
        else:
            polls.reply = reply.number
            polls.writer = self._process if reply.isWritten else ""
            polls.repeats, polls.unnamed = reply.repeats, reply.unnamed
        self._polled[session.number] = polls
        self._repeated.discard(session.number)

    def _result(
        self, session: FleetSession, reply: PollReply | None, isThrottled: bool = False
    ) -> Polled:
        return Polled(
            reply,
            session.number,
            session.ticket,
            session.polls.poll,
            session.sendsAck,
            isThrottled,
        )

    def _over(self, ended: EndedSession) -> Polled:
        isNews = ended.isNews
        return Polled(self.endedReply(ended), isOver=True, isNews=isNews)
