"""
Forms with a file on their way in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from txwebqq.errors import MalformedReply
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.authorization import byVerifier
from txwebqq.server.http.exchange import Exchange
from txwebqq.server.http.multipart import PausableSource
from txwebqq.server.sessions.sessions import Session, Sessions
from txwebqq.server.storage.blobs import Blob, BlobStore, BlobWriter, TooLarge
from txwebqq.server.storage.media import MediaStore
from txwebqq.wire.command import Refusal
from txwebqq.wire.form import Form, Pairs
from txwebqq.wire.multipart import UploadCommand


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """
    The file of a form.

    @ivar blob: L{None} when it is too large.
    """

    name: str
    blob: Blob | None
    beginning: bytes


UploadHandler = Callable[[Any, ReceivedFile, Exchange], Any]
"""Makes the answer to a form: of its question, its file and its exchange."""


class UploadStore:
    """
    What forms with files are received through.

    @param blobs: where their bytes lie.
    """

    def __init__(self, sessions: Sessions, media: MediaStore, blobs: BlobStore) -> None:
        self._sessions = sessions
        self._media = media
        self._blobs = blobs

    def whose(self, vfwebqq: str, exchange: Exchange) -> Session | Refusal:
        """
        Who sends a form.
        """
        return byVerifier(self._sessions, vfwebqq, exchange)

    def begin(self, limit: int) -> BlobWriter:
        """
        Begin to receive a file.
        """
        return self._blobs.begin(limit)

    def keep(self, writer: BlobWriter) -> Blob:
        """
        Keep a file, for the time being.
        """
        blob = writer.keep()
        self._media.addBlob(blob)
        return blob


class FileUploadReceiver:
    """
    A file that is put on the disk as it comes
    (L{txwebqq.server.http.multipart.UploadReceiver}).
    """

    def __init__(
        self,
        uploads: UploadStore,
        command: type[UploadCommand[Any]],
        taker: UploadHandler,
        limit: int,
        query: bytes,
        flow: PausableSource,
    ) -> None:
        self.flow = flow
        self._uploads = uploads
        self._command = command
        self._handler = taker
        self._limit = limit
        self._query = query
        self._writer: BlobWriter | None = None
        self._name = ""

    def begin(self, pairs: Pairs, name: str) -> None:
        self._name = name
        self._writer = self._uploads.begin(self._limit)

    def write(self, data: bytes) -> None:
        if self._writer is None:
            return
        try:
            self._writer.write(data)
        except TooLarge:
            self._writer = None

    def end(self) -> None:
        pass

    def finish(self, pairs: Pairs, exchange: Exchange) -> Any:
        writer, self._writer = self._writer, None
        if writer is None:
            return self._take(pairs, exchange, None, b"")
        try:
            return self._take(pairs, exchange, writer, writer.beginning)
        finally:
            writer.discard()

    def _take(
        self,
        pairs: Pairs,
        exchange: Exchange,
        writer: BlobWriter | None,
        beginning: bytes,
    ) -> Any:
        try:
            query = Form.parse(self._query).items()
            command = self._command.decodeFields(Form([*pairs, *query]))
        except MalformedReply as e:
            return Refusal(NO_SUCH_ID, str(e))
        # Whoever is refused leaves nothing behind.
        session = self._uploads.whose(Form(pairs).ticket.vfwebqq, exchange)
        isWelcome = isinstance(session, Session)
        blob = self._uploads.keep(writer) if writer is not None and isWelcome else None
        return self._handler(
            command, ReceivedFile(self._name, blob, beginning), exchange
        )

    def fail(self, reason: str, exchange: Exchange) -> Any:
        self.lost()
        return Refusal(NO_SUCH_ID, reason)

    def lost(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.discard()
