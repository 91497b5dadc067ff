"""
What keeps a lane going when something on its way goes wrong.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from twisted.python.failure import Failure

from tests.irc.memoryrelay import MemoryRelay, digits
from txwebqq.errors import RequestRefused
from txwebqq.irc.config.policies import OverflowPolicy
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.relay.account import RETRY_GROUPS
from txwebqq.irc.relay.outbox import OutboxMessage
from txwebqq.irc.relay.room import GRACE, NOTICES_WINDOW
from txwebqq.irc.relay.sender import COMPLETION_TIMEOUT, LONGEST_PAUSE, MAX_REFUSALS

Flush = Callable[..., list[Failure]]

MING = "<小\u200b明>"


@pytest.fixture
def relay() -> MemoryRelay:
    """
    Everybody is there.
    """
    relay = MemoryRelay()
    relay.start()
    return relay


def fill(relay: MemoryRelay, isFull: bool) -> None:
    """
    Let the database have no more pages than it has, or as many as it likes.
    """
    db = relay.database.connection
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages if isFull else 1_000_000}")


def test_neverCompleted(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message that is never completed is sent as it is, and does not hold up the
    next message for ever.
    """

    def forget(account: object, message: IncomingMessage) -> None:
        return

    with monkeypatch.context() as patch:
        patch.setattr(relay.account, "messageReceived", forget)
        relay.sendPicture()
        relay.settle()
    relay.ming.tellGroup("猫咪", "第 2")
    relay.settle()
    assert relay.irc() == []
    relay.settle(COMPLETION_TIMEOUT + 10)
    assert relay.irc() == [f"{MING} [图片]", f"{MING} 第 2"]


def test_broughtAgain(relay: MemoryRelay) -> None:
    """
    What was half said when it is brought a second time is said once.
    """
    relay.server.isMute = True
    relay.ming.tellGroup("猫咪", "第 1\n第 2")
    relay.settle()
    queue = relay.room.queues()[1]
    message = relay.outbox.first(queue)
    assert message is not None
    relay.outbox.acknowledge(message, "第 2")
    origin = message.origin
    relay.outbox.enqueue(message, 100, OverflowPolicy.REFUSE_NEW)
    relay.outbox.withdraw(queue, origin)
    left = relay.outbox.first(queue)
    assert left is not None
    assert left.text == "第 2"


def test_fullDisk(relay: MemoryRelay) -> None:
    """
    What cannot be kept is announced where it was said, and ends no connection.
    """
    connections = len(relay.server.connections)
    fill(relay, isFull=True)
    long = "x" * 4000
    for _ in range(3):
        relay.server.bob(long)
        relay.ming.tellGroup("猫咪", long)
    relay.settle()
    fill(relay, isFull=False)
    assert len(relay.server.connections) == connections
    [toIRC] = [line for line in relay.irc() if "cannot be relayed" in line]
    [toQQ] = [line for line in relay.qq() if "cannot be relayed" in line]
    assert "full" in toIRC
    assert toIRC == toQQ
    relay.server.bob("number 1")
    relay.settle(LONGEST_PAUSE + 10)
    assert digits(relay.qq()) == [1]


