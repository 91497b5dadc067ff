"""
Polls over HTTP.
"""

from __future__ import annotations

import json
import socket
from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from tests.server.harness import (
    ALICE,
    BOB,
    DAVE,
    START,
    HTTPClient,
    ServerHarness,
    SessionTestCase,
    Wire,
    request,
    textsOf,
)
from txwebqq.model import Number
from txwebqq.server.domain.router import BATCH
from txwebqq.server.resource import POLL_TIMEOUT

NOTHING = b'{"retcode":102,"errmsg":""}'
OK = b'{"retcode":0,"result":"ok"}'


class PollTests(SessionTestCase):
    def test_idle(self) -> None:
        """
        A poll is answered 102 at its limit, not before.
        """
        poll = self.bob.poll()
        self.clock.advance(POLL_TIMEOUT - 0.1)
        self.assertFalse(poll.isAnswered)
        self.clock.advance(0.1)
        self.assertEqual(poll.response.body, NOTHING)

    def test_eachHasItsOwnLimit(self) -> None:
        """
        Each poll has its own time limit.
        """
        polls = []
        for client in (self.alice, self.bob, self.harness.client(DAVE)):
            polls.append(client.poll())
            self.clock.advance(10)
        for poll in polls:
            self.clock.advance(19.9)
            self.assertFalse(poll.isAnswered)
            self.clock.advance(0.1)
            self.assertEqual(poll.response.body, NOTHING)
            self.clock.advance(-10)

    def test_heldPoll(self) -> None:
        """
        A message answers the held poll of its recipient.
        """
        poll = self.bob.poll()
        self.alice.tell(BOB, "hi")
        (event,) = poll.response.result
        self.assertEqual(event["poll_type"], "message")
        value = event["value"]
        self.assertEqual(value["from_uin"], self.bob.uin(ALICE))
        self.assertEqual(value["to_uin"], BOB)
        self.assertEqual(value["time"], int(START))
        self.assertEqual(value["content"][0][0], "font")
        self.assertEqual(value["content"][1:], ["hi "])

    def test_headers(self) -> None:
        """
        The reply to a held poll has a length and the usual content type.
        """
        poll = self.bob.poll()
        self.alice.tell(BOB, "hi")
        response = poll.response
        self.assertEqual(response.all("Content-Length"), [str(len(response.body))])
        self.assertEqual(response.all("Content-Type"), ["text/plain; charset=utf-8"])
        self.assertEqual(response.all("Transfer-Encoding"), [])

    def test_waitingMail(self) -> None:
        """
        A message that is queued answers the next poll immediately.
        """
        self.alice.tell(BOB, "hi")
        self.assertEqual(textsOf(self.bob.poll().response), ["hi"])
        self.assertFalse(self.bob.poll().isAnswered)

    def test_oneOfEachConversation(self) -> None:
        """
        A reply holds at most one message of each conversation, and messages of
        different conversations with the newest first, as Tencent's servers did.
        """
        for text in ("a1", "a2", "a3"):
            self.alice.tell(BOB, text)
        self.alice.tellCats("c1")
        self.alice.tellCats("c2")
        answers = [textsOf(self.bob.poll().response) for _ in range(3)]
        self.assertEqual(answers, [["c1", "a1"], ["c2", "a2"], ["a3"]])
        self.assertFalse(self.bob.poll().isAnswered)

    def test_manyWaiting(self) -> None:
        """
        More messages than a session keeps in memory arrive complete and in
        order.
        """
        texts = [str(n) for n in range(350)]
        for text in texts[:130]:
            self.alice.tell(BOB, text)
        answers = [textsOf(self.bob.poll().response) for _ in range(100)]
        for text in texts[130:]:
            self.alice.tell(BOB, text)
        answers += [textsOf(self.bob.poll().response) for _ in range(250)]
        self.assertEqual(answers, [[text] for text in texts])
        self.assertFalse(self.bob.poll().isAnswered)

    def test_newerPollWins(self) -> None:
        """
        Of two polls of a session the newer gets the events, and the older is
        answered 102.
        """
        older = self.bob.poll()
        self.clock.advance(30)
        newer = self.bob.poll()
        self.assertEqual(older.response.body, NOTHING)
        self.alice.tell(BOB, "hi")
        self.assertEqual(textsOf(newer.response), ["hi"])

    def test_twoPollersDoNotSpin(self) -> None:
        """
        Polls that supersede each other at once are answered after a second.
        """
        older = self.bob.poll()
        newer = self.bob.poll()
        self.clock.advance(0.9)
        self.assertFalse(older.isAnswered)
        self.clock.advance(0.1)
        self.assertEqual(older.response.body, NOTHING)
        self.assertFalse(newer.isAnswered)

    def test_supersededAndGone(self) -> None:
        """
        A superseded poll whose client disconnects does not affect the newer
        one.
        """
        older, newer = self.bob.poll(), self.bob.poll()
        older.close()
        self.clock.advance(2)
        self.alice.tell(BOB, "hi")
        self.assertEqual(textsOf(newer.response), ["hi"])

    def test_abandoned(self) -> None:
        """
        A poll whose client has disconnected takes no message.
        """
        self.bob.poll().close()
        self.alice.tell(BOB, "hi")
        self.assertEqual(textsOf(self.bob.poll().response), ["hi"])

    def test_abandonedUnseen(self) -> None:
        """
        A poll whose client has disconnected takes no message, even if the
        reactor has not noticed it.
        """
        for unread in (b"", b"close_notify"):
            poll = self.bob.poll()
            ours, theirs = socket.socketpair()
            self.addCleanup(ours.close)
            poll.transport.socket = ours  # type: ignore[attr-defined]
            theirs.send(unread)
            theirs.close()
            self.alice.tell(BOB, "hi")
            self.assertFalse(poll.isAnswered)
            poll.close()
            self.assertEqual(textsOf(self.bob.poll().response), ["hi"])

    def test_closedBeforeItWasRead(self) -> None:
        """
        A poll that the server reads after its connection was closed takes no
        message.
        """
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        theirs.close()
        self.alice.tell(BOB, "hi")
        wire = Wire(self.harness, "127.0.0.1")
        wire.transport.socket = ours  # type: ignore[attr-defined]
        target = f"/channel/poll2?psessionid={self.bob.psessionid}"
        wire.send(request("GET", target)).close()
        self.assertEqual(textsOf(self.bob.poll().response), ["hi"])

    def test_open(self) -> None:
        """
        A poll whose socket is open is answered, and data that the client sends
        meanwhile is not lost.
        """
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        for said in (b"", b"next"):
            poll = self.bob.poll()
            poll.transport.socket = ours  # type: ignore[attr-defined]
            theirs.send(said)
            self.alice.tell(BOB, "hi")
            self.assertEqual(textsOf(poll.response), ["hi"])
        self.assertEqual(ours.recv(9), b"next")

    def test_closedByUs(self) -> None:
        """
        C{Connection: close} and HTTP/1.0 are answered and closed.
        """
        for line in (
            "GET {} HTTP/1.0\r\n\r\n",
            "GET {} HTTP/1.1\r\nConnection: close\r\n\r\n",
        ):
            target = f"/channel/poll2?psessionid={self.bob.psessionid}"
            self.alice.tell(BOB, "hi")
            wire = self.harness.send(line.format(target).encode())
            self.assertEqual(textsOf(wire.response), ["hi"])
            self.assertTrue(wire.transport.disconnecting)

    def test_keepAlive(self) -> None:
        """
        A connection serves one poll after another, also pipelined ones.
        """
        data = (
            f"GET /channel/poll2?psessionid={self.bob.psessionid} HTTP/1.1\r\n\r\n"
        ).encode()
        wire = self.harness.send(data * 3)
        for _ in range(3):
            self.alice.tell(BOB, "hi")
        self.assertEqual(wire.raw.count(b'"hi "'), 3)

    def test_forms(self) -> None:
        """
        A poll comes in every form that clients send (compatibility.md 2).
        """
        ticket = self.bob.psessionid
        r = json.dumps({"clientid": 98403775, "psessionid": ticket, "key": ""})
        bare = json.dumps({"key": 0, "ids": []})
        for target, body in (
            ("", f"r={quote(r)}&clientid=1&psessionid={ticket}"),
            ("", f"clientid=1&psessionid={ticket}&r={quote(r)}"),
            ("", f"r={quote(r)}"),
            ("", f"r={r}"),
            ("", "r=" + quote(f"{r}&clientid=1&psessionid={ticket}")),
            ("", f"r={quote(bare)}&clientid=1&psessionid={ticket}"),
            (f"?clientid=1&psessionid={ticket}&t=1.79540250699e+12", ""),
        ):
            self.alice.tell(BOB, "hi")
            wire = self.harness.post(f"/channel/poll2{target}", body)
            self.assertEqual(textsOf(wire.response), ["hi"], body)

    def test_unknownTicket(self) -> None:
        """
        A poll with the ticket of an earlier run is answered 121 with C{t},
        after one second.
        """
        self.bob.psessionid = "8368"
        poll = self.bob.poll()
        self.clock.advance(0.9)
        self.assertFalse(poll.isAnswered)
        self.clock.advance(0.1)
        self.assertEqual(poll.response.body, b'{"retcode":121,"t":"0"}')

    def test_malformed(self) -> None:
        """
        A poll that is not JSON is answered 100003, after one second.
        """
        poll = self.harness.post("/channel/poll2", "r={broken")
        self.assertFalse(poll.isAnswered)
        self.clock.advance(1)
        self.assertEqual(poll.response.body, b'{"retcode":100003,"errmsg":"not JSON"}')

    def test_lateAndGone(self) -> None:
        """
        A client that disconnects during the delay of an error leaves no timer
        behind.
        """
        self.harness.post("/channel/poll2", "r={broken").close()
        self.clock.advance(2)

    def test_rotation(self) -> None:
        """
        After a rotation the poll is answered 116 once, and the session can be
        resumed by the new and the old C{ptwebqq}.
        """
        poll = self.bob.poll()
        self.harness.state.rotate(BOB)
        self.clock.advance(0)
        answer = poll.response.json
        self.assertEqual((answer["retcode"], len(answer["p"])), (116, 64))
        self.assertEqual(set(answer), {"retcode", "p"})
        self.assertFalse(self.bob.poll().isAnswered)
        for ptwebqq in (self.bob.ptwebqq, answer["p"]):
            self.bob.ptwebqq = ptwebqq
            self.bob.join(self.bob.psessionid)

    def test_rotationWaits(self) -> None:
        """
        A rotation reaches a client that is between two polls.
        """
        self.harness.state.rotate(BOB)
        self.assertEqual(self.bob.poll().response.json["retcode"], 116)
        self.harness.state.rotate(DAVE)

    def test_keepsTheSession(self) -> None:
        """
        Polls keep a session online for hours.
        """
        for _ in range(100):
            self.bob.poll()
            self.clock.advance(POLL_TIMEOUT)
        self.assertFalse(self.bob.poll().isAnswered)


