"""
An in-memory WebQQ for the tests of bots: a server, a clock, and people.

Nothing here opens a socket or sleeps::

    web = MemoryWebQQ()
    alice, bot = web.friends("Alice", "Bot")
    bot.run(EchoFactory())
    alice.tell(bot, "hello")
    assert alice.heard == ["hello"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import combinations, count
from random import Random
from typing import Any, TypeVar, cast

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
from txwebqq.interfaces import IWebQQFactory, IWebQQProtocol
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
    Segment,
    Status,
    StrangerMessage,
    Uin,
)
from txwebqq.net.treqsetup import NullCookieJar
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.server.domain.state import ServerState
from txwebqq.server.records import (
    AccountRecord,
    DiscussionEntry,
    FriendshipEntry,
    GroupEntry,
    GroupRecord,
    Population,
)
from txwebqq.server.resource import WebQQResource
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.server.storage.store import Store
from txwebqq.service import WebQQService
from txwebqq.sqlite.database import MEMORY
from txwebqq.wire.digests import passwordHash

T = TypeVar("T")

PASSWORD = "correct horse"
"""Everybody's password."""

BASE = "http://webqq.test"

MAX_ROUNDS = 10_000
MAX_CALLS = 10_000
RESTLESS = "this never comes to rest: is something done again and again at once?"


class RecordingProtocol(WebQQProtocol):
    """
    Remembers everything that happens, and does nothing.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []

    def eventReceived(self, event: Event) -> object:
        """
        Remember an event.
        """
        self.events.append(event)
        return super().eventReceived(event)


class RecordingFactory(WebQQFactory):
    """
    Builds protocols that remember.
    """

    protocol = RecordingProtocol


@implementer(IBodyProducer)
class _Form:
    """
    A body that is there already.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._body)
        return succeed(None)

    def stopProducing(self) -> None:
        pass

    def pauseProducing(self) -> None:
        pass

    def resumeProducing(self) -> None:
        pass


class MemoryTreq:
    """
    A treq whose requests reach a resource without a network, like
    L{treq.testing.StubTreq}; this one takes body producers, too.
    """

    def __init__(self, resource: IResource) -> None:
        self._agent = RequestTraversalAgent(resource)
        client = HTTPClient(self._agent, NullCookieJar(), _producer)
        self.request: Callable[..., Deferred[Any]] = client.request

    def flush(self) -> None:
        """
        Let what was written arrive.
        """
        self._agent.flush()


class MemoryClock(Clock):
    """
    A clock that notices when something is done again and again in no time.
    """

    def advance(self, amount: float) -> None:
        """
        Let time pass.

        @raise AssertionError: when it stands still.
        """
        self.rightNow += amount
        for _ in range(MAX_CALLS):
            self.calls.sort(key=lambda call: call.getTime())
            if not self.calls or self.calls[0].getTime() > self.seconds():
                return
            call = self.calls.pop(0)
            call.called = 1
            call.func(*call.args, **call.kw)
        raise AssertionError(RESTLESS)


def _producer(data: Any) -> Any:
    return data if IBodyProducer.providedBy(data) else _Form(data)


