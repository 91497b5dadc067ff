"""
Mentions, replies, recalls, mutes, pokes and reactions over HTTP, for clients that send
C{ack} and for old ones, which do not.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any
from unittest.mock import patch

import pytest

from tests.server.harness import (
    ALICE,
    BOB,
    CATS,
    DAVE,
    HTTPClient,
    ServerHarness,
    SessionTestCase,
)
from txwebqq.server.events.interactionkinds import GROUP_REACTION, newNotice
from txwebqq.server.events.queued import MessageIds

FONT = '["font",{"name":"宋体","size":"10","style":[0,0,0],"color":"000000"}]'
REPLY = '["reply",886022]'
AT_DAVE = '["at",10004,"Dave"]'


def send(client: HTTPClient, *elements: str) -> int:
    """
    Send a message to the cats.

    @return: its id.
    """
    content = f"[{','.join((*elements, FONT))}]"
    reply = client.channel(
        "send_qun_msg2", group_uin=client.gid, content=content, msg_id=1
    )
    assert reply.json["retcode"] == 0, reply.body
    messageId: int = reply.json["msg_id2"]
    return messageId


def contentOf(response: Any) -> Any:
    """
    Return the content of the only event in a poll reply, without its font.
    """
    (event,) = response.result
    return event["value"]["content"][1:]


class OldClientTests(SessionTestCase):
    """
    Alice and Bob with clients of 2012.
    """

    def test_mention(self) -> None:
        """
        A mention is a text, with a space behind it where the text goes on, and there
        is no reply.
        """
        for elements, expected in (
            ([AT_DAVE], ["@Dave "]),
            ([REPLY, AT_DAVE, '"yes"'], ["@Dave yes "]),
            ([REPLY, '"x "', AT_DAVE, '" yes"'], ["x @Dave yes "]),
            (
                [AT_DAVE, '["at",10001,"Al"]', '["face",14]'],
                ["@Dave @Al", ["face", 14], " "],
            ),
            (['["face",14]', AT_DAVE, '"\\n"'], [["face", 14], "@Dave\n "]),
            (['"plain"', REPLY], ["plain "]),
            # Of another shape, and so as any unknown element.
            (['"x"', '["at","Dave"]'], ["x", ["at", "Dave"], " "]),
        ):
            send(self.bob, *elements)
            self.assertEqual(contentOf(self.alice.poll().response), expected)

    def test_events(self) -> None:
        """
        None of the new events is given: the poll is held on, and messages behind them
        come as ever.
        """
        said = send(self.bob, '"one"')
        self.assertEqual(contentOf(self.alice.poll().response), ["one "])
        poll = self.alice.poll()
        gid = self.bob.gid
        uin = self.bob.uin(ALICE)
        for path, members in (
            ("set_reaction2", {"msg_id2": said, "face": 14, "op_type": 1}),
            ("poke_group_member2", {"muin": uin}),
            ("recall_qun_msg2", {"msg_id2": said}),
        ):
            reply = self.bob.channel(path, group_uin=gid, **members)
            self.assertEqual(reply.body, b'{"retcode":0,"result":"ok"}')
        self.clock.advance(5)
        self.assertFalse(poll.isAnswered)
        self.assertEqual(self.waiting(ALICE), 0)
        send(self.bob, '"two"')
        self.assertEqual(contentOf(poll.response), ["two "])

    def test_waiting(self) -> None:
        """
        Events that wait for the sign-on of an old client are delivered by that, also
        more of them than a session has in memory.
        """
        ids = MessageIds(BOB, 1366004047, 5, 6)
        for _ in range(250):
            event = newNotice(
                GROUP_REACTION, ids, group=CATS, sender=BOB, message=5, isSet=True
            )
            self.harness.storeEvent(event, [DAVE])
        send(self.bob, '"at last"')
        dave = self.harness.client(DAVE)
        self.assertEqual(contentOf(dave.poll().response), ["at last "])
        self.assertFalse(dave.poll().isAnswered)
        self.clock.advance(1)
        self.assertEqual(self.waiting(DAVE), 0)

    def storeReactions(self, count: int) -> None:
        """
        Store reactions to the cats.
        """
        ids = MessageIds(BOB, 1366004047, 5, 6)
        details = {"group": CATS, "sender": BOB, "message": 5, "isSet": True}
        for _ in range(count):
            event = newNotice(GROUP_REACTION, ids, **details)
            self.harness.storeEvent(event, [ALICE, DAVE])

    def test_flood(self) -> None:
        """
        A thousand such events are left out together, and stay for another client.
        """
        self.storeReactions(1000)
        send(self.bob, '"at last"')
        dave = self.harness.client(DAVE)
        messages = self.harness.store.messages
        with patch.object(messages, "next", wraps=messages.next) as reads:
            poll = dave.poll()
        self.assertEqual(contentOf(poll.response), ["at last "])
        self.assertLessEqual(reads.call_count, 3)
        self.assertFalse(dave.poll().isAnswered)
        self.clock.advance(1)
        self.assertEqual(self.waiting(DAVE), 0)
        self.assertEqual(self.waiting(ALICE), 1001)
        events = self.alice.poll(ack=0).response.result
        self.assertEqual(len(events), 100)

    def test_floodWhileLocked(self) -> None:
        """
        They are left out also while another process is writing to the database.
        """
        self.storeReactions(250)
        send(self.bob, '"at last"')
        dave = self.harness.client(DAVE)
        locked = sqlite3.OperationalError("locked")
        messages = self.harness.store.messages
        with patch.object(messages, "dropExtensions", side_effect=locked):
            self.assertEqual(contentOf(dave.poll().response), ["at last "])

    def test_idsAlone(self) -> None:
        """
        So it is for a client that acknowledges messages by their ids.
        """
        send(self.bob, '"one"')
        (event,) = self.alice.poll().response.result
        messageId = event["value"]["msg_id"]
        reaction = {"msg_id2": 5, "face": 14, "op_type": 1}
        self.bob.channel("set_reaction2", group_uin=self.bob.gid, **reaction)
        poll = self.alice.poll(ids=[str(messageId)])
        self.assertFalse(poll.isAnswered)
        send(self.bob, '"two"')
        self.assertEqual(contentOf(poll.response), ["two "])

    def test_repeated(self) -> None:
        """
        A reply that is given again has the same text.
        """
        send(self.bob, AT_DAVE, '"x"')
        first = self.alice.poll()
        first.close()
        second = self.alice.poll()
        self.clock.advance(1)
        self.assertEqual(contentOf(first.response), ["@Dave x "])
        self.assertEqual(second.response.result, first.response.result)

    def test_afterNewClient(self) -> None:
        """
        A reply that a client with C{ack} has left behind is given to an old one
        without the extensions.
        """
        send(self.bob, AT_DAVE, '"x"')
        self.bob.channel(
            "set_reaction2", group_uin=self.bob.gid, msg_id2=5, face=14, op_type=1
        )
        dave = self.harness.client(DAVE)
        types = [e["poll_type"] for e in dave.poll(ack=0).response.result]
        self.assertEqual(types, ["group_reaction", "group_message"])
        dave = self.harness.client(DAVE, clientid="old")
        self.assertEqual(contentOf(dave.poll().response), ["@Dave x "])
        self.assertFalse(dave.poll().isAnswered)

    def test_history(self) -> None:
        """
        The history is the same to an old client, and to one with C{ack} it is not.
        """
        said = send(self.bob, REPLY, AT_DAVE, '"yes"')
        session = self.harness.state.sessions.online(ALICE)
        assert session is not None
        target = (
            f"gid={session.sessionIds.code(CATS)}&bs=0&es=0&n=20&ps=0&ap=0&dm=0&mode=1"
        )

        def contents() -> list[Any]:
            url = f"/keycgi/top/groupchatlog?{target}&vfwebqq={self.alice.vfwebqq}"
            result = self.harness.get(url).response.json["result"]
            text = json.dumps(result, ensure_ascii=False)
            self.assertIn(str(said), text)
            return ["@Dave yes" in text, '"at": 10004' in text]

        elements = [False, True]
        self.assertEqual(contents(), elements)
        self.alice.poll(ack=0)
        self.assertEqual(contents(), elements)
        self.alice.poll()
        self.assertEqual(contents(), [True, False])

    def waiting(self, number: int) -> int:
        query = "SELECT count(*) FROM waiting WHERE number = ?"
        return self.harness.store.database.count(query, number)


class NewClientTests(SessionTestCase):
    """
    Alice with a client that sends C{ack}.
    """

    def test_elements(self) -> None:
        """
        The elements arrive as they were sent.
        """
        send(self.bob, REPLY, AT_DAVE, '"yes"')
        content = contentOf(self.alice.poll(ack=0).response)
        self.assertEqual(content, [["reply", 886022], ["at", 10004, "Dave"], "yes "])

    def test_mentionedOften(self) -> None:
        """
        The name of an account that a message mentions many times is looked up once.
        """
        groups = self.harness.store.groups
        with patch.object(groups, "card", wraps=groups.card) as lookUps:
            send(self.bob, *['["at",10001,""]'] * 100)
        self.assertEqual(lookUps.call_count, 1)
        content = contentOf(self.alice.poll(ack=0).response)
        self.assertEqual(content, [*[["at", 10001, "Alice"]] * 100, " "])

    def test_recallOfGiven(self) -> None:
        """
        A message that was given and not acknowledged is given again, and after it the
        recall.
        """
        said = send(self.bob, '"oops"')
        first = self.alice.poll(ack=0).response.json
        self.bob.channel("recall_qun_msg2", group_uin=self.bob.gid, msg_id2=said)
        again = self.alice.poll(ack=0)
        self.clock.advance(1)
        self.assertEqual(again.response.json, first)
        (event,) = self.alice.poll(ack=first["ack"]).response.result
        self.assertEqual(event["poll_type"], "message_recalled")
        value = event["value"]
        bob = self.alice.uin(BOB)
        self.assertEqual(
            {name: value[name] for name in ("send_uin", "op_uin", "recalled_id")},
            {"send_uin": bob, "op_uin": bob, "recalled_id": said},
        )


@pytest.mark.parametrize(
    ("path", "members"),
    [
        ("recall_buddy_msg2", {"to": 5}),
        ("recall_buddy_msg2", {"to": "x", "msg_id2": 5}),
        ("recall_qun_msg2", {"group_uin": 5, "msg_id2": 2**63}),
        ("poke_group_member2", {"group_uin": 5}),
        ("set_reaction2", {"group_uin": 5, "msg_id2": 5, "op_type": 1}),
        ("set_reaction2", {"group_uin": 5, "msg_id2": 5, "face": "", "op_type": 1}),
        ("set_reaction2", {"group_uin": 5, "msg_id2": 5, "face": [1], "op_type": 1}),
        ("set_reaction2", {"group_uin": 5, "msg_id2": 5, "face": -1, "op_type": 1}),
        ("set_reaction2", {"group_uin": 5, "msg_id2": 5, "face": 1}),
    ],
)
def test_malformed(path: str, members: dict[str, Any]) -> None:
    """
    A missing or malformed parameter is answered 100003, with its name.
    """
    harness = ServerHarness()
    reply = harness.client(ALICE).channel(path, **members).json
    assert reply["retcode"] == 100003
    wrong = {"to": "to", "muin": "muin", "face": "face", "op_type": "op_type"}
    assert any(name in reply["errmsg"] for name in (*wrong, "msg_id2")), reply


def test_reactionToNothing() -> None:
    """
    A reaction whose message has an id below 0, which no client reads, is refused, and
    no member is told.
    """
    harness = ServerHarness()
    alice, bob = harness.client(ALICE), harness.client(BOB).catchUp()
    poll = bob.poll(ack=0)
    members = {"msg_id2": -1, "face": 14, "op_type": 1}
    reply = alice.channel("set_reaction2", group_uin=alice.gid, **members).json
    assert reply == {"retcode": 100003, "errmsg": "msg_id2 is below 0"}
    harness.clock.advance(1)
    assert not poll.isAnswered


@pytest.mark.parametrize("seconds", ["x", None, 2**63])
def test_malformedMute(seconds: Any) -> None:
    """
    So is the length of a mute.
    """
    harness = ServerHarness()
    alice = harness.client(ALICE)
    members = {"gcode": 5, "muin": 0, "seconds": seconds, "vfwebqq": alice.vfwebqq}
    reply = alice.ask("/api/mute_group_member2", **members).response.json
    assert reply["retcode"] == 100003
    assert "seconds" in reply["errmsg"]
