"""
Bodies that are too long to hold: forms with files to send, and whatever is
received piece by piece.
"""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast
from uuid import uuid4

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from txwebqq.errors import Unreachable
from txwebqq.wire.command import Refusal
from txwebqq.wire.multipart import MAX_REFUSAL, UploadCommand, encodeParts, refusalIn

CHUNK_SIZE = 64 * 1024
"""The bytes that are read from a file at once."""

FileSource = bytes | bytearray | str | os.PathLike[str] | BinaryIO
"""A file to send: its bytes, its path, or the file itself, open for reading
bytes and seekable."""


class Sink(Protocol):
    """
    What takes bytes: a file that is open for writing bytes, or an
    L{IConsumer}, which may make them wait.
    """

    def write(self, data: bytes, /) -> object: ...


class FileUpload:
    """
    A file to send, and what to call it.

    @raise OSError: when it cannot be read.

    @ivar size: its bytes.
    """

    def __init__(self, file: FileSource, name: str = "") -> None:
        self._isOurs = True
        if isinstance(file, (bytes, bytearray)):
            self._file: BinaryIO = BytesIO(file)
        elif isinstance(file, (str, os.PathLike)):
            path = Path(file)
            self._file = path.open("rb")
            name = name or path.name
        else:
            self._file = file
            self._isOurs = False
            given = getattr(file, "name", "")
            name = name or (Path(given).name if isinstance(given, str) else "")
        self.name = name or "file"
        start = self._file.tell()
        self.size = self._file.seek(0, os.SEEK_END) - start
        self._file.seek(start)

    def read(self) -> bytes:
        """
        The next piece, C{b""} at the end.
        """
        return self._file.read(CHUNK_SIZE)

    def close(self) -> None:
        """
        Close what we have opened.
        """
        if self._isOurs:
            self._file.close()


@implementer(IBodyProducer, IPushProducer)
class MultipartProducer:
    """
    The body of an upload: its fields, and its file as fast as it is taken.

    @ivar contentType: what the body is, for the request's headers.
    """

    def __init__(self, upload: UploadCommand[Any], source: FileUpload) -> None:
        boundary = f"----txwebqq{uuid4().hex}"
        self.contentType = f"multipart/form-data; boundary={boundary}"
        self._head, self._tail = encodeParts(
            boundary,
            upload.encodeFields(),
            upload.encodeTail(),
            upload.fileField,
            source.name,
        )
        self._source = source
        self.length = len(self._head) + source.size + len(self._tail)
        self._left = source.size
        self._consumer: IConsumer | None = None
        self._done: Deferred[None] = Deferred()
        self._isPaused = self._isRunning = False

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """
        Begin (L{IBodyProducer}).
        """
        self._consumer = consumer
        consumer.write(self._head)
        self.resumeProducing()
        return self._done

    def resumeProducing(self) -> None:
        """
        Go on.
        """
        self._isPaused = False
        if self._isRunning:
            return
        self._isRunning = True
        try:
            while not self._isPaused and self._consumer is not None:
                self._writeChunk(self._consumer)
        finally:
            self._isRunning = False

    def _writeChunk(self, consumer: IConsumer) -> None:
        try:
            piece = self._source.read() if self._left else b""
            if len(piece) > self._left or (self._left and not piece):
                raise OSError("the file changes while it is sent")
        except Exception:
            # The length has been announced, so this cannot be mended.
            self.stopProducing()
            self._done.errback()
            return
        if piece:
            self._left -= len(piece)
            consumer.write(piece)
        elif self._tail:
            tail, self._tail = self._tail, b""
            consumer.write(tail)
        else:
            # Not while we are paused: a transport remembers that, and would
            # resume the producer of the connection's next request instead.
            self.stopProducing()
            self._done.callback(None)

    def pauseProducing(self) -> None:
        """
        Wait.
        """
        self._isPaused = True

    def stopProducing(self) -> None:
        """
        Nobody wants more.
        """
        self._consumer = None
        self._source.close()


class DownloadProtocol(TwistedProtocol):
    """
    Passes the body of an answer on, as fast as it is taken.

    @param mayRefuse: whether a refusal may have come instead.

    @ivar whole: fires with the size at the end, or with the refusal.
    """

    def __init__(self, sink: Sink, limit: int, mayRefuse: bool) -> None:
        self.whole: Deferred[int | Refusal] = Deferred(lambda _: self._abort())
        self._sink = sink
        self._limit = limit
        self._size = 0
        # Until it is known to be none.
        self._refusal: bytearray | None = bytearray() if mayRefuse else None
        self._consumer = IConsumer(sink, None)

    def connectionMade(self) -> None:
        """
        Let the sink make us wait.
        """
        if self._consumer is not None:
            # What a response gives us as a transport can pause and resume.
            self._consumer.registerProducer(cast(Any, self.transport), True)

    def dataReceived(self, data: bytes) -> None:
        """
        More has come.
        """
        if self.whole.called:
            return
        self._size += len(data)
        if self._size > self._limit:
            self._fail(Unreachable(f"the answer has more than {self._limit} bytes"))
        elif self._refusal is None:
            self._write(data)
        else:
            self._refusal += data
            if len(self._refusal) > MAX_REFUSAL:
                held, self._refusal = self._refusal, None
                self._write(bytes(held))

    def _write(self, data: bytes) -> None:
        try:
            self._sink.write(data)
        except Exception:
            self._fail(Failure())

    def _fail(self, reason: Exception | Failure) -> None:
        self.whole.errback(reason)
        self._abort()

    def _abort(self) -> None:
        assert self.transport is not None
        abort = getattr(self.transport, "abortConnection", None)
        (abort or self.transport.loseConnection)()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        That was all.
        """
        if self._consumer is not None:
            self._consumer.unregisterProducer()
        if self.whole.called:
            return
        if not reason.check(ResponseDone, PotentialDataLoss):
            self.whole.errback(reason)
            return
        held, self._refusal = self._refusal, None
        refusal = refusalIn(bytes(held)) if held else None
        if refusal is not None:
            self.whole.callback(refusal)
            return
        if held:
            self._write(bytes(held))
        if not self.whole.called:
            self.whole.callback(self._size)


class BufferSink:
    """
    A sink that holds what it gets.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """
        More of it.
        """
        self._parts.append(data)

    def collected(self, size: int) -> bytes:
        """
        All of it, for callbacks.
        """
        return b"".join(self._parts)
