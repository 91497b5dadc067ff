"""
What keeps a lane going when something on its way goes wrong.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from twisted.python.failure import Failure

from tests.irc.relays import Scene, digits
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
def scene() -> Scene:
    """
    Everybody is there.
    """
    scene = Scene()
    scene.start()
    return scene


def fill(scene: Scene, isFull: bool) -> None:
    """
    Let the database have no more pages than it has, or as many as it likes.
    """
    db = scene.database.connection
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages if isFull else 1_000_000}")


def test_neverCompleted(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message that is never completed is sent as it is, and does not hold up the
    next message for ever.
    """

    def forget(account: object, message: IncomingMessage) -> None:
        return

    with monkeypatch.context() as patch:
        patch.setattr(scene.account, "messageReceived", forget)
        scene.sendPicture()
        scene.settle()
    scene.ming.tellGroup("猫咪", "第 2")
    scene.settle()
    assert scene.irc() == []
    scene.settle(COMPLETION_TIMEOUT + 10)
    assert scene.irc() == [f"{MING} [图片]", f"{MING} 第 2"]


def test_broughtAgain(scene: Scene) -> None:
    """
    What was half said when it is brought a second time is said once.
    """
    scene.server.isMute = True
    scene.ming.tellGroup("猫咪", "第 1\n第 2")
    scene.settle()
    queue = scene.room.queues()[1]
    message = scene.outbox.first(queue)
    assert message is not None
    scene.outbox.acknowledge(message, "第 2")
    origin = message.origin
    scene.outbox.enqueue(message, 100, OverflowPolicy.REFUSE_NEW)
    scene.outbox.withdraw(queue, origin)
    left = scene.outbox.first(queue)
    assert left is not None
    assert left.text == "第 2"


def test_fullDisk(scene: Scene) -> None:
    """
    What cannot be kept is announced where it was said, and ends no connection.
    """
    connections = len(scene.server.connections)
    fill(scene, isFull=True)
    long = "x" * 4000
    for _ in range(3):
        scene.server.bob(long)
        scene.ming.tellGroup("猫咪", long)
    scene.settle()
    fill(scene, isFull=False)
    assert len(scene.server.connections) == connections
    [toIRC] = [line for line in scene.irc() if "cannot be relayed" in line]
    [toQQ] = [line for line in scene.qq() if "cannot be relayed" in line]
    assert "full" in toIRC
    assert toIRC == toQQ
    scene.server.bob("number 1")
    scene.settle(LONGEST_PAUSE + 10)
    assert digits(scene.qq()) == [1]


