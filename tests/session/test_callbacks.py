"""
Calls of an application's callbacks.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET

from tests.rig import (
    KICK,
    LOGOUT2,
    SEND,
    CallbackLog,
    CapturedLog,
    Rig,
    batch,
    message,
    raiseError,
)
from txwebqq.errors import (
    RequestRefused,
)
from txwebqq.model import Message, Sent, Status

Flush = Callable[..., list[Failure]]


def test_inSignedOn(rig: Rig) -> None:
    """
    Inside signedOn the roster is loaded, and requests can be made.
    """
    seen: list[object] = []
    sent: list[Deferred[Sent]] = []

    def look(protocol: CallbackLog) -> None:
        [buddy] = protocol.buddies.values()
        seen.append((buddy.name, buddy.status, protocol.status))
        seen.append([group.name for group in protocol.groups.values()])
        sent.append(protocol.sendMessage(buddy.uin, "morning"))

    rig.web.group("cats", rig.alice, rig.bob)
    rig.bob.run()
    rig.factory.onSignedOn = look
    rig.start()
    assert seen == [("Bob", Status.ONLINE, Status.ONLINE), ["cats"]]
    rig.web.result(sent[0])
    rig.web.settle()
    assert rig.bob.heard == ["morning"]
    rig.bob.stop()


def test_lostOutside(rig: Rig) -> None:
    """
    connectionLost is not called from within another callback.
    """
    inside: list[str] = []

    def leave(message: Message) -> None:
        inside.append("begin")
        rig.protocol.signOff()
        inside.append("end")

    rig.factory.onMessage = leave
    rig.factory.onLost = lambda protocol: inside.append("lost")
    rig.start()
    rig.bob.tell(rig.alice, "go")
    assert inside == ["begin", "end", "lost"]
    rig.bob.stop()


def test_nothingAfterLost(rig: Rig) -> None:
    """
    After a sign-off in a callback, the rest of the batch is delivered neither
    to this protocol nor to the next.
    """

    def leave(message: Message) -> None:
        rig.protocol.signOff()
        rig.service.signOn()

    rig.factory.onMessage = leave
    rig.polls(batch(message(200, 2, "later"), message(100, 1, "go")))
    rig.web.settle(5)
    assert rig.factory.logs == [["made", "on", "go", "ConnectionDone"], ["made", "on"]]


def test_signOnInLost(rig: Rig) -> None:
    """
    A sign-off has ended also when connectionLost signs on again at once.
    """
    rig.factory.onLost = lambda protocol: rig.service.signOn()
    rig.start()
    rig.web.result(rig.service.signOff())
    rig.web.settle()
    assert rig.factory.logs == [["made", "on", "ConnectionDone"], ["made", "on"]]


@pytest.mark.parametrize("where", ["onSignedOn", "onKicked", "onLost"])
def test_signOffAnywhere(rig: Rig, where: str) -> None:
    """
    An application may sign off in any callback, and the Deferred fires when the
    server has been told.
    """
    done: list[int] = []

    def leave(protocol: CallbackLog) -> None:
        gone = protocol.signOff()
        gone.addCallback(lambda _: done.append(rig.server.requests.count(LOGOUT2)))

    setattr(rig.factory, where, leave)
    rig.polls(batch(KICK))
    rig.web.settle(5)
    assert len(done) == 1
    if where == "onSignedOn":
        assert done == [1], "it was told before the server was"
        assert rig.factory.logs == [["made", "on", "ConnectionDone"]]
    rig.web.settle(100)
    assert len(rig.factory.protocols) == 1


def test_signOffAtOnce(rig: Rig) -> None:
    """
    An application may sign off in connectionMade.
    """

    class Quitter(CallbackLog):
        def connectionMade(self) -> None:
            super().connectionMade()
            self.signOff()

    rig.factory.protocol = Quitter
    off = rig.service.whenSignedOff()
    rig.start()
    rig.web.result(off)
    rig.web.settle(100)
    assert rig.factory.logs == [["made", "ConnectionDone"]]
    assert rig.server.requests.count("/login") == 0


class FailingProtocol(CallbackLog):
    """
    Raises an exception in all callbacks.
    """

    def connectionMade(self) -> None:
        super().connectionMade()
        raiseError()


def test_bugsEverywhere(rig: Rig, flushLoggedErrors: Flush) -> None:
    """
    An account stays online when all callbacks raise exceptions, and each is
    logged with the account's number.
    """
    rig.factory.protocol = FailingProtocol
    rig.factory.onSignedOn = rig.factory.onMessage = rig.factory.onLost = raiseError
    with CapturedLog() as logged:
        rig.start()
        rig.bob.tell(rig.alice, "hi")
        rig.web.result(rig.service.stopService())
    assert rig.factory.logs == [["made", "on", "hi", "ConnectionDone"]]
    assert len(flushLoggedErrors(ZeroDivisionError)) == 4
    for name in ("makeConnection", "signedOn", "eventReceived", "connectionLost"):
        raised = f"Callback {name} raised an exception (account {rig.alice.number})"
        assert raised in logged.text
    rig.bob.stop()


def test_failingDeferred(rig: Rig, flushLoggedErrors: Flush) -> None:
    """
    A later failure of a callback's Deferred is logged, and delays no other
    callback.
    """
    late: Deferred[None] = Deferred()
    rig.factory.onMessage = lambda message: late
    rig.start()
    rig.bob.tell(rig.alice, "one")
    rig.bob.tell(rig.alice, "two")
    assert rig.protocol.log == ["made", "on", "one", "two"]
    assert flushLoggedErrors() == []
    late.errback(ZeroDivisionError("late"))
    assert flushLoggedErrors(ZeroDivisionError)
    rig.bob.stop()


def test_sendCutShort(rig: Rig) -> None:
    """
    A callback whose request is ended by a stop has no failure logged.
    """

    async def answer(message: Message) -> None:
        rig.server.replies[SEND] = [NOT_DONE_YET]
        await rig.protocol.sendMessage(message.sender, "hm")

    rig.factory.onMessage = answer
    rig.start()
    rig.bob.tell(rig.alice, "well?")
    stopped = rig.service.stopService()
    rig.web.settle(2)
    rig.web.result(stopped)
    assert rig.protocol.log[-1] == "ConnectionDone"
    rig.bob.stop()


def test_bugOfSending(rig: Rig, flushLoggedErrors: Flush) -> None:
    """
    A callback that ignores the failure of its request has it logged.
    """

    async def answer(message: Message) -> None:
        rig.server.replies[SEND] = [b'{"retcode":99,"errmsg":"no"}']
        await rig.protocol.sendMessage(message.sender, "hm")

    rig.factory.onMessage = answer
    rig.start()
    rig.bob.tell(rig.alice, "well?")
    rig.web.settle()
    assert len(flushLoggedErrors(RequestRefused)) == 1
    rig.bob.stop()
