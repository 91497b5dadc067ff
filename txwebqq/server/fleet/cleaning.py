"""
The deletion of expired files of a server of several processes.
"""

from __future__ import annotations

from collections.abc import Callable

from txwebqq.server.fleet.worker import Backend, Job, Worker
from txwebqq.server.storage.blobs import BlobStore

GRACE = 600.0
"""Time for which nothing refers to a file before it is deleted, in seconds: longer than
a transaction takes, in which a message may refer to it again."""

ABANDONED = 24 * 3600.0
"""Time after which what is left of an upload is deleted, in seconds."""

EVENTS = 2000
"""Number of events that are looked at in one transaction."""


class Cleaner:
    """
    Deletes what has expired from the database, and then the files that nothing refers
    to, one process at a time.

    @param reading: the worker that looks for it, while messages are sent.
    @param writing: the worker that deletes files, while no process stores any.
    @param now: returns the time in Unix seconds.
    """

    def __init__(
        self,
        reading: Worker,
        writing: Worker,
        blobs: BlobStore,
        now: Callable[[], float],
    ) -> None:
        self._reading = reading
        self._writing = writing
        self._blobs = blobs
        self._now = now
        # When files were first seen that nothing referred to, by digest.
        self._unused: dict[str, float] = {}

    def clean(self) -> None:
        """
        Have the workers do it.
        """
        # In several transactions: the files of rows that are there again, because the
        # first one was not committed, must be there as well.
        self._reading.submit(Job(_expire, lambda _: self._cleanEvents(0)))

    def _cleanEvents(self, after: int | None) -> None:
        if after is None:
            self._reading.submit(Job(self._findFiles, self._cleanFiles))
        else:
            self._reading.submit(
                Job(
                    lambda backend: backend.store.messages.deleteDelivered(
                        after, EVENTS
                    ),
                    self._cleanEvents,
                )
            )

    def _findFiles(self, backend: Backend) -> dict[str, float]:
        now = self._now()
        unused = backend.store.media.unused()
        return {each: self._unused.get(each, now) for each in unused}

    def _cleanFiles(self, since: dict[str, float]) -> None:
        self._unused = since
        self._writing.submit(Job(self._removeFiles))

    def _removeFiles(self, backend: Backend) -> None:
        backend.state.order()
        now, blobs, media = self._now(), self._blobs, backend.store.media
        due = [
            digest
            for digest, time in self._unused.items()
            # A newer file was received since then.
            if time <= now - GRACE and blobs.isOlder(digest, time)
        ]
        # A message may refer to one since they were looked for.
        due = media.unusedOf(due)
        media.deleteBlobs(due)
        blobs.remove(due)
        blobs.removeAbandoned(now - ABANDONED, media.hasBlob)


def _expire(backend: Backend) -> None:
    backend.state.clean()
    backend.handlers.offlineFiles.expire()
