"""
A server in memory that is sent bytes, and clients that sign on to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Self, cast
from urllib.parse import quote

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from txwebqq.model import Number
from txwebqq.ratelimit import limitersOf
from txwebqq.server.domain.state import ServerState
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.events.storedformat import encodeQueued
from txwebqq.server.http.signup import SignUp, SignUpForms, SignUpPage
from txwebqq.server.limits import DEFAULT_LIMITS, ConnectionLimits
from txwebqq.server.population import parse
from txwebqq.server.resource import POLL_TIMEOUT, WebQQResource
from txwebqq.server.sessions.captchas import CaptchaMode, Captchas
from txwebqq.server.sessions.registration import Registration
from txwebqq.server.sessions.sendinglimits import SendingLimiter, SendingLimits
from txwebqq.server.storage.messages.queue import EventChanges
from txwebqq.server.storage.store import Store
from txwebqq.sqlite.database import MEMORY
from txwebqq.wire.digests import passwordDigest, passwordHash, saltFor

START = 1366004047.0

ALICE, BOB, CAROL, DAVE = map(Number, (10001, 10002, 10003, 10004))
CATS = Number(200001)

POPULATION = """
[[account]]
number = 10001
password = "correct horse"
nick = "Alice"
gender = "female"
birthday = 1990-10-01

[[account]]
number = 10002
password = "b"
nick = "Bob's"

[[account]]
number = 10003
password = "c"
nick = "Carol"

[[account]]
number = 10004
password = "d"
nick = "Dave"

[[friendship]]
between = [10001, 10002]
category = { 10001 = "同学" }
markname = { 10001 = "Bobby" }

[[friendship]]
between = [10001, 10003]

[[group]]
number = 200001
name = "cats"
owner = 10001
members = [10001, 10002, 10004]
admins = [10002]
cards = { 10002 = "Tom" }
memo = "meow"
"""

PASSWORDS = {ALICE: "correct horse", BOB: "b", CAROL: "c", DAVE: "d"}


def storeEvent(store: Store, event: QueuedEvent, numbers: Sequence[Number]) -> int:
    """
    Queue an event for these accounts.

    @return: the serial number of the event.
    """
    serial = store.messages.nextSerial()
    changes = EventChanges(waiting={(number, serial): 0 for number in numbers})
    changes.add(serial, event, encodeQueued(event))
    store.messages.write(changes)
    return serial


@dataclass
class Response:
    """
    A parsed HTTP response.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def result(self) -> Any:
        assert self.json["retcode"] == 0, self.body
        return self.json["result"]

    def all(self, name: str) -> list[str]:
        """
        The values of a header, by its exact name.
        """
        return [value for key, value in self.headers if key == name]

    @property
    def cookies(self) -> dict[str, str]:
        pairs = (line.split(";")[0].partition("=") for line in self.all("Set-Cookie"))
        return {name: value for name, _, value in pairs}


class Wire:
    """
    One connection to the server.
    """

    def __init__(self, harness: ServerHarness, address: str) -> None:
        peer = IPv4Address("TCP", address, 31337)
        self.transport = StringTransport(peerAddress=peer)
        self._harness = harness
        self._protocol = harness.site.buildProtocol(peer)
        self._protocol.makeConnection(self.transport)

    def send(self, data: bytes) -> Wire:
        self._protocol.dataReceived(data)
        self._harness.settle()
        return self

    def close(self, reason: Exception | None = None) -> None:
        """
        Disconnect the client.
        """
        self._protocol.connectionLost(Failure(reason or ConnectionDone()))
        self._harness.settle()

    @property
    def channel(self) -> Any:
        """
        The server's side of the connection.
        """
        return self._protocol

    @property
    def isAborted(self) -> bool:
        """
        Whether the server has closed the connection at once.
        """
        return bool(self.transport.disconnected)

    @property
    def raw(self) -> bytes:
        """
        All data that the server has written.
        """
        data: bytes = self.transport.value()
        return data

    @property
    def isAnswered(self) -> bool:
        return bool(self.raw)

    @property
    def response(self) -> Response:
        head, _, body = self.raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in lines)
        headers = [(name, value) for name, _, value in pairs]
        return Response(int(first.split()[1]), headers, body)


