"""
The gateway service: stopping, deleting expired messages, and new announcements.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import (
    MemoryReactor,
    MemoryReactorClock,
    StringTransport,
)
from twisted.python.failure import Failure

from txwebqq import accounts
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.accounts import AccountSettings, PictureSettings
from txwebqq.irc.config.gateway import GatewaySettings, UserSettings
from txwebqq.irc.gateway.connection import CONFIRM_TOKEN
from txwebqq.irc.gateway.service import (
    ANNOUNCEMENT_INTERVAL,
    CLEANUP_PAUSE,
    GatewayService,
)
from txwebqq.irc.gateway.storage.history import HistoryStore
from txwebqq.irc.gateway.storage.message import HistoryMessage
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.protocol.lineconnection import CLOSE_TIMEOUT
from txwebqq.irc.protocol.nicknames import NickStyle
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Account, Number
from txwebqq.sqlite.database import Database
from txwebqq.testing import MemoryWebQQ


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


def test_stopWhileAsking() -> None:
    """
    A client that would have been asked whether it has received a message leaves
    nothing on the clock.
    """
    reactor: Any = MemoryReactorClock()
    account = AccountSettings(Account(Number(10001), "green"))
    user = UserSettings("alice", "oolong", NickStyle.UTF8, (account,))
    gateway = GatewayService(GatewaySettings((user,)), reactor)
    gateway.startService()
    protocol = reactor.tcpServers[0][1].buildProtocol(None)
    transport = Transport()
    transport.protocol = protocol
    protocol.makeConnection(transport)
    protocol.dataReceived(b"PASS alice:oolong\r\nNICK me\r\nUSER me 0 * x\r\n")
    gateway.users["alice"].conversations.notify("one")
    reactor.advance(0)
    asked = transport.value().splitlines()[-1]
    assert asked.startswith(b"PING :" + CONFIRM_TOKEN.encode())
    protocol.dataReceived(asked.replace(b"PING", b"PONG") + b"\r\n")
    gateway.users["alice"].conversations.notify("two")
    stopped: list[object] = []
    gateway.stopService().addBoth(stopped.append)
    # The client has read all, so the connection is lost before any time-out.
    transport.abortConnection()
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


def test_announcements(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The announcements of groups are fetched again while the service runs; a stop
    while they are being fetched leaves nothing on the clock.
    """
    web = MemoryWebQQ()
    alice, ming = web.friends("Alice", "小明")
    web.group("猫咪", ming, alice)
    ming.run()
    monkeypatch.setattr(accounts, "connect", lambda *where: web.client())
    reactor: Any = MemoryReactor()
    reactor.seconds, reactor.callLater = web.clock.seconds, web.clock.callLater
    user = UserSettings(
        "alice", "oolong", NickStyle.UTF8, (AccountSettings(alice.account),)
    )
    gateway = GatewayService(GatewaySettings((user,)), reactor)
    gateway.startService()
    web.settle(3)
    contacts = gateway.users["alice"].accounts[alice.number].contacts
    code = ming.groupCalled("猫咪").code
    for text in ("tea at five", "tea at six"):
        web.result(ming.protocol.editGroup(code, notice=text))
        web.settle(ANNOUNCEMENT_INTERVAL)
        assert [each.memo for each in contacts.conversations.values()] == [text]
    web.clock.advance(ANNOUNCEMENT_INTERVAL)
    stopped = gateway.stopService()
    web.settle(CLOSE_TIMEOUT)
    web.result(stopped)
    ming.stop()
    web.stop()
    assert web.clock.getDelayedCalls() == []


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
