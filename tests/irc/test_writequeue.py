"""
Writes that are repeated until they succeed.
"""

from __future__ import annotations

import sqlite3

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent

from txwebqq.irc.writequeue import INTERVAL, WriteQueue


class Disk:
    """
    A disk that is full at times.
    """

    def __init__(self) -> None:
        self.isFull = False
        self.written: list[str] = []
        self.clock = Clock()
        self.queue = WriteQueue(self.clock, 3, lambda: self.written.append("all"))

    def write(self, text: str) -> str:
        def write() -> None:
            if self.isFull:
                raise sqlite3.OperationalError("full")
            self.written.append(text)

        return self.queue.run(text, write)


def test_order() -> None:
    """
    A write that has failed is made later, and those after it behind it.
    """
    disk = Disk()
    assert disk.write("1") == ""
    disk.isFull = True
    assert [disk.write(each) for each in "234"] == ["full"] * 3
    disk.queue.discard("3")
    disk.clock.advance(INTERVAL)
    disk.isFull = False
    assert disk.write("5") == "full"
    assert disk.written == ["1"]
    disk.clock.advance(INTERVAL)
    assert disk.written == ["1", "2", "4", "5", "all"]
    assert disk.write("6") == ""
    assert disk.clock.getDelayedCalls() == []


def test_limit() -> None:
    """
    Beyond the limit writes are dropped, which is logged once, and counted at the
    end.
    """
    disk = Disk()
    disk.isFull = True
    with capturedLogs() as events:
        for each in "12345":
            disk.write(each)
        disk.isFull = False
        disk.clock.advance(INTERVAL)
    assert disk.written == ["1", "2", "3", "all"]
    first, last = map(formatEvent, events)
    assert "failed: full; 3 messages wait in memory, later ones are dropped" in first
    assert last == "2 messages were dropped."


def test_stop() -> None:
    """
    At the end the writes are tried once more, and no call is left.
    """
    disk = Disk()
    disk.isFull = True
    disk.write("1")
    disk.isFull = False
    disk.queue.stop()
    assert disk.written == ["1", "all"]
    disk.isFull = True
    disk.write("2")
    disk.queue.stop()
    assert disk.clock.getDelayedCalls() == []
