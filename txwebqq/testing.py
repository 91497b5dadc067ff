"""
WebQQ in memory, for tests of bots: a server, a clock and accounts.

Nothing in this module opens a socket or sleeps::

    web = MemoryWebQQ()
    alice, bot = web.friends("Alice", "Bot")
    bot.run(EchoFactory())
    alice.tell(bot, "hello")
    assert alice.heard == ["hello"]
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from itertools import combinations, count
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from msgspec.structs import replace
from treq.client import HTTPClient
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer
from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IBodyProducer
from twisted.web.resource import IResource
from zope.interface import implementer

from txwebqq.client import Servers, TreqLike, WebQQClient
from txwebqq.interfaces import FactoryOf
from txwebqq.model import (
    Account,
    Did,
    DiscussionMessage,
    Event,
    Gid,
    Group,
    GroupMessage,
    Message,
    Number,
    Status,
    StrangerMessage,
    Uin,
)
from txwebqq.net.bodies import FileUpload, Sink
from txwebqq.net.treqsetup import NullCookieJar
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.requests.messages import Sendable
from txwebqq.server.domain.state import ServerState
from txwebqq.server.faults.faultsfile import parseFaults as parseFaults
from txwebqq.server.faults.injection import FaultyResource
from txwebqq.server.faults.plan import FaultPlan as FaultPlan
from txwebqq.server.records import (
    AccountRecord,
    DiscussionEntry,
    FriendshipEntry,
    GroupEntry,
    GroupRecord,
    Population,
)
from txwebqq.server.resource import WebQQResource
from txwebqq.server.sessions.captchas import CaptchaMode as CaptchaMode
from txwebqq.server.storage.store import Store
from txwebqq.service import WebQQService
from txwebqq.sqlite.database import MEMORY
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.signon import CheckSig
from txwebqq.wire.digests import passwordHash
from txwebqq.wire.multipart import UploadCommand

if TYPE_CHECKING:
    from txwebqq.onebot.memory.program import MemoryOneBot as MemoryOneBot

R = TypeVar("R")
T = TypeVar("T")
P = TypeVar("P")

PASSWORD = "correct horse"
"""The password of all accounts."""

BASE = "http://webqq.test"
"""The URL of the server."""

MAX_ROUNDS = 10_000
"""Rounds of work at one time after which L{MemoryWebQQ.settle} gives up."""

MAX_CALLS = 10_000
"""Delayed calls at one time after which L{MemoryClock.advance} gives up."""

ENDLESS = "the work never ends: is a call repeated without a delay?"


def __getattr__(name: str) -> object:
    # It needs the extra "onebot".
    if name == "MemoryOneBot":
        from txwebqq.onebot.memory.program import MemoryOneBot

        return MemoryOneBot
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class RecordingProtocol(WebQQProtocol):
    """
    Records all events, and does nothing else.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []

    def eventReceived(self, event: Event) -> object:
        """
        Record an event and dispatch it.
        """
        self.events.append(event)
        return super().eventReceived(event)


class RecordingFactory(WebQQFactory):
    """
    Builds protocols that record events.
    """

    protocol = RecordingProtocol


