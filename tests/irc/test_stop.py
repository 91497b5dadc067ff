"""
A gateway that is told to stop.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from txwebqq.irc.accounts import AccountSettings, PictureSettings
from txwebqq.irc.connection import FAREWELL
from txwebqq.irc.gateway import Gateway
from txwebqq.irc.gatewayconfig import GatewaySettings, UserSettings
from txwebqq.irc.nicks import Style
from txwebqq.model import Account, Number


class Transport(StringTransport):
    """
    Is lost when it is aborted, as a real one.
    """

    protocol: Any

    def abortConnection(self) -> None:
        self.protocol.connectionLost(Failure(ConnectionDone()))


def test_stop(tmp_path: Path) -> None:
    """
    It says goodbye, waits for clients that read slowly, though not for ever,
    and leaves nothing on the clock.
    """
    reactor: Any = MemoryReactorClock()
    user = UserSettings(
        "alice",
        "oolong",
        Style.PINYIN,
        (AccountSettings(Account(Number(10001), "green")),),
    )
    settings = GatewaySettings(
        (user,),
        database=tmp_path / "gateway.sqlite",
        pictures=PictureSettings("tcp:6680", "http://qq.test"),
    )
    gateway = Gateway(settings, reactor)
    gateway.startService()
    [links, door] = [listening[1] for listening in reactor.tcpServers]
    assert links.noisy is False
    protocol = door.buildProtocol(None)
    transport = Transport()
    transport.protocol = protocol
    protocol.makeConnection(transport)
    protocol.dataReceived(b"PASS alice:oolong\r\nNICK me\r\nUSER me 0 * x\r\n")
    assert b" 001 me " in transport.value()
    stopped: list[object] = []
    gateway.stopService().addBoth(stopped.append)
    assert transport.value().endswith(b"ERROR :The gateway is stopping\r\n")
    for _ in range(9):
        reactor.advance(FAREWELL / 10)
    assert stopped == []
    reactor.advance(FAREWELL / 10)
    assert stopped == [None]
    assert reactor.getDelayedCalls() == []


def test_pinyin() -> None:
    """
    Who reads no Chinese has nicks in Latin letters.
    """
    reactor: Any = MemoryReactorClock()
    account = AccountSettings(Account(Number(10001), "green"))
    user = UserSettings("alice", "oolong", Style.PINYIN, (account,))
    alice = Gateway(GatewaySettings((user,)), reactor).user("alice")
    assert alice.nickOf(10002, "小明") == "XiaoMing"
    assert alice.nickOf(10003, "Bob") == "Bob"
