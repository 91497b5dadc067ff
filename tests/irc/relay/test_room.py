"""
Words between a group and a channel, in memory.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred

from tests.irc.gateway.test_service import PICTURE
from tests.irc.memoryrelay import MemoryRelay, digits
from txwebqq.errors import RequestRefused, Unreachable
from txwebqq.irc.config.policies import LongTextPolicy, OverflowPolicy
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.qq.accountprotocol import AccountFactory
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.relay.room import GRACE
from txwebqq.model import Code, Font, Gid, GroupNotice, GroupStep, Number, Text

MING = "<小\u200b明>"


@pytest.fixture
def relay() -> MemoryRelay:
    """
    Everybody is there.
    """
    relay = MemoryRelay()
    relay.start()
    return relay


def test_bothWays(relay: MemoryRelay) -> None:
    """
    Words, faces and actions go both ways, under the name of who says them.
    """
    relay.ming.tellGroup("猫咪", "茶好了")
    relay.server.bob("来了 [微笑]")
    relay.server.bob("\x01ACTION \x0304waves\x0f\x01")
    relay.ming.tellGroup("猫咪", "/me 挥手")
    relay.settle()
    assert relay.irc() == [f"{MING} 茶好了", "* 小\u200b明 挥手"]
    assert relay.qq() == ["<bob> 来了 ", "* bob waves"]


def test_picture(relay: MemoryRelay) -> None:
    """
    A picture is a link, which waits until the picture was fetched.
    """
    relay.sendPicture()
    relay.ming.tellGroup("猫咪", "看")
    relay.settle()
    first, second = relay.irc()
    assert first.startswith(f"{MING} http://qq.test/")
    assert second == f"{MING} 看"


def test_injection() -> None:
    """
    Neither words nor names of QQ become commands of IRC.
    """
    relay = MemoryRelay()
    relay.start()
    relay.ming.tellGroup("猫咪", "a\r\nQUIT :x\nb\0c")
    relay.settle()
    assert relay.irc() == [f"{MING} a", f"{MING} QUIT :x", f"{MING} bc"]
    assert "QUIT" not in [line.command for line in relay.server.last.said]


def test_unanswered() -> None:
    """
    A line stays until the server has answered the PING behind it, and is said
    again on the next connection.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.isMute = True
    relay.ming.tellGroup("猫咪", "第 1")
    relay.ming.tellGroup("猫咪", "第 2")
    relay.settle()
    assert digits(relay.irc()) == [1]
    first = relay.server.last
    first.close()
    relay.server.isMute = False
    relay.settle(20)
    assert relay.server.last is not first
    assert digits(relay.irc()) == [1, 2]
    assert relay.outbox.queues() == {}


def test_restart() -> None:
    """
    What a relay has not said yet the next one says, with the same database; it
    does not take what the QQ server brings a second time.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.isMute = True
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    [message] = [relay.outbox.first(lane) for lane in relay.outbox.queues()]
    assert message is not None
    relay.stop()
    again = MemoryRelay(database=relay.database)
    again.start()
    assert digits(again.irc()) == [1]
    mark = message.origin.partition("|")[2]
    again.room.incompleteGroupMessageReceived(again.groupLink, mark, "小明", "第 1")
    again.settle()
    assert digits(again.irc()) == [1]


def test_writtenOnce(relay: MemoryRelay) -> None:
    """
    A message of which author and text are known is written to the outbox once,
    ready to send, and deleted when it is delivered.
    """
    statements: list[str] = []
    relay.database.connection.set_trace_callback(statements.append)
    relay.ming.tellGroup("猫咪", "茶好了")
    relay.settle()
    assert relay.irc() == [f"{MING} 茶好了"]
    written = [each for each in statements if not each.startswith("SELECT")]
    assert [" ".join(each.split()[:3]) for each in written] == [
        "BEGIN IMMEDIATE",
        "INSERT OR IGNORE",
        "INSERT INTO piece",
        "COMMIT",
        "DELETE FROM piece",
    ]


def test_completedLater(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message with a picture is written when it comes, and sent in its place when
    the picture is fetched.
    """
    fetched: Deferred[bytes] = Deferred()
    monkeypatch.setattr(relay.alice.protocol, "fetchPicture", lambda *_: fetched)
    relay.sendPicture()
    relay.ming.tellGroup("猫咪", "第 2")
    relay.settle()
    queue = relay.link.source
    first = relay.outbox.first(queue)
    assert first is not None
    assert (first.text, first.isReady) == ("[图片]", False)
    assert relay.outbox.count(queue) == 2
    assert relay.irc() == []
    fetched.callback(PICTURE)
    relay.settle()
    picture, text = relay.irc()
    assert picture.startswith(f"{MING} http://qq.test/")
    assert text == f"{MING} 第 2"
    assert relay.outbox.queues() == {}


