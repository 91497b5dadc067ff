"""
The polls that this process holds: their replies are in the database, where any process
may have put them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from twisted.internet.interfaces import IReactorTime

from txwebqq.model import Number
from txwebqq.server.domain.refusals import refusalFor
from txwebqq.server.events.sessionids import SessionIds
from txwebqq.server.fleet.router import Polled
from txwebqq.server.fleet.worker import Backend, Job, Outcome, Work, Worker
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import HeldReply
from txwebqq.server.http.longpoll import HTTPPoll, LongPoll
from txwebqq.server.sessions.acknowledgement import Acknowledgement
from txwebqq.server.sessions.digests import digestOf
from txwebqq.server.sessions.session import (
    EndedSession,
    HeldPoll,
    PollReply,
    Session,
)
from txwebqq.wire.commands.messages import Poll2

MAX_CLIENTS = 50_000
"""Maximum number of clients without a held poll that are remembered."""

_NOBODY = Number(0)


class PollingClient(Session):
    """
    A client that polls this process.

    @ivar polled: the last result of its poll, L{None} before the first.
    @ivar waiting: the acknowledgement in the poll that is held, as long as it has not
        been given to the database.
    @ivar kept: the acknowledgement in a poll whose reply the database had given for the
        poll before; the next poll's is joined with it.
    @ivar isAsking: whether the database is asked for a reply.
    @ivar askedAt: the number of notifications before it was asked.
    @ivar isWoken: whether there may be a reply since it was asked.
    @ivar isLost: whether a reply was taken from the database that the client has not
        been given.
    """

    __slots__ = (
        "askedAt",
        "isAsking",
        "isLost",
        "isWoken",
        "kept",
        "polled",
        "waiting",
    )

    def __init__(self, ticket: bytes) -> None:
        super().__init__(_NOBODY, "", SessionIds(_NOBODY, 0))
        self.ticket = ticket
        self.polled: Polled | None = None
        self.waiting: Acknowledgement | None = None
        self.kept: Acknowledgement | None = None
        self.isAsking = self.isWoken = self.isLost = False
        self.askedAt = 0


class _Asking:
    """
    A question for the reply to a client's poll.
    """

    def __init__(
        self, polls: FleetPolls, client: PollingClient, said: Acknowledgement | None
    ) -> None:
        self._polls = polls
        self._client = client
        self.ticket = client.ticket
        self._said = said
        self._poll = client.poll
        self._isThrottled = client.isThrottled

    def run(self, backend: Backend) -> Polled:
        router, client = backend.state.fleetRouter, self._client
        if self._said is not None:
            return router.poll(client.ticket, self._said)
        assert client.polled is not None
        return router.take(client.ticket, client.polled.poll, self._isThrottled)

    def done(self, result: Polled) -> None:
        self._polls.answered(self._client, self._poll, result)

    def failed(self, outcome: Outcome) -> None:
        self._polls.failed(self._client, self._said)


class PollingBackend(Backend):
    """
    Handles polls in the order of their accounts, as all processes do, so that no two
    transactions wait for each other.
    """

    def arrange(self, batch: Sequence[Work]) -> Iterable[int]:
        tickets = [w.ticket if isinstance(w, _Asking) else b"" for w in batch]
        numbers = self.state.fleetSessions.lock(filter(None, tickets))
        return sorted(range(len(batch)), key=lambda n: numbers.get(tickets[n], _NOBODY))


class FleetPolls:
    """
    Holds polls, and asks the database for their replies when it tells of some
    (L{txwebqq.server.http.longpoll.PollRouter}).

    @param worker: asks the database.
    """

    def __init__(self, worker: Worker, clock: IReactorTime, pollTimeout: float) -> None:
        self._worker = worker
        self._clock = clock
        self.longPoll = LongPoll(self, clock, pollTimeout)
        self._clients: OrderedDict[bytes, PollingClient] = OrderedDict()
        # The accounts whose polls are to be stored as held, and whether that is asked.
        self._touched: list[Number] = []
        self._isTouching = False
        # Those that hold a poll whose account is known.
        self._held: dict[Number, PollingClient] = {}
        # The number of questions that are open; the number of notifications, and by
        # account the last one that has come since there are open questions: the
        # account of a client's first poll is not known before the answer.
        self._asked = 0
        self._notifications = 0
        self._woken: dict[Number, int] = {}

    @property
    def count(self) -> int:
        """
        The number of polls that are held.
        """
        return len(self._held)

    def poll2(self, command: Poll2, exchange: HTTPExchange) -> PollReply | HeldReply:
        """
        Hold a poll.
        """
        ticket = digestOf(command.ticket.psessionid)
        client = self._clients.get(ticket)
        if client is None:
            client = self._clients[ticket] = PollingClient(ticket)
            self._forgetOldest()
        self._clients.move_to_end(ticket)
        return self.longPoll.poll2(command, client, exchange)

    def _forgetOldest(self) -> None:
        excess = len(self._clients) - MAX_CLIENTS - len(self._held)
        if excess > 0:
            idle = [t for t, c in self._clients.items() if c.poll is None]
            for ticket in idle[:excess]:
                del self._clients[ticket]

    # As a PollRouter

    def stop(self) -> None:
        pass

    def hold(self, session: Session, poll: HeldPoll, said: Acknowledgement) -> bool:
        assert isinstance(session, PollingClient)
        older = session.poll
        if older is not None:
            self.release(session, older)
            older.superseded()
        session.poll = poll
        if session.isLost:
            said = replace(said, hasArrived=False)
        if session.kept is not None:
            # The newer C{ack} acknowledges what the other one does.
            ids = dict.fromkeys((*session.kept.ids, *said.ids))
            said = replace(said, ids=tuple(ids))
            session.kept = None
        session.waiting = said
        if session.isAsking:
            session.isWoken = True
        else:
            # The poll has no request before this returns.
            self._submit(session)
        return False

    def resume(self, session: Session) -> None:
        assert isinstance(session, PollingClient)
        session.isThrottled = False
        self._ask(session)

    def release(self, session: Session, poll: HeldPoll) -> None:
        assert isinstance(session, PollingClient)
        if session.poll is poll:
            session.poll = None
            session.isThrottled = False
            polled = session.polled
            if polled is not None and self._held.get(polled.number) is session:
                del self._held[polled.number]

    def endedReply(self, ended: EndedSession) -> PollReply:
        return refusalFor(ended)

    # Questions

    def wake(self, numbers: Iterable[Number]) -> None:
        """
        Be told of accounts whose polls may have a reply.
        """
        held = self._held
        self._notifications += 1
        for number in numbers:
            if self._asked:
                self._woken[number] = self._notifications
            client = held.get(number)
            if client is not None:
                self._ask(client)

    def wakeAll(self) -> None:
        """
        Ask for the replies to all polls, because some notifications may be lost.
        """
        self.wake(list(self._held))

    def touch(self) -> None:
        """
        Store that the polls are held.
        """
        self._touched = list(self._held)
        if self._touched and not self._isTouching:
            # While the database is away, one waits.
            self._isTouching = True
            self._worker.submit(Job(self._touch, over=self._cbTouched))

    def _touch(self, backend: Backend) -> None:
        backend.state.fleetRouter.held.update(self._touched)

    def _cbTouched(self) -> None:
        self._isTouching = False

    def _ask(self, client: PollingClient) -> None:
        if client.isAsking:
            client.isWoken = True
            return
        poll = client.poll
        if poll is None:
            return
        if not poll.isLive():
            self.release(client, poll)
            return
        self._submit(client)

    def _submit(self, client: PollingClient) -> None:
        said, client.waiting = client.waiting, None
        client.isAsking, client.isWoken = True, False
        client.askedAt = self._notifications
        self._asked += 1
        if said is not None:
            client.isLost = False
        self._worker.submit(_Asking(self, client, said))

    def answered(
        self, client: PollingClient, poll: HeldPoll | None, polled: Polled
    ) -> None:
        """
        Be told of the reply to a poll.
        """
        client.isAsking = False
        self._asked -= 1
        isCurrent = client.poll is poll and poll is not None
        if not polled.isSuperseded and not polled.isOver:
            client.polled = polled
            client.sendsAck = polled.sendsAck
        if polled.reply is not None and isinstance(poll, HTTPPoll):
            if not isCurrent or not poll.isLive():
                self._giveLate(client, polled)
            elif polled.isOver:
                self.release(client, poll)
                self._clients.pop(client.ticket, None)
                self.longPoll.end(poll, polled.reply, polled.isNews)
            else:
                self.release(client, poll)
                poll.answer(polled.reply)
        elif isCurrent and isinstance(poll, HTTPPoll):
            if polled.isSuperseded:
                self.release(client, poll)
                poll.superseded()
            else:
                other = self._held.get(polled.number)
                self._held[polled.number] = client
                if other is not None and other is not client:
                    # Its session has ended, or it is told so now.
                    self._ask(other)
                if self._woken.get(polled.number, 0) > client.askedAt:
                    client.isWoken = True
                if polled.isThrottled and not client.isThrottled:
                    client.isThrottled = True
                    self.longPoll.throttle(poll)
        if not self._asked:
            self._woken.clear()
        if client.poll is not None and (client.isWoken or client.waiting is not None):
            self._ask(client)

    def _giveLate(self, client: PollingClient, polled: Polled) -> None:
        """
        Give a reply that was taken for a poll which is gone to the one after it. It
        would be asked for as late again, while the database is slow.
        """
        poll = client.poll
        if polled.isOver or not isinstance(poll, HTTPPoll) or not poll.isLive():
            self._lost(client, polled)
            return
        client.kept, client.waiting = client.waiting, None
        self.release(client, poll)
        assert polled.reply is not None
        poll.answer(polled.reply)

    def _lost(self, client: PollingClient, polled: Polled) -> None:
        """
        Have a reply given again that was taken for a poll which is gone.
        """
        if polled.isOver:
            return
        client.isLost = True
        waiting = client.waiting
        if waiting is not None:
            client.waiting = replace(waiting, hasArrived=False)
        number = polled.number
        self._worker.submit(
            Job(lambda backend: backend.state.fleetRouter.repeat(number))
        )

    def failed(self, client: PollingClient, said: Acknowledgement | None) -> None:
        """
        Be told that the database was not asked.
        """
        client.isAsking = False
        self._asked -= 1
        if client.waiting is None:
            client.waiting = said
        poll = client.poll
        if poll is not None and isinstance(poll, HTTPPoll):
            # The acknowledgement comes again with the next poll.
            self.release(client, poll)
            # Not at once: the next one may fail as well.
            poll.superseded()