@implementer(IBodyProducer)
class _BytesProducer:
    """
    Produces a body from bytes.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._body)
        return succeed(None)

    def stopProducing(self) -> None: ...

    def pauseProducing(self) -> None: ...

    def resumeProducing(self) -> None: ...


class MemoryTreq:
    """
    Passes treq's requests to a resource without a network, as
    L{treq.testing.StubTreq} does, and accepts body producers as well.
    """

    def __init__(self, resource: IResource) -> None:
        self._agent = RequestTraversalAgent(resource)
        client = HTTPClient(self._agent, NullCookieJar(), _producer)
        self.request: Callable[..., Deferred[Any]] = client.request

    def flush(self) -> None:
        """
        Deliver the data that was written.
        """
        self._agent.flush()
        # treq keeps all connections there, and the Deferreds of their requests: a
        # failure that a bot drops would never be reported.
        for kept in ("tcpClients", "connectors"):
            getattr(self._agent._memoryReactor, kept).clear()


class _MemoryClient(WebQQClient):
    """
    A client that notes how requests fail.
    """

    failed: set[type[object]]

    def ask(self, command: Command[R]) -> Deferred[R | Refusal]:
        asked = super().ask(command)
        # The replies to polls are for the service alone. The landing page redirects,
        # which counts as a failure and is ignored at each sign-on.
        if command.isRepeated or isinstance(command, CheckSig):
            return asked
        return asked.addBoth(self._look)

    def send(
        self, upload: UploadCommand[R], source: FileUpload
    ) -> Deferred[R | Refusal]:
        return super().send(upload, source).addBoth(self._look)

    def fetch(
        self, command: Command[bytes], sink: Sink, limit: int
    ) -> Deferred[int | Refusal]:
        return super().fetch(command, sink, limit).addBoth(self._look)

    def _look(self, result: T) -> T:
        if isinstance(result, (Failure, Refusal)):
            self.failed.add(type(result))
        return result


class MemoryClock(Clock):
    """
    A clock that fails when calls are repeated endlessly without a delay.
    """

    def advance(self, amount: float) -> None:
        """
        Let time pass, and make the calls that are due.

        @raise AssertionError: when there is no end of calls.
        """
        self.rightNow += amount
        for _ in range(MAX_CALLS):
            self.calls.sort(key=lambda call: call.getTime())
            if not self.calls or self.calls[0].getTime() > self.seconds():
                return
            call = self.calls.pop(0)
            call.called = 1
            call.func(*call.args, **call.kw)
        raise AssertionError(ENDLESS)


def _producer(data: Any) -> Any:
    return data if IBodyProducer.providedBy(data) else _BytesProducer(data)


class MemoryWebQQ:
    """
    A WebQQ server in memory, with its accounts and a clock.

    @param captcha: when the server asks for a captcha, whose text is
        L{captchaText}.
    @param store: the storage of the server, which the caller closes; by default
        in memory, until the L{MemoryWebQQ} is dropped.
    @param faults: the faults of requests and replies, which L{parseFaults} makes of
        the text of a file as for C{twistd webqq-server --faults}.

    @ivar clock: the clock of the server and of all clients, which only
        L{settle} advances.
    @ivar state: the state of the server.
    @ivar server: the server, a resource of twisted.web.
    """

    captchaText = "ABCD"

    def __init__(
        self,
        captcha: CaptchaMode = CaptchaMode.NEVER,
        store: Store | None = None,
        faults: FaultPlan | None = None,
    ) -> None:
        self.clock = MemoryClock()
        self.clock.advance(1366004000)
        if store is None:
            store = Store(MEMORY)
            # Twisted keeps the events that are logged before logging begins, and
            # with them the server.
            weakref.finalize(self, store.close)
        self.state = ServerState(
            store,
            self.clock,
            Random(1),
            Logger().failure,
            captcha,
            self.captchaText,
        )
        self.server = WebQQResource(
            self.state, self.clock, draw=lambda text: b"\xff\xd8\xff" + text.encode()
        )
        self._faulty: FaultyResource | None = None
        if faults is not None:
            self._faulty = FaultyResource(self.server, faults, self.clock)
        resource: Any = self._faulty or self.server
        self.treq = MemoryTreq(resource)
        self._failed: set[type[object]] = set()
        self._numbers = count(10001)
        self._groupNumbers = count(200001)

    @property
    def world(self) -> ServerState:
        """
        The old name of L{state}, for one release.
        """
        return self.state

    def client(self) -> WebQQClient:
        """
        Make the HTTP client of one account.
        """
        client = _MemoryClient(cast(TreqLike, self.treq), Servers(BASE), self.clock)
        client.failed = self._failed
        return client

    def person(self, nick: str, **profile: Any) -> MemoryPerson:
        """
        Create an account, which is not signed on.

        @param profile: other fields of the profile, by the names of
            L{txwebqq.model.Profile}.
        """
        number = Number(next(self._numbers))
        account = AccountRecord(number, passwordHash(PASSWORD), nick, profile=profile)
        self.state.merge(Population(accounts=(account,)))
        return MemoryPerson(self, number, nick)

    def friends(self, *nicks: str) -> list[MemoryPerson]:
        """
        Create accounts that are all friends of each other.
        """
        people = [self.person(nick) for nick in nicks]
        self.befriend(*people)
        return people

    def befriend(self, *people: MemoryPerson) -> None:
        """
        Make accounts friends of each other, before they sign on.
        """
        pairs = combinations([person.number for person in people], 2)
        self.state.merge(Population(friendships=tuple(map(FriendshipEntry, pairs))))

    def group(self, name: str, owner: MemoryPerson, *others: MemoryPerson) -> Number:
        """
        Create a group, before its members sign on.

        @return: the number of the group.
        """
        number = Number(next(self._groupNumbers))
        group = GroupEntry(
            GroupRecord(number, name, owner.number),
            tuple(person.number for person in (owner, *others)),
        )
        self.state.merge(Population(groups=(group,)))
        return number

    def discussion(self, name: str, owner: MemoryPerson, *others: MemoryPerson) -> Did:
        """
        Create a discussion, before its members sign on.
        """
        number = Number(next(self._groupNumbers))
        people = tuple(person.number for person in (owner, *others))
        discussion = DiscussionEntry(number, name, owner.number, people)
        self.state.merge(Population(discussions=(discussion,)))
        return Did(number)

    def settle(self, seconds: float = 0.0) -> None:
        """
        Advance the clock, and process everything that is due by then.

        A failed request whose Deferred the application has dropped is logged as
        C{Unhandled error in Deferred}, as it is over a network.

        @raise AssertionError: when there is no end of work.
        """
        self._settle()
        until = self.clock.seconds() + seconds
        while (left := until - self.clock.seconds()) > 0:
            self.clock.advance(min(left, 1.0))
            self._settle()
        if self._failed:
            # A failure and its Deferred refer to each other through frames. They are
            # young, and looking at all objects of a large application takes long.
            self._failed.clear()
            gc.collect(1)

    def _settle(self) -> None:
        quiet = 0
        for _ in range(MAX_ROUNDS):
            now = self.clock.seconds()
            due = any(call.getTime() <= now for call in self.clock.getDelayedCalls())
            self.clock.advance(0)
            self.treq.flush()
            quiet = 0 if due else quiet + 1
            if quiet == 3:
                return
        raise AssertionError(ENDLESS)

    def result(self, deferred: Deferred[T]) -> T:
        """
        Settle, and return the result of a Deferred.

        @raise Exception: the failure of the Deferred, or L{AssertionError} when
            it has not fired.
        """
        results: list[T | Failure] = []
        deferred.addBoth(results.append)
        self.settle()
        if not results:
            raise AssertionError("this Deferred has not fired")
        result = results[0]
        if isinstance(result, Failure):
            result.raiseException()
        return result

    def stop(self) -> None:
        """
        Stop the server, which replies to the polls that it holds.
        """
        if self._faulty is not None:
            self._faulty.stop()
        self.server.stop()
        self.settle()


class MemoryPerson:
    """
    An account of L{MemoryWebQQ}, and the person who uses it.

    @ivar service: the client of the account, set by L{run}.
    """

    service: WebQQService[Any]

    def __init__(self, web: MemoryWebQQ, number: Number, nick: str) -> None:
        self._web = web
        self.number = number
        self.nick = nick
        self._protocol: object = None

    @property
    def account(self) -> Account:
        """
        The number and the password of the account.
        """
        return Account(self.number, PASSWORD)

    @overload
    def run(
        self, factory: None = None, status: Status = Status.ONLINE
    ) -> RecordingProtocol: ...

    @overload
    def run(self, factory: FactoryOf[P], status: Status = Status.ONLINE) -> P: ...

    def run(
        self, factory: FactoryOf[Any] | None = None, status: Status = Status.ONLINE
    ) -> Any:
        """
        Sign on with an application, by default one that records events.

        @param status: the presence status.

        @return: the protocol, which is signed on.
        """
        self.service = WebQQService(
            replace(self.account, status=status),
            factory or RecordingFactory(),
            self._web.client(),
            self._web.clock,
        )
        self.service.startService()
        self._protocol = self._web.result(self.service.whenSignedOn())
        return self._protocol

    def stop(self) -> None:
        """
        Sign off, and wait until no request is in flight.
        """
        self._web.result(self.service.stopService())

    @property
    def protocol(self) -> WebQQProtocol:
        """
        The protocol of the account, which L{run} signs on if it was not called.
        """
        protocol = self._protocol or self.run()
        assert isinstance(protocol, WebQQProtocol)
        return protocol

    @property
    def events(self) -> list[Event]:
        """
        The events of a L{RecordingProtocol}.
        """
        protocol = self.protocol
        assert isinstance(protocol, RecordingProtocol)
        return protocol.events

    @property
    def heard(self) -> list[str]:
        """
        The texts of the messages among L{events}, oldest first.
        """
        kinds = (Message, GroupMessage, DiscussionMessage, StrangerMessage)
        return [event.text for event in self.events if isinstance(event, kinds)]

    def uinOf(self, other: MemoryPerson) -> Uin:
        """
        Return the uin of a friend in this account's session.
        """
        for uin in self.protocol.buddies:
            number = self._web.result(self.protocol.fetchNumber(uin))
            if number == other.number:
                return uin
        raise AssertionError(f"{other.nick} is no friend of {self.nick}")

    def groupCalled(self, name: str) -> Group:
        """
        Return the group with a name of which this account is a member.
        """
        for group in self.protocol.groups.values():
            if group.name == name:
                return group
        raise AssertionError(f"{self.nick} is not in {name}")

    def memberOf(self, name: str, other: MemoryPerson) -> Uin:
        """
        Return the uin of a member of a group in this account's session.
        """
        code = self.groupCalled(name).code
        for member in self._web.result(self.protocol.fetchGroup(code)).members:
            number = self._web.result(self.protocol.fetchNumber(member.uin))
            if number == other.number:
                return member.uin
        raise AssertionError(f"{other.nick} is not in {name}")

    def tell(self, other: MemoryPerson, content: Sendable) -> None:
        """
        Send a message to a friend.
        """
        uin = self.uinOf(other)
        self._web.result(self.protocol.sendMessage(uin, content))

    def tellGroup(self, name: str, content: Sendable) -> None:
        """
        Send a message to a group.
        """
        gid: Gid = self.groupCalled(name).gid
        self._web.result(self.protocol.sendGroupMessage(gid, content))

    def appear(self, status: Status) -> None:
        """
        Set the presence status.
        """
        self._web.result(self.protocol.setStatus(status))
