"""
Replies and mentions between groups and channels.
"""

from __future__ import annotations

import pytest

from tests.irc.memoryrelay import MemoryRelay
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.model import Font, GroupMessage, Mention, Number, Reply, Segment, Text

MING = "<小\u200b明>"
ALICE = Mention(Number(10001), "Alice")
"""A mention of the account of the relay."""


@pytest.fixture
def tagged() -> MemoryRelay:
    """
    A relay between two groups and a channel whose server has ids of messages.
    """
    relay = MemoryRelay(more=["狗狗"])
    relay.server.offers = "message-tags echo-message draft/message-redaction"
    relay.start()
    return relay


def lines(relay: MemoryRelay) -> list[Line]:
    """
    Return the C{PRIVMSG}s that the relay has sent.
    """
    return [line for line in relay.server.last.received if line.command == "PRIVMSG"]


def content(message: GroupMessage) -> list[Segment]:
    return list(message.content)


def test_replyToIRC(tagged: MemoryRelay) -> None:
    """
    A reply on QQ to a relayed message of IRC has the id of that message, quotes its
    beginning, and addresses its author where the QQ user has mentioned the relay.
    """
    tagged.server.bob("is there (any) tea?", msgid="b1")
    tagged.settle()
    [copy] = tagged.messages()
    tagged.say(Reply(copy.id), ALICE, Text(" yes"))
    tagged.say(Reply(copy.id), Text("green"))
    first, second = lines(tagged)
    assert first.params[1] == f"{MING} (re is there [any] tea?) bob: yes"
    assert second.params[1] == f"{MING} (re bob: is there [any] tea?) green"
    assert [line.tags["+draft/reply"] for line in (first, second)] == ["b1", "b1"]
    assert first.tags["+txwebqq/origin"] == tagged.groupLink.source


def test_replyToQQ(tagged: MemoryRelay) -> None:
    """
    A reply on IRC is one on QQ as well, without a quote; each group has the id of its
    own message.
    """
    said = tagged.say("茶好了")
    tagged.server.bob("thanks", msgid="b1", **{"+draft/reply": "m1"})
    tagged.server.bob("for the tea", msgid="b2", **{"+reply": "b1"})
    tagged.settle()
    thanks, tea = tagged.messages()
    assert content(thanks) == [Reply(said), Text("<bob> thanks")]
    assert content(tea) == [Reply(thanks.id), Text("<bob> for the tea")]
    copy, thanks, tea = tagged.messages("狗狗")
    assert content(thanks) == [Reply(copy.id), Text("<bob> thanks")]
    assert content(tea) == [Reply(thanks.id), Text("<bob> for the tea")]


def test_replyBetweenGroups(tagged: MemoryRelay) -> None:
    """
    A reply in one group is one in the other group, in both directions; a mention of
    the relay there means the author.
    """
    said = tagged.say("茶好了")
    [copy] = tagged.messages("狗狗")
    tagged.say(Reply(copy.id), ALICE, Text("好"), group="狗狗")
    [back] = tagged.messages()
    mention = Mention(Number(10002), "小明")
    assert content(back) == [Reply(said), Text("<小明> "), mention, Text(" 好")]
    assert lines(tagged)[-1].params[1] == f"{MING} (re 茶好了) @小明 好"