def test_fullAfterwards(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What was said is not said again while the database cannot note that.
    """
    advance = scene.outbox.acknowledge

    def fail(message: OutboxMessage, rest: str) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(scene.outbox, "acknowledge", fail)
        scene.ming.tellGroup("猫咪", "第 1")
        scene.settle(LONGEST_PAUSE * 5)
    assert scene.outbox.acknowledge == advance
    scene.ming.tellGroup("猫咪", "第 2")
    scene.settle(LONGEST_PAUSE + 10)
    assert digits(scene.irc()) == [1, 2]


def test_faulty(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, flushLoggedErrors: Flush
) -> None:
    """
    Words that nobody can say are left out after some time.
    """
    send = scene.account.qq.actions.send

    async def stumble(place: object, content: object) -> None:
        if "number 1" in str(content):
            raise ValueError("not these")
        await send(place, content)  # type: ignore[arg-type]

    monkeypatch.setattr(scene.account.qq.actions, "send", stumble)
    scene.server.bob("number 1")
    scene.server.bob("number 2")
    scene.settle(400)
    assert digits(scene.qq()) == [2]
    assert len(flushLoggedErrors(ValueError)) == MAX_REFUSALS


def test_censored(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A channel that takes everything but one text does not wait behind it.
    """
    answer = scene.server.answer

    def censor(connection: object, line: Line) -> None:
        if line.command == "PRIVMSG" and "lottery" in line.params[1]:
            line = Line("404", ("qqrelay", "#cats", "censored"))
            connection.send(line)  # type: ignore[attr-defined]
            return
        answer(connection, line)  # type: ignore[arg-type]

    monkeypatch.setattr(scene.server, "answer", censor)
    scene.ming.tellGroup("猫咪", "lottery")
    scene.ming.tellGroup("猫咪", "第 2")
    scene.settle(600)
    said = [line for line in scene.irc() if "lottery" not in line]
    assert said == ["1 message was dropped here: it was refused", f"{MING} 第 2"]
    assert scene.outbox.queues() == {}


def test_hostileTitle(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A group's name that is no line does not block the channel.
    """
    title = property(lambda table: "x\r\nQUIT\0")
    monkeypatch.setattr(type(scene.groupLink), "title", title)

    async def refuse(place: object, content: object) -> None:
        raise RequestRefused(1, "a\0b")

    monkeypatch.setattr(scene.account.qq.actions, "send", refuse)
    scene.server.bob("hello")
    scene.ming.tellGroup("猫咪", "第 1")
    scene.settle(20)
    assert digits(scene.irc()) == [1]
    assert "QUIT" not in [line.command for line in scene.server.last.said]


def test_neverReached() -> None:
    """
    That a place cannot be reached from the start is told, too.
    """
    scene = Scene()
    scene.server.refuse["#cats"] = "474"
    scene.room.start()
    scene.start()
    scene.settle(GRACE + 5)
    assert scene.qq() == ["#cats is unreachable; messages for it are queued"]


def test_backAgain(scene: Scene) -> None:
    """
    Who was told that a place is gone is told that it is back, however often it
    was tried meanwhile.
    """
    scene.network.stopService()
    scene.settle(GRACE + 5)
    for _ in range(3):
        scene.room.availabilityChanged(scene.link)
        scene.settle(NOTICES_WINDOW / 4)
    scene.network.startService()
    scene.settle()
    assert scene.qq()[-1] == "#cats is reachable again"


def test_nothingLeft(scene: Scene) -> None:
    """
    Stopped, a room leaves nothing on the clock when its places go.
    """
    scene.room.stop()
    before = set(scene.clock.getDelayedCalls())
    scene.room.availabilityChanged(scene.link)
    scene.link.disconnected()
    scene.room.channelMessageReceived(scene.link, "bob", "<小明> 茶好了", False, "", "")
    assert set(scene.clock.getDelayedCalls()) <= before


def test_puppetLost() -> None:
    """
    What a puppet could not say is said all the same, now.
    """
    scene = Scene({"puppets": 1})
    scene.start()
    main = scene.server.last
    scene.ming.tellGroup("猫咪", "第 1")
    scene.settle()
    puppet = scene.server.last
    scene.server.isMute = True
    scene.ming.tellGroup("猫咪", "第 2")
    scene.settle()
    assert puppet.privmsgs() == ["第 2"]
    scene.server.isMute = False
    puppet.close()
    scene.settle()
    assert main.privmsgs() == [f"{MING} 第 1", f"{MING} 第 2"]
    assert scene.outbox.queues() == {}


def test_puppetRefused() -> None:
    """
    Where a puppet may not speak, the relay speaks for it.
    """
    scene = Scene({"puppets": 1})
    scene.start()
    main = scene.server.last
    scene.ming.tellGroup("猫咪", "第 1")
    scene.settle()
    puppet = scene.server.last
    answer = scene.server.answer

    def moderate(connection: object, line: Line) -> None:
        if connection is puppet and line.command == "PRIVMSG":
            puppet.send(Line("404", ("x", "#cats", "moderated")))
        else:
            answer(connection, line)  # type: ignore[arg-type]

    scene.server.answer = moderate  # type: ignore[method-assign]
    scene.ming.tellGroup("猫咪", "第 2")
    scene.settle()
    assert digits(main.privmsgs()) == [1, 2]


def test_joinedLater(scene: Scene) -> None:
    """
    A group that was not known at the sign-on is asked for again.
    """
    target = scene.groupLink.group.target
    del scene.account.qq.contacts.conversations[target]
    scene.account.signedOn(scene.account.qq)
    scene.server.bob("hello")
    scene.settle()
    assert scene.qq() == []
    scene.settle(RETRY_GROUPS + 5)
    assert scene.qq() == ["<bob> hello"]


def test_unreadable(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When the database cannot be read for a while, what waits is said after it,
    without anybody saying more.
    """

    def fail(lane: str) -> OutboxMessage | None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(scene.outbox, "first", fail)
        scene.ming.tellGroup("猫咪", "第 1")
        scene.settle()
    assert scene.irc() == []
    scene.settle(LONGEST_PAUSE + 5)
    assert digits(scene.irc()) == [1]
