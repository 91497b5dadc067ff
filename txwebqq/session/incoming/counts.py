"""
Counts of the events of one account, and of those that its application was not given.
"""

from __future__ import annotations


class IncomingCounts:
    """
    Counts since the start of a service.

    @ivar delivered: events that were given to the application.
    @ivar deaf: times that polls were answered, but brought no events.
    @ivar missed: messages that the server has numbered and that did not come.
    @ivar repeated: events that came twice, and were delivered once.
    @ivar dropped: events that were dropped, because the application was too slow.
    @ivar unfinished: callbacks whose result has not fired yet.
    @ivar isHeld: whether events wait for the application.
    """

    __slots__ = (
        "deaf",
        "delivered",
        "dropped",
        "isHeld",
        "missed",
        "repeated",
        "unfinished",
    )

    def __init__(self) -> None:
        self.missed = self.repeated = self.dropped = self.unfinished = 0
        self.delivered = self.deaf = 0
        self.isHeld = False