class ServerHarness:
    """
    A server with its state and its clock.

    @param hasSignUp: whether there is a sign-up page, whose pictures are the texts of
        captchas.
    @param file: the file of the database, L{None} for one in memory.

    @ivar database: the file, or the URL of the database.
    @cvar turns: the maximum number of reactor turns to wait for a reply.
    @cvar substitute: the class that is used in place of this one, to run its tests on
        another kind of server.
    """

    turns = 3
    substitute: ClassVar[type[ServerHarness] | None] = None
    server: Any
    site: Any

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        made: Any = super().__new__(cls.substitute or cls)
        return cast("Self", made)

    def __init__(
        self,
        captcha: CaptchaMode = CaptchaMode.NEVER,
        store: Store | None = None,
        population: str = POPULATION,
        seed: int = 1,
        draw: Callable[[str], bytes] | None = None,
        pollTimeout: float = POLL_TIMEOUT,
        connections: ConnectionLimits = DEFAULT_LIMITS,
        proxies: Collection[str] = (),
        at: float = START,
        folder: Path | None = None,
        hasSignUp: bool = False,
        file: Path | None = None,
        **watching: Any,
    ) -> None:
        self.clock = Clock()
        self.clock.advance(at)
        self.database: str | Path = file or MEMORY
        self.store = store or Store(self.database)
        random = Random(seed)
        self._state = ServerState(
            self.store, self.clock, random, Logger().failure, captcha
        )
        self._state.merge(parse(population))
        if hasSignUp:
            captchas = Captchas(self.clock.seconds, random)
            registration = Registration(
                self.store.accounts, captchas, self._state.makeLimiter
            )
            forms = SignUpForms(registration)
            watching["signup"] = SignUp(forms, SignUpPage(str.encode))
        self.server = WebQQResource(
            self._state,
            self.clock,
            draw,
            pollTimeout,
            random=random,
            folder=folder,
            proxies=proxies,
            connections=connections,
            **watching,
        )
        self.site = self.server.site()
        self._wires: list[Wire] = []

    @property
    def state(self) -> ServerState:
        """
        The state of the server.
        """
        return self._state

    def settle(self) -> None:
        """
        Have all done that need not wait for the clock.
        """

    def change(self, function: Callable[[Any], Any]) -> Any:
        """
        Change the state of the server.

        @param function: is called with the L{ServerState}.

        @return: what the function returns.
        """
        return function(self.state)

    def catchUp(self, number: Number) -> None:
        """
        Remove the queued changes of the statuses of an account's friends.
        """
        session = self.state.sessions.online(number)
        assert session is not None
        session.mailbox.presence.clear()

    def route(self, event: QueuedEvent, numbers: Sequence[Number]) -> None:
        """
        Queue an event for accounts.
        """
        self.change(lambda state: state.router.route(event, numbers))

    def storeEvent(self, event: QueuedEvent, numbers: Sequence[Number]) -> int:
        """
        Store an event for accounts, and do not wake their polls.

        @return: the serial number of the event.
        """
        return storeEvent(self.store, event, numbers)

    def sweep(self) -> None:
        """
        End the sessions that have not polled for too long.
        """
        self.change(lambda state: state.sweep())

    def limit(self, limits: SendingLimits) -> None:
        """
        Set the limits of what accounts send.
        """
        self.state.sendingLimiter = SendingLimiter(
            limitersOf(self.clock.seconds), limits
        )

    def send(self, data: bytes, address: str = "127.0.0.1") -> Wire:
        wire = Wire(self, address)
        self._wires.append(wire)
        wire.send(data)
        # The reply to a request that causes events comes a few turns later.
        for _ in range(self.turns):
            if not wire.isAnswered:
                self.clock.advance(0)
        return wire

    def disconnectAll(self) -> None:
        """
        Close the connections of all clients.
        """
        for wire in self._wires:
            wire.close()

    def get(
        self, target: str, headers: Mapping[str, str] | None = None, **more: str
    ) -> Wire:
        return self.send(request("GET", target, headers), **more)

    def close(self) -> None:
        """
        End the server, and close its database.
        """
        self.server.stop()
        self.disconnectAll()
        self.store.close()

    def post(
        self, target: str, body: bytes | str, headers: Mapping[str, str] | None = None
    ) -> Wire:
        return self.send(request("POST", target, headers, body))

    def client(self, number: Number, **more: Any) -> HTTPClient:
        """
        Make a client that is signed on.
        """
        client = HTTPClient(self, number, **more)
        client.logIn()
        client.join()
        return client


def request(
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | str = b"",
) -> bytes:
    """
    The bytes of a request.
    """
    content = body.encode() if isinstance(body, str) else body
    lines = [f"{method} {target} HTTP/1.1", "Host: anything.example"]
    if method == "POST":
        lines.append(f"Content-Length: {len(content)}")
    lines.extend(f"{name}: {value}" for name, value in (headers or {}).items())
    return "\r\n".join([*lines, "", ""]).encode() + content


