"""
Replies to the client: of all commands byte by byte, and of polls to an account that is
signed on.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from tests.fuzz.hostile import damage, mutate, one, value, write
from tests.fuzz.http import Message, reply, sent
from tests.rig import KICK, LOGIN2, NO_EVENTS, POLL, PROBE, Rig, ScriptedServer
from tests.wire.events.test_envelope import QUOTED
from tests.wire.rows import ME
from tests.wire.test_hostile import ROWS, bodiesOf
from txwebqq.client import Servers, WebQQClient
from txwebqq.errors import MalformedReply, Unreachable
from txwebqq.model import Number
from txwebqq.net.keepalive import KeepAliveClient
from txwebqq.testing import MemoryTreq, MemoryWebQQ
from txwebqq.wire.commands.messages import Poll2
from txwebqq.wire.form import Form

Item = tuple[int, Message]
"""The index of a row of commands, and the reply."""

_BODIES = [bodiesOf(row) for row in ROWS]

_EVENTS: list[Any] = [json.loads(text) for text, _ in QUOTED]

_CODES = (0, 0, 0, 0, 102, 116, 120, 121, 103, 100, 100000, 100012, 109, 110, 1202, "x")

_PATHS = (
    LOGIN2,
    PROBE,
    "/api/get_user_friends2",
    "/api/get_group_name_list_mask2",
    "/channel/get_online_buddies2",
    "/api/get_friend_info2",
    "/api/get_self_info2",
    "/api/get_friend_uin2",
    "/api/get_group_info_ext2",
    "/api/get_discus_list",
    "/check",
    "/login",
    "/web2/get_msg_tip",
)

Step = tuple[str, int, bytes]
"""A path, the HTTP status and the body of the reply to the next request for it."""


def makeReply(random: Random) -> Item:
    """
    Make the reply to a command.
    """
    index = random.randrange(len(ROWS))
    body = one(random, _BODIES[index])
    kind = random.randrange(4)
    if kind == 0:
        body = damage(random, body)
    elif kind < 3 and body.lstrip().startswith(b"{"):
        try:
            body = write(random, mutate(random, json.loads(body)))
        except ValueError:
            body = damage(random, body)
    return index, reply(random, body)


def makePolls(random: Random) -> tuple[Step, ...]:
    """
    Make replies to polls, and at times to other requests of the same client.
    """
    steps: list[Step] = []
    if random.random() < 0.2:
        body = {"retcode": one(random, _CODES), "result": value(random)}
        steps.append((one(random, _PATHS), 200, write(random, body)))
    for _ in range(random.randrange(1, 4)):
        status = 200 if random.random() < 0.95 else one(random, (302, 404, 500, 502))
        steps.append((POLL, status, _poll(random)))
    return tuple(steps)


def _poll(random: Random) -> bytes:
    if random.random() < 0.05:
        return damage(random, b'{"retcode":0,"result":[' + KICK.encode() + b"]}")
    events = [one(random, _EVENTS) for _ in range(random.randrange(1, 5))]
    body: dict[str, Any] = {"retcode": one(random, _CODES), "result": events}
    for name in ("ack", "t", "p", "errmsg"):
        if random.random() < 0.2:
            body[name] = value(random)
    return write(random, mutate(random, body))


class _Transport(StringTransport):
    """
    A transport that is closed in both ways.
    """

    def abortConnection(self) -> None:
        self.disconnecting = True


class ReplyTarget:
    """
    A client, which sends one command for each reply.
    """

    def __init__(self) -> None:
        self._clock = Clock()
        self._protocols: list[Any] = []
        endpoint: Any = self
        http: Any = MemoryTreq(Resource())
        self._client = WebQQClient(
            http,
            Servers("http://webqq.test"),
            self._clock,
            keepAlive=KeepAliveClient(lambda _: endpoint, 1_000_000, self._clock),
        )

    def connect(self, factory: Any) -> Deferred[Any]:
        """
        Connect, as an endpoint.
        """
        protocol = factory.buildProtocol(None)
        protocol.makeConnection(_Transport())
        self._protocols.append(protocol)
        return succeed(protocol)

    def feed(self, item: Item) -> None:
        index, message = item
        results: list[Any] = []
        self._client.begin(ME)
        self._client.ask(ROWS[index].request).addBoth(results.append)
        self._give(sent(message))
        if not results:
            self._lose()
        assert len(results) == 1, "no result"
        if isinstance(results[0], Failure):
            results[0].trap(MalformedReply, Unreachable)
        self._lose()
        self._clock.advance(100)

    def _give(self, segments: list[bytes]) -> None:
        for segment in segments:
            protocol = self._protocols[-1]
            if not protocol.transport.disconnecting:
                protocol.dataReceived(segment)

    def _lose(self) -> None:
        while self._protocols:
            self._protocols.pop().connectionLost(Failure(ConnectionDone()))

    def check(self) -> None:
        results: list[Any] = []
        self._client.ask(ROWS[0].request).addBoth(results.append)
        body = _BODIES[0][0]
        start = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._give([start + body])
        assert results == [ROWS[0].command.decodeReply(body)]
        self._lose()

    def close(self) -> None:
        self._clock.advance(1000)
        assert self._clock.getDelayedCalls() == []


class HoldingServer(ScriptedServer):
    """
    A server that holds the polls of an account until they are replied to.

    @ivar isHolding: whether it does.
    """

    def __init__(self, web: MemoryWebQQ, account: Number) -> None:
        super().__init__(web)
        self.isHolding = True
        self._held: Request | None = None
        self._account = account
        self._sessions = web.state.sessions

    def render(self, request: Request) -> bytes | int:
        if not self.isHolding or not self._isTaken(request):
            return super().render(request)
        self._held = request
        request.notifyFinish().addErrback(self._ebLost, request)
        return NOT_DONE_YET

    def _isTaken(self, request: Request) -> bool:
        if request.path != POLL.encode():
            return False
        assert request.content is not None
        form = Form.parse(b"", request.content.read())
        request.content.seek(0)
        psessionid = Poll2.decodeFields(form).ticket.psessionid
        return self._sessions.accountOf(psessionid) == self._account

    def _ebLost(self, failure: Failure, request: Request) -> None:
        if self._held is request:
            self._held = None

    def answer(self, status: int, body: bytes) -> None:
        """
        Reply to the poll, if there is one.
        """
        held, self._held = self._held, None
        if held is not None:
            held.setResponseCode(status)
            held.write(body)
            held.finish()


class PollTarget:
    """
    An account that is signed on.
    """

    def __init__(self) -> None:
        self._rig = Rig()
        self._server = HoldingServer(self._rig.web, self._rig.alice.number)
        self._rig.web.treq = MemoryTreq(self._server)
        self._rig.service = self._rig.serve(self._rig.alice.account, self._rig.factory)
        self._rig.bob.run()
        self._rig.start()

    def feed(self, item: tuple[Step, ...]) -> None:
        for path, status, body in item:
            if path == POLL:
                self._server.answer(status, body)
                self._rig.web.settle(2)
            else:
                self._server.replies[path] = [body]

    def check(self) -> None:
        rig, server = self._rig, self._server
        server.isHolding = False
        server.replies.clear()
        server.answer(200, NO_EVENTS)
        # An account that was kicked or refused waits for a person.
        rig.service.signOn()
        rig.bob.tell(rig.alice, "still here")
        # A server may tell a client to wait for an hour.
        for _ in range(80):
            rig.web.settle(1)
            if rig.protocol.log[-1:] == ["still here"]:
                break
            rig.web.clock.advance(50)
            rig.service.signOn()
        assert rig.protocol.log[-1] == "still here", rig.protocol.log[-5:]
        server.isHolding = True
        rig.bob.tell(rig.alice, "x")
        rig.web.settle(5)

    def close(self) -> None:
        self._server.isHolding = False
        self._server.answer(200, NO_EVENTS)
        self._rig.bob.stop()
        self._rig.finish()
