"""
The push producer that sends files: request bodies with a file, and replies
that are a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

CHUNK_SIZE = 64 * 1024
"""Number of bytes read from a file at once."""


def chunksOf(file: BinaryIO) -> Iterator[bytes]:
    """
    Read a file from its position to its end, L{CHUNK_SIZE} bytes at a time.
    """
    return iter(lambda: file.read(CHUNK_SIZE), b"")


@implementer(IPushProducer)
class FileProducer:
    """
    Push producer that writes chunks for as long as the consumer does not pause
    it.

    @param chunks: the chunks, none of them empty; reading one may raise.
    @param close: called once, after the last chunk or when production is
        stopped.
    """

    def __init__(self, chunks: Iterator[bytes], close: Callable[[], object]) -> None:
        self._chunks = chunks
        self._close = close
        self._write: Callable[[bytes], object] | None = None
        self._done: Deferred[None] = Deferred()
        self._isPaused = self._isRunning = self._isOver = False

    def writeTo(self, write: Callable[[bytes], object]) -> Deferred[None]:
        """
        Begin.

        @param write: called with each chunk.

        @return: fires after the last chunk; fails with the exception that
            reading a chunk raised; never fires when production is stopped
            before the end.
        """
        self._write = write
        self.resumeProducing()
        return self._done

    def resumeProducing(self) -> None:
        self._isPaused = False
        # A consumer may pause and resume from within its write.
        if self._isRunning:
            return
        self._isRunning = True
        try:
            while self._write is not None and not (self._isPaused or self._isOver):
                self._writeChunk(self._write)
        finally:
            self._isRunning = False

    def _writeChunk(self, write: Callable[[bytes], object]) -> None:
        try:
            chunk = next(self._chunks, b"")
        except Exception:
            self.stopProducing()
            self._done.errback()
            return
        if chunk:
            write(chunk)
        else:
            # Only while not paused: a transport that is paused remembers it and
            # would resume the producer of the connection's next request
            # instead.
            self.stopProducing()
            self._done.callback(None)

    def pauseProducing(self) -> None:
        self._isPaused = True

    def stopProducing(self) -> None:
        if not self._isOver:
            self._isOver = True
            self._close()
