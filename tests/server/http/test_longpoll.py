"""
What goes on in a session, over HTTP.
"""

from __future__ import annotations

import json
import socket
from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from tests.server.harness import (
    ALICE,
    BOB,
    CAROL,
    CATS,
    DAVE,
    START,
    HTTPClient,
    ServerHarness,
    Wire,
    request,
    textsOf,
)
from txwebqq.model import Number
from txwebqq.server.domain.router import BATCH
from txwebqq.server.resource import POLL_TIMEOUT

NOTHING = b'{"retcode":102,"errmsg":""}'
OK = b'{"retcode":0,"result":"ok"}'


class ChannelTestCase(SynchronousTestCase):
    """
    Alice and Bob are signed on, and have heard of each other.
    """

    def setUp(self) -> None:
        self.harness = ServerHarness()
        self.clock = self.harness.clock
        self.alice = self.harness.client(ALICE)
        self.bob = self.harness.client(BOB)
        self.alice.catchUp()


class PollTests(ChannelTestCase):
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
        Polls that begin at different times end at different times.
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
        A message answers the poll that waits, at once.
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
        An answer that was held has a length and the type of all others.
        """
        poll = self.bob.poll()
        self.alice.tell(BOB, "hi")
        response = poll.response
        self.assertEqual(response.all("Content-Length"), [str(len(response.body))])
        self.assertEqual(response.all("Content-Type"), ["text/plain; charset=utf-8"])
        self.assertEqual(response.all("Transfer-Encoding"), [])

    def test_waitingMail(self) -> None:
        """
        Mail that waits answers the next poll at once.
        """
        self.alice.tell(BOB, "hi")
        self.assertEqual(textsOf(self.bob.poll().response), ["hi"])
        self.assertFalse(self.bob.poll().isAnswered)

    def test_oneOfEachConversation(self) -> None:
        """
        No answer holds two messages of one conversation, and those of
        different ones travel together, in order.
        """
        for text in ("a1", "a2", "a3"):
            self.alice.tell(BOB, text)
        self.alice.tellCats("c1")
        self.alice.tellCats("c2")
        answers = [textsOf(self.bob.poll().response) for _ in range(3)]
        self.assertEqual(answers, [["a1", "c1"], ["a2", "c2"], ["a3"]])
        self.assertFalse(self.bob.poll().isAnswered)

    def test_manyWaiting(self) -> None:
        """
        More mail than a session keeps in memory comes whole and in order.
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
        Of two polls the newer gets the events, the older is answered 102.
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
        A superseded poll whose client goes away harms nothing.
        """
        older, newer = self.bob.poll(), self.bob.poll()
        older.close()
        self.clock.advance(2)
        self.alice.tell(BOB, "hi")
        self.assertEqual(textsOf(newer.response), ["hi"])

    def test_abandoned(self) -> None:
        """
        A poll whose client has gone swallows nothing.
        """
        self.bob.poll().close()
        self.alice.tell(BOB, "hi")
        self.assertEqual(textsOf(self.bob.poll().response), ["hi"])

    def test_abandonedUnseen(self) -> None:
        """
        ... even if the reactor has not noticed that it went.
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
        ... or closed before its poll was read.
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
        A poll whose socket is open is answered, and loses nothing of what the
        client says next.
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
        A connection serves one poll after another, also if they were sent
        together.
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
        The ticket of another run is answered 121 with C{t}, after a second.
        """
        self.bob.psessionid = "8368"
        poll = self.bob.poll()
        self.clock.advance(0.9)
        self.assertFalse(poll.isAnswered)
        self.clock.advance(0.1)
        self.assertEqual(poll.response.body, b'{"retcode":121,"t":"0"}')

    def test_malformed(self) -> None:
        """
        A poll that is no JSON is told so, after a second.
        """
        poll = self.harness.post("/channel/poll2", "r={broken")
        self.assertFalse(poll.isAnswered)
        self.clock.advance(1)
        self.assertEqual(poll.response.body, b'{"retcode":100003,"errmsg":"not JSON"}')

    def test_lateAndGone(self) -> None:
        """
        A client that does not wait for bad news leaves nothing behind.
        """
        self.harness.post("/channel/poll2", "r={broken").close()
        self.clock.advance(2)

    def test_rotation(self) -> None:
        """
        When asked to rotate, the poll is answered 116 once, and both the new
        and the old C{ptwebqq} relink.
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
        A rotation reaches a client that does not poll just then.
        """
        self.harness.state.rotate(BOB)
        self.assertEqual(self.bob.poll().response.json["retcode"], 116)
        self.harness.state.rotate(DAVE)

    def test_keepsTheSession(self) -> None:
        """
        Polls alone keep a session, for hours.
        """
        for _ in range(100):
            self.bob.poll()
            self.clock.advance(POLL_TIMEOUT)
        self.assertFalse(self.bob.poll().isAnswered)


class SendTests(ChannelTestCase):
    def send(self, content: str, **more: object) -> bytes:
        members = {"to": self.alice.uin(BOB), "content": content, **more}
        return self.alice.channel("send_buddy_msg2", **members).body

    def received(self) -> list[object]:
        (event,) = self.bob.poll().response.result
        content: list[object] = event["value"]["content"]
        return content

    def test_ok(self) -> None:
        """
        What is accepted is answered C{ok}.
        """
        self.assertEqual(self.send('["hi",["font",{}]]', msg_id=1, face=567), OK)

    def test_variants(self) -> None:
        """
        All that clients write into C{content} arrives as it was meant, font
        first.
        """
        for sent, received in (
            ('["text",["font",{"name":"x","size":"10"}]]', ["text "]),
            ('["text",[]]', ["text "]),
            ('["text"]', ["text "]),
            ('["a",["face",14],"b",["font",{}]]', ["a", ["face", 14], "b "]),
            ('[["face",14],"",["font",{}]]', [["face", 14], " "]),
            ('["say "yes" \\ no",[]]', ['say "yes" \\ no ']),
            ('["宋体\\uD83D\\uDE00",[]]', ["宋体\U0001f600 "]),
            ('["half \\ud83d",[]]', ["half \ufffd "]),
            ("[]", [" "]),
        ):
            self.assertEqual(self.send(sent), OK)
            font, *rest = self.received()
            self.assertEqual(rest, received, sent)
            assert isinstance(font, list)
            self.assertEqual(font[0], "font")
            self.assertIsInstance(font[1]["size"], int)

    def test_font(self) -> None:
        """
        A font arrives, unless it is out of all reason.
        """
        font = '{"name":"Arial","size":"12","style":[1,0,1],"color":"FF0000"}'
        self.send(f'["x",["font",{font}]]')
        self.assertEqual(
            self.received()[0],
            [
                "font",
                {"name": "Arial", "size": 12, "style": [1, 0, 1], "color": "FF0000"},
            ],
        )
        font = '{"name":"%s","size":1e99,"style":[1,0,1],"color":"red"}' % ("n" * 9999)
        self.send(f'["x",["font",{font}]]')
        self.assertLess(len(json.dumps(self.received())), 500)

    def test_rawBody(self) -> None:
        """
        JSON that is not percent-encoded, without any Content-Type, is read;
        numbers may be texts.
        """
        r = (
            f'{{"to":"{self.alice.uin(BOB)}","face":0,"content":"[\\"1+1 & 2;3\\",[]]",'
            f'"msg_id":"91310001","psessionid":"{self.alice.psessionid}"}}'
        )
        wire = self.harness.post("/channel/send_buddy_msg2", f"r={r}")
        self.assertEqual(wire.response.body, OK)
        self.assertEqual(self.received()[1], "1+1 & 2;3 ")

    def test_tooLong(self) -> None:
        """
        15,000 bytes pass, one more is answered 123.
        """
        self.assertEqual(self.send(json.dumps(["宋" * 5000, []])), OK)
        for text in ("宋" * 5000 + "x", "x" * 15001):
            body = self.send(json.dumps([text, []], ensure_ascii=False))
            self.assertEqual(json.loads(body)["retcode"], 123)
            body = self.alice.tellCats(text).body
            self.assertEqual(json.loads(body)["retcode"], 123)

    def test_poison(self) -> None:
        """
        Content that is no JSON, or nested without end, does not spoil the
        answer that it is in.
        """

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} is no JSON")

        deep = "[" * 200 + "]" * 200
        for content in ("[NaN]", "[[1e999]]", f'["x",{deep}]', '[["a",-Infinity]]'):
            retcode = json.loads(self.send(content))["retcode"]
            poll = self.bob.poll()
            self.assertEqual(poll.isAnswered, retcode == 0, content)
            if poll.isAnswered:
                json.loads(poll.response.body, parse_constant=refuse)
            poll.close()
        self.assertNotEqual(json.loads(self.send(f"[{deep}]"))["retcode"], 0)

    def test_strangers(self) -> None:
        """
        Nobody can write to who is no friend, to themselves, or to groups that
        they are not in.
        """
        carol = self.harness.client(CAROL)
        content = '["x"]'
        for to in (carol.uin(BOB), CAROL, 0, 10000, 2**62, BOB):
            answer = carol.channel("send_buddy_msg2", to=to, content=content).json
            self.assertEqual(answer["retcode"], 100001, to)
        for gid in (carol.gid, CATS, self.alice.gid, 0, 1000):
            answer = carol.channel("send_qun_msg2", group_uin=gid, content=content)
            self.assertEqual(answer.json["retcode"], 100001, gid)

    def test_missing(self) -> None:
        """
        What is missing is named.
        """
        for members, errmsg in (
            ({"content": '["x"]'}, "to is missing"),
            ({"to": 1}, "content is missing"),
            ({"to": "Bob", "content": "[]"}, "to is not a number"),
        ):
            response = self.alice.channel("send_buddy_msg2", **members)
            self.assertEqual(response.json, {"retcode": 100003, "errmsg": errmsg})

    def test_ids(self) -> None:
        """
        C{msg_id} is one more with each message of a sender, C{msg_id2} random.
        """
        values = []
        for _ in range(3):
            self.alice.tell(BOB, "x")
            values.append(self.bob.poll().response.result[0]["value"])
        first = values[0]["msg_id"]
        self.assertEqual([v["msg_id"] for v in values], [first, first + 1, first + 2])
        self.assertTrue(0 < first < 65536)
        self.assertEqual(len({v["msg_id2"] for v in values}), 3)

    def test_group(self) -> None:
        """
        The other members get a group message, with everything that clients
        read; the sender gets none.
        """
        dave = self.harness.client(DAVE)
        polls = {client: client.poll() for client in (self.alice, self.bob, dave)}
        self.assertEqual(self.alice.tellCats("meow").body, OK)
        self.assertFalse(polls[self.alice].isAnswered)
        for visitor in (self.bob, dave):
            (event,) = polls[visitor].response.result
            value = event["value"]
            self.assertEqual(event["poll_type"], "group_message")
            self.assertEqual(value["from_uin"], visitor.gid)
            self.assertEqual(value["send_uin"], visitor.uin(ALICE))
            self.assertEqual(value["to_uin"], visitor.number)
            self.assertEqual(value["info_seq"], CATS)
            self.assertEqual(value["msg_type"], 43)
            self.assertLessEqual(
                {"msg_id", "msg_id2", "time", "group_code", "seq"}, set(value)
            )
            self.assertEqual(value["content"][1:], ["meow "])

    def test_groupSequence(self) -> None:
        """
        The messages of a group are numbered without a gap.
        """
        numbers = []
        for client in (self.alice, self.alice, self.alice):
            client.tellCats("x")
            numbers.append(self.bob.poll().response.result[0]["value"]["seq"])
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 3)))

    def test_dead(self) -> None:
        """
        A send on an unknown ticket is answered 121 with C{t}.
        """
        self.alice.psessionid = "83"
        self.assertEqual(self.send('["x"]'), b'{"retcode":121,"t":"0"}')


class FanOutTests(SynchronousTestCase):
    """
    A group larger than what is answered in one turn of the reactor.
    """

    SIZE = 2 * BATCH + 50

    def setUp(self) -> None:
        numbers = [20000 + n for n in range(self.SIZE)]
        accounts = "".join(
            f'[[account]]\nnumber = {n}\npassword = "x"\n' for n in numbers
        )
        people = (
            '[[account]]\nnumber = 10001\npassword = "correct horse"\n'
            + accounts
            + '[[group]]\nnumber = 200001\nname = "c"\nowner = 10001\n'
            + f"members = {numbers}"
        )
        self.harness = ServerHarness(people=people)
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
        Polls are answered a batch at a time.
        """
        wire = self.send()
        counts = []
        while self.answered() < self.SIZE:
            self.turn()
            counts.append(self.answered())
        self.assertEqual(counts[0], BATCH)
        self.assertEqual(counts[-1], self.SIZE)
        self.assertEqual(wire.response.body, OK)
        for number, poll in self.polls.items():
            self.assertEqual(poll.raw.count(b"meow"), 1, number)

    def test_acceptedWhenStored(self) -> None:
        """
        A sender is answered a turn after the message is in the store for every
        recipient, not before, so that the first polls are answered first.
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
        For how many recipients the store holds a message.
        """
        store = self.harness.store
        numbers = map(Number, self.members)
        return sum(
            len(store.messages.waiting(n, 0, 9)) + len(store.messages.unacknowledged(n))
            for n in numbers
        )

    def turn(self) -> None:
        """
        One turn of the reactor: a L{Clock} goes on with what it adds.
        """
        clock = self.harness.clock
        for call in [c for c in clock.calls if c.getTime() <= clock.seconds()]:
            clock.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)

    def test_goneInBetween(self) -> None:
        """
        Who goes before their turn gets the message with their next poll, and
        everybody gets two messages in order.
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
        A newer poll of somebody whose turn has not come gets the message.
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
        Stopping in between delivers to all of them.
        """
        self.send()
        self.harness.server.stop()
        self.assertEqual(self.answered(), self.SIZE)


