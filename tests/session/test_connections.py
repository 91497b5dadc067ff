"""
A service over connections that are kept open, as in a network.
"""

from __future__ import annotations

from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred
from twisted.web.server import NOT_DONE_YET

from tests.memoryendpoint import MemoryEndpoint
from tests.rig import SEND, ScriptedServer
from txwebqq.client import MAX_REPLY, Servers, TreqLike, WebQQClient
from txwebqq.errors import Unreachable
from txwebqq.model import Sent
from txwebqq.net.keepalive import IDLE_TIMEOUT, KeepAliveClient
from txwebqq.service import WebQQService
from txwebqq.session.inflight import GRACE
from txwebqq.testing import (
    BASE,
    MemoryPerson,
    MemoryWebQQ,
    RecordingFactory,
    RecordingProtocol,
)


class Scene:
    """
    A server and the services of its accounts.
    """

    def __init__(self) -> None:
        self.web = MemoryWebQQ()
        self.server = ScriptedServer(self.web)
        self.endpoint = MemoryEndpoint(self.server)
        self.services: list[WebQQService[RecordingProtocol]] = []

    def signOn(self, person: MemoryPerson) -> RecordingProtocol:
        """
        Sign an account on.
        """
        clock = self.web.clock
        client = WebQQClient(
            cast(TreqLike, self.web.treq),
            Servers(BASE),
            clock,
            keepAlive=KeepAliveClient(self.endpoint.find, MAX_REPLY, clock),
        )
        factory: Any = RecordingFactory()
        service: WebQQService[RecordingProtocol] = WebQQService(
            person.account, factory, client, clock
        )
        self.services.append(service)
        service.startService()
        protocol: RecordingProtocol = self.result(service.whenSignedOn())
        return protocol

    def settle(self, seconds: float = 0.0) -> None:
        """
        Let time pass and deliver all data.
        """
        self.web.settle(seconds)
        for _ in range(30):
            self.endpoint.flush()
            self.web.settle()

    def result(self, deferred: Deferred[Any]) -> Any:
        """
        Settle, and return the result of a Deferred.
        """
        results: list[Any] = []
        deferred.addBoth(results.append)
        self.settle()
        [result] = results
        return result


@pytest.fixture
def scene() -> Scene:
    """
    A server in memory.
    """
    return Scene()


def test_conversation(scene: Scene) -> None:
    """
    Accounts sign on and send messages; when nothing more is asked, each has the
    connection of its poll only.
    """
    ann, bob = scene.web.friends("Ann", "Bob")
    heard, speaker = scene.signOn(ann), scene.signOn(bob)
    [uin] = speaker.buddies
    for n in range(3):
        sent = scene.result(speaker.sendMessage(uin, f"hello {n}"))
        assert isinstance(sent, Sent)
    assert [getattr(event, "text", "") for event in heard.events][-3:] == [
        "hello 0",
        "hello 1",
        "hello 2",
    ]
    assert scene.endpoint.connections > 2
    scene.settle(IDLE_TIMEOUT)
    assert scene.endpoint.connections == 2
    for service in scene.services:
        assert scene.result(service.stopService()) is None
    assert scene.endpoint.connections == 0
    scene.web.stop()
    assert scene.web.clock.getDelayedCalls() == []


def test_stopInFlight(scene: Scene) -> None:
    """
    Stopping waits for a request that is in flight, and gives it up after a while;
    then neither a connection nor a delayed call is left.
    """
    ann, _ = scene.web.friends("Ann", "Bob")
    speaker = scene.signOn(ann)
    [uin] = speaker.buddies
    scene.server.replies[SEND] = [NOT_DONE_YET]
    failures: list[Any] = []
    speaker.sendMessage(uin, "hello").addErrback(failures.append)
    scene.settle()
    stopped: list[None] = []
    scene.services[0].stopService().addCallback(stopped.append)
    scene.settle(GRACE / 2)
    assert (stopped, failures) == ([], [])
    scene.settle(GRACE)
    assert failures[0].check(Unreachable)
    assert len(stopped) == 1
    assert scene.server.disconnected.count(SEND) == 1
    assert scene.endpoint.connections == 0
    scene.web.stop()
    assert scene.web.clock.getDelayedCalls() == []
