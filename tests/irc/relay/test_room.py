"""
A room: what is relayed between a group and a channel, and the notices about targets.
"""

from __future__ import annotations

import re

import pytest
from twisted.internet.defer import Deferred

from tests.irc.gateway.test_service import PICTURE
from tests.irc.memoryrelay import MemoryRelay, digits
from txwebqq.errors import RequestRefused
from txwebqq.irc.config.policies import LongTextPolicy, OverflowPolicy
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.qq.accountprotocol import AccountFactory
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.relay.notices import GRACE, NOTICES_WINDOW
from txwebqq.irc.relay.sender import LONGEST_PAUSE
from txwebqq.model import Font, Text

MING = "<小\u200b明>"


def fill(relay: MemoryRelay, isFull: bool) -> None:
    """
    Limit the database to its present size, or remove the limit.
    """
    db = relay.database.connection
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages if isFull else 1_000_000}")


def test_tagsFromElsewhere() -> None:
    """
    A message whose tag names a source in another room is relayed.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.bob("<x> far away", **{"+txwebqq/origin": "qq/group/999"})
    relay.settle(10)
    assert relay.qq() == ["<bob> <x> far away"]


def test_bothWays(relay: MemoryRelay) -> None:
    """
    Text, faces and actions go both ways, under their author's name.
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
    A picture becomes a link, and the next message waits until it is fetched.
    """
    relay.sendPicture()
    relay.ming.tellGroup("猫咪", "看")
    relay.settle()
    first, second = relay.irc()
    assert first.startswith(f"{MING} http://qq.test/")
    assert second == f"{MING} 看"


def test_injection() -> None:
    """
    Line ends in a QQ message do not become IRC commands.
    """
    relay = MemoryRelay()
    relay.start()
    relay.ming.tellGroup("猫咪", "a\r\nQUIT :x\nb\0c")
    relay.settle()
    assert relay.irc() == [f"{MING} a", f"{MING} QUIT :x", f"{MING} bc"]
    assert "QUIT" not in [line.command for line in relay.server.last.received]


def test_restart() -> None:
    """
    The next relay on the same database sends what was queued, and does not
    relay a message again that the QQ server delivers a second time.
    """
    relay = MemoryRelay()
    relay.start()
    relay.server.isMute = True
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    [message] = [relay.outbox.first(queue) for queue in relay.outbox.queues()]
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
    ready to send, and deleted when it is delivered; its ids are written as well.
    """
    statements: list[str] = []
    relay.database.connection.set_trace_callback(statements.append)
    relay.ming.tellGroup("猫咪", "茶好了")
    relay.settle()
    assert relay.irc() == [f"{MING} 茶好了"]
    written = [each for each in statements if not each.startswith("SELECT")]
    assert [" ".join(each.split()[:3]) for each in written] == [
        "INSERT INTO relayed",
        "INSERT OR REPLACE",
        "BEGIN IMMEDIATE",
        "INSERT OR IGNORE",
        "INSERT INTO piece",
        "COMMIT",
        "INSERT OR REPLACE",
        "DELETE FROM piece",
    ]


