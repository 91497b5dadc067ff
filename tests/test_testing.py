"""
The in-memory WebQQ with which applications test their bots.
"""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Awaitable, Callable

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from txwebqq import testing
from txwebqq.errors import LoginRefused, RequestRefused
from txwebqq.model import Message, Sent, Status, StatusChange, Text, Uin
from txwebqq.protocol import WebQQFactory, WebQQProtocol
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.testing import MemoryWebQQ, RecordingProtocol, parseFaults


class Echo(WebQQProtocol):
    """
    The bot of the documentation.
    """

    def messageReceived(self, message: Message) -> Deferred[Sent]:
        return self.sendMessage(message.sender, message.text)


class EchoFactory(WebQQFactory):
    """
    Builds echo bots.
    """

    protocol = Echo


def test_echo() -> None:
    """
    A bot is tested in five lines.
    """
    web = MemoryWebQQ()
    alice, bot = web.friends("Alice", "Bot")
    bot.run(EchoFactory())
    alice.tell(bot, "hello")
    web.settle()
    assert alice.heard == ["hello"]
    for person in (alice, bot):
        person.stop()
    web.stop()
    assert web.clock.getDelayedCalls() == []


def test_groups() -> None:
    """
    A group has the members of its arguments.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    carol = web.person("Carol")
    web.group("cats", alice, bob, carol)
    for person in (alice, bob, carol):
        person.run()
    carol.tellGroup("cats", [Text("meow")])
    web.settle()
    assert (alice.heard, bob.heard, carol.heard) == (["meow"], ["meow"], [])
    assert carol.protocol.buddies == {}


def test_order() -> None:
    """
    Messages of different conversations that waited in one second are heard in the
    order in which they were sent.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    carol = web.person("Carol")
    web.group("cats", alice, bob, carol)
    for person in (alice, carol, bob):
        person.run()
    bob.stop()
    alice.tell(bob, "first")
    carol.tellGroup("cats", [Text("second")])
    bob.run()
    web.settle()
    assert bob.heard == ["first", "second"]


def test_people() -> None:
    """
    Friends are in each other's lists, each has another number, and presence is
    received.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    carol = web.person("Carol")
    assert len({alice.number, bob.number, carol.number}) == 3
    alice.run()
    uin = alice.uinOf(bob)
    assert alice.protocol.buddies[uin].nick == "Bob"
    bob.run()
    bob.appear(Status.BUSY)
    web.settle()
    assert alice.protocol.buddies[uin].status is Status.BUSY
    seen = [e.status for e in alice.events if isinstance(e, StatusChange)]
    assert seen == [Status.ONLINE, Status.BUSY]


def test_runWithStatus() -> None:
    """
    An account may sign on hidden.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    alice.run()
    bob.run(status=Status.HIDDEN)
    web.settle()
    assert alice.events == []


def test_befriend() -> None:
    """
    Friends may be made one by one.
    """
    web = MemoryWebQQ()
    alice, bob, carol = (web.person(nick) for nick in ("Alice", "Bob", "Carol"))
    web.befriend(alice, bob)
    web.befriend(alice, carol)
    names = {buddy.nick for buddy in alice.protocol.buddies.values()}
    assert names == {"Bob", "Carol"}
    assert len(bob.protocol.buddies) == 1


def test_mistakes() -> None:
    """
    A mistake in a test has an error that names it.
    """
    web = MemoryWebQQ()
    alice = web.person("Alice")
    bob = web.person("Bob")
    with pytest.raises(AssertionError, match="Bob is no friend of Alice"):
        alice.tell(bob, "hi")
    with pytest.raises(AssertionError, match="Alice is not in cats"):
        alice.tellGroup("cats", "hi")


def test_result() -> None:
    """
    The result of a Deferred, its failure, or that there is none.
    """
    web = MemoryWebQQ()
    assert web.result(succeed(5)) == 5
    with pytest.raises(ZeroDivisionError):
        web.result(fail(ZeroDivisionError()))
    silent: Deferred[None] = Deferred()
    with pytest.raises(AssertionError, match="has not fired"):
        web.result(silent)


def test_refused() -> None:
    """
    A sign-on that fails raises its error in the test.
    """
    web = MemoryWebQQ(CaptchaMode.ALWAYS)
    alice = web.person("Alice")
    with pytest.raises(LoginRefused):
        alice.run()
    alice.stop()
    assert web.clock.getDelayedCalls() == []


def test_captcha() -> None:
    """
    Captchas can be tested, too: their text is known.
    """
    shown: list[bytes] = []

    class Reading(RecordingProtocol):
        def captchaRequired(self, image: bytes) -> Awaitable[str]:
            shown.append(image)
            return succeed(MemoryWebQQ.captchaText)

    class ReadingFactory(WebQQFactory):
        protocol = Reading

    web = MemoryWebQQ(CaptchaMode.ALWAYS)
    alice = web.person("Alice")
    assert isinstance(alice.run(ReadingFactory()), Reading)
    assert len(shown) == 1


