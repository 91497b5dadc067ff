"""
Uploads: forms with a file, which is written to the disk while it arrives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from txwebqq.errors import MalformedReply
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.authorization import findCaller, unauthorizedReply
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.sessions.sessions import EndedSession, Sessions
from txwebqq.server.storage.blobs import Blob, BlobStore, BlobWriter, TooLarge
from txwebqq.server.storage.media import MediaStore
from txwebqq.wire.command import Refusal
from txwebqq.wire.form import Form, Pairs
from txwebqq.wire.multipart import UploadCommand


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """
    The file of a form.

    @ivar blob: L{None} when the file is too large.
    @ivar beginning: the first bytes of the file, which tell its type.
    """

    name: str
    blob: Blob | None
    beginning: bytes


UploadHandler = Callable[[Any, Any, ReceivedFile], Any]
"""Handles a form with a file: returns the reply to a command, for its caller."""


@dataclass(frozen=True, slots=True)
class UploadRoute:
    """
    The handling of the uploads at a path.

    @ivar limit: the maximum size of the file, in bytes.
    """

    command: type[UploadCommand[Any]]
    handler: UploadHandler
    limit: int


class UploadStore:
    """
    The place where files of forms are written to, and the sessions that may send them.
    """

    def __init__(self, sessions: Sessions, media: MediaStore, blobs: BlobStore) -> None:
        self.sessions = sessions
        self._media = media
        self._blobs = blobs

    def begin(self, limit: int) -> BlobWriter:
        """
        Begin to write a file.

        @param limit: the maximum size of the file, in bytes.
        """
        return self._blobs.begin(limit)

    def keep(self, writer: BlobWriter) -> Blob:
        """
        Keep a file that has been written, until it expires.
        """
        blob = writer.keep()
        self._media.addBlob(blob)
        return blob


class FileUploadReceiver:
    """
    Writes the file of a form to the disk while it arrives
    (L{txwebqq.server.http.multipart.UploadReceiver}).
    """

    def __init__(self, uploads: UploadStore, route: UploadRoute, query: bytes) -> None:
        self._uploads = uploads
        self._route = route
        self._query = query
        self._writer: BlobWriter | None = None
        self._name = ""

    def begin(self, pairs: Pairs, name: str) -> None:
        self._name = name
        self._writer = self._uploads.begin(self._route.limit)

    def write(self, data: bytes) -> None:
        if self._writer is None:
            return
        try:
            self._writer.write(data)
        except TooLarge:
            self._writer = None

    def end(self) -> None:
        pass

    def finish(self, pairs: Pairs, exchange: HTTPExchange) -> Any:
        writer, self._writer = self._writer, None
        try:
            query = Form.parse(self._query).items()
            command = self._route.command.decodeFields(Form([*pairs, *query]))
            caller = findCaller(self._uploads.sessions, command, exchange)
            # The file of a request without a session is not kept.
            if isinstance(caller, EndedSession):
                return unauthorizedReply(command, caller)
            file = ReceivedFile(self._name, None, b"")
            if writer is not None:
                beginning = writer.beginning
                file = ReceivedFile(self._name, self._uploads.keep(writer), beginning)
            return self._route.handler(command, caller, file)
        except MalformedReply as e:
            return Refusal(NO_SUCH_ID, str(e))
        finally:
            if writer is not None:
                writer.discard()

    def fail(self, reason: str, exchange: HTTPExchange) -> Refusal:
        self.lost()
        return Refusal(NO_SUCH_ID, reason)

    def lost(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.discard()


class RefusedUpload:
    """
    Drops the file of a form that is refused before it arrives
    (L{txwebqq.server.http.multipart.UploadReceiver}).
    """

    def __init__(self, refusal: Refusal) -> None:
        self._refusal = refusal
        self._hasFile = False

    def begin(self, pairs: Pairs, name: str) -> None:
        self._hasFile = True

    def write(self, data: bytes) -> None:
        pass

    def end(self) -> None:
        pass

    def finish(self, pairs: Pairs, exchange: HTTPExchange) -> Refusal:
        return self._refusal

    def fail(self, reason: str, exchange: HTTPExchange) -> Refusal:
        return self._refusal if self._hasFile else Refusal(NO_SUCH_ID, reason)

    def lost(self) -> None:
        pass
