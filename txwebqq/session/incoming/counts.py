"""
Counts of the events of one account that did not reach its application as they should.
"""

from __future__ import annotations


class IncomingCounts:
    """
    Counts since the start of a service.

    @ivar missed: messages that the server has numbered and that did not come.
    @ivar repeated: events that came twice, and were delivered once.
    @ivar dropped: events that were dropped, because the application was too slow.
    @ivar unfinished: callbacks whose result has not fired yet.
    @ivar isHeld: whether events wait for the application.
    """

    __slots__ = ("dropped", "isHeld", "missed", "repeated", "unfinished")

    def __init__(self) -> None:
        self.missed = self.repeated = self.dropped = self.unfinished = 0
        self.isHeld = False
