"""
Messages of the relay whose answer is lost, at our server with a database.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet import error
from twisted.internet.defer import fail
from twisted.web.resource import Resource
from twisted.web.server import Request

from tests.irc.memoryrelay import MemoryRelay
from tests.outbox.test_faults import LOST
from tests.rig import HTML
from txwebqq.irc.config.policies import OverflowPolicy
from txwebqq.irc.relay.group import MAX_MESSAGE
from txwebqq.irc.relay.service import RELAY_SCHEMA
from txwebqq.irc.relay.storage.outbox import OutboxMessage
from txwebqq.server.storage.store import Store
from txwebqq.sqlite.database import Database
from txwebqq.testing import MemoryTreq, MemoryWebQQ, parseFaults

SEND = "/channel/send_qun_msg2"


def faults(fault: str, every: int) -> str:
    return f'[[fault]]\nevery = {every}\npaths = ["{SEND}"]\n{fault}'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """
    Make the database of the server.
    """
    store = Store(tmp_path / "server.db")
    yield store
    store.close()


class Relays:
    """
    Relays that run one after the other with one database.
    """

    def __init__(self, folder: Path, store: Store, fault: str = "") -> None:
        self._folder = folder
        self._count = 0
        plan = parseFaults(fault) if fault else None
        web = MemoryWebQQ(store=store, faults=plan)
        self.relay = MemoryRelay(database=self._open(), web=web)
        self.relay.start()

    def _open(self) -> Database:
        return Database(self._folder / f"relay{self._count}.db", RELAY_SCHEMA)

    def kill(self) -> None:
        """
        Kill the relay, and start another one.
        """
        file, self._count = self._folder / f"relay{self._count}.db", self._count + 1
        for end in ("", "-wal"):
            shutil.copy(f"{file}{end}", self._folder / f"relay{self._count}.db{end}")
        former = self.relay
        treq, request = former.web.treq, former.web.treq.request
        treq.request = lambda *args, **more: fail(error.ConnectionRefusedError())
        former.stop()
        former.alice.stop()
        treq.request = request
        former.database.close()
        self.relay = MemoryRelay(database=self._open(), former=former)
        self.relay.start()

    def stop(self) -> None:
        self.relay.stop()
        self.relay.alice.stop()
        self.relay.ming.stop()
        self.relay.web.stop()
        self.relay.database.close()


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_once(fault: str, tmp_path: Path, store: Store) -> None:
    """
    Each message comes once and in order, also one that a user has sent twice.
    """
    relays = Relays(tmp_path, store, faults(fault, 2))
    relay = relays.relay
    texts = ["one", "again", "again", "two"]
    for text in texts:
        relay.server.bob(text)
    relay.settle(500)
    assert relay.qq() == [f"<bob> {text}" for text in texts]
    assert relay.outbox.queues() == {}
    relays.stop()


@pytest.mark.parametrize("when", ["before", "after"])
def test_kill(when: str, tmp_path: Path, store: Store) -> None:
    """
    A relay that is killed while it does not know whether a message was accepted is
    followed by one that finds out; an equal message of the user is another one.
    """
    fault = faults(f'kind = "reset"\nwhen = "{when}"', 2)
    relays = Relays(tmp_path, store, fault)
    relays.relay.server.bob("one")
    relays.relay.settle(1)
    relays.relay.server.bob("again")
    relays.relay.settle(1)
    assert len(relays.relay.qq()) == (2 if when == "after" else 1)
    assert relays.relay.outbox.queues() != {}
    relays.kill()
    relays.relay.server.bob("again")
    relays.relay.settle(60)
    assert relays.relay.qq() == ["<bob> one", "<bob> again", "<bob> again"]
    relays.stop()


def test_parts(tmp_path: Path, store: Store) -> None:
    """
    The parts of a long message come once each, and nothing between them is missing.
    """
    relays = Relays(tmp_path, store, faults('kind = "reset"\nwhen = "after"', 1))
    relay = relays.relay
    words = " ".join(str(n) for n in range(1500))
    relay.outbox.enqueue(
        OutboxMessage(relay.groupLink.source, "irc|1", 0, "bob", words),
        100,
        OverflowPolicy.REFUSE_NEW,
    )
    relay.room.availabilityChanged(relay.groupLink)
    relay.settle(1)
    relays.kill()
    relay = relays.relay
    relay.settle(300)
    parts = relay.qq()
    assert len(parts) == len(words) // MAX_MESSAGE + 1
    assert " ".join(part.removeprefix("<bob> ") for part in parts) == words
    relays.stop()


@pytest.mark.parametrize("isIdentified", [False, True])
def test_withoutId(isIdentified: bool, tmp_path: Path, store: Store) -> None:
    """
    A message that was sent without its id, by an older version, is looked for in the
    history.
    """
    relays = Relays(tmp_path, store)
    relay = relays.relay
    relay.server.bob("hello")
    relay.settle(5)
    source, now = relay.groupLink.source, int(relay.clock.seconds() * 1000)
    message = OutboxMessage(source, "irc|1", now, "bob", "hello")
    relay.outbox.enqueue(message, 100, OverflowPolicy.REFUSE_NEW)
    first = relay.outbox.first(source)
    assert first is not None
    relay.outbox.markSending(first, now, "", isIdentified)
    relay.room.availabilityChanged(relay.groupLink)
    relay.settle(5)
    assert relay.qq() == ["<bob> hello"] * (2 if isIdentified else 1)
    assert relay.outbox.queues() == {}
    relays.stop()


class Portal(Resource):
    """
    A network that answers for the server while C{isOn}.
    """

    isLeaf = True
    isOn = False

    def __init__(self, web: MemoryWebQQ) -> None:
        super().__init__()
        self._web = web

    def render(self, request: Request) -> bytes | int:
        return HTML if self.isOn else self._web.server.render(request)


@pytest.mark.parametrize("hasDatabase", [True, False])
@pytest.mark.parametrize("seconds", [600, 720])
def test_portal(seconds: int, hasDatabase: bool, store: Store) -> None:
    """
    A captive portal of ten minutes delays messages. It is no refusal of them, after
    some of which they would be dropped.
    """
    web = MemoryWebQQ(store=store if hasDatabase else None)
    portal = Portal(web)
    web.treq = MemoryTreq(portal)
    relay = MemoryRelay(web=web)
    relay.start()
    portal.isOn = True
    relay.server.bob("one")
    relay.server.bob("two")
    relay.settle(seconds)
    assert relay.qq() == []
    portal.isOn = False
    relay.settle(130)
    assert relay.qq() == ["<bob> one", "<bob> two"]
    relay.stop()
    relay.alice.stop()
    relay.ming.stop()
    web.stop()