class FanOutTests(SynchronousTestCase):
    """
    A group with more members than the number of polls that are answered in one
    turn of the reactor.
    """

    SIZE = 2 * BATCH + 50

    def setUp(self) -> None:
        numbers = [20000 + n for n in range(self.SIZE)]
        accounts = "".join(
            f'[[account]]\nnumber = {n}\npassword = "x"\n' for n in numbers
        )
        population = (
            '[[account]]\nnumber = 10001\npassword = "correct horse"\n'
            + accounts
            + '[[group]]\nnumber = 200001\nname = "c"\nowner = 10001\n'
            + f"members = {numbers}"
        )
        self.harness = ServerHarness(population=population)
        self.alice = self.harness.client(ALICE)
        self.polls: dict[int, Wire] = {}
        self.members = {}
        for number in numbers:
            session = self.join(number)
            self.members[number] = session
            self.polls[number] = session.poll()
        self.harness.turns = 0

    def join(self, number: int) -> HTTPClient:
        client = HTTPClient(self.harness, number)  # type: ignore[arg-type]
        sessions = self.harness.state.sessions
        client.ptwebqq = sessions.admit(client.number)
        client.join()
        return client

    def send(self) -> Wire:
        return self.alice.ask(
            "/channel/send_qun_msg2",
            psessionid=self.alice.psessionid,
            group_uin=self.alice.gid,
            content='["meow"]',
        )

    def answered(self) -> int:
        return sum(poll.isAnswered for poll in self.polls.values())

    def test_batches(self) -> None:
        """
        Polls are answered in batches.
        """
        wire = self.send()
        counts = []
        while self.answered() < self.SIZE:
            self.turn()
            counts.append(self.answered())
        self.assertEqual(counts[0], BATCH)
        self.assertEqual(counts[-1], self.SIZE)
        self.assertEqual(wire.response.json["result"], "ok")
        for number, poll in self.polls.items():
            self.assertEqual(poll.raw.count(b"meow"), 1, number)

    def test_acceptedWhenStored(self) -> None:
        """
        A sender is answered one turn after the message is stored for every
        recipient, so that the first polls are answered before.
        """
        wire = self.send()
        self.assertFalse(wire.isAnswered)
        self.assertEqual(self.rows(), 0)
        self.turn()
        self.assertEqual(self.rows(), self.SIZE)
        self.assertFalse(wire.isAnswered)
        self.turn()
        self.assertTrue(wire.isAnswered)

    def rows(self) -> int:
        """
        The number of recipients for whom the database holds a message.
        """
        store = self.harness.store
        numbers = map(Number, self.members)
        return sum(
            len(store.messages.waiting(n, 0, 9)) + len(store.messages.unacknowledged(n))
            for n in numbers
        )

    def turn(self) -> None:
        """
        Run one turn of the reactor; L{Clock.advance} would run calls that are
        added meanwhile, too.
        """
        clock = self.harness.clock
        for call in [c for c in clock.calls if c.getTime() <= clock.seconds()]:
            clock.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)

    def test_goneInBetween(self) -> None:
        """
        A client that disconnects before its batch gets the message with its
        next poll, and two messages arrive in order.
        """
        self.send()
        self.turn()
        late = 20000 + self.SIZE - 1
        self.assertFalse(self.polls[late].isAnswered)
        self.polls[late].close()
        self.send()
        self.harness.clock.pump([0] * 10)
        self.harness.turns = 3
        client = self.members[late]
        self.assertEqual(textsOf(client.poll().response), ["meow"])
        self.assertEqual(textsOf(client.poll().response), ["meow"])
        self.assertFalse(client.poll().isAnswered)

    def test_newerPollInBetween(self) -> None:
        """
        A newer poll of a client whose batch has not come gets the message.
        """
        self.send()
        self.turn()
        late = 20000 + self.SIZE - 1
        self.assertFalse(self.polls[late].isAnswered)
        poll = self.members[late].poll()
        self.harness.clock.pump([0] * 3)
        self.assertEqual(textsOf(poll.response), ["meow"])
        self.harness.clock.pump([0] * 10)
        self.assertFalse(self.polls[late].isAnswered)
        self.harness.clock.advance(1)
        self.assertEqual(self.polls[late].response.body, NOTHING)

    def test_stop(self) -> None:
        """
        Stopping between two batches delivers to all members.
        """
        self.send()
        self.harness.server.stop()
        self.assertEqual(self.answered(), self.SIZE)


class StopTests(SessionTestCase):
    def test_stop(self) -> None:
        """
        Stopping answers all held polls, and leaves nothing on the clock.
        """
        self.alice.tell(BOB, "hi")
        self.bob.poll()
        polls = [self.alice.poll(), self.bob.poll(), self.bob.poll()]
        self.harness.server.stop()
        self.assertEqual([p.response.body for p in polls], [NOTHING] * 3)
        self.harness.disconnectAll()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_afterwards(self) -> None:
        """
        A stopped server closes the connections of requests, and processes none.
        """
        self.harness.server.stop()
        for wire in (self.bob.poll(), self.harness.get("/check?uin=1&r=1")):
            self.assertEqual(wire.raw, b"")
            self.assertTrue(wire.transport.disconnecting)
