"""
Answers to what goes on in a session: polls, sends, presence, heartbeat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from txwebqq.model import WEB_CLIENT, Presence
from txwebqq.server.deadlines import Deadlines
from txwebqq.server.exchange import Exchange, Handler
from txwebqq.server.pictures import Pictures, Signed
from txwebqq.server.post import Parcel, refusalFor
from txwebqq.server.sessions import Ended, Session
from txwebqq.server.signals import ShakeSignal, TypingSignal, signal
from txwebqq.server.world import World
from txwebqq.wire.channel import (
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
from txwebqq.wire.command import Command, Refusal

THROTTLE = 1.0
"""The seconds for which bad news to a poll are held: most clients ask again at
once, for ever."""

BATCH = 100
"""How many polls are answered before the reactor may do something else."""

NOTHING = Refusal(102)

Polled = PollResult | Refusal


class HeldPoll:
    """
    A poll that waits for mail.
    """

    __slots__ = ("_channel", "_since", "answer", "exchange", "late", "session")

    def __init__(
        self, channel: Channel, session: Session, exchange: Exchange, since: float
    ) -> None:
        self.session = session
        self.exchange = exchange
        # None once it is answered, or its client has gone.
        self.answer: Deferred[Polled] | None = None
        self.late: LateAnswer | None = None
        self._channel = channel
        self._since = since

    def ring(self) -> None:
        """
        There is mail (L{txwebqq.server.sessions.Listener}).
        """
        self._channel.ripen(self)

    def superseded(self) -> None:
        """
        Another poll listens (L{txwebqq.server.sessions.Listener}).
        """
        self._channel.supersede(self, self._since)

    def cancelled(self) -> None:
        """
        The connection is gone.
        """
        self.answer = None
        self._channel.forget(self)


class LateAnswer:
    """
    An answer that is ready, but not given yet.
    """

    __slots__ = ("answer", "reply")

    def __init__(self, answer: Deferred[Polled], reply: Polled) -> None:
        self.answer = answer
        self.reply = reply


class Channel:
    """
    The exchanges of a session, and the polls that are held.

    @ivar rung: how often a held poll has been given mail.
    """

    def __init__(
        self,
        world: World,
        clock: IReactorTime,
        pollTimeout: float,
        pictures: Pictures,
    ) -> None:
        self._world = world
        self._pictures = pictures
        self._clock = clock
        self._held = Deadlines[HeldPoll](clock, pollTimeout, self._cbTimedOut)
        self._late = Deadlines[LateAnswer](clock, THROTTLE, self._cbThrottled)
        self.rung = 0
        # Polls that have mail, and answers that come after theirs.
        self._ripe: deque[HeldPoll | Deferred[None]] = deque()
        # Those answers, two turns and one turn of the reactor before they go.
        self._ready: list[Deferred[None]] = []
        self._leaving: list[Deferred[None]] = []
        self._draining = False
        self._turn: IDelayedCall | None = None
        self._settling: IDelayedCall | None = None
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
        while self._ripe and not self._draining:
            self.drain()
        last = [*self._leaving, *self._ready]
        self._leaving, self._ready = [], []
        self._schedule()
        for answer in last:
            answer.callback(None)
        for held in self._held.clear():
            self._answer(held, NOTHING)
        for late in self._late.clear():
            late.answer.callback(late.reply)
        settling, self._settling = self._settling, None
        if settling is not None:
            settling.cancel()
            while self._world.settle():
                pass

    # ---- polls

    def poll2(self, question: Poll2, exchange: Exchange) -> Polled | Deferred[Polled]:
        """
        Answer with what waits, or else hold the question.
        """
        session = self._world.sessions.byTicket(question.ticket.psessionid)
        if isinstance(session, Ended):
            isNews = session.isNews
            reply = self._world.lastWords(session)
            return reply if isNews else self.late(reply)
        if not exchange.isLive():
            return NOTHING
        self._world.supersede(session)
        parcel = self._world.collect(session)
        if parcel is not None:
            self._noteDelivery(parcel)
            return parcel.reply
        if self._stopped:
            return NOTHING
        held = HeldPoll(self, session, exchange, self._clock.seconds())
        answer = held.answer = Deferred(lambda _: held.cancelled())
        self._held.add(held)
        self._world.listen(session, held)
        return answer

    def late(self, reply: Polled) -> Polled | Deferred[Polled]:
        """
        Give an answer that asks to be repeated, after a while.
        """
        if self._stopped:
            return reply
        late = LateAnswer(Deferred(lambda _: self._late.discard(late)), reply)
        self._late.add(late)
        return late.answer

    def ripen(self, held: HeldPoll) -> None:
        """
        There is mail for a poll.
        """
        self.rung += 1
        self._ripe.append(held)
        self._schedule()

    def supersede(self, held: HeldPoll, since: float) -> None:
        """
        Another poll of the session took over.
        """
        answer, held.answer = held.answer, None
        self._held.discard(held)
        if answer is None:
            return
        if self._clock.seconds() - since >= THROTTLE or self._stopped:
            answer.callback(NOTHING)
        else:
            # Two polls that always ask again would supersede each other for
            # ever, as fast as they can.
            late = LateAnswer(answer, NOTHING)
            held.late = late
            self._late.add(late)

    def forget(self, held: HeldPoll) -> None:
        """
        The client of a poll has gone.
        """
        self._held.discard(held)
        if held.late is not None:
            self._late.discard(held.late)
        self._world.hangUp(held.session, held)

    def afterwards(self, reply: Any) -> Deferred[Any]:
        """
        A reply to somebody whose question gave mail to held polls, to be given
        when the mail has left: a server that dies in between has promised
        nothing.
        """
        self.drain()
        last: Deferred[None] = Deferred()
        if self._ripe:
            self._ripe.append(last)
        else:
            self._ready.append(last)
        self._schedule()
        return last.addCallback(lambda _: reply)

    def drain(self) -> None:
        """
        Answer some of the polls that have mail, and the rest in later turns.
        """
        if self._draining:
            return
        self._draining = True
        try:
            for _ in range(min(BATCH, len(self._ripe))):
                ripe = self._ripe.popleft()
                if isinstance(ripe, Deferred):
                    self._ready.append(ripe)
                else:
                    self._deliver(ripe)
        finally:
            self._draining = False
        self._schedule()

    def _schedule(self) -> None:
        wanted = self._ripe or self._ready or self._leaving
        if wanted and self._turn is None:
            self._turn = self._clock.callLater(0, self._cbTurned)
        elif not wanted and self._turn is not None:
            self._turn.cancel()
            self._turn = None

    def _cbTurned(self) -> None:
        self._turn = None
        # What was written in one turn of the reactor leaves in the next, so
        # what must leave after it is written in the one after that.
        gone, self._leaving, self._ready = self._leaving, self._ready, []
        for answer in gone:
            answer.callback(None)
        self.drain()

    def _deliver(self, held: HeldPoll) -> None:
        if held.answer is None:
            return
        if not held.exchange.isLive():
            self.forget(held)
            return
        parcel = self._world.collect(held.session)
        if parcel is not None:
            self._answer(held, parcel.reply)
            self._noteDelivery(parcel)

    def _noteDelivery(self, parcel: Parcel) -> None:
        if self._world.delivered(parcel) and self._settling is None:
            self._settling = self._clock.callLater(0, self._cbSettling)

    def _cbSettling(self) -> None:
        self._settling = None
        if self._world.settle():
            self._settling = self._clock.callLater(0, self._cbSettling)

    def _answer(self, held: HeldPoll, reply: Polled) -> None:
        answer, held.answer = held.answer, None
        self._held.discard(held)
        self._world.hangUp(held.session, held)
        if answer is not None:
            answer.callback(reply)

    def _cbTimedOut(self, held: HeldPoll) -> None:
        self._answer(held, NOTHING)

    def _cbThrottled(self, late: LateAnswer) -> None:
        late.answer.callback(late.reply)

    # ---- sends

    def sendBuddyMsg2(
        self, question: SendBuddyMsg2, exchange: Exchange
    ) -> None | Refusal:
        """
        Pass words on to a friend.
        """
        session = self._world.sessions.byTicket(question.ticket.psessionid)
        if isinstance(session, Ended):
            return refusalFor(session)
        content = self._pictures.forBuddy(session, question.to, question.content)
        if isinstance(content, Refusal):
            return content
        return self._world.sendToBuddy(session, question.to, content, question.font)

    def sendQunMsg2(self, question: SendQunMsg2, exchange: Exchange) -> None | Refusal:
        """
        Pass words on to a group.
        """
        session = self._world.sessions.byTicket(question.ticket.psessionid)
        if isinstance(session, Ended):
            return refusalFor(session)
        server = exchange.base.rpartition("//")[2]
        content = self._pictures.forGroup(
            session,
            question.group,
            question.code,
            question.content,
            Signed(question.key, question.sig, server),
        )
        if isinstance(content, Refusal):
            return content
        return self._world.sendToGroup(session, question.group, content, question.font)

    # ---- signals

    def inputNotify2(
        self, question: InputNotify2, exchange: Exchange
    ) -> None | Refusal:
        """
        Tell a friend that somebody types.
        """
        session = self._world.sessions.byTicket(question.ticket.psessionid)
        if isinstance(session, Ended):
            return refusalFor(session)
        return signal(self._world, session, question.to, TypingSignal)

    def shake2(self, question: Shake2, exchange: Exchange) -> None | Refusal:
        """
        Shake a friend's window.
        """
        session = self._world.sessions.byTicket(question.ticket.psessionid)
        if isinstance(session, Ended):
            return refusalFor(session)
        return signal(self._world, session, question.to, ShakeSignal)

    # ---- presence

    def changeStatus2(
        self, question: ChangeStatus2, exchange: Exchange
    ) -> None | Refusal:
        """
        Tell friends of another status.
        """
        session = self._world.sessions.byTicket(question.ticket.psessionid)
        if isinstance(session, Ended):
            return refusalFor(session)
        self._world.appear(session, question.status)
        return None

    def getOnlineBuddies2(
        self, question: GetOnlineBuddies2, exchange: Exchange
    ) -> tuple[Presence, ...] | Refusal:
        """
        Whoever of the friends is there and does not hide.
        """
        session = self._world.sessions.byTicket(question.ticket.psessionid)
        if isinstance(session, Ended):
            return refusalFor(session)
        return tuple(
            Presence(session.aliases.uin(friend), status, WEB_CLIENT)
            for friend, status in self._world.friendsAround(session)
        )

    def getMsgTip(self, question: GetMsgTip, exchange: Exchange) -> bool:
        """
        There never are tips. It keeps nobody online: the poll alone tells that
        somebody takes their mail.
        """
        return False
