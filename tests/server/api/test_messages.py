"""
Messages, statuses and heartbeats, over HTTP.
"""

from __future__ import annotations

import json
import re

from tests.server.harness import (
    ALICE,
    BOB,
    CAROL,
    CATS,
    DAVE,
    HTTPClient,
    SessionTestCase,
    Wire,
    textsOf,
)

OK = b'{"retcode":0,"result":"ok"}'
SENT = re.compile(rb'\{"retcode":0,"result":"ok","msg_id2":[0-9]+,"time":[0-9]+\}')


class SendTests(SessionTestCase):
    def send(self, content: str, **more: object) -> bytes:
        members = {"to": self.alice.uin(BOB), "content": content, **more}
        return self.alice.channel("send_buddy_msg2", **members).body

    def received(self) -> list[object]:
        (event,) = self.bob.poll().response.result
        content: list[object] = event["value"]["content"]
        return content

    def test_ok(self) -> None:
        """
        An accepted message is answered C{ok}.
        """
        self.assertRegex(self.send('["hi",["font",{}]]', msg_id=1, face=567), SENT)

    def test_variants(self) -> None:
        """
        All forms of C{content} that clients send arrive with their meaning,
        font first.
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
        ):
            self.assertRegex(self.send(sent), SENT)
            font, *rest = self.received()
            self.assertEqual(rest, received, sent)
            assert isinstance(font, list)
            self.assertEqual(font[0], "font")
            self.assertIsInstance(font[1]["size"], int)

    def test_font(self) -> None:
        """
        A font arrives unchanged if its values are reasonable.
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
        JSON that is not percent-encoded and has no Content-Type is read, and
        numbers may be strings.
        """
        r = (
            f'{{"to":"{self.alice.uin(BOB)}","face":0,"content":"[\\"1+1 & 2;3\\",[]]",'
            f'"msg_id":"91310001","psessionid":"{self.alice.psessionid}"}}'
        )
        wire = self.harness.post("/channel/send_buddy_msg2", f"r={r}")
        self.assertRegex(wire.response.body, SENT)
        self.assertEqual(self.received()[1], "1+1 & 2;3 ")

    def test_tooLong(self) -> None:
        """
        A message of 15,000 bytes is accepted, a longer one is answered 123.
        """
        self.assertRegex(self.send(json.dumps(["宋" * 5000, []])), SENT)
        for text in ("宋" * 5000 + "x", "x" * 15001):
            body = self.send(json.dumps([text, []], ensure_ascii=False))
            self.assertEqual(json.loads(body)["retcode"], 123)
            body = self.alice.tellCats(text).body
            self.assertEqual(json.loads(body)["retcode"], 123)

    def test_empty(self) -> None:
        """
        A message without content is refused.
        """
        for content in ("[]", '[""]', '["",["font",{}]]', '["","",[]]', "[[]]"):
            answer = json.loads(self.send(content))
            self.assertEqual(answer["retcode"], 100003, content)
            self.assertEqual(answer["errmsg"], "the message is empty")
        self.assertEqual(self.alice.tellCats("").json["retcode"], 100003)
        self.assertFalse(self.bob.poll().isAnswered)

    def test_poison(self) -> None:
        """
        Content that is not JSON, or is nested too deeply, does not corrupt the
        reply that holds it.
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
        An account cannot send to non-friends, to itself, or to groups that it
        is not a member of.
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
        The error for a missing field names the field.
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
        C{msg_id} increases by one with each message of a sender, and C{msg_id2}
        is random.
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
        The other members get a group message with all members that clients
        read, and the sender gets none.
        """
        dave = self.harness.client(DAVE)
        polls = {client: client.poll() for client in (self.alice, self.bob, dave)}
        self.assertRegex(self.alice.tellCats("meow").body, SENT)
        self.assertFalse(polls[self.alice].isAnswered)
        for client in (self.bob, dave):
            (event,) = polls[client].response.result
            value = event["value"]
            self.assertEqual(event["poll_type"], "group_message")
            self.assertEqual(value["from_uin"], client.gid)
            self.assertEqual(value["send_uin"], client.uin(ALICE))
            self.assertEqual(value["to_uin"], client.number)
            self.assertEqual(value["info_seq"], CATS)
            self.assertEqual(value["msg_type"], 43)
            self.assertLessEqual(
                {"msg_id", "msg_id2", "time", "group_code", "seq"}, set(value)
            )
            self.assertEqual(value["content"][1:], ["meow "])

    def test_groupSequence(self) -> None:
        """
        The sequence numbers of a group have no gaps.
        """
        numbers = []
        for client in (self.alice, self.alice, self.alice):
            client.tellCats("x")
            numbers.append(self.bob.poll().response.result[0]["value"]["seq"])
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 3)))

    def test_dead(self) -> None:
        """
        A message with an unknown ticket is answered 121 with C{t}.
        """
        self.alice.psessionid = "83"
        self.assertEqual(self.send('["x"]'), b'{"retcode":121,"t":"0"}')


class PresenceTests(SessionTestCase):
    def statuses(self, poll: Wire) -> list[tuple[int, str]]:
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
        Friends are told of a sign-on, other accounts are not.
        """
        dave = self.harness.client(DAVE)
        alice, bob, others = self.alice.poll(), self.bob.poll(), dave.poll()
        self.harness.client(CAROL)
        self.assertEqual(self.statuses(alice), [(self.alice.uin(CAROL), "online")])
        self.assertFalse(bob.isAnswered)
        self.assertFalse(others.isAnswered)

    def test_changes(self) -> None:
        """
        Friends are told of each change of status.
        """
        for status in ("away", "busy", "callme", "silent", "online"):
            poll = self.alice.poll()
            self.assertEqual(self.change(self.bob, status), OK)
            self.assertEqual(self.statuses(poll), [(self.alice.uin(BOB), status)])

    def test_noChange(self) -> None:
        """
        Friends are not told of a status that stays the same.
        """
        poll = self.alice.poll()
        self.change(self.bob, "online")
        self.assertFalse(poll.isAnswered)

    def test_hidden(self) -> None:
        """
        A hidden account looks offline, and its logout is not announced.
        """
        poll = self.alice.poll()
        self.change(self.bob, "hidden")
        self.assertEqual(self.statuses(poll), [(self.alice.uin(BOB), "offline")])
        poll = self.alice.poll()
        self.change(self.bob, "offline")
        self.bob.channel("logout2")
        self.assertFalse(poll.isAnswered)

    def test_signOnHidden(self) -> None:
        """
        A hidden sign-on is not announced, but the account gets messages.
        """
        poll = self.alice.poll()
        carol = HTTPClient(self.harness, CAROL)
        carol.logIn()
        carol.join(status="hidden")
        self.assertFalse(poll.isAnswered)
        self.alice.tell(CAROL, "I see you")
        self.assertEqual(textsOf(carol.poll().response), ["I see you"])

    def test_lastChangeCounts(self) -> None:
        """
        Of several changes of a status only the last is queued.
        """
        for status in ("away", "busy", "silent"):
            self.change(self.bob, status)
        poll = self.alice.poll()
        self.assertEqual(self.statuses(poll), [(self.alice.uin(BOB), "silent")])

    def test_lapse(self) -> None:
        """
        An account that does not poll for two minutes is offline, which is not
        announced for a hidden account.
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
        self.assertEqual(self.statuses(poll), [(self.alice.uin(CAROL), "offline")])
        poll = carol.poll()
        self.clock.advance(1)
        self.assertEqual(poll.response.json["retcode"], 121)

    def test_onlineBuddies(self) -> None:
        """
        The list has the friends that do not look offline, by the ids of the
        session.
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
        An unknown status is an error.
        """
        self.assertEqual(json.loads(self.change(self.bob, "asleep"))["retcode"], 100003)

    def test_tip(self) -> None:
        """
        The heartbeat is answered that there are no tips.
        """
        target = "/web2/get_msg_tip?uin=&tp=1&id=0&retype=1&rc=16&lv=3&t=1"
        self.assertEqual(self.harness.get(target).response.body, b'{"c":1}')
