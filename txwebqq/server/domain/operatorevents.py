"""
Events of changes that an operator makes with C{webqq-admin} while the server runs, or
has made before.
"""

from __future__ import annotations

from txwebqq.server.domain.router import SYSTEM, MessageRouter
from txwebqq.server.events.groupnotices import withIds
from txwebqq.server.sessions.messageids import MessageIdGenerator
from txwebqq.server.storage.operatorevents import OperatorEventStore


class OperatorEvents:
    """
    Queues the events that C{webqq-admin} has put into the database for their
    recipients.
    """

    def __init__(
        self,
        events: OperatorEventStore,
        router: MessageRouter,
        messageIds: MessageIdGenerator,
    ) -> None:
        self._events = events
        self._router = router
        self._messageIds = messageIds
        self._last = 0

    def take(self) -> None:
        """
        Queue the events that are new. Those that cannot be written then are queued
        by the next run of the server.

        @raise sqlite3.Error: when the database cannot be read.
        """
        for each in self._events.after(self._last):
            self._last = each.serial
            event = withIds(each.event, self._messageIds.next(SYSTEM))
            self._router.routeFromOperator(event, each.recipients, each.serial)
