"""
The delivery of a message when the client of a held poll disconnects, on real
sockets, for clients that do not acknowledge by number.
"""

from __future__ import annotations

import json
import random
import select
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.threads import blockingCallFromThread, deferToThread
from twisted.logger import Logger

from tests.endtoend.daemons import PATIENCE
from tests.network.authority import LOCALHOST, Authority
from tests.server.harness import ALICE, BOB, POPULATION, request
from txwebqq.model import Font, Number, Sent, Status, Text
from txwebqq.server.domain.messaging import sendMessage
from txwebqq.server.domain.state import Joined, ServerState
from txwebqq.server.events.kinds import FRIEND_MESSAGE
from txwebqq.server.population import parse
from txwebqq.server.resource import WebQQResource
from txwebqq.server.sessions.session import Session
from txwebqq.server.storage.store import Store

pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")

ROUNDS = 5
CLOSE = "Connection: close"
TCP = "tcp:0:interface=127.0.0.1"


class Scene:
    """
    A server on real sockets, and Bob, whose client runs in a thread.
    """

    def __init__(self, caFile: Path | None) -> None:
        self._reactor: Any = reactor
        self._caFile = caFile
        self.isSecure = caFile is not None
        self.state = ServerState(
            Store(), self._reactor, random.Random(1), Logger().failure
        )
        self.state.merge(parse(POPULATION))
        self.server = WebQQResource(self.state, reactor)
        self._tickets: dict[Number, str] = {}
        self.alice, self.bob = map(self._join, (ALICE, BOB))
        self.bob.mailbox.presence.clear()
        self.alice.mailbox.presence.clear()
        self.port = 0
        self._count = 0

    def _join(self, number: Any) -> Session:
        ticket = self.state.sessions.admit(number)
        joined = self.state.join(ticket, "", "1", Status.ONLINE)
        assert isinstance(joined, Joined)
        self._tickets[number] = joined.psessionid
        return joined.session

    def connect(self) -> socket.socket:
        """
        A new connection, with a time limit.
        """
        sock = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        if self._caFile is None:
            return sock
        context = ssl.create_default_context(cafile=str(self._caFile))
        return context.wrap_socket(sock, server_hostname="localhost")

    def poll(self, sock: socket.socket, *headers: str) -> None:
        """
        Send a poll.
        """
        r = json.dumps({"clientid": "1", "psessionid": self._tickets[BOB]})
        named = dict(line.split(": ") for line in headers)
        sock.sendall(request("POST", "/channel/poll2", named, f"r={r}"))

    def hold(self, sock: socket.socket, *headers: str) -> None:
        """
        Send a poll, and wait until the server holds it.
        """
        before = self.bob.poll
        self.poll(sock, *headers)
        for _ in range(10_000):
            held = blockingCallFromThread(self._reactor, lambda: self.bob.poll)
            if held is not None and held is not before:
                return
        raise AssertionError("the poll is not held")

    def tell(self, before: Callable[[], None] | None = None) -> str:
        """
        Have Alice send a message, which is accepted.

        @param before: is called when the polls have been answered,
            before the reactor has read anything.
        """
        self._count += 1
        text = f"message {self._count}"

        def say() -> None:
            content = (Text(text),)
            sent = sendMessage(
                self.state, FRIEND_MESSAGE, ALICE, (BOB,), content, Font()
            )
            assert isinstance(sent, Sent)
            self.state.router.commit()
            if before is not None:
                # After the turn that answers.
                self._reactor.callLater(0, before)

        blockingCallFromThread(self._reactor, say)
        return text

    def read(self, sock: socket.socket) -> list[str]:
        """
        The texts in a reply.
        """
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive(sock)
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        while len(body) < length:
            body += self._receive(sock)
        events = json.loads(body)["result"]
        return [event["value"]["content"][-1].strip() for event in events]

    def readAgain(self, text: str) -> None:
        """
        Check that the reply to a poll over a new connection has this text only,
        and acknowledge it.
        """
        with self.connect() as sock:
            self.poll(sock)
            assert self.read(sock) == [text]
            # This acknowledges it.
            self.hold(sock)

    def _receive(self, sock: socket.socket) -> bytes:
        data = sock.recv(65536)
        assert data, "the connection was closed"
        return data


