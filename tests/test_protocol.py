"""
The class that applications subclass: each event has its callback.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from zope.interface import implementer
from zope.interface.verify import verifyClass, verifyObject

from tests.wire.events.test_envelope import QUOTED
from txwebqq.errors import CaptchaUnsolved
from txwebqq.interfaces import IWebQQFactory, IWebQQProtocol
from txwebqq.model import (
    Account,
    Buddy,
    CallRequest,
    CardChanged,
    DiscussionMessage,
    Event,
    FileNotice,
    FriendEdited,
    FriendshipNotice,
    GroupEdited,
    GroupFile,
    GroupMessage,
    GroupNotice,
    GroupWebMessage,
    JoinRequestAnswered,
    KickNotice,
    MemberMuted,
    MemberPoked,
    Message,
    MessageRecalled,
    MessageSent,
    Number,
    OfflineFile,
    OfflineFileNotice,
    Reaction,
    RosterChange,
    Shake,
    Status,
    StatusChange,
    StrangerMessage,
    Tip,
    TransferProgress,
    Typing,
    Uin,
    UnknownEvent,
)
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.testing import MemoryWebQQ

CALLBACKS: dict[type[Any], str] = {
    Message: "messageReceived",
    GroupMessage: "groupMessageReceived",
    DiscussionMessage: "discussionMessageReceived",
    StrangerMessage: "strangerMessageReceived",
    StatusChange: "statusChanged",
    Typing: "typingNoticed",
    Shake: "windowShaken",
    FriendshipNotice: "friendshipRequested",
    RosterChange: "rosterChanged",
    FriendEdited: "friendEdited",
    GroupNotice: "groupChanged",
    GroupWebMessage: "groupShared",
    FileNotice: "fileOffered",
    TransferProgress: "transferProgressed",
    OfflineFile: "offlineFileReceived",
    OfflineFileNotice: "offlineFileAnswered",
    Tip: "tipReceived",
    CallRequest: "callRequested",
    MessageRecalled: "messageRecalled",
    MemberMuted: "memberMuted",
    MemberPoked: "memberPoked",
    Reaction: "reactionChanged",
    GroupFile: "groupFileShared",
    GroupEdited: "groupEdited",
    CardChanged: "cardChanged",
    JoinRequestAnswered: "joinRequestAnswered",
    MessageSent: "messageSent",
    KickNotice: "kicked",
    UnknownEvent: "unknownEventReceived",
}

EVENTS: dict[type[Any], Event] = {
    UnknownEvent: UnknownEvent("news", {"a": 1}),
    **{type(event): event for _, event in QUOTED},
}


class EveryoneIsFriend(dict[Uin, Buddy]):
    """
    A friend list that contains all uins.
    """

    def __contains__(self, uin: object) -> bool:
        return True


class FakeTransport:
    """
    The attributes of a transport that dispatching reads.
    """

    def __init__(self, buddies: Mapping[Uin, Buddy], status: Status) -> None:
        self.buddies = buddies
        self.status = status


class Recorder(WebQQProtocol):
    """
    Records its callbacks.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def connect(
        self, buddies: Mapping[Uin, Buddy], status: Status = Status.ONLINE
    ) -> None:
        """
        Make the connection.
        """
        transport: Any = FakeTransport(buddies, status)
        self.makeConnection(Account(Number(1), "p"), transport, WebQQFactory())


def _recording(name: str) -> Any:
    def callback(self: Recorder, argument: Any) -> str:
        self.calls.append((name, argument))
        return name

    return callback


for _name in CALLBACKS.values():
    setattr(Recorder, _name, _recording(_name))


def test_complete() -> None:
    """
    The tables of this test have every kind of event.
    """
    assert set(CALLBACKS) == set(EVENTS) == set(get_args(Event))
    assert len(set(CALLBACKS.values())) == len(CALLBACKS)


@pytest.mark.parametrize("kind", CALLBACKS, ids=lambda kind: kind.__name__)
def test_dispatch(kind: type[Any]) -> None:
    """
    An event goes to its callback and no other, and the callback's result is
    returned.
    """
    event = EVENTS[kind]
    protocol = Recorder()
    protocol.connect(EveryoneIsFriend())
    expected = event.uin if isinstance(event, (Typing, Shake)) else event
    name = CALLBACKS[kind]
    assert protocol.eventReceived(event) == name
    assert protocol.calls == [(name, expected)]


@pytest.mark.parametrize("kind", CALLBACKS, ids=lambda kind: kind.__name__)
def test_harmless(kind: type[Any]) -> None:
    """
    Without overrides, an event has no effect.
    """
    protocol = WebQQProtocol()
    transport: Any = FakeTransport(EveryoneIsFriend(), Status.ONLINE)
    protocol.makeConnection(Account(Number(1), "p"), transport, WebQQFactory())
    assert protocol.eventReceived(EVENTS[kind]) is None


def test_harmlessLife() -> None:
    """
    An application that overrides nothing has harmless callbacks from the
    beginning to the end.
    """
    protocol = WebQQProtocol()
    assert protocol.connectionMade() is None
    assert protocol.signedOn() is None
    assert protocol.connectionLost(Failure(ConnectionDone())) is None