def test_withoutIds() -> None:
    """
    On an IRC server without ids, a reply has a quote, and the reply of an IRC user
    none.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.bob("hello " * 20)
    relay.settle()
    [copy] = relay.messages()
    relay.say(Reply(copy.id), Text("hi"))
    [line] = lines(relay)
    assert line.params[1] == f"{MING} (re bob: {'hello ' * 9}hello…) hi"
    assert line.tags == {}


def test_longReply(tagged: MemoryRelay) -> None:
    """
    Only the first line of a reply has the quote.
    """
    tagged.server.bob("hello", msgid="b1")
    tagged.settle()
    [copy] = tagged.messages()
    tagged.say(Reply(copy.id), Text("one\ntwo"))
    tagged.settle()
    assert tagged.irc() == [f"{MING} (re bob: hello) one", f"{MING} two"]
    assert [bool(each.tags.get("+draft/reply")) for each in lines(tagged)] == [1, 0]


def test_unknownReply(tagged: MemoryRelay) -> None:
    """
    A reply to a message that was not relayed is relayed without a reference.
    """
    tagged.say(Reply(12345), ALICE, Text(" hello"))
    tagged.server.bob("hi", **{"+draft/reply": "nothing"})
    tagged.settle()
    assert tagged.irc() == [f"{MING} @Alice hello"]
    assert content(tagged.messages()[-1]) == [Text("<bob> hi")]


def test_restart(tagged: MemoryRelay) -> None:
    """
    The next relay on the same database knows the ids.
    """
    said = tagged.say("茶好了")
    tagged.stop()
    again = MemoryRelay(database=tagged.database)
    again.start()
    again.server.bob("thanks", **{"+draft/reply": "m1"})
    again.settle()
    [thanks] = again.messages()
    assert content(thanks) == [Reply(said), Text("<bob> thanks")]


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("小明: hello", ["<bob> ", "@", " hello"]),
        ("小明, hello", ["<bob> ", "@", " hello"]),
        ("小明|qq: hello", ["<bob> ", "@", " hello"]),
        ("hello @小明！", ["<bob> hello ", "@", "！"]),
        ("\x01ACTION waves at @小明\x01", ["* bob waves at ", "@"]),
        ("me@小明 小明 hello", ["<bob> me@小明 小明 hello"]),
        ("Alice: hello @everyone", ["<bob> Alice: hello @everyone"]),
        ("@小明明 @", ["<bob> @小明明 @"]),
    ],
)
def test_mentionOnQQ(relay: MemoryRelay, said: str, parts: list[str]) -> None:
    """
    The name of a member of the group at the beginning of a message, or after an at
    sign, is a mention there.
    """
    relay.server.bob(said)
    relay.settle()
    [message] = relay.messages()
    ming = Mention(Number(10002), "小明")
    assert content(message) == [ming if p == "@" else Text(p) for p in parts]


def test_namesakes(relay: MemoryRelay) -> None:
    """
    A name that two members have is no mention.
    """
    relay.groupLink.members.add(10009, "小明")
    relay.server.bob("小明: hello")
    relay.settle()
    assert content(relay.messages()[0]) == [Text("<bob> 小明: hello")]


def test_mentionOnIRC(relay: MemoryRelay) -> None:
    """
    The name of an IRC user at the beginning of a message on QQ becomes an address.
    """
    relay.say("@BOB 你好")
    relay.say("@eve 你好 @bob")
    assert relay.irc() == [f"{MING} bob: 你好", f"{MING} @eve 你好 @bob"]


def test_mentionBetweenGroups(tagged: MemoryRelay) -> None:
    """
    A mention stays one where that account is a member; the name of another account is
    text there, and so is a mention of all.
    """
    ming = Mention(Number(10002), "小明")
    hua = Mention(Number(10003), "小明")
    everybody = Mention(Number(0), "全体成员")
    tagged.say(ming, Text(" 你好"))
    incoming = IncomingMessage(
        tagged.groupLink.group.target, 10002, (hua, Text(" 你好")), Font(), 0, "key"
    )
    tagged.room.groupMessageReceived(tagged.groupLink, 10002, "小明", incoming)
    tagged.say(everybody, Text(" 你好"))
    member, stranger, everybodyThere = tagged.messages("狗狗")
    assert content(member) == [Text("<小明> "), ming, Text(" 你好")]
    assert content(stranger) == [Text("<小明> @小明 你好")]
    assert content(everybodyThere) == [Text("<小明> @全体成员 你好")]


def test_otherNetwork(tagged: MemoryRelay) -> None:
    """
    A number is another account on another QQ network.
    """
    tagged.groupLinks[1].accountSpace = "elsewhere"
    tagged.say(Mention(Number(10002), "小明"), Text(" 你好"))
    assert content(tagged.messages("狗狗")[0]) == [Text("<小明> @小明 你好")]


def test_puppetMentioned() -> None:
    """
    The nick of a puppet at the beginning of a message stands for its QQ user.
    """
    relay = MemoryRelay({"puppets": 1})
    relay.start()
    relay.server.taken.add("小明|qq")
    relay.say("第 1")
    main, puppet = relay.server.connections
    assert puppet.nick == "小明|qq_"
    main.send(Line("PRIVMSG", ("#cats", "小明|qq_: hello"), "bob!b@host"))
    relay.settle()
    [message] = relay.messages()
    assert content(message)[1:] == [Mention(Number(10002), "小明"), Text(" hello")]


def test_copies(relay: MemoryRelay) -> None:
    """
    The replies that another relay has passed on come back to nobody, though it writes
    the reference in another way.
    """
    relay.server.bob("hello")
    relay.settle()
    [copy] = relay.messages()
    relay.say(Reply(copy.id), ALICE, Text(" yes, please"))
    relay.server.bob("小明: hello @alice")
    relay.settle()
    assert len(relay.irc()) == 1
    relay.server.bob(f"{MING} @Alice yes, please")
    relay.server.bob(f"{MING} (re hello) bob: yes, please")
    relay.say("<bob> @小明 hello @alice")
    relay.say("<bob> (re 小明: hi) hello @alice")
    relay.settle(10)
    assert len(relay.irc()) == 1
    assert len(relay.messages()) == 2


def test_replyToPuppet() -> None:
    """
    The ids of the messages of puppets are known as well.
    """
    relay = MemoryRelay({"puppets": 1})
    relay.server.offers = "message-tags echo-message"
    relay.start()
    relay.say("第 1")
    said = relay.say("第 2")
    main, puppet = relay.server.connections
    assert puppet.privmsgs() == ["第 2"]
    tags = {"+draft/reply": f"m{relay.server.echoed}"}
    main.send(Line("PRIVMSG", ("#cats", "thanks"), "bob!b@host", tags))
    relay.settle()
    assert content(relay.messages()[-1]) == [Reply(said), Text("<bob> thanks")]
