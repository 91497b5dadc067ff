"""
Delivery of queued messages, and its failures.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from twisted.python.failure import Failure

from tests.irc.memoryrelay import MemoryRelay, digits
from txwebqq.irc.config.policies import OverflowPolicy
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.relay.sender import COMPLETION_TIMEOUT, LONGEST_PAUSE, MAX_REFUSALS
from txwebqq.irc.relay.storage.outbox import OutboxMessage
from txwebqq.model import Sent

MING = "<小\u200b明>"

Flush = Callable[..., list[Failure]]


def test_unanswered() -> None:
    """
    A line stays in the outbox until the PONG behind it, and is sent again on
    the next connection.
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


def test_moderated(relay: MemoryRelay) -> None:
    """
    A message that a channel refuses is sent again until it is accepted, and the
    group is told the reason.
    """
    relay.server.refuse["PRIVMSG"] = "404"
    relay.ming.tellGroup("猫咪", "在吗")
    relay.settle(3)
    assert relay.qq() == ["A message to #cats is delayed: Not now"]
    del relay.server.refuse["PRIVMSG"]
    relay.settle(30)
    assert relay.irc()[-1] == f"{MING} 在吗"
    assert relay.outbox.queues() == {}


def test_neverCompleted(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message that is never completed is sent as it is, and delays the next
    message only for a time.
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


def test_deliveredAgain(relay: MemoryRelay) -> None:
    """
    A partly sent message that the QQ server delivers again is not changed.
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


def test_fullAfterSending(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message that was sent is not sent again while the database cannot record
    that.
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
    A message whose sending raises an unexpected error is dropped after some
    tries.
    """
    send = relay.account.qq.actions.send

    async def failForOne(target: object, content: object, sendId: str) -> Sent:
        if "number 1" in str(content):
            raise ValueError("not these")
        return await send(target, content)  # type: ignore[arg-type]

    monkeypatch.setattr(relay.account.qq.actions, "send", failForOne)
    relay.server.bob("number 1")
    relay.server.bob("number 2")
    relay.settle(400)
    assert digits(relay.qq()) == [2]
    assert len(flushLoggedErrors(ValueError)) == MAX_REFUSALS


def test_censored(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message that a channel refuses for its text delays the next one
    only for a time.
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


def test_unreadable(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When the database cannot be read for a while, queued messages are sent
    afterwards.
    """

    def fail(queue: str) -> OutboxMessage | None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(relay.outbox, "first", fail)
        relay.ming.tellGroup("猫咪", "第 1")
        relay.settle()
    assert relay.irc() == []
    relay.settle(LONGEST_PAUSE + 5)
    assert digits(relay.irc()) == [1]
