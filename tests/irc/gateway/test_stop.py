"""
The gateway service: stopping and deleting expired messages.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.accounts import AccountSettings, PictureSettings
from txwebqq.irc.config.gateway import GatewaySettings, UserSettings
from txwebqq.irc.gateway.service import CLEANUP_PAUSE, GatewayService
from txwebqq.irc.gateway.storage.history import HistoryStore
from txwebqq.irc.gateway.storage.message import HistoryMessage
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.protocol.lineconnection import CLOSE_TIMEOUT
from txwebqq.irc.protocol.nicknames import NickStyle
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Account, Number
from txwebqq.sqlite.database import Database


class Transport(StringTransport):
    """
    A transport that loses its connection when it is aborted.
    """

    protocol: Any

    def abortConnection(self) -> None:
        self.protocol.connectionLost(Failure(ConnectionDone()))


def test_stop(tmp_path: Path) -> None:
    """
    Clients are sent C{ERROR}, and those that do not read are disconnected
    after a time-out; nothing is left on the clock.
    """
    reactor: Any = MemoryReactorClock()
    user = UserSettings(
        "alice",
        "oolong",
        NickStyle.PINYIN,
        (AccountSettings(Account(Number(10001), "green")),),
    )
    settings = GatewaySettings(
        (user,),
        database=tmp_path / "gateway.sqlite",
        pictures=PictureSettings("tcp:6680", "http://qq.test"),
    )
    gateway = GatewayService(settings, reactor)
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
        reactor.advance(CLOSE_TIMEOUT / 10)
    assert stopped == []
    reactor.advance(CLOSE_TIMEOUT / 10)
    assert stopped == [None]
    assert reactor.getDelayedCalls() == []


def test_pinyin() -> None:
    """
    With C{nicks = "pinyin"}, nicks are written in the Latin alphabet.
    """
    reactor: Any = MemoryReactorClock()
    account = AccountSettings(Account(Number(10001), "green"))
    user = UserSettings("alice", "oolong", NickStyle.PINYIN, (account,))
    alice = GatewayService(GatewaySettings((user,)), reactor).users["alice"]
    assert alice.directory.nickOf(10002, "小明") == "XiaoMing"
    assert alice.directory.nickOf(10003, "Bob") == "Bob"


def test_pinyinNotInstalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without pypinyin, the error names the command that installs it.
    """
    monkeypatch.setitem(sys.modules, "pypinyin", None)
    account = AccountSettings(Account(Number(10001), "green"))
    user = UserSettings("alice", "oolong", NickStyle.PINYIN, (account,))
    reactor: Any = MemoryReactorClock()
    with pytest.raises(InvalidConfiguration, match=r"'\.\[irc\]' in the checkout"):
        GatewayService(GatewaySettings((user,)), reactor)


def withOldMessages(path: Path, count: int) -> None:
    """
    Make a database with messages that have expired.
    """
    database = Database(path, GATEWAY_SCHEMA)
    history = HistoryStore(database)
    target = Target(TargetKind.CONTACT, 10002)
    message = HistoryMessage(
        "alice", target, 1, Number(10001), Number(10002), "ming", "hello"
    )
    for _ in range(count):
        history.append(message)
    database.close()


def left(path: Path) -> int:
    database = Database(path, GATEWAY_SCHEMA)
    (count,) = database.connection.execute("SELECT count(*) FROM said").fetchone()
    database.close()
    return int(count)


@pytest.mark.parametrize(("pauses", "expected"), [(0, 1500), (1, 500), (2, 0), (5, 0)])
def test_expires(tmp_path: Path, pauses: int, expected: int) -> None:
    """
    All expired messages are deleted in parts; a stop in between leaves nothing
    on the clock.
    """
    path = tmp_path / "gateway.sqlite"
    withOldMessages(path, 2500)
    reactor: Any = MemoryReactorClock()
    reactor.advance(10**9)
    account = AccountSettings(Account(Number(10001), "green"))
    user = UserSettings("alice", "oolong", NickStyle.UTF8, (account,))
    gateway = GatewayService(GatewaySettings((user,), database=path), reactor)
    gateway.startService()
    for _ in range(pauses):
        reactor.advance(CLEANUP_PAUSE)
    stopped: list[object] = []
    gateway.stopService().addBoth(stopped.append)
    reactor.advance(CLOSE_TIMEOUT)
    assert stopped == [None]
    assert reactor.getDelayedCalls() == []
    assert left(path) == expected