def leave(sock: socket.socket) -> None:
    """
    End the connection as the protocol requires.
    """
    if isinstance(sock, ssl.SSLSocket):
        sock.setblocking(False)
        with suppress(OSError, ValueError):
            sock.unwrap()
    sock.close()


def reset(sock: socket.socket) -> None:
    """
    Reset the connection.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.fixture(params=["tcp", "ssl"])
def listening(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Scene, str]]:
    """
    A scene, and the endpoint that it listens on.
    """
    if request.param == "tcp":
        yield Scene(None), TCP
        return
    authority = Authority(tmp_path, "ours")
    certificate = authority.issue(LOCALHOST)
    yield (
        Scene(authority.file),
        f"ssl:0:interface=127.0.0.1:privateKey={certificate}",
    )


async def play(listening: tuple[Scene, str], run: Callable[[Scene], None]) -> None:
    """
    Run a client against the server, and leave nothing behind.
    """
    scene, endpoint = listening
    port = await serverFromString(reactor, endpoint).listen(scene.server.site())
    scene.port = port.getHost().port
    try:
        await deferToThread(run, scene)
    finally:
        scene.server.stop()
        await port.stopListening()


@ensureDeferred
async def test_left(listening: tuple[Scene, str]) -> None:
    """
    A client that has hung up when the message comes gets it with its next
    poll, over TLS as well.
    """

    def run(scene: Scene) -> None:
        for _ in range(ROUNDS):
            sock = scene.connect()
            scene.hold(sock)
            leave(sock)
            scene.readAgain(scene.tell())

    await play(listening, run)


@ensureDeferred
async def test_reset(listening: tuple[Scene, str]) -> None:
    """
    A client whose connection is reset with the answer unread is given the
    message again.
    """

    def run(scene: Scene) -> None:
        for _ in range(ROUNDS):
            sock = scene.connect()
            scene.hold(sock)
            text = scene.tell()
            select.select([sock], [], [], PATIENCE)
            reset(sock)
            scene.readAgain(text)

    await play(listening, run)


@ensureDeferred
async def test_resetWhenToBeClosed(listening: tuple[Scene, str]) -> None:
    """
    So is a client that asks for each connection to be closed.
    """

    def run(scene: Scene) -> None:
        sock = scene.connect()
        scene.hold(sock, CLOSE)
        text = scene.tell()
        select.select([sock], [], [], PATIENCE)
        reset(sock)
        with scene.connect() as later:
            scene.poll(later, CLOSE)
            assert scene.read(later) == [text]

    await play(listening, run)


@ensureDeferred
async def test_toBeClosed(listening: tuple[Scene, str]) -> None:
    """
    A client that asks for each connection to be closed, and reads what it is
    answered, is given everything in order, and once; over TLS the first answer
    may come twice, until it is known how the client closes.
    """

    def run(scene: Scene) -> None:
        said = [scene.tell() for _ in range(2 * ROUNDS)]
        heard: list[str] = []
        while not heard or heard[-1] != said[-1]:
            with scene.connect() as sock:
                scene.poll(sock, CLOSE)
                heard += scene.read(sock)
                while sock.recv(1):
                    pass
        doubles = len(heard) - len(said)
        assert heard[doubles:] == said
        assert doubles <= (scene.isSecure and 1)

    await play(listening, run)


@ensureDeferred
async def test_kept(listening: tuple[Scene, str]) -> None:
    """
    A connection that is kept serves one poll after another, each message once;
    if it is closed right after an answer, that one comes again.
    """

    def run(scene: Scene) -> None:
        sock = scene.connect()
        for _ in range(ROUNDS):
            scene.hold(sock)
            text = scene.tell()
            assert scene.read(sock) == [text]
        leave(sock)
        scene.readAgain(text)

    await play(listening, run)


@ensureDeferred
async def test_closedForWriting() -> None:
    """
    A client that closes its side in the moment in which its poll is answered
    is given the message again if the answer has not left. (Over TLS its
    close_notify looks as if it had read the answer.)
    """

    def run(scene: Scene) -> None:
        sock = scene.connect()
        scene.hold(sock, CLOSE)
        text = scene.tell(before=lambda: leave(sock))
        with scene.connect() as later:
            scene.poll(later, CLOSE)
            assert scene.read(later) == [text]

    await play((Scene(None), TCP), run)