class HTTPClient:
    """
    A client of one account.
    """

    def __init__(
        self, harness: ServerHarness, number: Number, clientid: str = "4728"
    ) -> None:
        self.harness = harness
        self.number = number
        self.clientid = clientid
        self.ptwebqq = self.psessionid = self.vfwebqq = self.skey = ""

    def check(self) -> tuple[str, str]:
        """
        Ask C{check} for its code, C{1} if a captcha is needed, and the text
        that belongs to it.
        """
        wire = self.harness.get(f"/check?uin={self.number}&appid=1003903&r=0.1")
        found = re.findall("'(.*?)'", wire.response.body.decode())
        return found[0], found[1]

    def tryLogin(
        self, password: str, code: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        first = passwordHash(password)
        p = passwordDigest(first, saltFor(self.number), code)
        query = f"u={self.number}&p={p}&verifycode={code}&webqq_type=10&aid=1003903"
        return self.harness.get(f"/login?{query}", headers).response

    def logIn(self) -> Response:
        response = self.tryLogin(PASSWORDS[self.number], self.check()[1])
        self.ptwebqq = response.cookies["ptwebqq"]
        self.skey = response.cookies["skey"]
        return response

    def login2(self, psessionid: str | None = None, status: str = "online") -> Response:
        return self.ask(
            "/channel/login2",
            status=status,
            ptwebqq=self.ptwebqq,
            passwd_sig="",
            psessionid=psessionid,
        ).response

    def join(self, psessionid: str | None = None, status: str = "online") -> None:
        result = self.login2(psessionid, status).result
        self.psessionid = result["psessionid"]
        self.vfwebqq = result["vfwebqq"]

    def ask(self, path: str, **members: Any) -> Wire:
        """
        Send a POST request with an C{r}.
        """
        r = json.dumps({"clientid": self.clientid, **members})
        return self.harness.post(path, f"r={quote(r)}")

    def channel(self, path: str, **members: Any) -> Response:
        return self.ask(
            f"/channel/{path}", psessionid=self.psessionid, **members
        ).response

    def poll(self, ack: int | None = None, ids: Sequence[str] = ()) -> Wire:
        members: dict[str, Any] = {} if ack is None else {"ack": ack}
        return self.ask(
            "/channel/poll2",
            psessionid=self.psessionid,
            key=0,
            ids=list(ids),
            **members,
        )

    def pollBytes(self) -> bytes:
        """
        The bytes of a poll, for a connection that has been used before.
        """
        r = json.dumps({"clientid": self.clientid, "psessionid": self.psessionid})
        return request("POST", "/channel/poll2", body=f"r={quote(r)}")

    def catchUp(self) -> HTTPClient:
        """
        Remove the queued changes of friends' statuses.
        """
        self.harness.catchUp(self.number)
        return self

    def lookUp(self, path: str, query: str = "") -> Response:
        target = f"/api/{path}?{query}&vfwebqq={self.vfwebqq}&t=1"
        return self.harness.get(target).response

    def uin(self, number: Number) -> int:
        """
        Get the uin of an account in this session.
        """
        session = self.harness.state.sessions.online(self.number)
        assert session is not None
        return session.sessionIds.uin(number)

    @property
    def gid(self) -> int:
        """
        Get the gid of the group of cats in this session.
        """
        session = self.harness.state.sessions.online(self.number)
        assert session is not None
        return session.sessionIds.gid(CATS)

    def tell(self, number: Number, text: str) -> Response:
        """
        Send a message to a friend.
        """
        return self.channel(
            "send_buddy_msg2",
            to=self.uin(number),
            content=json.dumps([text, ["font", {}]]),
            msg_id=1,
        )

    def tellCats(self, text: str) -> Response:
        """
        Send a message to the group of cats.
        """
        content = json.dumps([text, ["font", {}]])
        return self.channel(
            "send_qun_msg2", group_uin=self.gid, content=content, msg_id=1
        )


def textsOf(response: Response) -> list[str]:
    """
    List the texts of the messages in the answer of a poll.
    """
    return [
        event["value"]["content"][-1].strip()
        for event in response.result
        if "content" in event["value"]
    ]


class SessionTestCase(SynchronousTestCase):
    """
    Alice and Bob are signed on, and no change of status is queued.
    """

    def setUp(self) -> None:
        self.harness = ServerHarness()
        self.clock = self.harness.clock
        self.alice = self.harness.client(ALICE)
        self.bob = self.harness.client(BOB)
        self.alice.catchUp()
