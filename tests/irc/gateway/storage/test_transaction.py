"""
The transaction of one turn of the reactor.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactor
from twisted.logger import capturedLogs, formatEvent

from tests.irc.memorygateway import MemoryGateway
from txwebqq import accounts
from txwebqq.irc.config.accounts import AccountSettings
from txwebqq.irc.config.gateway import GatewaySettings, UserSettings
from txwebqq.irc.gateway.service import GatewayService
from txwebqq.irc.gateway.storage.history import HistoryStore
from txwebqq.irc.gateway.storage.message import HistoryMessage
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.gateway.storage.seen import SEEN_DELAY
from txwebqq.irc.protocol.lineconnection import CLOSE_TIMEOUT
from txwebqq.irc.protocol.nicknames import NickStyle
from txwebqq.irc.qq.account import QQAccount
from txwebqq.irc.qq.medialinks import MediaLinks
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Font, Number, Reply, Text
from txwebqq.sqlite.database import MEMORY, Database
from txwebqq.testing import MemoryPerson, MemoryWebQQ

CATS = Target(TargetKind.GROUP, 200001)
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100


def message(text: str) -> HistoryMessage:
    return HistoryMessage("al", CATS, 5, Number(10001), Number(10002), "Bob", text)


def breakCommit(database: Database) -> None:
    """
    Have the next commit fail, with a row that refers to a row which is missing.
    """
    db = database.connection
    if not db.execute("PRAGMA foreign_keys").fetchone()[0]:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("CREATE TEMP TABLE one (key INTEGER PRIMARY KEY)")
        db.execute(
            "CREATE TEMP TABLE broken (key INTEGER REFERENCES one DEFERRABLE"
            " INITIALLY DEFERRED)"
        )
    db.execute(
        "CREATE TEMP TRIGGER breaks AFTER INSERT ON said BEGIN"
        " INSERT INTO broken VALUES (1); END"
    )


def mendCommit(database: Database) -> None:
    database.connection.execute("DROP TRIGGER breaks")


def test_oneTransaction(tmp_path: Path) -> None:
    """
    The messages of one turn are committed together when it ends, and what
    clients have seen with the next message, or after a while.
    """
    clock = Clock()
    database = Database(tmp_path / "gateway.db", GATEWAY_SCHEMA)
    reader = sqlite3.connect(tmp_path / "gateway.db")
    history = HistoryStore(database, callLater=clock.callLater)

    def stored() -> tuple[int, list[int]]:
        (count,) = reader.execute("SELECT count(*) FROM said").fetchone()
        return count, [s for (s,) in reader.execute("SELECT serial FROM seen")]

    first = history.append(message("one"))
    history.append(message("two"))
    assert first is not None
    assert stored() == (0, [])
    clock.advance(0)
    assert stored() == (2, [])
    history.seen.mark("al", "phone", first.serial)
    history.seen.mark("al", "phone", 0)
    assert history.seen.last("al", "phone") == first.serial
    assert [each.text for each in history.missed("al", "phone", 9)] == ["two"]
    history.append(message("three"))
    clock.advance(0)
    assert stored() == (3, [first.serial])
    history.seen.mark("al", "phone", 0)
    assert history.seen.last("al", "phone") == first.serial
    history.seen.mark("al", "phone", first.serial + 1)
    clock.advance(SEEN_DELAY)
    clock.advance(0)
    assert stored() == (3, [first.serial + 1])
    history.append(message("four"))
    history.seen.mark("al", "phone", first.serial + 2)
    history.stop()
    assert stored() == (4, [first.serial + 2])
    assert clock.getDelayedCalls() == []
    reader.close()
    database.close()


def test_rolledBack() -> None:
    """
    The caller that stored a message that cannot be committed is told, and its
    serial is not given again.
    """
    clock = Clock()
    database = Database(MEMORY, GATEWAY_SCHEMA)
    history = HistoryStore(database, callLater=clock.callLater)
    breakCommit(database)
    lost: list[str] = []
    history.append(message("one"), lambda _: lost.append("one"))
    history.append(message("two"), lambda _: lost.append("two"))
    assert lost == []
    clock.advance(0)
    assert lost == ["one", "two"]
    assert history.latest("al", CATS, 9) == []
    mendCommit(database)
    again = history.append(message("one"), lambda _: lost.append("never"))
    clock.advance(0)
    assert again is not None
    assert again.serial == 3
    assert history.latest("al", CATS, 9) == [again]
    assert lost == ["one", "two"]
    breakCommit(database)
    history.append(message("three"))
    with pytest.raises(sqlite3.Error):
        history.commit()
    assert clock.getDelayedCalls() == []


def test_rolledBackBySQLite() -> None:
    """
    A transaction that SQLite has rolled back is noticed before the next write.
    """
    clock = Clock()
    database = Database(MEMORY, GATEWAY_SCHEMA)
    history = HistoryStore(database, callLater=clock.callLater)
    lost: list[str] = []
    history.append(message("one"), lambda _: lost.append("one"))
    database.connection.execute("ROLLBACK")
    two = history.append(message("two"), lambda _: lost.append("two"))
    assert lost == ["one"]
    clock.advance(0)
    assert history.latest("al", CATS, 9) == [two]
    history.append(message("three"), lambda _: lost.append("three"))
    database.connection.execute("ROLLBACK")
    clock.advance(0)
    assert lost == ["one", "three"]


def test_lostTogether() -> None:
    """
    When a caller that is told of its loss raises an exception, the others are told
    as well.
    """
    clock = Clock()
    database = Database(MEMORY, GATEWAY_SCHEMA)
    history = HistoryStore(database, callLater=clock.callLater)
    breakCommit(database)
    lost: list[sqlite3.Error] = []
    history.append(message("one"), lambda _: 1 // 0)
    history.append(message("two"), lost.append)
    with pytest.raises(ZeroDivisionError):
        clock.advance(0)
    assert len(lost) == 1


def test_atOnce(tmp_path: Path) -> None:
    """
    The writes of a turn, and those in the block, are committed at once; later ones
    at the end of the turn.
    """
    clock = Clock()
    database = Database(tmp_path / "gateway.db", GATEWAY_SCHEMA)
    reader = sqlite3.connect(tmp_path / "gateway.db")
    history = HistoryStore(database, callLater=clock.callLater)

    def stored() -> int:
        (count,) = reader.execute("SELECT count(*) FROM said").fetchone()
        return int(count)

    history.append(message("one"))
    with history.atOnce():
        assert stored() == 1
        history.append(message("two"))
        assert stored() == 2
    history.append(message("three"))
    assert stored() == 2
    clock.advance(0)
    assert stored() == 3
    breakCommit(database)
    lost: list[sqlite3.Error] = []
    history.append(message("four"), lost.append)
    with history.atOnce():
        assert len(lost) == 1
    assert stored() == 3
    assert clock.getDelayedCalls() == []
    reader.close()
    database.close()


def test_pictureWithin() -> None:
    """
    A picture is stored within the transaction of a turn, and one that cannot be
    stored takes nothing else with it.
    """
    clock = Clock()
    database = Database(MEMORY, GATEWAY_SCHEMA)
    history = HistoryStore(database, callLater=clock.callLater)
    links = MediaLinks(database, clock.seconds, "http://qq.test/p")
    one = history.append(message("one"))
    link = links.add(PNG)
    database.connection.execute(
        "CREATE TEMP TRIGGER breaks AFTER INSERT ON link BEGIN"
        " SELECT RAISE(FAIL, 'broken'); END"
    )
    with capturedLogs() as events:
        assert links.add(PNG + b"y") is None
    assert "broken" in formatEvent(events[0])
    clock.advance(0)
    assert link is not None
    assert links.find(link.rpartition("/")[2]) is not None
    assert database.count("SELECT count(*) FROM link") == 1
    assert history.latest("al", CATS, 9) == [one]
    assert not database.connection.in_transaction


def kept(web: MemoryWebQQ, person: MemoryPerson) -> int:
    """
    Return the number of messages that the server keeps for an account.
    """
    number, messages = person.number, web.state.store.messages
    return len(messages.unacknowledged(number)) + len(messages.waiting(number, 0, 99))


def test_replyWithoutDatabase(gateway: MemoryGateway) -> None:
    """
    A reply, and a message that the account has sent elsewhere, are shown also while
    the database can neither be read nor written to, and stored later.
    """
    client = gateway.client()
    user, database = gateway.aliceUser, gateway.database.connection
    (account,) = user.accounts.values()
    target = Target(TargetKind.GROUP, gateway.cats)
    database.execute("ALTER TABLE said RENAME TO gone")
    client.transport.clear()
    for number, author in enumerate((gateway.ming.number, account.number), 8):
        content = (Reply(7), Text(f"m{number}"))
        message = IncomingMessage(target, author, content, Font(), 5, f"{number}")
        user.messageReceived(account, replace(message, id=number))
    gateway.web.settle(1)
    assert "PRIVMSG #猫咪 :m8" in client.seen
    assert "PRIVMSG #猫咪 :m9" in client.seen
    database.execute("ALTER TABLE gone RENAME TO said")
    user.conversations.storeAgain()
    gateway.web.settle(1)
    texts = [each.text for each in user.history.latest("alice", target, 9)]
    assert texts == ["m8", "m9"]


def test_shownAndKept(gateway: MemoryGateway) -> None:
    """
    Messages that cannot be committed are shown with one notice, the server keeps
    them, and they are stored in order when that is possible, and shown once.
    """
    client = gateway.client("message-tags")
    web, conversations = gateway.web, gateway.aliceUser.conversations
    breakCommit(gateway.database)
    client.transport.clear()
    with capturedLogs() as events:
        for text in ("one", "two"):
            gateway.ming.tell(gateway.alice, text)
            gateway.ming.tellGroup("猫咪", text)
        web.settle(40)
    shown = [formatEvent(e) for e in events if "Storing" in formatEvent(e)]
    assert len(shown) == 1
    assert client.seen.count("Messages cannot be stored now") == 1
    assert kept(web, gateway.alice) == 4
    before = client.seen
    mendCommit(gateway.database)
    conversations.storeAgain()
    web.settle(3)
    seen = client.seen
    for text in ("one", "two"):
        assert seen.count(f"PRIVMSG me :{text}") == 1
        assert seen.count(f"PRIVMSG #猫咪 :{text}") == 1
    assert "Messages are stored again" in seen.removeprefix(before)
    assert kept(web, gateway.alice) == 0
    history = gateway.aliceUser.history
    target = Target(TargetKind.GROUP, gateway.cats)
    texts = [each.text for each in history.latest("alice", target, 9)]
    assert texts == ["one", "two"]
    client.close()
    assert " PRIVMSG " not in gateway.client().seen


def test_renamed(gateway: MemoryGateway) -> None:
    """
    A name given in a turn whose messages cannot be committed is stored.
    """
    user, ming = gateway.aliceUser, gateway.ming.number
    breakCommit(gateway.database)
    user.conversations.notify("lost")
    assert user.rename(Target(TargetKind.CONTACT, ming), "Ming") == ""
    gateway.web.settle(3)
    query = "SELECT name FROM name WHERE place = ?"
    assert gateway.database.connection.execute(query, (ming,)).fetchall() == [("Ming",)]


def test_renamedInVain(gateway: MemoryGateway) -> None:
    """
    A name that cannot be stored is not given.
    """
    gateway.database.connection.execute(
        "CREATE TEMP TRIGGER breaks BEFORE INSERT ON name BEGIN"
        " SELECT RAISE(FAIL, 'disk full'); END"
    )
    client = gateway.client()
    seen = client.send("PRIVMSG *qq :rename 小明 Ming")
    assert "Ming cannot be stored: disk full" in seen
    assert "is now" not in seen
    gateway.ming.tell(gateway.alice, "hello")
    gateway.web.settle(3)
    assert ":小明!" in client.seen


def test_logout(gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A logout does not acknowledge a message of the same turn that cannot be
    committed.
    """
    user, number = gateway.aliceUser, gateway.alice.number
    user.services[number] = gateway.alice.service
    received = user.messageReceived

    def signOff(account: QQAccount, message: IncomingMessage) -> None:
        received(account, message)
        user.signOff(number)

    breakCommit(gateway.database)
    monkeypatch.setattr(user, "messageReceived", signOff)
    gateway.ming.tell(gateway.alice, "one")
    gateway.web.settle(3)
    assert not user.accounts[number].isOnline
    assert kept(gateway.web, gateway.alice) == 1