class MemoryWebQQ:
    """
    A WebQQ of one's own.

    @param captcha: who has to read a captcha; its text is L{captchaText}.
    @param store: where the server keeps things, by default in memory.

    @ivar clock: the time of everybody here; it moves with L{settle} only.
    @ivar state: the server's own view, for tests that look behind the scenes.
    @ivar server: the server, a resource of twisted.web.
    """

    captchaText = "ABCD"

    def __init__(
        self, captcha: CaptchaMode = CaptchaMode.NEVER, store: Store | None = None
    ) -> None:
        self.clock = MemoryClock()
        self.clock.advance(1366004000)
        self.state = ServerState(
            Store(MEMORY) if store is None else store,
            self.clock,
            Random(1),
            Logger().failure,
            captcha,
            self.captchaText,
        )
        self.server = WebQQResource(
            self.state, self.clock, draw=lambda text: b"\xff\xd8\xff" + text.encode()
        )
        self.treq = MemoryTreq(self.server)
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
        What one account asks this server with.
        """
        return WebQQClient(cast(TreqLike, self.treq), Servers(BASE), self.clock)

    def person(self, nick: str, **profile: Any) -> MemoryPerson:
        """
        Somebody new, who is not signed on.

        @param profile: what else they tell about themselves, by the names of
            L{txwebqq.model.Profile}.
        """
        number = Number(next(self._numbers))
        account = AccountRecord(number, passwordHash(PASSWORD), nick, profile=profile)
        self.state.merge(Population(accounts=(account,)))
        return MemoryPerson(self, number, nick)

    def friends(self, *nicks: str) -> list[MemoryPerson]:
        """
        New people who are all friends of each other.
        """
        people = [self.person(nick) for nick in nicks]
        self.befriend(*people)
        return people

    def befriend(self, *people: MemoryPerson) -> None:
        """
        Make friends of people, before they sign on.
        """
        pairs = combinations([person.number for person in people], 2)
        self.state.merge(Population(friendships=tuple(map(FriendshipEntry, pairs))))

    def group(self, name: str, owner: MemoryPerson, *others: MemoryPerson) -> Number:
        """
        A new group, whose members have not signed on yet.

        @return: its permanent number.
        """
        number = Number(next(self._groupNumbers))
        room = GroupEntry(
            GroupRecord(number, name, owner.number),
            tuple(person.number for person in (owner, *others)),
        )
        self.state.merge(Population(groups=(room,)))
        return number

    def discussion(self, name: str, owner: MemoryPerson, *others: MemoryPerson) -> Did:
        """
        A new discussion, whose members have not signed on yet.
        """
        number = Number(next(self._groupNumbers))
        people = tuple(person.number for person in (owner, *others))
        discussion = DiscussionEntry(number, name, owner.number, people)
        self.state.merge(Population(discussions=(discussion,)))
        return Did(number)

    def settle(self, seconds: float = 0.0) -> None:
        """
        Let everything happen that happens within some time.
        """
        self._settle()
        until = self.clock.seconds() + seconds
        while (left := until - self.clock.seconds()) > 0:
            self.clock.advance(min(left, 1.0))
            self._settle()

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
        raise AssertionError(RESTLESS)

    def result(self, deferred: Deferred[T]) -> T:
        """
        What a Deferred fires with once all has settled.

        @raise Exception: what it fails with, or L{AssertionError} when it has
            not fired.
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
        Stop the server; what it held is answered.
        """
        self.server.stop()
        self.settle()


class MemoryPerson:
    """
    An account of L{MemoryWebQQ}, and whoever uses it.

    @ivar service: what keeps it signed on, once it is running.
    """

    service: WebQQService

    def __init__(self, web: MemoryWebQQ, number: Number, nick: str) -> None:
        self._web = web
        self.number = number
        self.nick = nick
        self._protocol: IWebQQProtocol | None = None

    @property
    def account(self) -> Account:
        """
        What a service needs to sign on as this person.
        """
        return Account(self.number, PASSWORD)

    def run(
        self, factory: IWebQQFactory | None = None, status: Status = Status.ONLINE
    ) -> IWebQQProtocol:
        """
        Sign on with an application, by default one that only remembers.

        @param status: how to appear.

        @return: its protocol, signed on.
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
        Sign off, and wait until nothing is in flight.
        """
        self._web.result(self.service.stopService())

    @property
    def protocol(self) -> WebQQProtocol:
        """
        The protocol that is signed on; we sign on when there was none.
        """
        protocol = self._protocol or self.run()
        assert isinstance(protocol, WebQQProtocol)
        return protocol

    @property
    def events(self) -> list[Event]:
        """
        What happened to somebody who only remembers.
        """
        protocol = self.protocol
        assert isinstance(protocol, RecordingProtocol)
        return protocol.events

    @property
    def heard(self) -> list[str]:
        """
        The texts that somebody who only remembers got, oldest first.
        """
        kinds = (Message, GroupMessage, DiscussionMessage, StrangerMessage)
        return [event.text for event in self.events if isinstance(event, kinds)]

    def uinOf(self, other: MemoryPerson) -> Uin:
        """
        What this person's session calls a friend.
        """
        for uin in self.protocol.buddies:
            number = self._web.result(self.protocol.fetchNumber(uin))
            if number == other.number:
                return uin
        raise AssertionError(f"{other.nick} is no friend of {self.nick}")

    def groupCalled(self, name: str) -> Group:
        """
        A group that this person is in.
        """
        for group in self.protocol.groups.values():
            if group.name == name:
                return group
        raise AssertionError(f"{self.nick} is not in {name}")

    def memberOf(self, name: str, other: MemoryPerson) -> Uin:
        """
        What this person's session calls a member of a group.
        """
        code = self.groupCalled(name).code
        for member in self._web.result(self.protocol.fetchGroup(code)).members:
            number = self._web.result(self.protocol.fetchNumber(member.uin))
            if number == other.number:
                return member.uin
        raise AssertionError(f"{other.nick} is not in {name}")

    def tell(self, other: MemoryPerson, content: str | Iterable[Segment]) -> None:
        """
        Write to a friend.
        """
        uin = self.uinOf(other)
        self._web.result(self.protocol.sendMessage(uin, content))

    def tellGroup(self, name: str, content: str | Iterable[Segment]) -> None:
        """
        Write in a group.
        """
        gid: Gid = self.groupCalled(name).gid
        self._web.result(self.protocol.sendGroupMessage(gid, content))

    def appear(self, status: Status) -> None:
        """
        Change status.
        """
        self._web.result(self.protocol.setStatus(status))
