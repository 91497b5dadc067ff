"""
Bodies that are too long to hold: forms with files as they come, and files as
they leave.
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
"""The bytes of a form beside its file."""

MAX_PARTS = 40


class PausableSource(Protocol):
    """
    What a body comes from, which can be told to wait.
    """

    def pauseProducing(self) -> None: ...

    def resumeProducing(self) -> None: ...


class UploadReceiver(Protocol):
    """
    What takes the file in a form.

    @ivar flow: where it comes from.
    """

    flow: PausableSource

    def begin(self, pairs: Pairs, name: str) -> None:
        """
        The file begins; these are the fields before it.
        """

    def write(self, data: bytes) -> None:
        """
        More of it.
        """

    def end(self) -> None:
        """
        That was all of it.
        """

    def finish(self, pairs: Pairs, exchange: Any) -> Any:
        """
        The whole form has come.

        @return: the reply, or a Deferred of it.
        """

    def fail(self, reason: str, exchange: Any) -> Any:
        """
        The form cannot be read.

        @return: the reply.
        """

    def lost(self) -> None:
        """
        Nobody waits for an answer any more.
        """


class MultipartBody:
    """
    The body of a request that is a form with one file.

    @ivar limit: the bytes that it may have.
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
        self._trouble: str | None = None
        self._parser: PushMultipartParser | None = None
        kind, options = parse_options_header(contentType.decode("latin-1"))
        boundary = options.get("boundary", "")
        if kind != "multipart/form-data" or not 0 < len(boundary) <= 200:
            self._trouble = "the body is no multipart/form-data"
            return
        try:
            self._parser = PushMultipartParser(
                boundary.encode("latin-1"),
                max_segment_count=MAX_PARTS,
                # Names of files come in several encodings.
                header_charset="latin-1",
            )
        except MultipartError as e:
            self._trouble = str(e)

    def take(self, data: bytes) -> None:
        """
        More of the body has come. What cannot be read is thrown away.
        """
        if self._trouble is not None or self._parser is None or not data:
            return
        try:
            for event in self._parser.parse(data):
                self._notice(event)
        except (MultipartError, MalformedReply) as e:
            self._trouble = str(e)

    def _notice(self, event: Any) -> None:
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
        The body is over.

        @return: the reply, or a Deferred of it.
        """
        if self._trouble is None and self._parser is not None:
            try:
                self._parser.close()
            except MultipartError as e:
                self._trouble = str(e)
        if self._trouble is None and not self._hadFile:
            self._trouble = f"the form has no file {self._fileField}"
        if self._trouble is not None:
            return self._receiver.fail(self._trouble, exchange)
        return self._receiver.finish(self._pairs, exchange)

    def lost(self) -> None:
        """
        The connection is gone.
        """
        self._receiver.lost()


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("gb18030", "replace")


def sendFile(file: BinaryIO, request: Any) -> Deferred[None]:
    """
    Answer a request, whose headers are set, with a file.

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
