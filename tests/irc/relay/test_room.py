"""
Words between a group and a channel, in memory.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred

from tests.irc.gateway.test_service import PICTURE
from tests.irc.relays import Scene, digits
from txwebqq.errors import RequestRefused, Unreachable
from txwebqq.irc.config.policies import LongTextPolicy, OverflowPolicy
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.qq.accountprotocol import AccountFactory
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.relay.room import GRACE
from txwebqq.model import Code, Font, Gid, GroupNotice, GroupStep, Number, Text

MING = "<小\u200b明>"


@pytest.fixture
def scene() -> Scene:
    """
    Everybody is there.
    """
    scene = Scene()
    scene.start()
    return scene


def test_bothWays(scene: Scene) -> None:
    """
    Words, faces and actions go both ways, under the name of who says them.
    """
    scene.ming.tellGroup("猫咪", "茶好了")
    scene.server.bob("来了 [微笑]")
    scene.server.bob("\x01ACTION \x0304waves\x0f\x01")
    scene.ming.tellGroup("猫咪", "/me 挥手")
    scene.settle()
    assert scene.irc() == [f"{MING} 茶好了", "* 小\u200b明 挥手"]
    assert scene.qq() == ["<bob> 来了 ", "* bob waves"]


def test_picture(scene: Scene) -> None:
    """
    A picture is a link, which waits until the picture was fetched.
    """
    scene.sendPicture()
    scene.ming.tellGroup("猫咪", "看")
    scene.settle()
    first, second = scene.irc()
    assert first.startswith(f"{MING} http://qq.test/")
    assert second == f"{MING} 看"


def test_injection() -> None:
    """
    Neither words nor names of QQ become commands of IRC.
    """
    scene = Scene()
    scene.start()
    scene.ming.tellGroup("猫咪", "a\r\nQUIT :x\nb\0c")
    scene.settle()
    assert scene.irc() == [f"{MING} a", f"{MING} QUIT :x", f"{MING} bc"]
    assert "QUIT" not in [line.command for line in scene.server.last.said]


def test_unanswered() -> None:
    """
    A line stays until the server has answered the PING behind it, and is said
    again on the next connection.
    """
    scene = Scene()
    scene.start()
    scene.server.isMute = True
    scene.ming.tellGroup("猫咪", "第 1")
    scene.ming.tellGroup("猫咪", "第 2")
    scene.settle()
    assert digits(scene.irc()) == [1]
    first = scene.server.last
    first.close()
    scene.server.isMute = False
    scene.settle(20)
    assert scene.server.last is not first
    assert digits(scene.irc()) == [1, 2]
    assert scene.outbox.queues() == {}


def test_restart() -> None:
    """
    What a relay has not said yet the next one says, with the same database; it
    does not take what the QQ server brings a second time.
    """
    scene = Scene()
    scene.start()
    scene.server.isMute = True
    scene.ming.tellGroup("猫咪", "第 1")
    scene.settle()
    [message] = [scene.outbox.first(lane) for lane in scene.outbox.queues()]
    assert message is not None
    scene.stop()
    again = Scene(database=scene.database)
    again.start()
    assert digits(again.irc()) == [1]
    mark = message.origin.partition("|")[2]
    again.room.incompleteGroupMessageReceived(again.groupLink, mark, "小明", "第 1")
    again.settle()
    assert digits(again.irc()) == [1]


def test_writtenOnce(scene: Scene) -> None:
    """
    A message of which author and text are known is written to the outbox once,
    ready to send, and deleted when it is delivered.
    """
    statements: list[str] = []
    scene.database.connection.set_trace_callback(statements.append)
    scene.ming.tellGroup("猫咪", "茶好了")
    scene.settle()
    assert scene.irc() == [f"{MING} 茶好了"]
    written = [each for each in statements if not each.startswith("SELECT")]
    assert [" ".join(each.split()[:3]) for each in written] == [
        "BEGIN IMMEDIATE",
        "INSERT OR IGNORE",
        "INSERT INTO piece",
        "COMMIT",
        "DELETE FROM piece",
    ]


def test_completedLater(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message with a picture is written when it comes, and sent in its place when
    the picture is fetched.
    """
    fetched: Deferred[bytes] = Deferred()
    monkeypatch.setattr(scene.alice.protocol, "fetchPicture", lambda *_: fetched)
    scene.sendPicture()
    scene.ming.tellGroup("猫咪", "第 2")
    scene.settle()
    queue = scene.link.source
    first = scene.outbox.first(queue)
    assert first is not None
    assert (first.text, first.isReady) == ("[图片]", False)
    assert scene.outbox.count(queue) == 2
    assert scene.irc() == []
    fetched.callback(PICTURE)
    scene.settle()
    picture, text = scene.irc()
    assert picture.startswith(f"{MING} http://qq.test/")
    assert text == f"{MING} 第 2"
    assert scene.outbox.queues() == {}


