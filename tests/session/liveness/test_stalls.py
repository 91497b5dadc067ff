"""
Processes that stood still, and clocks that were set.
"""

from __future__ import annotations

import gc
from weakref import ref

import pytest
from twisted.internet.base import DelayedCall
from twisted.internet.task import Clock
from twisted.python.runtime import seconds as wallSeconds
from twisted.web.server import NOT_DONE_YET

from tests.rig import HTML, LOGIN2, NO_EVENTS, POLL, CapturedLog, Rig
from txwebqq.session.liveness.stalls import INTERVAL, LATE, whenStalled
from txwebqq.steadytimers import JUMP, SteadyTimers, steadyTimers


class Listener:
    """
    Remembers for how long the process stood still.
    """

    def __init__(self) -> None:
        self.heard: list[float] = []

    def stalled(self, seconds: float) -> None:
        self.heard.append(seconds)


def test_late() -> None:
    """
    Listeners are told when the clock has moved on by much more than the time that was
    waited for, once. A process that is only busy is not meant.
    """
    clock, one, other = Clock(), Listener(), Listener()
    remove = whenStalled(clock, one.stalled)
    removeOther = whenStalled(clock, other.stalled)
    clock.pump([1.0] * 60)
    clock.advance(LATE)
    assert one.heard == []
    with CapturedLog() as logged:
        clock.advance(3600)
        clock.pump([1.0] * 60)
    assert len(one.heard) == len(other.heard) == 1
    assert 3600 - INTERVAL <= one.heard[0] <= 3600
    assert logged.text.count("The process stood still for 3") == 1
    remove()
    clock.advance(3600)
    assert (len(one.heard), len(other.heard)) == (1, 2)
    removeOther()
    assert clock.getDelayedCalls() == []


def test_weak() -> None:
    """
    Neither the clock nor a listener is kept alive.
    """
    clock, listener = Clock(), Listener()
    whenStalled(clock, listener.stalled)
    known = ref(clock), ref(listener)
    del listener
    gc.collect()
    assert known[1]() is None
    assert clock.getDelayedCalls() == []
    del clock
    gc.collect()
    assert known[0]() is None


# Accounts.


def sleep(rig: Rig, seconds: float) -> None:
    """
    Let the whole process stand still.
    """
    rig.web.clock.advance(seconds)
    rig.web.settle()


def test_poll(rig: Rig) -> None:
    """
    After a sleep the poll that was held is given up, and another one is sent at once.
    """
    rig.polls(NOT_DONE_YET, NOT_DONE_YET)
    rig.web.settle(2)
    assert rig.server.requests.count(POLL) == 1
    # Shorter than the limit of a poll.
    sleep(rig, 60)
    assert rig.server.disconnected == [POLL]
    assert rig.server.requests.count(POLL) == 2
    assert rig.server.requests.count(LOGIN2) == 1
    assert rig.factory.logs == [["made", "on"]]


def test_retry(rig: Rig) -> None:
    """
    A poll that was to be repeated later is repeated at once, and its failures are
    forgotten.
    """
    rig.polls(NO_EVENTS, *[HTML] * 20)
    rig.web.settle(100)
    count = rig.server.requests.count(POLL)
    sleep(rig, 40)
    assert rig.server.requests.count(POLL) == count + 1
    assert rig.service._driver._poll is not None
    assert rig.service._driver._poll._intercepted == 1


def test_lapsed(rig: Rig) -> None:
    """
    After a long sleep, the session has lapsed: it is resumed by one rejoin, and
    messages of the meantime come.
    """
    rig.start()
    rig.bob.run()
    sleep(rig, 3000)
    rig.web.settle(5)
    rig.bob.tell(rig.alice, "hi")
    rig.web.settle(5)
    assert rig.factory.logs[-1][-1] == "hi"
    assert rig.server.requests.count("/login") <= 2
    rig.bob.stop()


def test_signOn(rig: Rig) -> None:
    """
    The backoff of a sign-on begins again, unless the server has told how long to wait.
    """
    delays: list[int] = []

    def backoff(attempt: int) -> float:
        delays.append(attempt)
        return 100.0 * (attempt + 1)

    rig.service._driver._backoff = backoff
    rig.server.replies["/check"] = [500] * 4
    rig.start()
    rig.web.settle(450)
    assert delays == [0, 1, 2]
    sleep(rig, 60)
    assert delays == [0, 1, 2, 0]
    rig.web.settle(101)
    assert rig.server.requests.count("/check") == 4
    assert delays == [0, 1, 2, 0, 0]


def test_offline(rig: Rig) -> None:
    """
    An account that is signed off stays so.
    """
    rig.start()
    rig.web.result(rig.service.signOff())
    count = len(rig.server.requests)
    sleep(rig, 600)
    assert len(rig.server.requests) == count


# The clock of the machine.


class SetClock:
    """
    A reactor whose time of day can be set, while another clock only counts.
    """

    def __init__(self) -> None:
        self.wall, self.monotonic = 1_366_004_000.0, 50.0
        self.woken = 0
        self.calls: list[DelayedCall] = []
        self.timers = SteadyTimers(self, lambda: self.wall, lambda: self.monotonic)
        self.seconds = self.timers.seconds

    def getDelayedCalls(self) -> list[DelayedCall]:
        return self.calls

    def wakeUp(self) -> None:
        self.woken += 1

    def callLater(self, delay: float) -> DelayedCall:
        call = DelayedCall(
            self.seconds() + delay,
            print,
            (),
            {},
            lambda call: None,
            lambda call: None,
            self.seconds,
        )
        self.calls.append(call)
        return call

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds
        self.seconds()


def test_setBack() -> None:
    """
    When the clock is set back by an hour, calls are made after the time that they were
    to be made after, and the time of day is the new one.
    """
    clock = SetClock()
    call = clock.callLater(90)
    clock.advance(10)
    with CapturedLog() as logged:
        clock.wall -= 3600
        assert clock.seconds() == clock.wall
    assert call.getTime() - clock.seconds() == pytest.approx(80)
    assert clock.woken == 1
    assert "The clock was set back by 3600 s; 1 delayed calls were moved." in (
        logged.text
    )
    clock.advance(10)
    assert call.getTime() - clock.seconds() == pytest.approx(70)


@pytest.mark.parametrize("change", [3600.0, 1.0, -1.0, -JUMP])
def test_set(change: float) -> None:
    """
    Nothing is moved when the clock is set forward, or corrected.
    """
    clock = SetClock()
    call = clock.callLater(90)
    due = call.getTime()
    clock.wall += change
    assert clock.seconds() == clock.wall
    assert call.getTime() == due
    assert clock.woken == 0


def test_reactor() -> None:
    """
    It is for reactors whose time is that of the machine, and not for other clocks.
    """

    class Reactor:
        seconds = staticmethod(wallSeconds)

    reactor, clock = Reactor(), Clock()
    steadyTimers(reactor)
    steadyTimers(clock)
    steadyTimers(object())
    assert reactor.seconds is not wallSeconds
    assert abs(reactor.seconds() - wallSeconds()) < 60
    assert "seconds" not in vars(clock)