class PresenceTests(ChannelTestCase):
    def news(self, poll: Wire) -> list[tuple[int, str]]:
        return [
            (event["value"]["uin"], event["value"]["status"])
            for event in poll.response.result
            if event["poll_type"] == "buddies_status_change"
        ]

    def change(self, client: HTTPClient, status: str) -> bytes:
        target = (
            f"/channel/change_status2?newstatus={status}&clientid=1"
            f"&psessionid={client.psessionid}&t=1"
        )
        return self.harness.get(target).response.body

    def test_signOn(self) -> None:
        """
        Friends hear of a sign-on, others do not.
        """
        dave = self.harness.client(DAVE)
        alice, bob, others = self.alice.poll(), self.bob.poll(), dave.poll()
        self.harness.client(CAROL)
        self.assertEqual(self.news(alice), [(self.alice.uin(CAROL), "online")])
        self.assertFalse(bob.isAnswered)
        self.assertFalse(others.isAnswered)

    def test_changes(self) -> None:
        """
        Friends hear of each change of status.
        """
        for status in ("away", "busy", "callme", "silent", "online"):
            poll = self.alice.poll()
            self.assertEqual(self.change(self.bob, status), OK)
            self.assertEqual(self.news(poll), [(self.alice.uin(BOB), status)])

    def test_noChange(self) -> None:
        """
        Friends hear nothing of a status that stays.
        """
        poll = self.alice.poll()
        self.change(self.bob, "online")
        self.assertFalse(poll.isAnswered)

    def test_hidden(self) -> None:
        """
        Who hides looks offline, and goes unheard.
        """
        poll = self.alice.poll()
        self.change(self.bob, "hidden")
        self.assertEqual(self.news(poll), [(self.alice.uin(BOB), "offline")])
        poll = self.alice.poll()
        self.change(self.bob, "offline")
        self.bob.channel("logout2")
        self.assertFalse(poll.isAnswered)

    def test_signOnHidden(self) -> None:
        """
        Nobody hears of a hidden sign-on, but the hidden one gets mail.
        """
        poll = self.alice.poll()
        carol = HTTPClient(self.harness, CAROL)
        carol.logIn()
        carol.join(status="hidden")
        self.assertFalse(poll.isAnswered)
        self.alice.tell(CAROL, "I see you")
        self.assertEqual(textsOf(carol.poll().response), ["I see you"])

    def test_lastNewsCounts(self) -> None:
        """
        Of several changes only the last waits.
        """
        for status in ("away", "busy", "silent"):
            self.change(self.bob, status)
        poll = self.alice.poll()
        self.assertEqual(self.news(poll), [(self.alice.uin(BOB), "silent")])

    def test_lapse(self) -> None:
        """
        Who does not poll for two minutes is offline, hidden ones unheard.
        """
        self.change(self.bob, "hidden")
        self.alice.catchUp()
        carol = self.harness.client(CAROL)
        self.alice.catchUp()
        self.clock.advance(60)
        self.alice.poll()
        self.clock.advance(50)
        poll = self.alice.poll()
        self.clock.advance(30)
        self.assertEqual(self.news(poll), [(self.alice.uin(CAROL), "offline")])
        poll = carol.poll()
        self.clock.advance(1)
        self.assertEqual(poll.response.json["retcode"], 121)

    def test_onlineBuddies(self) -> None:
        """
        The list has the friends who do not look offline, under one's own ids.
        """
        carol = self.harness.client(CAROL)

        def listed() -> list[dict[str, object]]:
            result = self.alice.channel("get_online_buddies2").result
            assert isinstance(result, list)
            return result

        bobs = {"uin": self.alice.uin(BOB), "status": "away", "client_type": 41}
        self.change(self.bob, "away")
        self.assertIn(bobs, listed())
        self.assertEqual(len(listed()), 2)
        self.change(carol, "hidden")
        self.assertEqual(listed(), [bobs])
        self.bob.channel("logout2")
        self.assertEqual(listed(), [])

    def test_unknownStatus(self) -> None:
        """
        A status that there is not is an error.
        """
        self.assertEqual(json.loads(self.change(self.bob, "asleep"))["retcode"], 100003)

    def test_tip(self) -> None:
        """
        The heartbeat is answered that there is nothing.
        """
        target = "/web2/get_msg_tip?uin=&tp=1&id=0&retype=1&rc=16&lv=3&t=1"
        self.assertEqual(self.harness.get(target).response.body, b'{"c":1}')


class StopTests(ChannelTestCase):
    def test_stop(self) -> None:
        """
        Stopping answers what is held, and leaves nothing on the clock.
        """
        self.alice.tell(BOB, "hi")
        self.bob.poll()
        polls = [self.alice.poll(), self.bob.poll(), self.bob.poll()]
        self.harness.server.stop()
        self.assertEqual([p.response.body for p in polls], [NOTHING] * 3)
        self.harness.hangUpAll()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_afterwards(self) -> None:
        """
        Whoever asks a stopped server is hung up on, and nothing is taken.
        """
        self.harness.server.stop()
        for wire in (self.bob.poll(), self.harness.get("/check?uin=1&r=1")):
            self.assertEqual(wire.raw, b"")
            self.assertTrue(wire.transport.disconnecting)
