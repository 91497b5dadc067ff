"""
A reply to a poll is delivered when it is acknowledged by number, by the ids of
messages or by the next poll, and is repeated until then.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.server.harness import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    HTTPClient,
    ServerHarness,
    Wire,
    textsOf,
)
from tests.server.storage.test_store import reopened
from txwebqq.server.events.kinds import FRIENDSHIP_NOTICE
from txwebqq.server.resource import NOT_STORED
from txwebqq.server.sessions.acknowledgement import HABITS, MAX_UNNAMED, Outcome
from txwebqq.server.storage.messages.queue import EventChanges, MessageStore
from txwebqq.server.storage.store import Store

REQUEST = FRIENDSHIP_NOTICE.new(
    step="verify_required", other=CAROL, sequence=1, text="hi"
)
"""An event that is no message."""


def ackOf(wire: Wire) -> int:
    """
    The number of a reply.
    """
    ack = wire.response.json["ack"]
    assert isinstance(ack, int)
    return ack


@pytest.fixture
def harness() -> ServerHarness:
    return ServerHarness()


@pytest.fixture
def alice(harness: ServerHarness) -> HTTPClient:
    return harness.client(ALICE)


@pytest.fixture
def bob(harness: ServerHarness, alice: HTTPClient) -> HTTPClient:
    bob = harness.client(BOB)
    alice.catchUp()
    return bob


def given(poll: Wire) -> list[str]:
    """
    The texts that a poll was answered with, the oldest first; C{[]} for a held
    poll.
    """
    return textsOf(poll.response)[::-1] if poll.isAnswered else []


# ---- by number


def test_number(alice: HTTPClient, bob: HTTPClient) -> None:
    """
    Replies with events have increasing numbers, and the same reply is given
    until it is acknowledged by its number.
    """
    alice.tell(BOB, "one")
    first = bob.poll(ack=0)
    alice.tell(BOB, "two")
    again = bob.poll(ack=0)
    assert first.response.body == again.response.body
    assert given(first) == ["one"]
    second = bob.poll(ack=ackOf(first))
    assert given(second) == ["two"]
    assert ackOf(second) > ackOf(first)
    assert not bob.poll(ack=ackOf(second)).isAnswered


def test_together(alice: HTTPClient, bob: HTTPClient) -> None:
    """
    A client that acknowledges by number is given all that waits in one reply,
    another one a message of each conversation.
    """
    for text in ("one", "two", "three"):
        alice.tell(BOB, text)
    assert given(bob.poll()) == ["one"]
    again = bob.poll(ack=0)
    assert given(again) == ["one"]
    assert given(bob.poll(ack=ackOf(again))) == ["two", "three"]


def test_heldPoll(alice: HTTPClient, bob: HTTPClient) -> None:
    """
    The reply to a held poll has a number, and is given again until its number
    is named.
    """
    poll = bob.poll(ack=0)
    alice.tell(BOB, "one")
    assert given(poll) == given(bob.poll(ack=0)) == ["one"]
    assert not bob.poll(ack=ackOf(poll)).isAnswered


def test_othersSeeNone(alice: HTTPClient, bob: HTTPClient) -> None:
    """
    A client that does not send C{ack} never receives it, even in a session that
    had it before.
    """
    alice.tell(BOB, "one")
    assert set(bob.poll().response.json) == {"retcode", "result"}
    alice.tell(BOB, "two")
    assert "ack" in bob.poll(ack=0).response.json
    assert set(bob.poll().response.json) == {"retcode", "result"}


def test_withoutIds(harness: ServerHarness, bob: HTTPClient) -> None:
    """
    Events without ids, and changes of status, are repeated as well.
    """
    harness.route(REQUEST, [BOB])
    harness.client(ALICE, clientid="9").channel(
        "change_status2", newstatus="away", clientid="9", t=1
    )
    poll = bob.poll(ack=0)
    kinds = [event["poll_type"] for event in poll.response.result]
    assert "system_message" in kinds
    assert bob.poll(ack=0).response.body == poll.response.body


def test_relink(alice: HTTPClient, bob: HTTPClient) -> None:
    """
    A relink does not acknowledge.
    """
    alice.tell(BOB, "one")
    poll = bob.poll(ack=0)
    bob.join(bob.psessionid)
    assert bob.poll(ack=0).response.body == poll.response.body
    bob.join(bob.psessionid)
    assert not bob.poll(ack=ackOf(poll)).isAnswered


def test_otherSession(
    harness: ServerHarness, alice: HTTPClient, bob: HTTPClient
) -> None:
    """
    A new session of the account is given the unacknowledged reply, with the
    same number and message ids, and with its own uins.
    """
    alice.tell(BOB, "one")
    poll = bob.poll(ack=0)
    other = harness.client(BOB, clientid="2")
    again = other.poll(ack=0)
    (before,), (after,) = poll.response.result, again.response.result
    assert ackOf(again) == ackOf(poll)
    assert after["value"].pop("from_uin") == other.uin(ALICE)
    assert before["value"].pop("from_uin") != other.uin(ALICE)
    assert after == before
    third = harness.client(BOB, clientid="3")
    assert not third.poll(ack=ackOf(poll)).isAnswered


def test_restart(tmp_path: Path, openStore: Callable[[Path], Store]) -> None:
    """
    The database holds the unacknowledged reply, also after the server is
    killed.
    """
    path = tmp_path / "q.db"
    harness = ServerHarness(store=openStore(path))
    alice, bob = harness.client(ALICE), harness.client(BOB)
    bob.catchUp()
    alice.tell(BOB, "one")
    alice.tellCats("two")
    poll = bob.poll(ack=0)
    alice.tell(BOB, "three")
    assert given(poll) == ["one", "two"]
    killed = reopened(openStore, harness, path, 2)
    again = killed.client(BOB).poll(ack=0)
    assert given(again) == ["one", "two"]
    assert ackOf(again) == ackOf(poll)
    acknowledged = reopened(openStore, harness, path, 3).client(BOB)
    third = acknowledged.poll(ack=ackOf(poll))
    assert given(third) == ["three"]
    assert ackOf(third) > ackOf(poll)


def test_newServer(alice: HTTPClient, bob: HTTPClient) -> None:
    """
    A server that does not know the reply numbers of the one before uses higher
    ones than its clients have seen, even if its clock is behind.
    """
    alice.tell(BOB, "one")
    number = ackOf(bob.poll(ack=0))
    harness = ServerHarness(seed=2)
    harness.clock.advance(-1000)
    alice, bob = harness.client(ALICE), harness.client(BOB)
    alice.tell(BOB, "two")
    lost = bob.poll(ack=number)
    assert ackOf(lost) > number
    assert given(bob.poll(ack=number)) == ["two"]


def test_logout(harness: ServerHarness, alice: HTTPClient, bob: HTTPClient) -> None:
    """
    A logout acknowledges like a poll.
    """
    alice.tell(BOB, "one")
    for isNamed in (False, True):
        poll = bob.poll(ack=0)
        ack = ackOf(poll) if isNamed else 0
        harness.get(f"/channel/logout2?ids=&ack={ack}&psessionid={bob.psessionid}")
        bob = harness.client(BOB)
    assert given(poll) == ["one"]
    assert not bob.poll(ack=0).isAnswered


def test_notANumber(bob: HTTPClient) -> None:
    """
    A value that is no number is refused, and the answer says so.
    """
    poll = bob.ask("/channel/poll2", psessionid=bob.psessionid, ack="soon")
    bob.harness.clock.advance(1)
    assert poll.response.json["retcode"] == 100003


def test_neverAcknowledges(
    harness: ServerHarness, alice: HTTPClient, bob: HTTPClient
) -> None:
    """
    A client that never acknowledges a reply is given it once per second, and is
    kicked and superseded like other clients.
    """
    alice.tell(BOB, "one")
    bob.poll(ack=0)
    bob.poll(ack=0)
    poll = bob.poll(ack=0)
    assert not poll.isAnswered
    harness.clock.advance(1)
    assert given(poll) == ["one"]
    newer = bob.poll(ack=0), bob.poll(ack=0)
    harness.clock.advance(1)
    assert newer[0].response.json["retcode"] == 102
    assert given(newer[1]) == ["one"]
    poll = bob.poll(ack=0)
    harness.client(BOB, clientid="2")
    assert poll.response.result[0]["poll_type"] == "kick_message"


def test_briefPolls() -> None:
    """
    A server that holds polls for less than a second repeats replies as well.
    """
    harness = ServerHarness(pollTimeout=0.5)
    alice, bob = harness.client(ALICE), harness.client(BOB)
    bob.catchUp()
    alice.tell(BOB, "one")
    for _ in range(4):
        poll = bob.poll(ack=0)
        harness.clock.advance(0.5)
        harness.clock.advance(0)
        assert given(poll) == ["one"]


def test_bounded(harness: ServerHarness, alice: HTTPClient, bob: HTTPClient) -> None:
    """
    The session of a client that acknowledges nothing keeps few events in
    memory, and no event is lost.
    """
    poll = bob.poll(ack=0)
    texts = [str(n) for n in range(400)]
    for text in texts:
        alice.tell(BOB, text)
    assert given(poll) == ["0"]
    session = harness.state.sessions.online(BOB)
    assert session is not None
    assert len(session.mailbox._events) <= 100
    heard = []
    while poll.isAnswered:
        heard += given(poll)
        poll = bob.poll(ack=ackOf(poll))
    assert heard == texts


# ---- by the ids of messages


def test_ids(alice: HTTPClient, bob: HTTPClient) -> None:
    """
    In a session that has named ids, messages are acknowledged by their ids
    only.
    """
    alice.tell(BOB, "one")
    first = bob.poll()
    (one,) = [event["value"]["msg_id"] for event in first.response.result]
    alice.tell(BOB, "two")
    second = bob.poll(ids=[str(one)])
    (two,) = [event["value"]["msg_id"] for event in second.response.result]
    assert bob.poll().response.body == second.response.body
    assert not bob.poll(ids=[str(two)]).isAnswered


def test_idsOfSome(alice: HTTPClient, bob: HTTPClient) -> None:
    """
    Of a reply with several messages only those whose ids were not named are
    given again, without the other events.
    """
    bob.poll(ids=["9"]).close()
    bob.harness.route(REQUEST, [BOB])
    alice.tell(BOB, "one")
    alice.tellCats("two")
    ids = {
        given(poll)[0]: event["value"]["msg_id"]
        for poll in [bob.poll()]
        for event in poll.response.result[1:2]
    }
    again = bob.poll(ids=[str(ids["one"])])
    assert [e["poll_type"] for e in again.response.result] == ["group_message"]


def test_idsNeverNamed(
    harness: ServerHarness, alice: HTTPClient, bob: HTTPClient
) -> None:
    """
    A client that leaves out the ids of some messages is not given these
    endlessly.
    """
    bob.poll(ids=["9"]).close()
    alice.tell(BOB, "one")
    count = 0
    while True:
        poll = bob.poll()
        harness.clock.advance(1)
        if not poll.isAnswered:
            break
        count += 1
    assert count == MAX_UNNAMED + 1


def test_sameIds(harness: ServerHarness, alice: HTTPClient, bob: HTTPClient) -> None:
    """
    Two messages with the same id from different accounts are in different
    replies, since clients name nothing but that id.
    """
    dave = harness.client(DAVE)
    harness.state.messageIds._messageIds = {ALICE: 6, DAVE: 6}
    alice.tell(BOB, "one")
    dave.tellCats("two")
    alice.tell(BOB, "three")
    answers = [given(bob.poll()) for _ in range(4)]
    assert answers == [["one"], ["two", "three"], [], []]


# ---- by the next poll


class NextPollTests(SynchronousTestCase):
    """
    Clients that send neither C{ack} nor C{ids}, and the state of their
    connections.
    """

    def setUp(self) -> None:
        self.harness = ServerHarness()
        self.alice = self.harness.client(ALICE)
        self.bob = self.harness.client(BOB)
        self.alice.catchUp()

    def told(self, text: str, wire: Wire | None = None) -> Wire:
        """
        Have a poll of Bob answered with a message.
        """
        poll = wire or self.bob.poll()
        if wire is not None:
            wire.transport.clear()
            wire.send(self.bob.pollBytes())
        self.alice.tell(BOB, text)
        self.assertEqual(given(poll), [text])
        return poll

    def test_nextPoll(self) -> None:
        """
        The next poll acknowledges the reply.
        """
        self.told("one")
        self.assertFalse(self.bob.poll().isAnswered)

    def test_reset(self) -> None:
        """
        The next poll does not acknowledge a reply whose connection was reset:
        the reply is given again.
        """
        self.told("one").close(ConnectionLost())
        again = self.bob.poll()
        self.assertEqual(given(again), ["one"])
        again.close(ConnectionLost())
        third = self.bob.poll()
        self.harness.clock.advance(1)
        self.assertEqual(given(third), ["one"])
        self.assertFalse(self.bob.poll().isAnswered)

    def test_resetLater(self) -> None:
        """
        A connection that is reset after its next request has confirmed the
        reply before.
        """
        poll = self.told("one")
        poll.send(b"GET /cgi-bin/ver HTTP/1.1\r\n\r\n").close(ConnectionLost())
        self.assertFalse(self.bob.poll().isAnswered)

    def test_closed(self) -> None:
        """
        The next poll does not acknowledge a reply after which a kept-alive
        connection was closed.
        """
        wire = self.told("one")
        self.told("two", wire)
        wire.close(ConnectionDone())
        self.assertEqual(given(self.bob.poll()), ["two"])
        self.assertFalse(self.bob.poll().isAnswered)

    def test_habit(self) -> None:
        """
        A client that closes its connections after each reply is given messages
        once, as soon as the habit is known.
        """
        self.told("one").close(ConnectionDone())
        for _ in range(HABITS[Outcome.CLOSED]):
            again = self.bob.poll()
            self.harness.clock.advance(1)
            self.assertEqual(given(again), ["one"])
            again.close(ConnectionDone())
        self.told("two").close(ConnectionDone())
        self.assertFalse(self.bob.poll().isAnswered)

    def test_habitOfBreaking(self) -> None:
        """
        A client that resets its connection after each reply, as some do over
        TLS, is given messages once, when that is known.
        """
        for _ in range(HABITS[Outcome.BROKEN]):
            self.alice.poll()
            poll = self.bob.poll()
            self.harness.clock.advance(50)
            self.assertEqual(poll.response.json["retcode"], 102)
            poll.close(ConnectionLost())
        self.told("one").close(ConnectionLost())
        self.assertFalse(self.bob.poll().isAnswered)

    def test_asked(self) -> None:
        """
        A client that asks for the connection to be closed may close it.
        """
        target = f"/channel/poll2?psessionid={self.bob.psessionid}"
        self.alice.tell(BOB, "one")
        line = f"GET {target} HTTP/1.1\r\nConnection: close\r\n\r\n"
        wire = self.harness.send(line.encode())
        self.assertEqual(given(wire), ["one"])
        wire.close(ConnectionDone())
        self.assertFalse(self.bob.poll().isAnswered)

    def test_stillOpen(self) -> None:
        """
        A client that polls on a new connection, and leaves the one before open,
        has received the reply.
        """
        wire = self.told("one")
        self.assertFalse(self.bob.poll().isAnswered)
        wire.close(ConnectionDone())
        self.assertFalse(self.bob.poll().isAnswered)

    def test_othersDoNotMatter(self) -> None:
        """
        A sign-on, a poll and a logout of other accounts acknowledge nothing.
        """
        self.told("one").close(ConnectionLost())
        other = self.harness.client(DAVE)
        other.poll()
        other.channel("logout2")
        self.harness.clock.advance(1)
        self.assertEqual(len(self.harness.store.messages.unacknowledged(BOB)), 1)
        self.assertEqual(given(self.bob.poll()), ["one"])


# ---- a database that cannot be written to


class FullMessageStore(MessageStore):
    """
    A table of queued events on a disk that is full at times.
    """

    isFull = False

    def write(self, changes: EventChanges) -> None:
        if self.isFull:
            raise sqlite3.OperationalError("database or disk is full")
        super().write(changes)


class FullStore(Store):
    """
    A database on a disk that is full at times.
    """

    def __init__(self) -> None:
        super().__init__()
        self.messages = self.fullMessages = FullMessageStore(
            self.database, self.sessions
        )


def test_full(flushLoggedErrors: Callable[..., list[Failure]]) -> None:
    """
    An event that cannot be stored is refused and not delivered, and later
    events are accepted.
    """
    store = FullStore()
    harness = ServerHarness(store=store)
    alice, bob, carol = map(harness.client, (ALICE, BOB, CAROL))
    bob.catchUp()
    poll = carol.poll(ack=0)
    alice.tell(CAROL, "one")
    poll = carol.poll(ack=ackOf(poll))
    poll.close()
    poll = bob.poll(ack=0)
    alice.tell(BOB, "one")
    acked = ackOf(poll)
    poll = bob.poll(ack=acked)
    store.fullMessages.isFull = True
    assert alice.tell(BOB, "two").json["retcode"] == NOT_STORED.retcode
    assert alice.tell(CAROL, "two").json["retcode"] == NOT_STORED.retcode
    assert not poll.isAnswered
    assert len(flushLoggedErrors(sqlite3.OperationalError)) == 2
    store.fullMessages.isFull = False
    assert alice.tell(BOB, "three").json["retcode"] == 0
    assert given(poll) == ["three"]
    assert alice.tell(CAROL, "three").json["retcode"] == 0
    assert given(carol.poll(ack=2**52)) == ["three"]
    assert not bob.poll(ack=ackOf(poll)).isAnswered
    harness.clock.advance(1)
    assert store.messages.unacknowledged(BOB) == []
    assert store.messages.waiting(BOB, 0, 9) == []


def test_fullWhileRepeating(flushLoggedErrors: Callable[..., list[Failure]]) -> None:
    """
    A poll that cannot be given a reply again is held until its next limit.
    """
    store = FullStore()
    harness = ServerHarness(store=store, pollTimeout=0.5)
    alice, bob = harness.client(ALICE), harness.client(BOB)
    bob.catchUp()
    alice.tell(BOB, "one")
    for _ in range(2):
        bob.poll(ack=0)
    poll = bob.poll(ack=0)
    store.fullMessages.isFull = True
    harness.clock.callLater(0.5, harness.state.router.route, REQUEST, [DAVE])
    harness.clock.advance(0.5)
    assert len(flushLoggedErrors(sqlite3.OperationalError)) == 1
    assert not poll.isAnswered
    harness.clock.advance(0.5)
    assert poll.response.json["retcode"] == 102


def test_fullForAnotherRequest(flushLoggedErrors: Callable[..., list[Failure]]) -> None:
    """
    A sender is told that its message is not stored, also when the write failed
    during another request of the same turn.
    """
    store = FullStore()
    harness = ServerHarness(store=store)
    alice, bob = harness.client(ALICE), harness.client(BOB)
    harness.turns = 0
    store.fullMessages.isFull = True
    send = alice.ask(
        "/channel/send_buddy_msg2",
        psessionid=alice.psessionid,
        to=alice.uin(BOB),
        content='["hi",[]]',
    )
    poll = bob.poll(ack=0)
    assert poll.response.status == 500
    assert len(flushLoggedErrors(sqlite3.OperationalError)) == 1
    store.fullMessages.isFull = False
    harness.clock.advance(0)
    assert send.response.json["retcode"] == NOT_STORED.retcode
    poll = bob.poll(ack=0)
    harness.clock.advance(0)
    assert not given(poll)


def test_fullWhileCollecting(flushLoggedErrors: Callable[..., list[Failure]]) -> None:
    """
    A poll whose events cannot be read does not affect other polls.
    """
    store = FullStore()
    harness = ServerHarness(store=store)
    alice, bob, dave = map(harness.client, (ALICE, BOB, DAVE))
    polls = [client.catchUp().poll(ack=0) for client in (bob, dave)]
    session = harness.state.sessions.online(BOB)
    assert session is not None
    session.mailbox.forget()
    store.fullMessages.isFull = True
    assert alice.tellCats("meow").json["retcode"] == NOT_STORED.retcode
    flushLoggedErrors(sqlite3.OperationalError)
    store.fullMessages.isFull = False
    assert alice.tellCats("miaow").json["retcode"] == 0
    assert [given(poll) for poll in polls] == [["miaow"], ["miaow"]]