def test_noCaptchas() -> None:
    """
    An application that overrides nothing cannot read a captcha, and says so.
    """
    failed: list[Failure] = []
    reading = WebQQProtocol().captchaRequired(b"")
    assert isinstance(reading, Deferred)
    reading.addErrback(failed.append)
    assert failed[0].check(CaptchaUnsolved)


@pytest.mark.parametrize(
    ("isFriend", "status", "isFelt"),
    [
        (True, Status.ONLINE, True),
        (True, Status.BUSY, True),
        (True, Status.SILENT, False),
        (False, Status.ONLINE, False),
    ],
)
def test_shake(isFriend: bool, status: Status, isFelt: bool) -> None:
    """
    Window shakes are dispatched from friends only, and not in status silent.
    """
    shake = Shake(Uin(7), Number(1))
    protocol = Recorder()
    protocol.connect({Uin(7): Buddy(Uin(7), "Bob")} if isFriend else {}, status)
    protocol.eventReceived(shake)
    assert protocol.calls == ([("windowShaken", Uin(7))] if isFelt else [])


def test_made() -> None:
    """
    In connectionMade all attributes are set, and makeConnection returns its
    result.
    """
    seen: list[object] = []

    class SeesAttributes(WebQQProtocol):
        def connectionMade(self) -> str:
            seen.extend([self.account.number, self.status, self.factory])
            return "something"

    factory = WebQQFactory()
    transport: Any = FakeTransport({}, Status.AWAY)
    made = SeesAttributes().makeConnection(Account(Number(5), "p"), transport, factory)
    assert made == "something"
    assert seen == [5, Status.AWAY, factory]


def test_interfaces() -> None:
    """
    Protocol and factory provide their interfaces.
    """
    verifyClass(IWebQQProtocol, WebQQProtocol)
    verifyObject(IWebQQFactory, WebQQFactory())


def test_factory() -> None:
    """
    A factory builds its protocol class, a new object each time.
    """

    class RecorderFactory(WebQQFactory):
        protocol = Recorder

    factory = RecorderFactory()
    first, second = (factory.buildProtocol(Account(Number(1), "p")) for _ in "ab")
    assert type(first) is type(second) is Recorder
    assert first is not second


def test_secret() -> None:
    """
    An account does not show its password.
    """
    assert "secret" not in repr(Account(Number(1), "secret"))


@implementer(IWebQQProtocol)
class Bare:
    """
    A class of an application that provides the interface.
    """

    factory: Any
    transport: Any
    account: Any

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.reasons: list[Failure] = []

    def makeConnection(self, account: Any, transport: Any, factory: Any) -> object:
        self.account, self.transport, self.factory = account, transport, factory
        return None

    def captchaRequired(self, image: bytes) -> Deferred[str]:
        return Deferred()

    def signedOn(self) -> object:
        return None

    def eventReceived(self, event: Event) -> object:
        self.events.append(event)
        return None

    def connectionLost(self, reason: Failure) -> object:
        self.reasons.append(reason)
        return None


@implementer(IWebQQFactory)
class BareFactory:
    """
    Builds such protocols.
    """

    def buildProtocol(self, account: Account) -> IWebQQProtocol:
        bare: IWebQQProtocol = Bare()
        return bare


def test_bare() -> None:
    """
    An application with a protocol class of its own needs no more than the
    interfaces.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    bare = alice.run(BareFactory())
    assert isinstance(bare, Bare)
    verifyObject(IWebQQProtocol, bare)
    bob.tell(alice, "hi")
    web.settle()
    texts = [event.text for event in bare.events if isinstance(event, Message)]
    assert texts == ["hi"]
    alice.stop()
    assert [reason.type for reason in bare.reasons] == [ConnectionDone]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("messageRecieved", "messageReceived"),
        ("messagereceived", "messageReceived"),
        ("message_received", "messageReceived"),
        ("groupMessageReceieved", "groupMessageReceived"),
        ("onMessageReceived", "messageReceived"),
        ("connectionlost", "connectionLost"),
        ("kickd", "kicked"),
    ],
)
def test_misspelt(name: str, meant: str) -> None:
    """
    A method whose name is nearly that of a callback is warned of when its class
    is made.
    """
    with pytest.warns(UserWarning, match=rf"^Bot\.{name} .* has {meant}$") as caught:
        type("Bot", (WebQQProtocol,), {name: lambda self, event: None})
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "name",
    ["messageReceived", "answer", "received", "_messageRecieved", "sendMessages"],
)
def test_notMisspelt(name: str) -> None:
    """
    Callbacks, and methods with other names, are not; nor is an attribute that is
    no method, nor a method of a base class of the application.
    """
    bot = type("Bot", (WebQQProtocol,), {name: lambda self, event: None})
    with pytest.warns(UserWarning, match="messageRecieved"):
        odd = type("Odd", (bot,), {"messageRecieved": lambda self, event: None})
    type("Other", (odd,), {"messageRecieved": print, "messagesReceived": 0})


def test_misspeltFactory() -> None:
    """
    The same for a factory.
    """
    with pytest.warns(UserWarning, match="WebQQFactory has buildProtocol"):
        type("Factory", (WebQQFactory,), {"buildProtocl": lambda self, account: None})
    with pytest.warns(UserWarning, match="WebQQFactory has protocol"):
        type("Factory", (WebQQFactory,), {"Protocol": WebQQProtocol})
