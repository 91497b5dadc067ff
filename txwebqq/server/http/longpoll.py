"""
Polls over HTTP: held connections, their time limits, and delayed errors.
"""

from __future__ import annotations

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from txwebqq.model import OfflineFile
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import answers
from txwebqq.server.http.timeouts import TimeoutQueue
from txwebqq.server.sessions.acknowledgement import Acknowledgement, ConnectionHabit
from txwebqq.server.sessions.sessions import EndedSession, PollReply, Session
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.messages import Poll2, PollResult

THROTTLE = 1.0
"""Time for which errors and repeated replies are delayed, in seconds: most
clients poll again immediately, without end."""

NOTHING = Refusal(102)
"""The reply to a poll at its time limit."""


class HTTPPoll:
    """
    A poll whose HTTP request is held
    (L{txwebqq.server.sessions.sessions.HeldPoll}).

    @ivar session: the session that polls.
    @ivar reply: fires with the reply; is cancelled when the client disconnects.
    @ivar delayed: the reply to a superseded poll, as long as it is delayed.
    """

    __slots__ = ("_exchange", "_longPoll", "_since", "delayed", "reply", "session")

    def __init__(
        self, longPoll: LongPoll, session: Session, exchange: HTTPExchange, since: float
    ) -> None:
        self.session = session
        self.reply: Deferred[PollReply] = Deferred(lambda _: longPoll.forget(self))
        self.delayed: DelayedReply | None = None
        self._longPoll = longPoll
        self._exchange = exchange
        self._since = since

    def isLive(self) -> bool:
        """
        Check whether the client can still receive a reply.
        """
        return self._exchange.isLive()

    def answer(self, reply: PollReply) -> None:
        """
        Write the reply, and watch the connection for signs of its arrival.
        """
        longPoll, session = self._longPoll, self.session
        longPoll.dropTimers(self)
        connection = self._exchange.connection
        if connection is not None and not session.sendsAck:
            if session.habit is None:
                session.habit = ConnectionHabit()
            session.habit.last = connection.watch(longPoll.seconds)
        if isinstance(reply, PollResult):
            reply = self._located(reply)
        self.reply.callback(reply)

    def _located(self, reply: PollResult) -> PollResult:
        """
        Fill in the address from which this client can download offline files.
        """
        if OfflineFile not in map(type, reply.events):
            return reply
        ip, port = self._exchange.reached
        events = tuple(
            replace(event, ip=ip, port=port)
            if isinstance(event, OfflineFile)
            else event
            for event in reply.events
        )
        return PollResult(events, reply.ack)

    def superseded(self) -> None:
        """
        Reply with nothing, because the client has sent another poll.
        """
        longPoll = self._longPoll
        longPoll.dropTimers(self)
        if longPoll.seconds() - self._since >= THROTTLE:
            self.reply.callback(NOTHING)
        else:
            # Two clients that share a session would supersede each other's
            # polls without end.
            self.delayed = longPoll.delayReply(self.reply, NOTHING)


class DelayedReply:
    """
    A reply that is delayed by L{THROTTLE}.
    """

    __slots__ = ("reply", "value")

    def __init__(self, reply: Deferred[PollReply], value: PollReply) -> None:
        self.reply = reply
        self.value = value


class LongPoll:
    """
    The handler of polls, and the timers of held polls.

    @param pollTimeout: the time for which a poll is held, in seconds.

    @ivar seconds: returns the time, in seconds.
    """

    def __init__(
        self, state: ServerState, clock: IReactorTime, pollTimeout: float
    ) -> None:
        self._router = state.router
        self.seconds = clock.seconds
        self._held = TimeoutQueue[HTTPPoll](clock, pollTimeout, self._cbTimedOut)
        self._throttled = TimeoutQueue[HTTPPoll](clock, THROTTLE, self._cbResume)
        self._delayed = TimeoutQueue[DelayedReply](clock, THROTTLE, _giveDelayed)
        self._kicked = TimeoutQueue[DelayedReply](clock, pollTimeout, _giveDelayed)

    def stop(self) -> None:
        """
        Answer all polls that are held.
        """
        self._router.stop()
        self._throttled.clear()
        for poll in self._held.clear():
            self._end(poll)
        for delayed in (*self._delayed.clear(), *self._kicked.clear()):
            _giveDelayed(delayed)

    @answers(Poll2)
    def poll2(
        self, command: Poll2, session: Session, exchange: HTTPExchange
    ) -> PollReply | Deferred[PollReply]:
        """
        C{POST /channel/poll2}: reply with events, or hold the request until
        there are some.
        """
        if not exchange.isLive():
            return NOTHING
        hasArrived = exchange.hasArrived(session)
        said = Acknowledgement(command.ack, command.ids, hasArrived)
        poll = HTTPPoll(self, session, exchange, self.seconds())
        isThrottled = self._router.hold(session, poll, said)
        self._held.add(poll)
        if isThrottled:
            self._throttled.add(poll)
        return poll.reply

    def refuse(self, ended: EndedSession) -> PollReply | Deferred[PollReply]:
        """
        Reply to a poll of a session that has ended. A client that knows the end
        already gets the reply with a delay. The kick is delayed as long as a poll is
        held, since some clients show each one and continue to poll.
        """
        isNews = ended.isNews
        reply = self._router.endedReply(ended)
        if isNews:
            return reply
        return self._delay(
            reply, self._delayed if isinstance(reply, Refusal) else self._kicked
        )

    def delay(self, reply: PollReply) -> Deferred[PollReply]:
        """
        Delay an error reply by L{THROTTLE} seconds, because most clients
        repeat a failed poll immediately.

        @return: fires with the reply.
        """
        return self._delay(reply, self._delayed)

    def _delay(
        self, reply: PollReply, queue: TimeoutQueue[DelayedReply]
    ) -> Deferred[PollReply]:
        deferred: Deferred[PollReply] = Deferred(lambda _: queue.discard(delayed))
        delayed = DelayedReply(deferred, reply)
        queue.add(delayed)
        return deferred

    def delayReply(
        self, deferred: Deferred[PollReply], reply: PollReply
    ) -> DelayedReply:
        """
        Have a Deferred fire with a reply after L{THROTTLE} seconds.
        """
        delayed = DelayedReply(deferred, reply)
        self._delayed.add(delayed)
        return delayed

    def dropTimers(self, poll: HTTPPoll) -> None:
        """
        Stop the time limits of a poll.
        """
        self._held.discard(poll)
        self._throttled.discard(poll)

    def forget(self, poll: HTTPPoll) -> None:
        """
        Drop a poll whose client has disconnected.
        """
        self.dropTimers(poll)
        if poll.delayed is not None:
            self._delayed.discard(poll.delayed)
        self._router.release(poll.session, poll)

    def _cbTimedOut(self, poll: HTTPPoll) -> None:
        if poll.session.isThrottled:
            # Polls are held for a shorter time than they are throttled.
            self._held.add(poll)
            self._cbResume(poll)
        else:
            self._end(poll)

    def _end(self, poll: HTTPPoll) -> None:
        self._router.release(poll.session, poll)
        poll.answer(NOTHING)

    def _cbResume(self, poll: HTTPPoll) -> None:
        self._throttled.discard(poll)
        self._router.resume(poll.session)


def _giveDelayed(delayed: DelayedReply) -> None:
    delayed.reply.callback(delayed.value)
