"""
Request bodies and replies that are too large for memory: forms with files are parsed
while they arrive, and files are sent in chunks.
"""

from __future__ import annotations

from typing import Any, BinaryIO, Protocol

from multipart import MultipartError, PushMultipartParser, parse_options_header
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer
from twisted.python.failure import Failure

from txwebqq.errors import MalformedReply
from txwebqq.net.fileproducer import FileProducer, chunksOf
from txwebqq.wire.form import Pairs
from txwebqq.wire.multipart import decodePart

MAX_FIELDS = 16 * 1024
"""Maximum size of a form without its file, in bytes."""

MAX_PARTS = 40
"""Maximum number of parts of a form."""


class PausableSource(Protocol):
    """
    The sender of a body, which can be paused.
    """

    def pauseProducing(self) -> None: ...

    def resumeProducing(self) -> None: ...


class UploadReceiver(Protocol):
    """
    The receiver of the file in a form.
    """

    def begin(self, pairs: Pairs, name: str) -> None:
        """
        Receive the start of the file.

        @param pairs: the fields before the file.
        """

    def write(self, data: bytes) -> None:
        """
        Receive a chunk of the file.
        """

    def end(self) -> None:
        """
        Receive the end of the file.
        """

    def finish(self, pairs: Pairs, exchange: Any) -> Any:
        """
        Handle the complete form.

        @return: the reply, or a Deferred that fires with it.
        """

    def fail(self, reason: str, exchange: Any) -> Any:
        """
        Handle a malformed form.

        @return: the reply.
        """

    def lost(self) -> None:
        """
        Clean up after the client has disconnected.
        """


class MultipartBody:
    """
    The body of a request that is a form with one file.

    @ivar limit: the maximum size of the body, in bytes.
    """

    def __init__(
        self, contentType: bytes, fileField: str, receiver: UploadReceiver, limit: int
    ) -> None:
        self.limit = limit + MAX_FIELDS
        self._receiver = receiver
        self._fileField = fileField
        self._pairs: Pairs = []
        self._name: str | None = None
        self._value = bytearray()
        self._isFile = self._hadFile = False
        self._error: str | None = None
        self._parser: PushMultipartParser | None = None
        kind, options = parse_options_header(contentType.decode("latin-1"))
        boundary = options.get("boundary", "")
        if kind != "multipart/form-data" or not 0 < len(boundary) <= 200:
            self._error = "the body is no multipart/form-data"
            return
        try:
            self._parser = PushMultipartParser(
                boundary.encode("latin-1"),
                max_segment_count=MAX_PARTS,
                # Clients encode file names differently.
                header_charset="latin-1",
            )
        except MultipartError as e:
            self._error = str(e)

    def take(self, data: bytes) -> None:
        """
        Receive a chunk of the body. Chunks after an error are dropped.
        """
        if self._error is not None or self._parser is None or not data:
            return
        try:
            for event in self._parser.parse(data):
                self._eventReceived(event)
        except (MultipartError, MalformedReply) as e:
            self._error = str(e)

    def _eventReceived(self, event: Any) -> None:
        if event is None:
            self._endPart()
        elif isinstance(event, (bytes, bytearray)):
            if self._isFile:
                self._receiver.write(bytes(event))
            else:
                self._value += event
                if len(self._value) > MAX_FIELDS:
                    raise MalformedReply("a field of the form is too long")
        else:
            self._beginPart(event.header("Content-Disposition", ""))

    def _beginPart(self, disposition: str) -> None:
        self._name, fileName = decodePart(disposition.encode("latin-1"))
        self._value.clear()
        self._isFile = self._name == self._fileField and fileName is not None
        if self._isFile:
            if self._hadFile:
                raise MalformedReply("the form has two files")
            self._hadFile = True
            self._receiver.begin(self._pairs, fileName or "")

    def _endPart(self) -> None:
        if self._isFile:
            self._receiver.end()
        elif self._name is not None:
            self._pairs.append((self._name, _text(bytes(self._value))))
        self._name, self._isFile = None, False

    def finish(self, exchange: Any) -> Any:
        """
        Handle the complete body.

        @return: the reply, or a Deferred that fires with it.
        """
        if self._error is None and self._parser is not None:
            try:
                self._parser.close()
            except MultipartError as e:
                self._error = str(e)
        if self._error is None and not self._hadFile:
            self._error = f"the form has no file {self._fileField}"
        if self._error is not None:
            return self._receiver.fail(self._error, exchange)
        return self._receiver.finish(self._pairs, exchange)

    def lost(self) -> None:
        """
        Clean up after the client has disconnected.
        """
        self._receiver.lost()


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("gb18030", "replace")


def sendFile(file: BinaryIO, request: Any) -> Deferred[None]:
    """
    Send a file as the reply to a request, whose headers are set.

    @return: fires when all of it is written; never fires when the connection
        is lost before; fails, with the connection closed, when the file cannot
        be read.
    """
    consumer: IConsumer = request
    producer = FileProducer(chunksOf(file), file.close)

    def cbAll(result: None) -> None:
        consumer.unregisterProducer()
        request.finish()

    def ebUnreadable(failure: Failure) -> Failure:
        # The length has been announced, so this reply cannot be completed.
        consumer.unregisterProducer()
        request.loseConnection()
        return failure

    request.notifyFinish().addErrback(lambda _: producer.stopProducing())
    consumer.registerProducer(producer, True)
    return producer.writeTo(request.write).addCallbacks(cbAll, ebUnreadable)
