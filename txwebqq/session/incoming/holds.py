"""
The hold of one event, which says in the end whether the event was delivered.
"""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import implementer

from txwebqq.interfaces import IEventHold


@implementer(IEventHold)
class EventHold:
    """
    The hold of one event. It ends once.

    @param isKept: see L{IEventHold.isKept}.
    @param ended: called at the end, with the hold and whether the event was delivered.
    """

    def __init__(
        self,
        isKept: bool = False,
        ended: Callable[[EventHold, bool], None] = lambda hold, isDelivered: None,
    ) -> None:
        self.isKept = isKept
        self._ended: Callable[[EventHold, bool], None] | None = ended

    def delivered(self) -> None:
        self._end(True)

    def notDelivered(self) -> None:
        self._end(False)

    def _end(self, isDelivered: bool) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(self, isDelivered)
