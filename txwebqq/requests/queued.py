"""
The queue of an application.
"""

from __future__ import annotations

from txwebqq.errors import NotQueued
from txwebqq.interfaces import IMessageQueue


class HasQueue:
    """
    Base of the factories, which may have a durable queue.
    """

    _queue: IMessageQueue | None = None

    @property
    def queue(self) -> IMessageQueue:
        """
        The queue of C{twistd webqq --queue}, or the one that was set.

        @raise NotQueued: when there is none.
        """
        if self._queue is None:
            raise NotQueued("the account has no queue: use twistd webqq --queue FILE")
        return self._queue

    @queue.setter
    def queue(self, queue: IMessageQueue) -> None:
        self._queue = queue
