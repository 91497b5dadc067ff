"""
The queue above an account of today's QQ.
"""

from __future__ import annotations

from txwebqq.model import (
    Delivered,
    Failed,
    Number,
    SendOutcome,
    ToFriend,
    ToGroup,
    Uncertain,
)
from txwebqq.onebot.memory.program import MemoryOneBot
from txwebqq.outbox.queue import MessageQueue
from txwebqq.sqlite.database import MEMORY
from txwebqq.testing import RecordingFactory


def test_queue() -> None:
    """
    Messages wait for the link, and a call without an answer is uncertain.
    """
    program = MemoryOneBot()
    alice = program.addFriend("Alice")
    cats = program.addGroup("cats", int(alice))
    service = program.makeService(RecordingFactory())
    queue: MessageQueue = service.addQueue(MEMORY)
    outcomes: list[SendOutcome] = []

    def send(text: str, isGroup: bool = False) -> None:
        to = ToGroup(Number(cats)) if isGroup else ToFriend(Number(alice))
        queue.send(to, text).addCallback(outcomes.append)
        program.settle()

    send("1")
    send("2", isGroup=True)
    assert outcomes == []
    service.startService()
    program.settle(2)
    assert [type(each) for each in outcomes] == [Delivered, Delivered]
    assert program.said == ["1", "2"]
    program.unanswered.add("send_private_msg")
    send("3")
    program.settle(61)
    assert type(outcomes[2]) is Uncertain
    program.unanswered.clear()
    program.isListening = False
    program.loseLink()
    send("4")
    program.settle(10)
    assert len(outcomes) == 3
    program.isListening = True
    program.settle(60)
    assert type(outcomes[3]) is Delivered
    queue.send(ToFriend(Number(9)), "x").addCallback(outcomes.append)
    program.settle()
    assert type(outcomes[4]) is Failed
    assert program.said == ["1", "2", "3", "4"]
    program.stop()
    assert program.clock.getDelayedCalls() == []
