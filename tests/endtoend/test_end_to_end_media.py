"""
Files and pictures over real sockets.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from tests.endtoend.daemons import PATIENCE
from txwebqq.client import connect
from txwebqq.errors import RequestRefused
from txwebqq.model import (
    Account,
    FileNotice,
    FileStep,
    GroupFile,
    GroupMessage,
    Number,
    OfflineFile,
)
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.server.domain.state import ServerState
from txwebqq.server.population import parse
from txwebqq.server.resource import WebQQResource
from txwebqq.server.storage.store import Store
from txwebqq.service import WebQQService

POPULATION = """
[[account]]
number = 10001
password = "a"

[[account]]
number = 10002
password = "b"

[[friendship]]
between = [10001, 10002]

[[group]]
number = 200001
name = "cats"
owner = 10001
members = [10001, 10002]
"""

TURNS = 200


class Waiting(WebQQProtocol):
    """
    A client that waits for events.
    """

    def __init__(self) -> None:
        self.came: dict[type[Any], Deferred[Any]] = {
            kind: Deferred()
            for kind in (FileNotice, OfflineFile, GroupFile, GroupMessage)
        }

    def eventReceived(self, event: Any) -> object:
        """
        Fire the Deferred of the first event of each kind.
        """
        waiting = self.came.get(type(event))
        if waiting is not None and not waiting.called:
            waiting.callback(event)
        return None


class WaitingFactory(WebQQFactory):
    """
    Builds them.
    """

    protocol = Waiting


@implementer(IConsumer)
class Reluctant:
    """
    A sink that pauses its producer after the first bytes, until it is told to
    resume.
    """

    def __init__(self) -> None:
        self.file = BytesIO()
        self.stopped: Deferred[None] = Deferred()
        self.producer: Any = None

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.file.write(data)
        if not self.stopped.called:
            self.producer.pauseProducing()
            self.stopped.callback(None)


async def together(
    tmp_path: Path, scene: Callable[[Waiting, Waiting], Awaitable[None]]
) -> None:
    """
    Sign on two friends, and run a scene with them.
    """
    clock: Any = reactor
    state = ServerState(Store(), clock, Random(1), Logger().failure)
    state.merge(parse(POPULATION))
    server = WebQQResource(state, clock, folder=tmp_path / "files")
    port = clock.listenTCP(0, server.site(), interface="127.0.0.1")
    url = f"http://127.0.0.1:{port.getHost().port}"
    services = [
        WebQQService(
            Account(number, password), WaitingFactory(), connect(clock, url), clock
        )
        for number, password in ((Number(10001), "a"), (Number(10002), "b"))
    ]
    try:
        people: list[Any] = []
        for service in services:
            service.startService()
            people.append(await service.whenSignedOn().addTimeout(PATIENCE, clock))
        alice, bob = people
        await scene(alice, bob)
    finally:
        for service in services:
            await service.stopService()
        await port.stopListening()
        server.stop()
        # What was written last leaves in the reactor's next turns.
        await deferLater(clock, 0)


@ensureDeferred
async def test_transfer(tmp_path: Path) -> None:
    """
    A file goes from one to another as fast as the other takes it.
    """
    data = Random(1).randbytes(9 * 1024 * 1024)
    source = BytesIO(data)

    async def scene(alice: Waiting, bob: Waiting) -> None:
        (uin,) = alice.buddies
        sent = alice.offerFile(uin, source, "茶.bin")
        offer: FileNotice = await bob.came[FileNotice].addTimeout(PATIENCE, reactor)
        assert (offer.step, offer.name) == (FileStep.OFFERED, "茶.bin")
        sink = Reluctant()
        received = bob.acceptFile(offer, sink)
        await sink.stopped.addTimeout(PATIENCE, reactor)
        for _ in range(TURNS):
            await deferLater(reactor, 0)
        # Neither the server nor anybody else takes in what is not wanted yet.
        assert source.tell() < len(data)
        assert not sent.called
        sink.producer.resumeProducing()
        assert await received.addTimeout(PATIENCE, reactor) == len(data)
        await sent.addTimeout(PATIENCE, reactor)
        assert sink.file.getvalue() == data

    await together(tmp_path, scene)
    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()] == []


@ensureDeferred
async def test_waitingFile(tmp_path: Path) -> None:
    """
    A file that waits is fetched whole, and so is a picture.
    """
    data = Random(2).randbytes(5 * 1024 * 1024)
    picture = b"\x89PNG\r\n\x1a\n" + data[:200_000]

    async def scene(alice: Waiting, bob: Waiting) -> None:
        (uin,), (gid,) = alice.buddies, alice.groups
        await alice.sendOfflineFile(uin, data, "a/b".replace("/", "_"))
        file: OfflineFile = await bob.came[OfflineFile].addTimeout(PATIENCE, reactor)
        assert file.size == len(data)
        assert await bob.fetchOfflineFile(file) == data
        await alice.sendGroupPicture(gid, picture)
        came = bob.came[GroupMessage].addTimeout(PATIENCE, reactor)
        message: GroupMessage = await came
        assert await bob.fetchPicture(message, message.content[0]) == picture

    await together(tmp_path, scene)


@ensureDeferred
async def test_groupFile(tmp_path: Path) -> None:
    """
    A file of a group is fetched whole, as fast as the member takes it, and from the
    middle.
    """
    data = Random(3).randbytes(5 * 1024 * 1024)

    async def scene(alice: Waiting, bob: Waiting) -> None:
        (gid,) = alice.groups
        mine = await alice.sendGroupFile(gid, data, "茶.bin")
        file: GroupFile = await bob.came[GroupFile].addTimeout(PATIENCE, reactor)
        assert (file.key, file.size, file.name) == (mine.key, len(data), "茶.bin")
        sink = Reluctant()
        fetched = bob.fetchGroupFile(file, sink)
        await sink.stopped.addTimeout(PATIENCE, reactor)
        sink.producer.resumeProducing()
        assert await fetched.addTimeout(PATIENCE, reactor) == len(data)
        assert sink.file.getvalue() == data
        start = len(data) - 100_000
        assert await alice.fetchGroupFile(mine, start=start) == data[start:]
        await alice.deleteGroupFile(gid, mine)
        with pytest.raises(RequestRefused):
            await bob.fetchGroupFile(file)

    await together(tmp_path, scene)