def test_crashBetween(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message whose picture was being fetched when the relay crashed is sent
    without it by the next relay; not again when the QQ server delivers it a
    second time.
    """
    fetched: Deferred[bytes] = Deferred()
    monkeypatch.setattr(relay.alice.protocol, "fetchPicture", lambda *_: fetched)
    relay.sendPicture()
    relay.settle()
    message = relay.outbox.first(relay.link.source)
    assert message is not None
    again = MemoryRelay(database=relay.database)
    again.start()
    assert again.irc() == [f"{MING} [图片]"]
    key = message.origin.partition("|")[2]
    room = again.room
    room.incompleteGroupMessageReceived(again.groupLink, key, "小明", "[图片]")
    incoming = IncomingMessage(
        again.groupLink.group.target, 10002, (Text("[图片]"),), Font(), 0, key
    )
    room.groupMessageReceived(again.groupLink, 10002, "小明", incoming)
    again.settle()
    assert again.irc() == [f"{MING} [图片]"]


def test_ignoredPicture() -> None:
    """
    C{ignore-text} is looked for in the text as it is without links, too.
    """
    relay = MemoryRelay(ignoredTexts=(re.compile(r"\[图片\]"),))
    relay.start()
    relay.sendPicture()
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    assert relay.irc() == [f"{MING} 第 1"]


def test_unanswered_onQQ(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message whose answer was lost is looked for in the history, and not said
    a second time; one that never came is.
    """
    send = relay.account.qq.actions.send
    lost = [True, False]

    async def losing(place: object, content: object) -> None:
        if lost and lost.pop(0):
            await send(place, content)  # type: ignore[arg-type]
            raise Unreachable("the answer was lost")
        if lost:
            lost.clear()
            raise Unreachable("the question was lost")
        await send(place, content)  # type: ignore[arg-type]

    monkeypatch.setattr(relay.account.qq.actions, "send", losing)
    relay.server.bob("number 1")
    relay.settle(30)
    relay.server.bob("number 2")
    relay.settle(60)
    assert digits(relay.qq()) == [1, 2]


def test_olderOnQQ(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The same words in the history, of long ago or by somebody else, are not
    what was sent.
    """
    relay.server.bob("hello")
    relay.settle(600)
    relay.ming.tellGroup("猫咪", "<bob> hello")
    send = relay.account.qq.actions.send
    lost = [True]

    async def losing(place: object, content: object) -> None:
        if lost.pop():
            lost.append(False)
            raise Unreachable("the question was lost")
        lost.append(False)
        await send(place, content)  # type: ignore[arg-type]

    monkeypatch.setattr(relay.account.qq.actions, "send", losing)
    relay.server.bob("hello")
    relay.settle(30)
    assert relay.qq() == ["<bob> hello", "<bob> hello"]


def test_newsSeldom(relay: MemoryRelay) -> None:
    """
    That a place comes and goes is not told again and again.
    """
    for _ in range(5):
        relay.server.last.send(Line("PART", ("#cats",), "qqrelay!r@host"))
        relay.server.refuse["#cats"] = "474"
        relay.settle(GRACE + 5)
        del relay.server.refuse["#cats"]
        relay.settle(310)
    gone = [line for line in relay.qq() if "is unreachable" in line]
    assert len(gone) == 3


def test_refusedOnQQ(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What QQ refuses again and again is given up, and both sides are told of it.
    """

    async def refuse(place: object, content: object) -> None:
        raise RequestRefused(1, "muted")

    with monkeypatch.context() as patch:
        patch.setattr(relay.account.qq.actions, "send", refuse)
        relay.server.bob("number 1")
        relay.settle(400)
    assert "A message to 猫咪 is delayed: muted (retcode 1)" in relay.irc()
    assert "A message to 猫咪 was dropped: muted (retcode 1)" in relay.irc()
    relay.server.bob("number 2")
    relay.settle(200)
    assert relay.qq() == [
        "<bob> number 2",
        "1 message was dropped here: the queue was full, or it was refused",
    ]


def test_long(relay: MemoryRelay) -> None:
    """
    Every line has less than 512 bytes with the prefix that others see, and the
    name before it; together they are the text.
    """
    text = "，".join(f"第{n}句很长很长的话" for n in range(200))
    relay.ming.tellGroup("猫咪", text)
    relay.settle(30)
    said = relay.irc()
    prefix = ":qqrelay!~relay@relay.example.org PRIVMSG #cats :"
    assert len(said) > 5
    assert all(len(f"{prefix}{line}\r\n".encode()) <= 512 for line in said)
    assert max(len(f"{prefix}{line}\r\n".encode()) for line in said) > 505
    assert "".join(line.removeprefix(f"{MING} ") for line in said) == text


def test_link() -> None:
    """
    Of a text of many lines comes its beginning, and a link to all of it.
    """
    relay = MemoryRelay(longText=LongTextPolicy.LINK, lines=3)
    relay.start()
    text = "\n".join(f"line {n}" for n in range(10))
    relay.ming.tellGroup("猫咪", text)
    relay.ming.tellGroup("猫咪", "one\ntwo")
    relay.settle()
    first, *rest = relay.irc()
    assert first.startswith(f"{MING} line 0 … http://qq.test/")
    page = relay.links.find(first.rpartition("/")[2])
    assert page is not None
    assert page.data.decode("utf-8-sig") == text
    assert page.mediaType == "text/plain; charset=utf-8"
    assert rest == [f"{MING} one", f"{MING} two"]


def test_pace() -> None:
    """
    After a burst lines come at their pace, in order.
    """
    relay = MemoryRelay({"burst": 3, "seconds": 2.0})
    relay.start()
    for n in range(8):
        relay.ming.tellGroup("猫咪", f"第 {n}")
    relay.settle(0)
    assert digits(relay.irc()) == [0, 1, 2]
    relay.settle(4)
    assert digits(relay.irc()) == [0, 1, 2, 3, 4]
    relay.settle(30)
    assert digits(relay.irc()) == list(range(8))


@pytest.mark.parametrize(
    ("overflow", "kept"),
    [(OverflowPolicy.REFUSE_NEW, [0, 1, 2]), (OverflowPolicy.DROP_OLDEST, [0, 4, 5])],
)
def test_full(overflow: OverflowPolicy, kept: list[int]) -> None:
    """
    More than may wait is left out, which is said where it was said, and where
    it is missing.
    """
    relay = MemoryRelay(limit=3, overflow=overflow)
    relay.ming.run()
    relay.alice.run(AccountFactory(relay.account.qq))
    for n in range(6):
        relay.ming.tellGroup("猫咪", f"第 {n}")
    relay.settle()
    [told] = relay.qq()
    assert told.startswith("The queue for #cats is full (3 messages): ")
    relay.network.startService()
    relay.settle()
    assert digits(relay.irc()) == kept
    missing = relay.irc().index(
        "3 messages were dropped here: the queue was full, or it was refused"
    )
    assert missing == (0 if overflow is OverflowPolicy.DROP_OLDEST else 3)
    relay.ming.tellGroup("猫咪", "第 6")
    relay.settle()
    assert relay.irc()[-1] == f"{MING} 第 6"


def test_hushed() -> None:
    """
    What is to stay where it is does.
    """
    relay = MemoryRelay(ignoredNicks=frozenset({"bot", "10009"}))
    relay.start()
    relay.server.bob("-- between us")
    relay.server.last.send(Line("PRIVMSG", ("#cats", "beep"), "Bot!b@host"))
    relay.server.last.send(Line("NOTICE", ("#cats", "beep"), "bob!b@host"))
    relay.server.bob("a secret", channel="qqrelay")
    relay.ming.tellGroup("猫咪", "--悄悄话")
    relay.server.bob("hello")
    relay.settle()
    assert relay.qq() == ["<bob> hello"]
    assert relay.irc() == []


def test_ignoredNumber() -> None:
    """
    On QQ a number is enough to be ignored by.
    """
    relay = MemoryRelay(ignoredNicks=frozenset({"10002"}))
    assert relay.ming.number == 10002
    relay.start()
    relay.ming.tellGroup("猫咪", "听不见")
    relay.settle()
    assert relay.irc() == []
    assert relay.outbox.queues() == {}


def test_commands(relay: MemoryRelay) -> None:
    """
    Both sides can ask who is on the other, and how it is; so often a minute.
    """
    relay.server.bob("!users")
    relay.ming.tellGroup("猫咪", "!users")
    relay.ming.tellGroup("猫咪", "!status")
    relay.settle()
    assert relay.irc() == ["猫咪 (1): 小\u200b明"]
    users, *status = relay.qq()
    assert users == "#cats (1): bob"
    assert [line.partition(",")[0] for line in status] == [
        "猫咪: online",
        "#cats: online",
    ]
    for _ in range(10):
        relay.server.bob("!users")
    relay.settle()
    assert len(relay.irc()) == 3


def test_moves(relay: MemoryRelay) -> None:
    """
    Those who speak are missed, others come and go unseen.
    """
    last = relay.server.last
    last.send(Line("JOIN", ("#cats",), "eve!e@host"))
    last.send(Line("PART", ("#cats",), "eve!e@host"))
    relay.server.bob("hello")
    last.send(Line("NICK", ("bobby",), "bob!b@host"))
    last.send(Line("QUIT", ("bye",), "bobby!b@host"))
    last.send(Line("JOIN", ("#cats",), "bobby!b@host"))
    relay.settle()
    assert relay.qq() == [
        "<bob> hello",
        "bob is now known as bobby",
        "bobby has quit",
        "bobby has joined",
    ]


def test_split(relay: MemoryRelay) -> None:
    """
    When hundreds who spoke leave at once, a few are named and the others
    counted.
    """
    for n in range(300):
        said = Line("PRIVMSG", ("#cats", "hi"), f"user{n}!u@host")
        relay.server.last.send(Line("JOIN", ("#cats",), f"user{n}!u@host"), said)
    relay.settle(400)
    before = len(relay.qq())
    for n in range(300):
        gone = Line("QUIT", ("a.example b.example",), f"user{n}!u@host")
        relay.server.last.send(gone)
    relay.settle(70)
    told = relay.qq()[before:]
    assert told[0] == "user0 has quit"
    assert told[-1] == f"{300 - len(told) + 1} more joined or left"
    assert len(told) == 6
    relay.server.last.send(Line("BATCH", ("+s", "netjoin", "a", "b")))
    back = Line("JOIN", ("#cats",), "user1!u@host", {"batch": "s"})
    relay.server.last.send(back)
    relay.settle()
    assert relay.qq()[before:] == told


def test_movesOnQQ(relay: MemoryRelay) -> None:
    """
    Who has spoken on QQ is missed there, too: when they leave, come back, and
    are called otherwise.
    """
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    target = relay.groupLink.group.target
    conversation = relay.account.qq.contacts.conversations[target]
    [ming] = [m for m in conversation.members if m.number == relay.ming.number]
    renamed = replace(conversation, members=(replace(ming, name="大明"),))
    relay.account.qq.contacts.conversations[target] = renamed
    relay.groupLink.refresh()
    left = replace(conversation, members=())
    relay.account.qq.contacts.conversations[target] = left
    relay.groupLink.refresh()
    notice = GroupNotice(
        GroupStep.JOINED,
        Gid(1),
        Code(1),
        Number(target.number),
        memberNumber=relay.ming.number,
    )
    relay.account.groupChanged(relay.account.qq, notice)
    relay.settle()
    assert relay.irc()[1:] == [
        "小\u200b明 is now known as 大明",
        "小\u200b明 has joined",
    ]


def test_unreachable(relay: MemoryRelay) -> None:
    """
    Who cannot be heard for a while is told of it, and told when that is over;
    what they said comes then.
    """
    relay.network.stopService()
    relay.settle()
    relay.ming.tellGroup("猫咪", "在吗")
    relay.settle(GRACE + 5)
    assert relay.qq() == ["#cats is unreachable; messages for it are queued"]
    relay.network.startService()
    relay.settle()
    assert relay.qq()[1:] == ["#cats is reachable again"]
    assert relay.irc() == [f"{MING} 在吗"]


def test_moderated(relay: MemoryRelay) -> None:
    """
    What a channel refuses waits until it does not, and the group is told why.
    """
    relay.server.refuse["PRIVMSG"] = "404"
    relay.ming.tellGroup("猫咪", "在吗")
    relay.settle(3)
    assert relay.qq() == ["A message to #cats is delayed: Not now"]
    del relay.server.refuse["PRIVMSG"]
    relay.settle(30)
    assert relay.irc()[-1] == f"{MING} 在吗"
    assert relay.outbox.queues() == {}


def test_copies(relay: MemoryRelay) -> None:
    """
    What another relay brings back is dropped: by the tag with its origin, by
    its id, and by its words, also when it comes before the original.
    """
    origin = relay.groupLink.source
    relay.server.bob("<小\u200b明> 别的", **{"+txwebqq/origin": origin})
    relay.server.bob("hello", msgid="m1")
    relay.server.bob("hello", msgid="m1")
    relay.ming.tellGroup("猫咪", "<bob> hello")
    relay.server.bob("<小\u200b明> 晚到的话")
    relay.ming.tellGroup("猫咪", "晚到的话")
    relay.ming.tellGroup("猫咪", "<carol> somebody else's words")
    relay.settle(10)
    assert relay.qq() == ["<bob> hello"]
    assert relay.irc() == [
        f"{MING} 晚到的话",
        f"{MING} <carol> somebody else's words",
    ]
    relay.ming.tellGroup("猫咪", "<bob> too early")
    relay.server.bob("too early")
    relay.settle(10)
    assert len(relay.irc()) == 2


def test_relaymsg() -> None:
    """
    Where the server lets us, names are nicks; where it refuses one, the name
    stands before the words.
    """
    relay = MemoryRelay()
    relay.server.offers = "draft/relaymsg=/ message-tags"
    relay.start()
    relay.ming.tellGroup("猫咪", "茶好了")
    relay.settle()
    [line] = [each for each in relay.server.last.said if each.command == "RELAYMSG"]
    assert line.params == ("#cats", "小明/qq", "茶好了")
    assert line.tags == {"+txwebqq/origin": "qq/group/200001"}
    relay.server.last.send(
        Line(
            "PRIVMSG",
            ("#cats", "茶好了"),
            "小明/qq!q@host",
            {"draft/relaymsg": "qqrelay"},
        )
    )
    relay.server.refuse["RELAYMSG"] = "FAIL"
    relay.ming.tellGroup("猫咪", "再来")
    relay.ming.tellGroup("猫咪", "又来")
    relay.settle()
    assert relay.qq() == []
    assert relay.irc() == [f"{MING} 再来", f"{MING} 又来"]
    asked = [line for line in relay.server.last.said if line.command == "RELAYMSG"]
    assert len(asked) == 2
    assert relay.outbox.queues() == {}


def test_puppets() -> None:
    """
    Who speaks gets a connection of their own, which says what comes next; its
    words and comings are not relayed.
    """
    relay = MemoryRelay({"puppets": 1})
    relay.start()
    main = relay.server.last
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    puppet = relay.server.last
    assert puppet is not main
    assert puppet.nick == "小明|qq"
    relay.ming.tellGroup("猫咪", "第 2")
    relay.settle()
    assert main.privmsgs() == [f"{MING} 第 1"]
    assert puppet.privmsgs() == ["第 2"]
    main.send(
        Line("JOIN", ("#cats",), "小明|qq!q@host"),
        Line("PRIVMSG", ("#cats", "第 2"), "小明|qq!q@host"),
    )
    relay.settle()
    assert relay.qq() == []
    puppet.close()
    relay.ming.tellGroup("猫咪", "第 3")
    relay.settle()
    assert main.privmsgs() == [f"{MING} 第 1", f"{MING} 第 3"]
    relay.settle(2000)
    assert not relay.server.last.isOpen
    relay.stop()
    assert not main.isOpen


def test_movesLate(relay: MemoryRelay) -> None:
    """
    That somebody left is not kept for who cannot be told now.
    """
    relay.server.bob("hello")
    relay.settle()
    relay.alice.stop()
    relay.server.last.send(Line("QUIT", ("bye",), "bob!b@host"))
    relay.settle()
    assert relay.outbox.queues() == {}