def test_time() -> None:
    """
    settle advances the clock by its argument, and processes what is due.
    """
    web = MemoryWebQQ()
    alice, bob = web.friends("Alice", "Bob")
    alice.run()
    start = web.clock.seconds()
    web.settle(200)
    assert web.clock.seconds() == start + 200
    bob.tell(alice, "still there?")
    web.settle()
    assert alice.heard == ["still there?"]


def test_hot() -> None:
    """
    A test with endless work fails, instead of hanging.
    """
    web = MemoryWebQQ()

    def again() -> None:
        web.clock.callLater(0, again)

    again()
    with pytest.raises(AssertionError, match="the work never ends"):
        web.settle()


def test_chatterboxes(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Two bots that reply to each other endlessly fail the test.
    """
    monkeypatch.setattr(testing, "MAX_ROUNDS", 300)
    web = MemoryWebQQ()
    one, other = web.friends("One", "Other")
    protocol = one.run(EchoFactory())
    other.run(EchoFactory())
    assert isinstance(protocol, WebQQProtocol)
    protocol.sendMessage(next(iter(protocol.buddies)), "hello")
    with pytest.raises(AssertionError, match="the work never ends"):
        web.settle()


def test_stopped() -> None:
    """
    A stop of the server replies to the polls that it holds.
    """
    web = MemoryWebQQ()
    alice = web.person("Alice")
    alice.run()
    alice.stop()
    web.stop()
    assert web.clock.getDelayedCalls() == []


def test_oldName() -> None:
    """
    The server's state has its old name too, for one release.
    """
    web = MemoryWebQQ()
    assert web.world is web.state
    web.stop()


def test_droppedDeferred(flushLoggedErrors: Callable[..., list[Failure]]) -> None:
    """
    The failure of a request that the application has dropped is logged, as it is
    over a network.
    """

    class Dropping(WebQQProtocol):
        def messageReceived(self, message: Message) -> None:
            self.sendMessage(Uin(1), "to nobody")

    class DroppingFactory(WebQQFactory):
        protocol = Dropping

    web = MemoryWebQQ()
    alice, bot = web.friends("Alice", "Bot")
    bot.run(DroppingFactory())
    # It must not be found by chance.
    gc.disable()
    try:
        alice.tell(bot, "hello")
        web.settle()
        [failure] = flushLoggedErrors()
    finally:
        gc.enable()
    assert failure.check(RequestRefused)
    web.stop()


def test_noCollection() -> None:
    """
    A sign-on and a message without failures do not wait for a garbage collection,
    which takes longer than both.
    """
    web = MemoryWebQQ()
    alice, bot = web.friends("Alice", "Bot")
    collections: list[str] = []

    def collecting(phase: str, info: dict[str, int]) -> None:
        collections.append(phase)

    gc.disable()
    gc.callbacks.append(collecting)
    try:
        bot.run(EchoFactory())
        alice.tell(bot, "hello")
    finally:
        gc.callbacks.remove(collecting)
        gc.enable()
    assert alice.heard == ["hello"]
    assert collections == []
    web.stop()


def test_dropped() -> None:
    """
    A test need not close anything: the database is closed when its WebQQ is
    collected, also while accounts are signed on.
    """
    web = MemoryWebQQ()
    alice, bot = web.friends("Alice", "Bot")
    bot.run(EchoFactory())
    alice.tell(bot, "hello")
    connection = web.state.store.database.connection
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
    del web, alice, bot
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        connection.execute("SELECT 1")


LOST_REPLY = """
[[fault]]
kind = "reset"
when = "after"
paths = ["/channel/send_buddy_msg2"]
every = 2
"""


def test_faults() -> None:
    """
    A reply that is lost on purpose fails the request, which has taken effect.
    """
    web = MemoryWebQQ(faults=parseFaults(LOST_REPLY))
    alice, bob = web.friends("Alice", "Bob")
    bob.run()
    uin = alice.uinOf(bob)
    web.result(alice.protocol.sendMessage(uin, "first"))
    failed: list[Failure] = []
    alice.protocol.sendMessage(uin, "second").addErrback(failed.append)
    web.settle(60)
    assert failed
    assert bob.heard == ["first", "second"]
    alice.stop()
    bob.stop()
    web.stop()
    assert web.clock.getDelayedCalls() == []


def test_lostPolls() -> None:
    """
    Events of lost and reordered poll replies are delivered once and in order.
    """
    text = (
        '[[fault]]\nkind = "lose"\nevery = 2\n[[fault]]\nkind = "duplicate"\nevery = 3'
    )
    plan = parseFaults(text)
    web = MemoryWebQQ(faults=plan)
    alice, bob = web.friends("Alice", "Bob")
    bob.run()
    uin = alice.uinOf(bob)
    for n in range(10):
        web.result(alice.protocol.sendMessage(uin, str(n)))
        web.settle(5)
    web.settle(60)
    assert bob.heard == [str(n) for n in range(10)]
    assert plan.counts["lose"] > 1
    assert plan.counts["duplicate"] > 1
