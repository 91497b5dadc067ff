"""
Events reach the polls of their recipients, once and in order.
"""

from __future__ import annotations

import sqlite3
from random import Random

import pytest
from twisted.internet.task import Clock

from txwebqq.model import Font, Number, Sent, Status, Text
from txwebqq.server.domain.messaging import sendMessage
from txwebqq.server.domain.state import Joined, ServerState
from txwebqq.server.events.kinds import FRIEND_MESSAGE
from txwebqq.server.events.storedformat import encodeQueued
from txwebqq.server.population import parse
from txwebqq.server.sessions.acknowledgement import Acknowledgement
from txwebqq.server.sessions.session import HeldPoll, PollReply, Session
from txwebqq.server.storage.store import Store
from txwebqq.wire.commands.messages import PollResult

ALICE, BOB = Number(10001), Number(10002)


class RecordingPoll:
    """
    A poll that records its replies.

    @ivar live: whether the client is connected.
    """

    def __init__(self) -> None:
        self.live = True
        self.replies: list[PollReply] = []
        self.supersededCount = 0

    def isLive(self) -> bool:
        return self.live

    def answer(self, reply: PollReply) -> None:
        self.replies.append(reply)

    def superseded(self) -> None:
        self.supersededCount += 1

    @property
    def texts(self) -> list[str]:
        """
        The texts of all messages in the replies.
        """
        return [
            event.text
            for reply in self.replies
            if isinstance(reply, PollResult)
            for event in reply.events
            if hasattr(event, "text")
        ]


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.advance(1366004047.0)
    return clock


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def state(clock: Clock, errors: list[str]) -> ServerState:
    def onError(sentence: str, **_: object) -> None:
        errors.append(sentence)

    state = ServerState(Store(), clock, Random(1), onError)
    state.merge(
        parse(
            """
            [[account]]
            number = 10001
            password = "a"
            [[account]]
            number = 10002
            password = "b"
            [[friendship]]
            between = [10001, 10002]
            """
        )
    )
    return state


def joined(state: ServerState, number: Number, clientid: str = "1") -> Session:
    joined = state.join(state.sessions.admit(number), "", clientid, Status.ONLINE)
    assert isinstance(joined, Joined)
    joined.session.mailbox.presence.clear()
    return joined.session


def say(state: ServerState, text: str) -> None:
    """
    Send a message from Alice to Bob.
    """
    content = (Text(text),)
    sent = sendMessage(state, FRIEND_MESSAGE, ALICE, (BOB,), content, Font())
    assert isinstance(sent, Sent)


def hold(state: ServerState, session: Session) -> RecordingPoll:
    """
    A poll of a client that has received the last reply.
    """
    poll = RecordingPoll()
    held: HeldPoll = poll
    state.router.hold(session, held, Acknowledgement())
    return poll


def polled(state: ServerState, clock: Clock, session: Session) -> list[str]:
    """
    The texts that a new poll is answered with at once; the poll is released if
    it is not answered.
    """
    poll = hold(state, session)
    clock.advance(0)
    state.router.release(session, poll)
    return poll.texts


def test_heldPoll(state: ServerState, clock: Clock) -> None:
    """
    A held poll is answered in the next turn with the first of two messages,
    and the next poll with the second.
    """
    bob = joined(state, BOB)
    poll = hold(state, bob)
    clock.advance(0)
    say(state, "one")
    say(state, "two")
    assert poll.replies == []
    clock.advance(0)
    assert poll.texts == ["one"]
    assert bob.poll is None
    assert [polled(state, clock, bob) for _ in range(2)] == [["two"], []]


def test_released(state: ServerState, clock: Clock) -> None:
    """
    A poll whose client disconnects before the turn is not answered, and its
    messages wait for the next ones.
    """
    bob = joined(state, BOB)
    poll = hold(state, bob)
    clock.advance(0)
    say(state, "one")
    say(state, "two")
    state.router.release(bob, poll)
    clock.advance(0)
    assert poll.replies == []
    assert [polled(state, clock, bob) for _ in range(3)] == [["one"], ["two"], []]


def test_notLive(state: ServerState, clock: Clock) -> None:
    """
    A poll whose client has gone, as its socket tells, takes no message.
    """
    bob = joined(state, BOB)
    poll = hold(state, bob)
    clock.advance(0)
    poll.live = False
    say(state, "one")
    clock.advance(0)
    assert poll.replies == []
    assert polled(state, clock, bob) == ["one"]


def test_superseded(state: ServerState, clock: Clock) -> None:
    """
    Of two polls the newer is answered; the older can be released without
    consequence.
    """
    bob = joined(state, BOB)
    older, newer = hold(state, bob), hold(state, bob)
    assert (older.supersededCount, newer.supersededCount) == (1, 0)
    state.router.release(bob, older)
    say(state, "hi")
    clock.advance(0)
    assert (older.replies, newer.texts) == ([], ["hi"])


def test_supersededInBetween(state: ServerState, clock: Clock) -> None:
    """
    A poll that supersedes one whose message has come gets that message.
    """
    bob = joined(state, BOB)
    older = hold(state, bob)
    clock.advance(0)
    say(state, "hi")
    newer = hold(state, bob)
    clock.advance(0)
    assert (older.replies, newer.texts) == ([], ["hi"])


def test_rejoined(state: ServerState, clock: Clock) -> None:
    """
    A session that is resumed ends the held poll, which takes no message then.
    """
    ptwebqq = state.sessions.admit(BOB)
    first = state.join(ptwebqq, "", "1", Status.ONLINE)
    assert isinstance(first, Joined)
    bob = first.session
    poll = hold(state, bob)
    clock.advance(0)
    second = state.join(ptwebqq, first.psessionid, "1", Status.ONLINE)
    assert isinstance(second, Joined)
    assert second.session is bob
    assert poll.supersededCount == 1
    say(state, "hi")
    clock.advance(0)
    assert poll.replies == []
    assert polled(state, clock, bob) == ["hi"]


