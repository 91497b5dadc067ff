"""
Polls over HTTP: held connections, their time limits, and delayed errors.
"""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace
from twisted.internet.interfaces import IReactorTime

from txwebqq.model import OfflineFile
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import HeldReply, answers
from txwebqq.server.http.timeouts import TimeoutQueue
from txwebqq.server.sessions.acknowledgement import Acknowledgement, ConnectionHabit
from txwebqq.server.sessions.session import (
    EndedSession,
    HeldPoll,
    PollReply,
    Session,
)
from txwebqq.wire.command import Refusal
from txwebqq.wire.commands.messages import Poll2, PollResult

THROTTLE = 1.0
"""Time for which errors and repeated replies are delayed, in seconds: most
clients poll again immediately, without end."""

NOTHING = Refusal(102)
"""The reply to a poll at its time limit."""


class PollRouter(Protocol):
    """
    The answers to polls
    (L{MessageRouter<txwebqq.server.domain.router.MessageRouter>}).
    """

    def stop(self) -> None: ...

    def hold(self, session: Session, poll: HeldPoll, said: Acknowledgement) -> bool: ...

    def resume(self, session: Session) -> None: ...

    def release(self, session: Session, poll: HeldPoll) -> None: ...

    def endedReply(self, ended: EndedSession) -> PollReply: ...


class HTTPPoll(HeldReply):
    """
    A poll whose HTTP request is held
    (L{txwebqq.server.sessions.session.HeldPoll}).

    @ivar session: the session that polls.
    @ivar value: the reply to a superseded poll, while it is delayed.
    """

    __slots__ = ("_longPoll", "_since", "session", "value")

    def __init__(self, longPoll: LongPoll, session: Session, since: float) -> None:
        super().__init__()
        self.session = session
        self.value: PollReply = NOTHING
        self._longPoll = longPoll
        self._since = since

    def isLive(self) -> bool:
        """
        Check whether the client can still receive a reply.
        """
        return self._request is not None and self._exchange.isLive()

    def answer(self, reply: PollReply) -> None:
        """
        Write the reply, and watch the connection for signs of its arrival.
        """
        longPoll, session = self._longPoll, self.session
        longPoll.dropTimers(self)
        if not session.sendsAck:
            connection = self._exchange.connection
            if connection is not None:
                if session.habit is None:
                    session.habit = ConnectionHabit()
                session.habit.last = connection.watch(longPoll.seconds)
        if isinstance(reply, PollResult):
            reply = self._located(reply)
        self.give(reply)

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
            self.give(NOTHING)
        else:
            # Two clients that share a session would supersede each other's
            # polls without end.
            longPoll.delayReply(self)

    def lost(self) -> None:
        super().lost()
        self._longPoll.forget(self)


class DelayedReply(HeldReply):
    """
    A reply that is delayed.
    """

    __slots__ = ("_queue", "value")

    def __init__(
        self, value: PollReply, queue: TimeoutQueue[HTTPPoll | DelayedReply]
    ) -> None:
        super().__init__()
        self.value = value
        self._queue = queue

    def lost(self) -> None:
        super().lost()
        self._queue.discard(self)


class LongPoll:
    """
    The handler of polls, and the timers of held polls.

    @param pollTimeout: the time for which a poll is held, in seconds.

    @ivar seconds: returns the time, in seconds.
    """

    def __init__(
        self, router: PollRouter, clock: IReactorTime, pollTimeout: float
    ) -> None:
        self._router = router
        self.seconds = clock.seconds
        self._held = TimeoutQueue[HTTPPoll](clock, pollTimeout, self._cbTimedOut)
        Delayed = TimeoutQueue[HTTPPoll | DelayedReply]
        self._throttled = TimeoutQueue[HTTPPoll](clock, THROTTLE, self._cbResume)
        self._delayed = Delayed(clock, THROTTLE, _giveDelayed)
        self._kicked = Delayed(clock, pollTimeout, _giveDelayed)

    def setTimeout(self, seconds: float) -> None:
        """
        Change the time for which a poll is held.
        """
        self._held.setSeconds(seconds)
        self._kicked.setSeconds(seconds)

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
    ) -> PollReply | HeldReply:
        """
        C{POST /channel/poll2}: reply with events, or hold the request until
        there are some.
        """
        if not exchange.isLive():
            return NOTHING
        hasArrived = exchange.hasArrived(session)
        said = Acknowledgement(command.ack, command.ids, hasArrived)
        poll = HTTPPoll(self, session, self.seconds())
        isThrottled = self._router.hold(session, poll, said)
        self._held.add(poll)
        if isThrottled:
            self._throttled.add(poll)
        exchange.keepReached()
        return poll

    def refuse(self, ended: EndedSession) -> PollReply | HeldReply:
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

    def delay(self, reply: PollReply) -> HeldReply:
        """
        Delay an error reply by L{THROTTLE} seconds, because most clients
        repeat a failed poll immediately.
        """
        return self._delay(reply, self._delayed)

    def _delay(
        self, reply: PollReply, queue: TimeoutQueue[HTTPPoll | DelayedReply]
    ) -> HeldReply:
        delayed = DelayedReply(reply, queue)
        queue.add(delayed)
        return delayed

    def delayReply(self, poll: HTTPPoll) -> None:
        """
        Give a superseded poll its reply after L{THROTTLE} seconds.
        """
        self._delayed.add(poll)

    def throttle(self, poll: HTTPPoll) -> None:
        """
        Have a held poll resumed after L{THROTTLE} seconds.
        """
        self._throttled.add(poll)

    def end(self, poll: HTTPPoll, reply: PollReply, isNews: bool) -> None:
        """
        Give a held poll the reply of a session that has ended, with the delay of
        L{refuse}.
        """
        self.dropTimers(poll)
        if isNews:
            poll.give(reply)
            return
        poll.value = reply
        queue = self._delayed if isinstance(reply, Refusal) else self._kicked
        queue.add(poll)

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
        self._delayed.discard(poll)
        self._kicked.discard(poll)
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


def _giveDelayed(delayed: HTTPPoll | DelayedReply) -> None:
    delayed.give(delayed.value)