def test_fullAfterwards(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What was said is not said again while the database cannot note that.
    """
    advance = relay.outbox.acknowledge

    def fail(message: OutboxMessage, rest: str) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(relay.outbox, "acknowledge", fail)
        relay.ming.tellGroup("猫咪", "第 1")
        relay.settle(LONGEST_PAUSE * 5)
    assert relay.outbox.acknowledge == advance
    relay.ming.tellGroup("猫咪", "第 2")
    relay.settle(LONGEST_PAUSE + 10)
    assert digits(relay.irc()) == [1, 2]


def test_faulty(
    relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch, flushLoggedErrors: Flush
) -> None:
    """
    Words that nobody can say are left out after some time.
    """
    send = relay.account.qq.actions.send

    async def stumble(place: object, content: object) -> None:
        if "number 1" in str(content):
            raise ValueError("not these")
        await send(place, content)  # type: ignore[arg-type]

    monkeypatch.setattr(relay.account.qq.actions, "send", stumble)
    relay.server.bob("number 1")
    relay.server.bob("number 2")
    relay.settle(400)
    assert digits(relay.qq()) == [2]
    assert len(flushLoggedErrors(ValueError)) == MAX_REFUSALS


def test_censored(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A channel that takes everything but one text does not wait behind it.
    """
    answer = relay.server.answer

    def censor(connection: object, line: Line) -> None:
        if line.command == "PRIVMSG" and "lottery" in line.params[1]:
            line = Line("404", ("qqrelay", "#cats", "censored"))
            connection.send(line)  # type: ignore[attr-defined]
            return
        answer(connection, line)  # type: ignore[arg-type]

    monkeypatch.setattr(relay.server, "answer", censor)
    relay.ming.tellGroup("猫咪", "lottery")
    relay.ming.tellGroup("猫咪", "第 2")
    relay.settle(600)
    said = [line for line in relay.irc() if "lottery" not in line]
    assert said == ["1 message was dropped here: it was refused", f"{MING} 第 2"]
    assert relay.outbox.queues() == {}


def test_hostileTitle(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A group's name that is no line does not block the channel.
    """
    title = property(lambda table: "x\r\nQUIT\0")
    monkeypatch.setattr(type(relay.groupLink), "title", title)

    async def refuse(place: object, content: object) -> None:
        raise RequestRefused(1, "a\0b")

    monkeypatch.setattr(relay.account.qq.actions, "send", refuse)
    relay.server.bob("hello")
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle(20)
    assert digits(relay.irc()) == [1]
    assert "QUIT" not in [line.command for line in relay.server.last.said]


def test_neverReached() -> None:
    """
    That a place cannot be reached from the start is told, too.
    """
    relay = MemoryRelay()
    relay.server.refuse["#cats"] = "474"
    relay.room.start()
    relay.start()
    relay.settle(GRACE + 5)
    assert relay.qq() == ["#cats is unreachable; messages for it are queued"]


def test_backAgain(relay: MemoryRelay) -> None:
    """
    Who was told that a place is gone is told that it is back, however often it
    was tried meanwhile.
    """
    relay.network.stopService()
    relay.settle(GRACE + 5)
    for _ in range(3):
        relay.room.availabilityChanged(relay.link)
        relay.settle(NOTICES_WINDOW / 4)
    relay.network.startService()
    relay.settle()
    assert relay.qq()[-1] == "#cats is reachable again"


def test_nothingLeft(relay: MemoryRelay) -> None:
    """
    Stopped, a room leaves nothing on the clock when its places go.
    """
    relay.room.stop()
    before = set(relay.clock.getDelayedCalls())
    relay.room.availabilityChanged(relay.link)
    relay.link.disconnected()
    relay.room.channelMessageReceived(relay.link, "bob", "<小明> 茶好了", False, "", "")
    assert set(relay.clock.getDelayedCalls()) <= before


def test_puppetLost() -> None:
    """
    What a puppet could not say is said all the same, now.
    """
    relay = MemoryRelay({"puppets": 1})
    relay.start()
    main = relay.server.last
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    puppet = relay.server.last
    relay.server.isMute = True
    relay.ming.tellGroup("猫咪", "第 2")
    relay.settle()
    assert puppet.privmsgs() == ["第 2"]
    relay.server.isMute = False
    puppet.close()
    relay.settle()
    assert main.privmsgs() == [f"{MING} 第 1", f"{MING} 第 2"]
    assert relay.outbox.queues() == {}


def test_puppetRefused() -> None:
    """
    Where a puppet may not speak, the relay speaks for it.
    """
    relay = MemoryRelay({"puppets": 1})
    relay.start()
    main = relay.server.last
    relay.ming.tellGroup("猫咪", "第 1")
    relay.settle()
    puppet = relay.server.last
    answer = relay.server.answer

    def moderate(connection: object, line: Line) -> None:
        if connection is puppet and line.command == "PRIVMSG":
            puppet.send(Line("404", ("x", "#cats", "moderated")))
        else:
            answer(connection, line)  # type: ignore[arg-type]

    relay.server.answer = moderate  # type: ignore[method-assign]
    relay.ming.tellGroup("猫咪", "第 2")
    relay.settle()
    assert digits(main.privmsgs()) == [1, 2]


def test_joinedLater(relay: MemoryRelay) -> None:
    """
    A group that was not known at the sign-on is asked for again.
    """
    target = relay.groupLink.group.target
    del relay.account.qq.contacts.conversations[target]
    relay.account.signedOn(relay.account.qq)
    relay.server.bob("hello")
    relay.settle()
    assert relay.qq() == []
    relay.settle(RETRY_GROUPS + 5)
    assert relay.qq() == ["<bob> hello"]


def test_unreadable(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When the database cannot be read for a while, what waits is said after it,
    without anybody saying more.
    """

    def fail(lane: str) -> OutboxMessage | None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(relay.outbox, "first", fail)
        relay.ming.tellGroup("猫咪", "第 1")
        relay.settle()
    assert relay.irc() == []
    relay.settle(LONGEST_PAUSE + 5)
    assert digits(relay.irc()) == [1]
