"""
Queues of items with equal timeouts.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txwebqq.server.http.timeouts import TimeoutQueue


class DeadlinesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.expired: list[str] = []
        self.deadlines = TimeoutQueue[str](self.clock, 10, self.expired.append)

    def test_order(self) -> None:
        """
        Each item expires in its own time, and one timer serves all.
        """
        for thing in "abc":
            self.deadlines.add(thing)
            self.clock.advance(1)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        for expected in ("", "a", "ab", "abc"):
            self.assertEqual("".join(self.expired), expected)
            self.clock.advance(7 if not expected else 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_discard(self) -> None:
        """
        A discarded item does not expire, and nothing remains.
        """
        self.deadlines.add("a")
        self.clock.advance(5)
        self.deadlines.add("b")
        self.deadlines.discard("a")
        self.deadlines.discard("nothing")
        self.clock.advance(9)
        self.assertEqual(self.expired, [])
        self.clock.advance(1)
        self.assertEqual(self.expired, ["b"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_empty(self) -> None:
        """
        Nothing remains on the clock when the last item is discarded, and a later item
        has its own time.
        """
        self.deadlines.add("a")
        self.clock.advance(5)
        self.deadlines.discard("a")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.deadlines.add("b")
        self.clock.advance(9)
        self.assertEqual(self.expired, [])
        self.clock.advance(1)
        self.assertEqual(self.expired, ["b"])

    def test_clear(self) -> None:
        """
        Clearing returns the items, and stops the timer.
        """
        for thing in "ab":
            self.deadlines.add(thing)
        self.assertEqual(self.deadlines.clear(), ["a", "b"])
        self.assertEqual(self.deadlines.clear(), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_oneEndsAnother(self) -> None:
        """
        An item that expires may discard the others of its time, and add new ones.
        """
        deadlines = TimeoutQueue[str](self.clock, 10, lambda thing: expire(thing))

        def expire(thing: str) -> None:
            self.expired.append(thing)
            deadlines.discard("b")
            if thing == "a":
                deadlines.add("c")

        deadlines.add("a")
        deadlines.add("b")
        self.clock.advance(10)
        self.assertEqual(self.expired, ["a"])
        self.clock.advance(10)
        self.assertEqual(self.expired, ["a", "c"])