def test_logoutAtStop(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nor does the logout of a service that stops.
    """
    web = MemoryWebQQ()
    alice, ming = web.friends("Alice", "小明")
    ming.run()
    monkeypatch.setattr(accounts, "connect", lambda *where: web.client())
    reactor: Any = MemoryReactor()
    reactor.seconds, reactor.callLater = web.clock.seconds, web.clock.callLater
    settings = AccountSettings(alice.account)
    user = UserSettings("alice", "oolong", NickStyle.UTF8, (settings,))
    service = GatewayService(GatewaySettings((user,)), reactor)
    service.startService()
    web.settle(3)
    received = service.users["alice"].messageReceived
    stopped: list[Deferred[None]] = []

    def stop(account: QQAccount, message: IncomingMessage) -> None:
        received(account, message)
        stopped.append(service.stopService())

    breakCommit(service._database)
    monkeypatch.setattr(service.users["alice"], "messageReceived", stop)
    ming.tell(alice, "one")
    web.settle(CLOSE_TIMEOUT)
    web.result(stopped[0])
    assert kept(web, alice) == 1
    ming.stop()
    web.stop()
    assert web.clock.getDelayedCalls() == []


def test_confirmedAndLost(gateway: MemoryGateway) -> None:
    """
    A client that has confirmed a message whose storing failed misses no later
    one.
    """
    client = gateway.client()
    breakCommit(gateway.database)
    gateway.aliceUser.conversations.notify("lost")
    gateway.web.settle(3)
    mendCommit(gateway.database)
    client.close()
    gateway.aliceUser.conversations.storeAgain()
    gateway.ming.tell(gateway.alice, "later")
    gateway.web.settle(3)
    assert gateway.client().seen.count(":later") == 1
