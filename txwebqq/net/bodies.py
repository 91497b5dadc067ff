"""
Bodies of requests and replies: forms with a file, and replies of bounded size.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar, cast
from uuid import uuid4

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IBodyProducer, IResponse
from zope.interface import implementer

from txwebqq.errors import Unreachable
from txwebqq.net.fileproducer import FileProducer, chunksOf
from txwebqq.wire.command import Refusal
from txwebqq.wire.jsontext import replaceSurrogates
from txwebqq.wire.multipart import MAX_REFUSAL, UploadCommand, encodeParts, refusalIn

T = TypeVar("T")

FileSource = bytes | bytearray | str | os.PathLike[str] | BinaryIO
"""A file to send: its bytes, its path, or a seekable file that is open for
reading bytes."""


class Sink(Protocol):
    """
    Destination of received bytes: a file that is open for writing bytes, or an
    L{IConsumer}, which may pause the sender.
    """

    def write(self, data: bytes, /) -> object: ...


class FileUpload:
    """
    A file to send, and its name for the recipient.

    @raise OSError: when the file cannot be opened or is not seekable.

    @ivar size: the number of bytes to send.
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
        self.name = _readable(name) or "file"
        start = self._file.tell()
        self.size = self._file.seek(0, os.SEEK_END) - start
        self._file.seek(start)

    def chunks(self) -> Iterator[bytes]:
        """
        Read exactly L{size} bytes.

        @raise OSError: when the file has become shorter or longer.
        """
        left = self.size
        for chunk in chunksOf(self._file):
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
            if left == 0:
                return
        if left:
            raise OSError("the file changed while it was sent")

    def close(self) -> None:
        """
        Close the file if it was opened here; a file object given by the caller
        stays open.
        """
        if self._isOurs:
            self._file.close()

    def closeAfter(self, result: T) -> T:
        """
        Close the file and return a result. A callback and an errback.
        """
        self.close()
        return result


def _readable(name: str) -> str:
    """
    Return a file name without the escapes by which Python shows bytes that are
    not in the encoding of the file system: Chinese systems wrote names in GBK.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        with suppress(UnicodeError):
            return os.fsencode(name).decode("gb18030")
        return replaceSurrogates(name)
    return name


@implementer(IBodyProducer)
class MultipartProducer(FileProducer):
    """
    The C{multipart/form-data} body of an upload: its fields and its file.

    @ivar length: the number of bytes of the body.
    @ivar contentType: the value of the request's C{Content-Type} header.
    """

    def __init__(self, upload: UploadCommand[Any], source: FileUpload) -> None:
        boundary = f"----txwebqq{uuid4().hex}"
        self.contentType = f"multipart/form-data; boundary={boundary}"
        head, tail = encodeParts(
            boundary,
            upload.encodeFields(),
            upload.encodeTail(),
            upload.fileField,
            source.name,
        )
        self.length = len(head) + source.size + len(tail)
        super().__init__(_formChunks(head, source, tail), source.close)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        return self.writeTo(consumer.write)


def _formChunks(head: bytes, source: FileUpload, tail: bytes) -> Iterator[bytes]:
    yield head
    yield from source.chunks()
    yield tail


class BodyCollector(TwistedProtocol):
    """
    Passes the body of a reply to a sink, as fast as the sink takes it.

    @param limit: the maximum number of bytes; a longer body closes the
        connection.
    @param mayRefuse: whether the body may be a refusal instead of the bytes
        that were asked for; a refusal is not written to the sink.

    @ivar whole: fires with the number of bytes, or with the refusal; fails with
        L{Unreachable} when the body is too long, with the exception that the
        sink raised, or as the connection was lost. Cancelling it closes the
        connection.
    """

    def __init__(self, sink: Sink, limit: int, mayRefuse: bool = False) -> None:
        self.whole: Deferred[int | Refusal] = Deferred(lambda _: self._abort())
        self._sink = sink
        self._limit = limit
        self._size = 0
        # The beginning of the body, while it may still be a refusal.
        self._refusal: bytearray | None = bytearray() if mayRefuse else None
        self._consumer = IConsumer(sink, None)

    def connectionMade(self) -> None:
        if self._consumer is not None:
            # A response's transport can be paused and resumed.
            self._consumer.registerProducer(cast(Any, self.transport), True)

    def dataReceived(self, data: bytes) -> None:
        if self.whole.called:
            return
        self._size += len(data)
        if self._size > self._limit:
            self._fail(Unreachable(f"the reply has more than {self._limit} bytes"))
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
    Keeps the bytes that are written to it.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._parts.append(data)

    def collected(self, size: object) -> bytes:
        """
        Join the bytes written so far. Takes the result of
        L{BodyCollector.whole}, as its callback.
        """
        return b"".join(self._parts)


def readBody(response: IResponse, limit: int) -> Deferred[bytes]:
    """
    Read the body of a reply into memory.

    @return: fires with the body; fails as L{BodyCollector.whole}.
    """
    buffer = BufferSink()
    collector = BodyCollector(buffer, limit)
    response.deliverBody(collector)
    return collector.whole.addCallback(buffer.collected)


def headerOf(response: IResponse, name: str) -> str:
    """
    Return the first value of a header of a response, C{""} when it has none.
    """
    values: Sequence[str] = response.headers.getRawHeaders(name) or [""]
    return values[0]
