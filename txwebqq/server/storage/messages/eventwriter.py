"""
The changes to queued events that are written to the database together.
"""

from __future__ import annotations

from collections.abc import Callable

from txwebqq.model import Number
from txwebqq.server.storage.messages.queue import EventChanges, MessageStore
from txwebqq.sqlite.database import isLocked

LOCK_PATIENCE = 10.0
"""Time after which changes are given up because another process is writing to
the database, in seconds."""


class EventWriter:
    """
    Collects changes to queued events, and writes them.

    @param seconds: returns the time in seconds.
    @param onLost: is called with the accounts whose new events were dropped,
        because they could not be written.

    @ivar changes: the changes since the last write.
    @ivar failures: the number of writes whose new events were dropped.
    @ivar isWaiting: whether another process is writing to the database, and the
        changes wait for it.
    """

    def __init__(
        self,
        messages: MessageStore,
        seconds: Callable[[], float],
        onLost: Callable[[set[Number]], object],
    ) -> None:
        self._messages = messages
        self._seconds = seconds
        self._onLost = onLost
        self.changes = EventChanges()
        self.failures = 0
        self._lockedSince: float | None = None
        self._isStopped = False

    @property
    def isWaiting(self) -> bool:
        return self._lockedSince is not None

    def stop(self) -> None:
        """
        Wait for no other process any more.
        """
        self._isStopped = True

    def isBehind(self, number: Number) -> bool:
        """
        Check whether there are changes to write before the events of an account
        are read.
        """
        changes = self.changes
        if not self.isWaiting:
            return not changes.isEmpty
        numbers = {each for each, _ in changes.waiting}
        numbers.update(each for _, each, _ in changes.given)
        numbers.update(each for each, _ in changes.delivered)
        return number in numbers

    def commit(self) -> None:
        """
        Write all changes to the database.

        @raise Exception: when the database fails: then the events that were
            routed or given since the last write are dropped, and the
            acknowledgements and sessions are written with the next one. While another
            process is writing, nothing is dropped for L{LOCK_PATIENCE} seconds.
        """
        changes, self.changes = self.changes, EventChanges()
        try:
            if not changes.isEmpty:
                self._messages.write(changes)
        except BaseException as e:
            if isLocked(e) and self._mayWait():
                self.changes = changes
                raise
            self._lockedSince = None
            self.failures += 1
            self.changes.delivered = changes.delivered
            self.changes.sessions = changes.sessions
            self.changes.replaced = changes.replaced
            self._onLost(
                {
                    *(number for number, _ in changes.waiting),
                    *(number for _, number, _ in changes.given),
                }
            )
            raise
        self._lockedSince = None

    def _mayWait(self) -> bool:
        now = self._seconds()
        if self._lockedSince is None:
            self._lockedSince = now
        return not self._isStopped and now - self._lockedSince < LOCK_PATIENCE