def test_completedLater(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message with a picture is written when it comes, and sent in its place
    when the picture is fetched.
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
    # The server keeps the one behind it until then.
    assert relay.outbox.count(queue) == 1
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
    C{ignore-text} is also applied to the text without links.
    """
    relay = MemoryRelay(ignoredTexts=(re.compile(r"\[图片\]"),))
    relay.start()
    relay.sendPicture()
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    assert relay.irc() == [f"{MING} 第 1"]


def test_noticesLimited(relay: MemoryRelay) -> None:
    """
    The notice that a target is unreachable is limited in rate.
    """
    for _ in range(5):
        relay.server.last.send(Line("PART", ("#cats",), "qqrelay!r@host"))
        relay.server.refuse["#cats"] = "474"
        relay.settle(GRACE + 5)
        del relay.server.refuse["#cats"]
        relay.settle(310)
    gone = [line for line in relay.qq() if "is unreachable" in line]
    assert len(gone) == 3


def test_link() -> None:
    """
    A text of many lines is sent as its beginning and a link to all of it.
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


@pytest.mark.parametrize(
    ("overflow", "kept"),
    [(OverflowPolicy.REFUSE_NEW, [0, 1, 2]), (OverflowPolicy.DROP_OLDEST, [0, 4, 5])],
)
def test_full(overflow: OverflowPolicy, kept: list[int]) -> None:
    """
    A full queue drops messages, with a notice at the source, and one in their
    place.
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


def test_notRelayed() -> None:
    """
    Opted-out, ignored, NOTICE and private messages are not relayed.
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
    A QQ user can be ignored by number.
    """
    relay = MemoryRelay(ignoredNicks=frozenset({"10002"}))
    assert relay.ming.number == 10002
    relay.start()
    relay.ming.tellGroup("猫咪", "听不见")
    relay.settle()
    assert relay.irc() == []
    assert relay.outbox.queues() == {}


def test_unreachable(relay: MemoryRelay) -> None:
    """
    The others get a notice that a target is unreachable, and one when it is
    reachable again, with the messages that were queued.
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


def test_copies(relay: MemoryRelay) -> None:
    """
    A copy from another relay is dropped: by its origin tag, its msgid and its
    text, also when it comes before the original.
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


def test_fullDisk(relay: MemoryRelay) -> None:
    """
    Messages that cannot be stored are announced at their source and relayed when
    there is room, in order; the connections stay, and the QQ server keeps its
    messages.
    """
    connections = len(relay.server.connections)
    fill(relay, isFull=True)
    long = "x" * 4000
    for _ in range(3):
        relay.server.bob(long)
        relay.ming.tellGroup("猫咪", long)
    relay.settle()
    store = relay.web.state.store.messages
    assert store.unacknowledged(relay.alice.number)
    fill(relay, isFull=False)
    assert len(relay.server.connections) == connections
    [toIRC] = [line for line in relay.irc() if "cannot be relayed" in line]
    [toQQ] = [line for line in relay.qq() if "cannot be relayed" in line]
    assert "full" in toIRC
    assert toIRC == toQQ
    relay.server.bob("number 1")
    relay.settle(LONGEST_PAUSE + 60)
    assert relay.qq()[-1] == "<bob> number 1"
    assert sum(line.count("x") for line in relay.qq()) == 3 * len(long)
    assert sum(line.count("x") for line in relay.irc()) >= 3 * 400
    assert not store.unacknowledged(relay.alice.number)


def test_hostileTitle(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A group name with line ends is sent as one line.
    """
    title = property(lambda link: "x\r\nQUIT\0")
    monkeypatch.setattr(type(relay.groupLink), "title", title)

    async def refuse(target: object, content: object, sendId: str) -> None:
        raise RequestRefused(1, "a\0b")

    monkeypatch.setattr(relay.account.qq.actions, "send", refuse)
    relay.server.bob("hello")
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle(20)
    assert digits(relay.irc()) == [1]
    assert "QUIT" not in [line.command for line in relay.server.last.received]


def test_neverReached() -> None:
    """
    A target that is unreachable from the start is announced.
    """
    relay = MemoryRelay()
    relay.server.refuse["#cats"] = "474"
    relay.room.start()
    relay.start()
    relay.settle(GRACE + 5)
    assert relay.qq() == ["#cats is unreachable; messages for it are queued"]


def test_backAgain(relay: MemoryRelay) -> None:
    """
    The notice that a target is reachable again comes even when its state was
    reported several times.
    """
    relay.network.stopService()
    relay.settle(GRACE + 5)
    for _ in range(3):
        relay.room.availabilityChanged(relay.link)
        relay.settle(NOTICES_WINDOW / 4)
    relay.network.startService()
    relay.settle()
    assert relay.qq()[-1] == "#cats is reachable again"


def test_stop(relay: MemoryRelay) -> None:
    """
    A stopped room starts no timer when its targets change.
    """
    relay.room.stop()
    before = set(relay.clock.getDelayedCalls())
    relay.room.availabilityChanged(relay.link)
    relay.link.disconnected()
    relay.room.channelMessageReceived(relay.link, "bob", "<小明> 茶好了", False, "", "")
    assert set(relay.clock.getDelayedCalls()) <= before


@pytest.mark.parametrize(
    "text", ["(^_^) hello", "[doge] hello", "(笑) 好", "<3 > you", "* hello world"]
)
def test_emoticon(relay: MemoryRelay, text: str) -> None:
    """
    A message that begins with an emoticon is relayed at once, though it has the
    form of a relayed message.
    """
    relay.server.bob(text)
    relay.settle(0)
    assert relay.qq() == [f"<bob> {text}"]


def test_gb18030() -> None:
    """
    No zero width space is sent to a network of another encoding, whose clients
    would show it as garbage.
    """
    relay = MemoryRelay({"encoding": "gb18030"})
    relay.start()
    relay.ming.tellGroup("猫咪", "茶好了")
    relay.server.bob("!users")
    relay.settle(0)
    relay.rename("大明")
    relay.settle()
    assert relay.irc() == [
        "<小明> 茶好了",
        "猫咪 (1): 小明",
        "小明 is now known as 大明",
    ]
