"""
Servers that close the connection after each reply, on real sockets.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.logger import Logger
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from tests.server.harness import ALICE, BOB, POPULATION
from txwebqq.client import WebQQClient, connect
from txwebqq.errors import NotSent, Unreachable
from txwebqq.model import Account, Message, Text, Uin
from txwebqq.net.site import HTTP11Channel
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.server.domain.state import ServerState
from txwebqq.server.population import parse
from txwebqq.server.resource import WebQQResource
from txwebqq.server.storage.store import Store
from txwebqq.service import WebQQService
from txwebqq.wire.command import Command
from txwebqq.wire.commands.messages import GetOnlineBuddies2, SendBuddyMsg2
from txwebqq.wire.form import Ticket

TICKET = Ticket("1", "ps")


class ClosingChannel(HTTP11Channel):
    """
    A server connection that is closed after each reply, without a word.
    """

    version = b"HTTP/1.1"
    header: bytes | None = None

    def writeHeaders(
        self, version: bytes, code: bytes, reason: bytes, headers: Headers
    ) -> None:
        headers.removeHeader(b"connection")
        if self.header is not None:
            headers.addRawHeader(b"Connection", self.header)
        super().writeHeaders(self.version, code, reason, headers)

    def requestDone(self, request: Any) -> None:
        base: Any = super()
        base.requestDone(request)
        if self.transport is not None:
            self.transport.loseConnection()


class OldChannel(ClosingChannel):
    """
    The same of HTTP/1.0.
    """

    version = b"HTTP/1.0"


class CapitalChannel(ClosingChannel):
    """
    The same with a header that is not in lower case.
    """

    header = b"Close"


class Heard(WebQQProtocol):
    """
    Waits for one message.
    """

    factory: HeardFactory

    def messageReceived(self, message: Message) -> None:
        self.factory.heard.callback(message.text)


class HeardFactory(WebQQFactory):
    protocol = Heard

    def __init__(self) -> None:
        self.heard: Deferred[str] = Deferred()


async def _serve(
    resource: Resource,
    channel: type[HTTP11Channel],
    play: Callable[[Callable[[], WebQQClient]], Awaitable[None]],
) -> None:
    """
    Serve a resource while a play goes on, which can make clients.
    """
    site: Any = Site(resource)
    site.protocol = channel
    port = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(site)
    clients: list[WebQQClient] = []

    def client() -> WebQQClient:
        clients.append(connect(reactor, f"http://127.0.0.1:{port.getHost().port}"))
        return clients[-1]

    try:
        await play(client)
    finally:
        for one in clients:
            await one.close()
        await port.stopListening()


@pytest.mark.parametrize("channel", [ClosingChannel, OldChannel, CapitalChannel])
@ensureDeferred
async def test_closing(channel: type[HTTP11Channel]) -> None:
    """
    Two accounts sign on at such a server at their first attempt, and a message
    passes between them.
    """
    clock: Any = reactor
    state = ServerState(Store(), clock, random.Random(1), Logger().failure)
    state.merge(parse(POPULATION))
    server = WebQQResource(state, clock)
    attempts: list[int] = []

    def backoff(attempt: int) -> float:
        attempts.append(attempt)
        return 0.1

    async def play(client: Callable[[], WebQQClient]) -> None:
        factory = HeardFactory()
        alice, bob = [
            WebQQService(Account(number, word), made, client(), clock, backoff=backoff)
            for number, word, made in (
                (ALICE, "correct horse", WebQQFactory()),
                (BOB, "b", factory),
            )
        ]
        try:
            for service in (alice, bob):
                service.startService()
            speaker: Any = await alice.whenSignedOn()
            await bob.whenSignedOn()
            [uin] = [uin for uin, b in speaker.buddies.items() if b.nick == "Bob's"]
            await speaker.sendMessage(uin, "hi")
            assert await factory.heard == "hi"
        finally:
            for service in (alice, bob):
                await service.stopService()
            server.stop()

    await _serve(server, channel, play)
    assert attempts == []


class Forgetful(Resource):
    """
    Replies to some requests, and closes the connection of the others.
    """

    isLeaf = True

    def __init__(self, *answers: bool) -> None:
        super().__init__()
        self.answers = list(answers)
        self.ports: set[int] = set()

    def render(self, request: Request) -> bytes | int:
        self.ports.add(request.getClientAddress().port)
        if self.answers.pop(0):
            return b'{"retcode":0,"result":[]}'
        assert request.transport is not None
        request.transport.loseConnection()
        return NOT_DONE_YET


READ = GetOnlineBuddies2(TICKET)
SEND = SendBuddyMsg2(TICKET, Uin(1), (Text("hi"),), 1)


@pytest.mark.parametrize(
    ("answers", "commands", "outcomes"),
    [
        # A question is asked once more, on a new connection,
        ([True, False, True], [READ, READ], [(), ()]),
        # and not a third time.
        ([True, False, False, True], [READ, READ, READ], [(), None, ()]),
        # The first request of a connection is not stale.
        ([False, True], [READ, READ], [None, ()]),
        # A message is never sent twice: nobody knows whether it arrived.
        ([True, True, False], [READ, READ, SEND], [(), (), None]),
    ],
)
@ensureDeferred
async def test_stale(
    answers: list[bool], commands: list[Command[Any]], outcomes: list[object]
) -> None:
    """
    A reused connection that is lost before a reply has the request repeated, if
    that does no harm.
    """
    server = Forgetful(*answers)

    async def play(client: Callable[[], WebQQClient]) -> None:
        asking = client()
        for command, outcome in zip(commands, outcomes, strict=True):
            try:
                reply: object = await asking.ask(command)
            except Unreachable:
                reply = None
            assert reply == outcome

    await _serve(server, HTTP11Channel, play)
    assert server.answers == []


@ensureDeferred
async def test_untried() -> None:
    """
    A message does not go over a kept connection as long as the server has not
    shown that it keeps connections open.
    """
    server = Forgetful(True, True)

    async def play(client: Callable[[], WebQQClient]) -> None:
        asking = client()
        await asking.ask(READ)
        await asking.ask(SEND)

    await _serve(server, HTTP11Channel, play)
    assert len(server.ports) == 2


@ensureDeferred
async def test_tried() -> None:
    """
    After that, messages and questions share one connection.
    """
    server = Forgetful(*[True] * 5)

    async def play(client: Callable[[], WebQQClient]) -> None:
        asking = client()
        commands: list[Command[Any]] = [READ, READ, SEND, READ, SEND]
        for command in commands:
            await asking.ask(command)

    await _serve(server, HTTP11Channel, play)
    assert len(server.ports) == 1


@ensureDeferred
async def test_unsent() -> None:
    """
    The failure of a message that never reached the server is another one than
    that of a lost reply.
    """
    server = Forgetful(False)
    failures: list[Unreachable] = []

    async def play(client: Callable[[], WebQQClient]) -> None:
        for asking in (client(), connect(reactor, "http://127.0.0.1:1")):
            try:
                await asking.ask(SEND)
            except Unreachable as e:
                failures.append(e)
            await asking.close()

    await _serve(server, HTTP11Channel, play)
    assert [type(failure) for failure in failures] == [Unreachable, NotSent]
