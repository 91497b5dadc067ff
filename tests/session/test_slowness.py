"""
Applications that are slow: callbacks that do not finish, and events that wait.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tests.rig import (
    KICK,
    POLL,
    CapturedLog,
    RecordedPolls,
    Rig,
    batch,
    message,
)
from txwebqq.model import Message
from txwebqq.session import eventqueue
from txwebqq.session.callbacks import MAX_UNFINISHED


class SlowRig(Rig):
    """
    An application whose callbacks finish when a test says so, and of which at most
    four may be unfinished.
    """

    def __init__(self) -> None:
        super().__init__()
        self.results: list[Deferred[None]] = []
        self.factory.maxUnfinished = 4
        self.factory.onMessage = self.begin
        self.service = self.serve(self.alice.account, self.factory)

    def begin(self, message: Message) -> Deferred[None]:
        result: Deferred[None] = Deferred()
        self.results.append(result)
        return result

    def end(self, count: int) -> None:
        """
        Finish some callbacks.
        """
        for _ in range(count):
            self.results.pop(0).callback(None)
        self.web.settle()

    @property
    def heard(self) -> str:
        return "".join(self.protocol.log[2:])

    def tell(self, texts: str) -> None:
        for text in texts:
            self.bob.tell(self.alice, text)


@pytest.fixture
def slow() -> SlowRig:
    """
    One that is slow.
    """
    return SlowRig()


def test_held(slow: SlowRig) -> None:
    """
    From the limit on events wait, at the server that knows C{ack}; they are given
    when a quarter of the callbacks has finished. The log says when it begins and
    ends, and how many callbacks are unfinished is known.
    """
    slow.start()
    incoming = slow.service.signOns.incoming
    with CapturedLog() as logged:
        slow.tell("abcdefgh")
        assert (slow.heard, incoming.unfinished, incoming.isHeld) == ("abcd", 4, True)
        slow.web.settle(100)
        assert slow.heard == "abcd"
        slow.end(1)
        assert slow.heard == "abcde"
        slow.end(4)
        slow.web.settle(1)
    assert slow.heard == "abcdefgh"
    assert incoming.dropped == 0
    assert "The application is slow (account 10001): 4 callbacks have" in logged.text
    assert "is given events again (account 10001), after 100.0 s; 0 were" in logged.text
    slow.end(len(slow.results))
    assert (incoming.unfinished, incoming.isHeld) == (0, False)
    slow.bob.stop()
    slow.finish()


def test_atServer(slow: SlowRig) -> None:
    """
    A server that knows C{ack} keeps what waits: a reply is not acknowledged before it
    was delivered completely, and the session is kept alive meanwhile.
    """
    texts = [message(n, n, "abcdef"[n]) for n in range(5, -1, -1)]
    polls = RecordedPolls(*[batch(*texts, ack=7)] * 3)
    slow.polls(*[polls] * 5)
    slow.web.settle(65)
    assert [poll.ack for poll in polls.polls] == [0, 0, 0]
    assert slow.heard == "abcd"
    slow.end(4)
    slow.web.settle(1)
    assert slow.heard == "abcdef"
    assert polls.polls[-1].ack == 7


def test_inMemory(slow: SlowRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Of a server that does not keep events, polls are rare while the application is
    slow; the oldest events are kept in memory, up to a limit, and the newest are
    dropped. The log says so.
    """
    monkeypatch.setattr(eventqueue, "MAX_WAITING", 3)
    replies = [batch(message(n, n + 1, "abcdefghijkl"[n])) for n in range(12)]
    polls = RecordedPolls(*replies)
    slow.server.replies[POLL] = [polls] * 12
    with CapturedLog() as logged:
        slow.start()
        assert slow.heard == "abcd"
        # The one that found the limit, and one each half a minute.
        assert len(polls.polls) == 5
        slow.web.settle(7 * 31)
        assert len(polls.polls) == 12
        slow.end(4)
    assert slow.heard == "abcdefg"
    assert slow.service.signOns.incoming.dropped == 5
    assert logged.text.count("Events are dropped (account 10001): 3 wait") == 1
    assert "; 5 were dropped." in logged.text


def test_kick(slow: SlowRig) -> None:
    """
    A kick does not wait: all events before it are delivered, and it.
    """
    slow.polls(*[batch(message(n, n + 1, "abcdef"[n])) for n in range(6)], batch(KICK))
    slow.web.settle(80)
    assert slow.protocol.log[2:] == [*"abcdef", "kicked", "Kicked"]
    slow.end(6)
    assert slow.service.signOns.incoming.isHeld is False


def test_signOff(slow: SlowRig) -> None:
    """
    A sign-off delivers what waits, and leaves nothing behind; callbacks of one sign-on
    count in the next one as well.
    """
    slow.start()
    slow.tell("abcdef")
    slow.web.result(slow.service.signOff())
    assert slow.protocol.log[2:-1] == list("abcde")
    slow.service.signOn()
    slow.web.settle()
    assert slow.protocol.log == ["made", "on"]
    slow.tell("g")
    assert slow.heard == ""
    slow.end(5)
    slow.web.settle(1)
    assert slow.heard == "fg"
    slow.bob.stop()
    slow.finish()


def test_finished(
    slow: SlowRig, flushLoggedErrors: Callable[..., list[Failure]]
) -> None:
    """
    Callbacks that finish at once, or that fail, do not count.
    """

    async def quick(message: Message) -> None:
        if message.text == "c":
            raise RuntimeError("c")

    slow.factory.onMessage = quick
    slow.start()
    slow.tell("abcdefgh")
    assert slow.heard == "abcdefgh"
    assert len(flushLoggedErrors(RuntimeError)) == 1
    assert slow.service.signOns.incoming.unfinished == 0
    slow.bob.stop()


def test_default(rig: Rig) -> None:
    """
    By default a thousand callbacks may be unfinished.
    """
    results: list[Deferred[None]] = []

    def begin(message: Message) -> Deferred[None]:
        results.append(Deferred())
        return results[-1]

    rig.factory.onMessage = begin
    texts = [message(n, n + 1, "x") for n in range(1100, 0, -1)]
    rig.polls(batch(*texts))
    assert len(results) == MAX_UNFINISHED == rig.factory.maxUnfinished