def test_replacedInBetween(state: ServerState, clock: Clock) -> None:
    """
    Messages that were accepted for a held poll, and not given to it, go to the
    session that replaces its own.
    """
    bob = joined(state, BOB)
    poll = hold(state, bob)
    clock.advance(0)
    say(state, "one")
    say(state, "two")
    newer = joined(state, BOB, "2")
    clock.advance(0)
    assert poll.texts == []
    assert [polled(state, clock, newer) for _ in range(2)] == [["one"], ["two"]]


def test_unacknowledgedMovesOn(state: ServerState, clock: Clock) -> None:
    """
    A session that replaces an older one is given the reply that the older one
    was given and has not acknowledged, once.
    """
    say(state, "one")
    clock.advance(0)
    assert polled(state, clock, joined(state, BOB)) == ["one"]
    newer = joined(state, BOB, "2")
    assert [polled(state, clock, newer) for _ in range(2)] == [["one"], []]
    assert polled(state, clock, joined(state, BOB, "3")) == []


def test_senderIsLast(state: ServerState, clock: Clock) -> None:
    """
    A message is in the database when its recipient's poll is answered, and its
    sender is told a turn later.
    """
    bob = joined(state, BOB)
    poll = hold(state, bob)
    clock.advance(0)
    log: list[str] = []

    def stored() -> str:
        return f"{len(state.store.messages.unacknowledged(BOB))} stored"

    def answer(reply: PollReply) -> None:
        log.append(f"poll, {stored()}")

    poll.answer = answer  # type: ignore[method-assign]
    say(state, "hi")
    state.router.whenStored(lambda isStored: log.append(f"sender, {isStored}"))
    assert (log, stored()) == ([], "0 stored")
    clock.advance(0)
    assert log == ["poll, 1 stored", "sender, True"]


def test_routedAlone(state: ServerState, clock: Clock) -> None:
    """
    An event is written in the next turn also when nobody waits for that.
    """
    say(state, "hi")
    assert state.store.messages.waiting(BOB, 0, 9) == []
    clock.advance(0)
    assert len(state.store.messages.waiting(BOB, 0, 9)) == 1
    assert clock.getDelayedCalls() == []


def test_failure(
    state: ServerState, clock: Clock, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    When the database cannot be written to, the sender is told, the poll stays
    held, and a later message is delivered.
    """

    def fail(changes: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    bob = joined(state, BOB)
    poll = hold(state, bob)
    clock.advance(0)
    outcomes: list[bool] = []
    with monkeypatch.context() as patch:
        patch.setattr(state.store.messages, "write", fail)
        say(state, "one")
        state.router.whenStored(outcomes.append)
        clock.advance(0)
    assert (poll.replies, outcomes) == ([], [False])
    (error,) = errors
    assert error.startswith("Writing to the database failed: {reason}; the messages")
    say(state, "two")
    clock.advance(0)
    assert poll.texts == ["two"]


def test_throttled(state: ServerState, clock: Clock) -> None:
    """
    A client that is given a reply for the second time again waits for
    C{resume}, unless its session ends.
    """
    bob = joined(state, BOB)
    say(state, "one")
    never = Acknowledgement(ack=0)
    polls = [RecordingPoll() for _ in range(3)]
    held = []
    for poll in polls:
        held.append(state.router.hold(bob, poll, never))
        clock.advance(0)
    assert held == [False, False, True]
    assert [poll.texts for poll in polls] == [["one"], ["one"], []]
    say(state, "two")
    clock.advance(0)
    assert polls[2].texts == []
    state.router.resume(bob)
    clock.advance(0)
    assert polls[2].texts == ["one"]
    last = RecordingPoll()
    assert state.router.hold(bob, last, never)
    joined(state, BOB, "2")
    clock.advance(0)
    assert len(last.replies) == 1


def test_stop(state: ServerState, clock: Clock) -> None:
    """
    Stopping delivers everything, and leaves nothing on the clock.
    """
    bob = joined(state, BOB)
    poll = hold(state, bob)
    clock.advance(0)
    say(state, "hi")
    outcomes: list[bool] = []
    state.router.whenStored(outcomes.append)
    state.router.stop()
    assert (poll.texts, outcomes) == (["hi"], [True])
    assert clock.getDelayedCalls() == []
    say(state, "later")
    assert clock.getDelayedCalls() == []


def test_withdraw(state: ServerState, clock: Clock) -> None:
    """
    An event that waits in memory for the next poll of a session is dropped; one that
    a poll was given, or that has another serial number, is not.
    """
    bob = joined(state, BOB)
    assert polled(state, clock, bob) == []
    say(state, "one")
    say(state, "two")
    clock.advance(0)
    stored = state.store.messages.waiting(BOB, 0, 5)
    bodies = {serial: encodeQueued(event) for serial, event in stored}
    [(first, body), (second, other)] = bodies.items()
    assert state.router.withdraw(second, body) == []
    assert state.router.withdraw(first, body) == [BOB]
    assert state.router.withdraw(first, body) == []
    assert polled(state, clock, bob) == ["two"]
    assert state.router.withdraw(second, other) == []
    assert polled(state, clock, bob) == []
    rows = "SELECT (SELECT count(*) FROM letter) + (SELECT count(*) FROM waiting)"
    clock.advance(1)
    assert state.store.database.count(rows) == 0
