"""
Messages to QQ groups.
"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.testing import MemoryReactorClock

from tests.irc.memoryrelay import MemoryRelay, digits
from txwebqq.errors import RequestRefused, Unreachable
from txwebqq.irc.config.accounts import AccountSettings, PictureSettings
from txwebqq.irc.config.relay import RelaySettings
from txwebqq.irc.relay.account import RETRY_GROUPS, RelayAccount
from txwebqq.irc.relay.service import RelayService
from txwebqq.model import Account, Number, Sent


def test_unanswered(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message whose answer was lost is looked for in the history, and sent again
    only if it is not there.
    """
    send = relay.account.qq.actions.send
    lost = [True, False]

    async def sendAndFail(target: object, content: object, sendId: str) -> Sent:
        if lost and lost.pop(0):
            await send(target, content)  # type: ignore[arg-type]
            raise Unreachable("the answer was lost")
        if lost:
            lost.clear()
            raise Unreachable("the question was lost")
        return await send(target, content)  # type: ignore[arg-type]

    monkeypatch.setattr(relay.account.qq.actions, "send", sendAndFail)
    relay.server.bob("number 1")
    relay.settle(30)
    relay.server.bob("number 2")
    relay.settle(60)
    assert digits(relay.qq()) == [1, 2]


def test_olderInHistory(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An equal text in the history that is old, or from another account, is not
    taken for the message.
    """
    relay.server.bob("hello")
    relay.settle(600)
    relay.ming.tellGroup("猫咪", "<bob> hello")
    send = relay.account.qq.actions.send
    lost = [True]

    async def sendAndFail(target: object, content: object, sendId: str) -> Sent:
        if lost.pop():
            lost.append(False)
            raise Unreachable("the question was lost")
        lost.append(False)
        return await send(target, content)  # type: ignore[arg-type]

    monkeypatch.setattr(relay.account.qq.actions, "send", sendAndFail)
    relay.server.bob("hello")
    relay.settle(30)
    assert relay.qq() == ["<bob> hello", "<bob> hello"]


def test_refused(relay: MemoryRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A message that QQ refuses again and again is dropped, and both sides get a
    notice.
    """

    async def refuse(target: object, content: object, sendId: str) -> None:
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


def test_joinedLater(relay: MemoryRelay) -> None:
    """
    A group that was unknown at the sign-on is fetched again.
    """
    target = relay.groupLink.group.target
    del relay.account.qq.contacts.conversations[target]
    relay.account.signedOn(relay.account.qq)
    relay.server.bob("hello")
    relay.settle()
    assert relay.qq() == []
    relay.settle(RETRY_GROUPS + 5)
    assert relay.qq() == ["<bob> hello"]


def test_pace() -> None:
    """
    Messages to QQ are sent at the pace of the configuration.
    """
    relay = MemoryRelay()
    relay.account.pacer = RelayAccount(
        relay.alice.number, relay.clock, relay.outbox, burst=2, seconds=0.5
    ).pacer
    relay.start()
    for n in range(8):
        relay.server.bob(f"number {n}")
    relay.settle(0)
    assert digits(relay.qq()) == [0, 1]
    relay.settle(1)
    assert digits(relay.qq()) == [0, 1, 2, 3]


def test_files() -> None:
    """
    The links of a relay know all of its accounts.
    """
    reactor: Any = MemoryReactorClock()
    accounts = tuple(
        AccountSettings(Account(Number(number), "green")) for number in (10001, 10002)
    )
    pictures = PictureSettings("tcp:6681", "http://qq.test")
    service = RelayService(RelaySettings(accounts, (), (), pictures=pictures), reactor)
    service.startService()
    assert service._links is not None
    assert service._links.files.accounts.keys() == {10001, 10002}
    service.stopService()
