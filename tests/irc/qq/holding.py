"""
The transport of an account for tests that give it events by hand.
"""

from __future__ import annotations

from txwebqq.session.incoming.holds import EventHold


class HoldingTransport:
    """
    Counts the events that the server has to keep.
    """

    def __init__(self) -> None:
        self.held = 0

    def holdEvent(self) -> EventHold:
        """
        Count one more, until the hold ends.
        """
        self.held += 1
        return EventHold(ended=self._ended)

    def _ended(self, hold: EventHold, isDelivered: bool) -> None:
        self.held -= 1