def test_crashBetween(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message whose picture was being fetched when the relay crashed is sent
    without it by the next relay; not again when the QQ server delivers it a
    second time.
    """
    fetched: Deferred[bytes] = Deferred()
    monkeypatch.setattr(scene.alice.protocol, "fetchPicture", lambda *_: fetched)
    scene.sendPicture()
    scene.settle()
    message = scene.outbox.first(scene.link.source)
    assert message is not None
    again = Scene(database=scene.database)
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
    scene = Scene(ignoredTexts=(re.compile(r"\[图片\]"),))
    scene.start()
    scene.sendPicture()
    scene.ming.tellGroup("猫咪", "第 1")
    scene.settle()
    assert scene.irc() == [f"{MING} 第 1"]


def test_unanswered_onQQ(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message whose answer was lost is looked for in the history, and not said
    a second time; one that never came is.
    """
    send = scene.account.qq.actions.send
    lost = [True, False]

    async def losing(place: object, content: object) -> None:
        if lost and lost.pop(0):
            await send(place, content)  # type: ignore[arg-type]
            raise Unreachable("the answer was lost")
        if lost:
            lost.clear()
            raise Unreachable("the question was lost")
        await send(place, content)  # type: ignore[arg-type]

    monkeypatch.setattr(scene.account.qq.actions, "send", losing)
    scene.server.bob("number 1")
    scene.settle(30)
    scene.server.bob("number 2")
    scene.settle(60)
    assert digits(scene.qq()) == [1, 2]


def test_olderOnQQ(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The same words in the history, of long ago or by somebody else, are not
    what was sent.
    """
    scene.server.bob("hello")
    scene.settle(600)
    scene.ming.tellGroup("猫咪", "<bob> hello")
    send = scene.account.qq.actions.send
    lost = [True]

    async def losing(place: object, content: object) -> None:
        if lost.pop():
            lost.append(False)
            raise Unreachable("the question was lost")
        lost.append(False)
        await send(place, content)  # type: ignore[arg-type]

    monkeypatch.setattr(scene.account.qq.actions, "send", losing)
    scene.server.bob("hello")
    scene.settle(30)
    assert scene.qq() == ["<bob> hello", "<bob> hello"]


def test_newsSeldom(scene: Scene) -> None:
    """
    That a place comes and goes is not told again and again.
    """
    for _ in range(5):
        scene.server.last.send(Line("PART", ("#cats",), "qqrelay!r@host"))
        scene.server.refuse["#cats"] = "474"
        scene.settle(GRACE + 5)
        del scene.server.refuse["#cats"]
        scene.settle(310)
    gone = [line for line in scene.qq() if "is unreachable" in line]
    assert len(gone) == 3


def test_refusedOnQQ(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What QQ refuses again and again is given up, and both sides are told of it.
    """

    async def refuse(place: object, content: object) -> None:
        raise RequestRefused(1, "muted")

    with monkeypatch.context() as patch:
        patch.setattr(scene.account.qq.actions, "send", refuse)
        scene.server.bob("number 1")
        scene.settle(400)
    assert "A message to 猫咪 is delayed: muted (retcode 1)" in scene.irc()
    assert "A message to 猫咪 was dropped: muted (retcode 1)" in scene.irc()
    scene.server.bob("number 2")
    scene.settle(200)
    assert scene.qq() == [
        "<bob> number 2",
        "1 message was dropped here: the queue was full, or it was refused",
    ]


def test_long(scene: Scene) -> None:
    """
    Every line has less than 512 bytes with the prefix that others see, and the
    name before it; together they are the text.
    """
    text = "，".join(f"第{n}句很长很长的话" for n in range(200))
    scene.ming.tellGroup("猫咪", text)
    scene.settle(30)
    said = scene.irc()
    prefix = ":qqrelay!~relay@relay.example.org PRIVMSG #cats :"
    assert len(said) > 5
    assert all(len(f"{prefix}{line}\r\n".encode()) <= 512 for line in said)
    assert max(len(f"{prefix}{line}\r\n".encode()) for line in said) > 505
    assert "".join(line.removeprefix(f"{MING} ") for line in said) == text


def test_link() -> None:
    """
    Of a text of many lines comes its beginning, and a link to all of it.
    """
    scene = Scene(longText=LongTextPolicy.LINK, lines=3)
    scene.start()
    text = "\n".join(f"line {n}" for n in range(10))
    scene.ming.tellGroup("猫咪", text)
    scene.ming.tellGroup("猫咪", "one\ntwo")
    scene.settle()
    first, *rest = scene.irc()
    assert first.startswith(f"{MING} line 0 … http://qq.test/")
    page = scene.links.find(first.rpartition("/")[2])
    assert page is not None
    assert page.data.decode("utf-8-sig") == text
    assert page.mediaType == "text/plain; charset=utf-8"
    assert rest == [f"{MING} one", f"{MING} two"]


def test_pace() -> None:
    """
    After a burst lines come at their pace, in order.
    """
    scene = Scene({"burst": 3, "seconds": 2.0})
    scene.start()
    for n in range(8):
        scene.ming.tellGroup("猫咪", f"第 {n}")
    scene.settle(0)
    assert digits(scene.irc()) == [0, 1, 2]
    scene.settle(4)
    assert digits(scene.irc()) == [0, 1, 2, 3, 4]
    scene.settle(30)
    assert digits(scene.irc()) == list(range(8))


@pytest.mark.parametrize(
    ("overflow", "kept"),
    [(OverflowPolicy.REFUSE_NEW, [0, 1, 2]), (OverflowPolicy.DROP_OLDEST, [0, 4, 5])],
)
def test_full(overflow: OverflowPolicy, kept: list[int]) -> None:
    """
    More than may wait is left out, which is said where it was said, and where
    it is missing.
    """
    scene = Scene(limit=3, overflow=overflow)
    scene.ming.run()
    scene.alice.run(AccountFactory(scene.account.qq))
    for n in range(6):
        scene.ming.tellGroup("猫咪", f"第 {n}")
    scene.settle()
    [told] = scene.qq()
    assert told.startswith("The queue for #cats is full (3 messages): ")
    scene.network.startService()
    scene.settle()
    assert digits(scene.irc()) == kept
    missing = scene.irc().index(
        "3 messages were dropped here: the queue was full, or it was refused"
    )
    assert missing == (0 if overflow is OverflowPolicy.DROP_OLDEST else 3)
    scene.ming.tellGroup("猫咪", "第 6")
    scene.settle()
    assert scene.irc()[-1] == f"{MING} 第 6"


def test_hushed() -> None:
    """
    What is to stay where it is does.
    """
    scene = Scene(ignoredNicks=frozenset({"bot", "10009"}))
    scene.start()
    scene.server.bob("-- between us")
    scene.server.last.send(Line("PRIVMSG", ("#cats", "beep"), "Bot!b@host"))
    scene.server.last.send(Line("NOTICE", ("#cats", "beep"), "bob!b@host"))
    scene.server.bob("a secret", channel="qqrelay")
    scene.ming.tellGroup("猫咪", "--悄悄话")
    scene.server.bob("hello")
    scene.settle()
    assert scene.qq() == ["<bob> hello"]
    assert scene.irc() == []


def test_ignoredNumber() -> None:
    """
    On QQ a number is enough to be ignored by.
    """
    scene = Scene(ignoredNicks=frozenset({"10002"}))
    assert scene.ming.number == 10002
    scene.start()
    scene.ming.tellGroup("猫咪", "听不见")
    scene.settle()
    assert scene.irc() == []
    assert scene.outbox.queues() == {}


def test_commands(scene: Scene) -> None:
    """
    Both sides can ask who is on the other, and how it is; so often a minute.
    """
    scene.server.bob("!users")
    scene.ming.tellGroup("猫咪", "!users")
    scene.ming.tellGroup("猫咪", "!status")
    scene.settle()
    assert scene.irc() == ["猫咪 (1): 小\u200b明"]
    users, *status = scene.qq()
    assert users == "#cats (1): bob"
    assert [line.partition(",")[0] for line in status] == [
        "猫咪: online",
        "#cats: online",
    ]
    for _ in range(10):
        scene.server.bob("!users")
    scene.settle()
    assert len(scene.irc()) == 3


def test_moves(scene: Scene) -> None:
    """
    Those who speak are missed, others come and go unseen.
    """
    last = scene.server.last
    last.send(Line("JOIN", ("#cats",), "eve!e@host"))
    last.send(Line("PART", ("#cats",), "eve!e@host"))
    scene.server.bob("hello")
    last.send(Line("NICK", ("bobby",), "bob!b@host"))
    last.send(Line("QUIT", ("bye",), "bobby!b@host"))
    last.send(Line("JOIN", ("#cats",), "bobby!b@host"))
    scene.settle()
    assert scene.qq() == [
        "<bob> hello",
        "bob is now known as bobby",
        "bobby has quit",
        "bobby has joined",
    ]


def test_split(scene: Scene) -> None:
    """
    When hundreds who spoke leave at once, a few are named and the others
    counted.
    """
    for n in range(300):
        said = Line("PRIVMSG", ("#cats", "hi"), f"user{n}!u@host")
        scene.server.last.send(Line("JOIN", ("#cats",), f"user{n}!u@host"), said)
    scene.settle(400)
    before = len(scene.qq())
    for n in range(300):
        gone = Line("QUIT", ("a.example b.example",), f"user{n}!u@host")
        scene.server.last.send(gone)
    scene.settle(70)
    told = scene.qq()[before:]
    assert told[0] == "user0 has quit"
    assert told[-1] == f"{300 - len(told) + 1} more joined or left"
    assert len(told) == 6
    scene.server.last.send(Line("BATCH", ("+s", "netjoin", "a", "b")))
    back = Line("JOIN", ("#cats",), "user1!u@host", {"batch": "s"})
    scene.server.last.send(back)
    scene.settle()
    assert scene.qq()[before:] == told


def test_movesOnQQ(scene: Scene) -> None:
    """
    Who has spoken on QQ is missed there, too: when they leave, come back, and
    are called otherwise.
    """
    scene.ming.tellGroup("猫咪", "第 1")
    scene.settle()
    target = scene.groupLink.group.target
    conversation = scene.account.qq.contacts.conversations[target]
    [ming] = [m for m in conversation.members if m.number == scene.ming.number]
    renamed = replace(conversation, members=(replace(ming, name="大明"),))
    scene.account.qq.contacts.conversations[target] = renamed
    scene.groupLink.refresh()
    left = replace(conversation, members=())
    scene.account.qq.contacts.conversations[target] = left
    scene.groupLink.refresh()
    notice = GroupNotice(
        GroupStep.JOINED,
        Gid(1),
        Code(1),
        Number(target.number),
        memberNumber=scene.ming.number,
    )
    scene.account.groupChanged(scene.account.qq, notice)
    scene.settle()
    assert scene.irc()[1:] == [
        "小\u200b明 is now known as 大明",
        "小\u200b明 has joined",
    ]


def test_unreachable(scene: Scene) -> None:
    """
    Who cannot be heard for a while is told of it, and told when that is over;
    what they said comes then.
    """
    scene.network.stopService()
    scene.settle()
    scene.ming.tellGroup("猫咪", "在吗")
    scene.settle(GRACE + 5)
    assert scene.qq() == ["#cats is unreachable; messages for it are queued"]
    scene.network.startService()
    scene.settle()
    assert scene.qq()[1:] == ["#cats is reachable again"]
    assert scene.irc() == [f"{MING} 在吗"]


def test_moderated(scene: Scene) -> None:
    """
    What a channel refuses waits until it does not, and the group is told why.
    """
    scene.server.refuse["PRIVMSG"] = "404"
    scene.ming.tellGroup("猫咪", "在吗")
    scene.settle(3)
    assert scene.qq() == ["A message to #cats is delayed: Not now"]
    del scene.server.refuse["PRIVMSG"]
    scene.settle(30)
    assert scene.irc()[-1] == f"{MING} 在吗"
    assert scene.outbox.queues() == {}


def test_copies(scene: Scene) -> None:
    """
    What another relay brings back is dropped: by the tag with its origin, by
    its id, and by its words, also when it comes before the original.
    """
    origin = scene.groupLink.source
    scene.server.bob("<小\u200b明> 别的", **{"+txwebqq/origin": origin})
    scene.server.bob("hello", msgid="m1")
    scene.server.bob("hello", msgid="m1")
    scene.ming.tellGroup("猫咪", "<bob> hello")
    scene.server.bob("<小\u200b明> 晚到的话")
    scene.ming.tellGroup("猫咪", "晚到的话")
    scene.ming.tellGroup("猫咪", "<carol> somebody else's words")
    scene.settle(10)
    assert scene.qq() == ["<bob> hello"]
    assert scene.irc() == [
        f"{MING} 晚到的话",
        f"{MING} <carol> somebody else's words",
    ]
    scene.ming.tellGroup("猫咪", "<bob> too early")
    scene.server.bob("too early")
    scene.settle(10)
    assert len(scene.irc()) == 2


def test_relaymsg() -> None:
    """
    Where the server lets us, names are nicks; where it refuses one, the name
    stands before the words.
    """
    scene = Scene()
    scene.server.offers = "draft/relaymsg=/ message-tags"
    scene.start()
    scene.ming.tellGroup("猫咪", "茶好了")
    scene.settle()
    [line] = [each for each in scene.server.last.said if each.command == "RELAYMSG"]
    assert line.params == ("#cats", "小明/qq", "茶好了")
    assert line.tags == {"+txwebqq/origin": "qq/group/200001"}
    scene.server.last.send(
        Line(
            "PRIVMSG",
            ("#cats", "茶好了"),
            "小明/qq!q@host",
            {"draft/relaymsg": "qqrelay"},
        )
    )
    scene.server.refuse["RELAYMSG"] = "FAIL"
    scene.ming.tellGroup("猫咪", "再来")
    scene.ming.tellGroup("猫咪", "又来")
    scene.settle()
    assert scene.qq() == []
    assert scene.irc() == [f"{MING} 再来", f"{MING} 又来"]
    asked = [line for line in scene.server.last.said if line.command == "RELAYMSG"]
    assert len(asked) == 2
    assert scene.outbox.queues() == {}


def test_puppets() -> None:
    """
    Who speaks gets a connection of their own, which says what comes next; its
    words and comings are not relayed.
    """
    scene = Scene({"puppets": 1})
    scene.start()
    main = scene.server.last
    scene.ming.tellGroup("猫咪", "第 1")
    scene.settle()
    puppet = scene.server.last
    assert puppet is not main
    assert puppet.nick == "小明|qq"
    scene.ming.tellGroup("猫咪", "第 2")
    scene.settle()
    assert main.privmsgs() == [f"{MING} 第 1"]
    assert puppet.privmsgs() == ["第 2"]
    main.send(
        Line("JOIN", ("#cats",), "小明|qq!q@host"),
        Line("PRIVMSG", ("#cats", "第 2"), "小明|qq!q@host"),
    )
    scene.settle()
    assert scene.qq() == []
    puppet.close()
    scene.ming.tellGroup("猫咪", "第 3")
    scene.settle()
    assert main.privmsgs() == [f"{MING} 第 1", f"{MING} 第 3"]
    scene.settle(2000)
    assert not scene.server.last.isOpen
    scene.stop()
    assert not main.isOpen


def test_movesLate(scene: Scene) -> None:
    """
    That somebody left is not kept for who cannot be told now.
    """
    scene.server.bob("hello")
    scene.settle()
    scene.alice.stop()
    scene.server.last.send(Line("QUIT", ("bye",), "bob!b@host"))
    scene.settle()
    assert scene.outbox.queues() == {}
