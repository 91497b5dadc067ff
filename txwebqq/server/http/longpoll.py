"""
Answers to what goes on in a session: polls, sends, presence, heartbeat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from txwebqq.model import WEB_CLIENT, Presence
from txwebqq.server.domain.messaging import QueuedShake, QueuedTyping, sendTransient
from txwebqq.server.domain.pictures import PictureRules, PictureSignature
from txwebqq.server.domain.refusals import refusalFor
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.exchange import Exchange, Handler
from txwebqq.server.http.timeouts import TimeoutQueue
from txwebqq.server.sessions.acknowledgement import Acknowledgement, ConnectionHabit
from txwebqq.server.sessions.sessions import EndedSession, Session
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.messages import (
    ChangeStatus2,
    GetMsgTip,
    GetOnlineBuddies2,
    InputNotify2,
    Poll2,
    PollResult,
    SendBuddyMsg2,
    SendQunMsg2,
    Shake2,
)

THROTTLE = 1.0
"""The seconds for which bad news to a poll are held: most clients ask again at
once, for ever."""

BATCH = 100
"""How many polls are answered before the reactor may do something else."""

WRITE_WITHIN = 0.1
"""The seconds within which acknowledgements are written to the store."""

NOTHING = Refusal(102)
NOT_STORED = Refusal(100000, "the message could not be stored")

Polled = PollResult | Refusal


class HeldPoll:
    """
    A poll that waits for mail.

    @ivar mayWake: L{False} for a poll that is not to be answered at once.
    """

    __slots__ = (
        "_longPoll",
        "_since",
        "answer",
        "delayed",
        "exchange",
        "mayWake",
        "session",
    )

    def __init__(
        self, longPoll: LongPoll, session: Session, exchange: Exchange, since: float
    ) -> None:
        self.session = session
        self.exchange = exchange
        # None once it is answered, or its client has gone.
        self.answer: Deferred[Polled] | None = None
        self.delayed: DelayedReply | None = None
        self.mayWake = True
        self._longPoll = longPoll
        self._since = since

    def wake(self) -> None:
        """
        There is mail (L{txwebqq.server.sessions.sessions.PollListener}).
        """
        if self.mayWake or self.session.ended is not None:
            self._longPoll.wake(self)

    def superseded(self) -> None:
        """
        Another poll listens (L{txwebqq.server.sessions.sessions.PollListener}).
        """
        self._longPoll.supersede(self, self._since)

    def cancelled(self) -> None:
        """
        The connection is gone.
        """
        self.answer = None
        self._longPoll.forget(self)


class DelayedReply:
    """
    An answer that is ready, but not given yet.
    """

    __slots__ = ("answer", "reply")

    def __init__(self, answer: Deferred[Polled], reply: Polled) -> None:
        self.answer = answer
        self.reply = reply


class LongPoll:
    """
    The exchanges of a session, and the polls that are held.

    Requests change what waits for accounts; once in each turn of the reactor
    all of these changes are written to the store, and after that the polls
    and the senders are answered that depend on them. So what a sender was
    told is accepted, and what a poll was given, is known after a crash.
    """

    _log = Logger()

    def __init__(
        self,
        state: ServerState,
        clock: IReactorTime,
        pollTimeout: float,
        pictures: PictureRules,
    ) -> None:
        self._state = state
        self._pictures = pictures
        self._clock = clock
        self._held = TimeoutQueue[HeldPoll](clock, pollTimeout, self._cbTimedOut)
        self._delayed = TimeoutQueue[DelayedReply](clock, THROTTLE, self._cbThrottled)
        self._throttled = TimeoutQueue[HeldPoll](clock, THROTTLE, self._cbRepeat)
        # Polls that have mail, and replies to those who sent it, each with the
        # failures of the store before.
        self._awake: deque[HeldPoll] = deque()
        self._accepted: list[tuple[Deferred[Any], Any, int]] = []
        # Those replies once it is known whether that mail is stored. They leave
        # a turn after it, so that who is told of a message is told first.
        self._leaving: list[tuple[Deferred[Any], Any]] = []
        self._turn: IDelayedCall | None = None
        self._writing: IDelayedCall | None = None
        self._stopped = False

    def handlers(self) -> Mapping[type[Command[Any]], Handler]:
        """
        What answers which question.
        """
        return {
            Poll2: self.poll2,
            SendBuddyMsg2: self.sendBuddyMsg2,
            SendQunMsg2: self.sendQunMsg2,
            InputNotify2: self.inputNotify2,
            Shake2: self.shake2,
            ChangeStatus2: self.changeStatus2,
            GetOnlineBuddies2: self.getOnlineBuddies2,
            GetMsgTip: self.getMsgTip,
        }

    def stop(self) -> None:
        """
        Answer whatever is held, and hold nothing any more.
        """
        self._stopped = True
        while self._awake or self._accepted or self._leaving:
            self._answerBatch()
        for call in (self._turn, self._writing):
            if call is not None:
                call.cancel()
        self._turn = self._writing = None
        for held in [*self._throttled.clear(), *self._held.clear()]:
            self._answer(held, NOTHING)
        for delayed in self._delayed.clear():
            delayed.answer.callback(delayed.reply)
        self._commit()

    # ---- polls

    def poll2(self, command: Poll2, exchange: Exchange) -> Polled | Deferred[Polled]:
        """
        Answer with what waits, or else hold the question.
        """
        session = self._state.sessions.byTicket(command.ticket.psessionid)
        if isinstance(session, EndedSession):
            isNews = session.isNews
            reply = self._state.router.endedReply(session)
            return reply if isNews else self.delay(reply)
        if not exchange.isLive():
            return NOTHING
        self._state.router.supersede(session)
        hasArrived = exchange.hasArrived(session)
        said = Acknowledgement(command.ack, command.ids, hasArrived)
        self._state.router.acknowledge(session, said)
        self._writeSoon()
        if self._stopped:
            return NOTHING
        held = HeldPoll(self, session, exchange, self._clock.seconds())
        answer = held.answer = Deferred(lambda _: held.cancelled())
        self._state.router.listen(session, held)
        self._held.add(held)
        repeated = session.unacknowledged
        if repeated is not None and repeated.repeats > 0:
            # A client that cannot make anything of a reply asks for it for
            # ever, as fast as it can.
            held.mayWake = False
            self._throttled.add(held)
        elif self._state.router.hasPending(session):
            self.wake(held)
        return answer

    def delay(self, reply: Polled) -> Polled | Deferred[Polled]:
        """
        Give an answer that asks to be repeated, after a while.
        """
        if self._stopped:
            return reply
        delayed = DelayedReply(
            Deferred(lambda _: self._delayed.discard(delayed)), reply
        )
        self._delayed.add(delayed)
        return delayed.answer

    def wake(self, held: HeldPoll) -> None:
        """
        Answer a poll, for which there is mail, in the reactor's next turn.
        """
        self._awake.append(held)
        self._schedule()

    def supersede(self, held: HeldPoll, since: float) -> None:
        """
        Another poll of the session took over.
        """
        answer, held.answer = held.answer, None
        self._discard(held)
        if answer is None:
            return
        if self._clock.seconds() - since >= THROTTLE or self._stopped:
            answer.callback(NOTHING)
        else:
            # Two polls that always ask again would supersede each other for
            # ever, as fast as they can.
            delayed = DelayedReply(answer, NOTHING)
            held.delayed = delayed
            self._delayed.add(delayed)

    def forget(self, held: HeldPoll) -> None:
        """
        The client of a poll has gone.
        """
        self._discard(held)
        if held.delayed is not None:
            self._delayed.discard(held.delayed)
        self._state.router.removeListener(held.session, held)

    def _discard(self, held: HeldPoll) -> None:
        self._held.discard(held)
        self._throttled.discard(held)

    def replyAfterDelivery(self, reply: Any) -> Any:
        """
        The reply to a request that may have given others mail: itself if it
        has not, else a Deferred that fires with it once that mail is in the
        store, and written to polls that wait for it.
        """
        return self.whenStored(reply) if not self._awake else self._later(reply)

    def whenStored(self, reply: Any) -> Any:
        """
        A reply, or if letters have been posted, a Deferred that fires with it
        once they are in the store.
        """
        return self._later(reply) if self._state.router.hasRouted else reply

    def _later(self, reply: Any) -> Deferred[Any]:
        stored: Deferred[Any] = Deferred()
        self._accepted.append((stored, reply, self._state.router.failures))
        self._schedule()
        return stored

    def _schedule(self) -> None:
        if self._turn is None:
            self._turn = self._clock.callLater(0, self._cbTurned)

    def _cbTurned(self) -> None:
        self._turn = None
        self._answerBatch()

    def _answerBatch(self) -> None:
        """
        Write to the store what has changed, and give their mail to some of the
        polls that have any. The rest of them comes in later turns.
        """
        leaving, self._leaving = self._leaving, []
        for sender, reply in leaving:
            sender.callback(reply)
        if not (self._awake or self._accepted):
            return
        given = []
        for _ in range(min(BATCH, len(self._awake))):
            held = self._awake.popleft()
            if held.answer is None:
                continue
            if not held.exchange.isLive():
                self.forget(held)
                continue
            try:
                reply = self._state.router.takePending(held.session)
            except Exception:
                self._log.failure("Could not read from the database.")
                continue
            if reply is not None:
                given.append((held, reply))
        accepted, self._accepted = self._accepted, []
        if self._commit():
            for held, reply in given:
                self._answer(held, reply)
        else:
            # The polls are still held, and what they were to be given is not
            # in the store, or is given by it again.
            for held, _ in given:
                self._held.discard(held)
                self._held.add(held)
        for sender, reply, failures in accepted:
            # Another request may have had the store written to meanwhile.
            isStored = failures == self._state.router.failures
            self._leaving.append((sender, reply if isStored else NOT_STORED))
        if self._awake or self._leaving:
            self._schedule()

    def _commit(self) -> bool:
        try:
            self._state.router.commit()
        except Exception:
            self._log.failure("Could not write to the database.")
            return False
        return True

    def _writeSoon(self) -> None:
        """
        See to it that acknowledgements are written although nothing else is.
        """
        if self._writing is None and self._state.router.hasChanges:
            self._writing = self._clock.callLater(WRITE_WITHIN, self._cbWrite)

    def _cbWrite(self) -> None:
        self._writing = None
        self._commit()

    def _answer(self, held: HeldPoll, reply: Polled) -> None:
        answer, held.answer = held.answer, None
        self._discard(held)
        self._state.router.removeListener(held.session, held)
        if answer is None:
            return
        connection, session = held.exchange.connection, held.session
        if connection is not None and not session.sendsAck:
            if session.habit is None:
                session.habit = ConnectionHabit()
            session.habit.last = connection.watch(self._clock.seconds)
        answer.callback(reply)

    def _cbTimedOut(self, held: HeldPoll) -> None:
        if held.mayWake:
            self._answer(held, NOTHING)
        else:
            # Polls are held for less than repeated replies are.
            self._cbRepeat(held)

    def _cbRepeat(self, held: HeldPoll) -> None:
        self._throttled.discard(held)
        held.mayWake = True
        self.wake(held)

    def _cbThrottled(self, delayed: DelayedReply) -> None:
        delayed.answer.callback(delayed.reply)

    # ---- sends

    def sendBuddyMsg2(
        self, command: SendBuddyMsg2, exchange: Exchange
    ) -> None | Refusal:
        """
        Pass words on to a friend.
        """
        session = self._state.sessions.byTicket(command.ticket.psessionid)
        if isinstance(session, EndedSession):
            return refusalFor(session)
        content = self._pictures.forBuddy(session, command.to, command.content)
        if isinstance(content, Refusal):
            return content
        return self._state.router.sendToBuddy(
            session, command.to, content, command.font
        )

    def sendQunMsg2(self, command: SendQunMsg2, exchange: Exchange) -> None | Refusal:
        """
        Pass words on to a group.
        """
        session = self._state.sessions.byTicket(command.ticket.psessionid)
        if isinstance(session, EndedSession):
            return refusalFor(session)
        server = exchange.base.rpartition("//")[2]
        content = self._pictures.forGroup(
            session,
            command.group,
            command.code,
            command.content,
            PictureSignature(command.key, command.sig, server),
        )
        if isinstance(content, Refusal):
            return content
        return self._state.router.sendToGroup(
            session, command.group, content, command.font
        )

    # ---- signals

    def inputNotify2(self, command: InputNotify2, exchange: Exchange) -> None | Refusal:
        """
        Tell a friend that somebody types.
        """
        session = self._state.sessions.byTicket(command.ticket.psessionid)
        if isinstance(session, EndedSession):
            return refusalFor(session)
        return sendTransient(self._state, session, command.to, QueuedTyping)

    def shake2(self, command: Shake2, exchange: Exchange) -> None | Refusal:
        """
        Shake a friend's window.
        """
        session = self._state.sessions.byTicket(command.ticket.psessionid)
        if isinstance(session, EndedSession):
            return refusalFor(session)
        return sendTransient(self._state, session, command.to, QueuedShake)

    # ---- presence

    def changeStatus2(
        self, command: ChangeStatus2, exchange: Exchange
    ) -> None | Refusal:
        """
        Tell friends of another status.
        """
        session = self._state.sessions.byTicket(command.ticket.psessionid)
        if isinstance(session, EndedSession):
            return refusalFor(session)
        self._state.presence.setStatus(session, command.status)
        return None

    def getOnlineBuddies2(
        self, command: GetOnlineBuddies2, exchange: Exchange
    ) -> tuple[Presence, ...] | Refusal:
        """
        Whoever of the friends is there and does not hide.
        """
        session = self._state.sessions.byTicket(command.ticket.psessionid)
        if isinstance(session, EndedSession):
            return refusalFor(session)
        return tuple(
            Presence(session.sessionIds.uin(friend), status, WEB_CLIENT)
            for friend, status in self._state.presence.onlineFriends(session)
        )

    def getMsgTip(self, command: GetMsgTip, exchange: Exchange) -> bool:
        """
        There never are tips. It keeps nobody online: the poll alone tells that
        somebody takes their mail.
        """
        return False
