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


class Cleaner:
    """
    Deletes what has expired from the database, and then the files that nothing refers
    to, one process at a time.

    @param now: returns the time in Unix seconds.
    """

    def __init__(
        self, worker: Worker, blobs: BlobStore, now: Callable[[], float]
    ) -> None:
        self._worker = worker
        self._blobs = blobs
        self._now = now
        # When files were first seen that nothing referred to, by digest.
        self._unused: dict[str, float] = {}

    def clean(self) -> None:
        """
        Have a worker do it.
        """
        # In two transactions: the files of rows that are there again, because the first
        # one was not committed, must be there as well.
        self._worker.submit(
            Job(_expire, lambda _: self._worker.submit(Job(self._removeFiles)))
        )

    def _removeFiles(self, backend: Backend) -> None:
        backend.state.order()
        now, blobs, media = self._now(), self._blobs, backend.store.media
        # Repeated transactions find the same.
        since = {each: self._unused.get(each, now) for each in media.unused()}
        due = [
            digest
            for digest, time in since.items()
            # A newer file was received since then.
            if time <= now - GRACE and blobs.isOlder(digest, time)
        ]
        media.deleteBlobs(due)
        blobs.remove(due)
        blobs.removeAbandoned(now - ABANDONED, media.hasBlob)
        self._unused = since


def _expire(backend: Backend) -> None:
    backend.state.clean()
    backend.handlers.offlineFiles.expire()
