"""
Uploads: forms with a file, which is written to the disk while it arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from txwebqq.errors import MalformedReply
from txwebqq.model import Number
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.authorization import findCaller, unauthorizedReply
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.multipart import MAX_FIELDS, PausableSource
from txwebqq.server.sessions.session import EndedSession
from txwebqq.server.sessions.sessions import Sessions
from txwebqq.server.storage.blobs import BlobStore, BlobWriter, TooLarge
from txwebqq.server.storage.media import MediaStore
from txwebqq.server.uploadquotas import UploadQuotas
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.form import Form, Pairs
from txwebqq.wire.multipart import UploadCommand

UNCLAIMED = 16 * 1024
"""Maximum size of the part of a file that is held in memory until the form has
said who sends it, in bytes."""

_NO_SENDER = Refusal(NO_SUCH_ID, "vfwebqq or a cookie must come before the file")


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """
    The file of a form.

    @ivar content: is kept by the handler that accepts it; L{None} when the file is
        too large.
    """

    name: str
    content: BlobWriter | None


UploadHandler = Callable[[Any, Any, ReceivedFile], Any]
"""Handles a form with a file: returns the reply to a command, for its caller."""


@dataclass(frozen=True, slots=True)
class UploadRoute:
    """
    The handling of the uploads at a path.

    @ivar limit: the maximum size of the file, in bytes.
    """

    command: type[UploadCommand[Any]]
    limit: int


@dataclass(frozen=True, slots=True)
class UploadOwner:
    """
    The account that sends a file.

    @ivar stored: the number of its uploads within a day, and their size in bytes.
    @ivar fromAddress: the same of all accounts at its address, as other processes have
        counted them.
    """

    number: Number
    stored: tuple[int, int]
    fromAddress: tuple[int, int] = (0, 0)


Question = Callable[[Sessions, MediaStore], UploadOwner | None]
"""Finds the account that sends a file, by what a form has."""

Answered = Callable[[UploadOwner | Refusal | None], None]
"""Is told that account, or a refusal if it could not be looked for."""


class Uploads(Protocol):
    """
    The server's side of uploads.

    @ivar blobs: the place where files are written to.
    @ivar quotas: their limits.
    """

    @property
    def blobs(self) -> BlobStore: ...

    @property
    def quotas(self) -> UploadQuotas: ...

    def ask(
        self,
        question: Question,
        answered: Answered,
        source: PausableSource,
        address: str,
    ) -> None:
        """
        Have a question answered.

        @param source: the connection, which may be paused until then.
        @param address: the address by which the client is counted.
        """

    def handle(self, upload: ReceivedUpload) -> Any:
        """
        Have a complete form handled, and call its C{over}.

        @return: the reply, or a Deferred that fires with it.
        """


@dataclass(frozen=True, slots=True)
class UploadStore:
    """
    The side of a server whose state is in this process (L{Uploads}).
    """

    sessions: Sessions
    media: MediaStore
    blobs: BlobStore
    quotas: UploadQuotas
    handlers: Mapping[type[Command[Any]], UploadHandler]

    def ask(
        self,
        question: Question,
        answered: Answered,
        source: PausableSource,
        address: str,
    ) -> None:
        answered(question(self.sessions, self.media))

    def handle(self, upload: ReceivedUpload) -> Any:
        try:
            return upload.run(self.sessions, self.handlers)
        finally:
            upload.over()


@dataclass(frozen=True, slots=True)
class ReceivedUpload:
    """
    A complete form with a file.

    @ivar content: the file, L{None} when it is too large or was not received.
    @ivar over: is to be called when the form was handled.
    """

    command: UploadCommand[Any]
    exchange: HTTPExchange
    name: str
    content: BlobWriter | None
    isTooLarge: bool
    over: Callable[[], None]

    def run(
        self,
        sessions: Sessions,
        handlers: Mapping[type[Command[Any]], UploadHandler],
    ) -> Any:
        """
        Handle the form.

        @return: the reply.
        """
        try:
            caller = findCaller(sessions, self.command, self.exchange)
            if isinstance(caller, EndedSession):
                return unauthorizedReply(self.command, caller)
            if self.content is None and not self.isTooLarge:
                return _NO_SENDER
            handler = handlers[type(self.command)]
            return handler(self.command, caller, ReceivedFile(self.name, self.content))
        except MalformedReply as e:
            return Refusal(NO_SUCH_ID, str(e))


class FileUploadReceiver:
    """
    Writes the file of a form to the disk while it arrives
    (L{txwebqq.server.http.multipart.UploadReceiver}). Nothing is written before an
    account is known that sends the file, and may store it.

    @param exchange: the headers of the request.
    @param length: the length of the request's body, L{None} if it is not known.
    @param source: the connection of the client.
    """

    def __init__(
        self,
        uploads: Uploads,
        route: UploadRoute,
        query: bytes,
        exchange: HTTPExchange,
        length: int | None,
        source: PausableSource,
    ) -> None:
        self._uploads = uploads
        self._route = route
        self._query = query
        self._exchange = exchange
        self._source = source
        self._name = ""
        self._size = route.limit if length is None else min(length, route.limit)
        # The form around a file is not larger than this.
        self._isTooLarge = length is not None and length > route.limit + MAX_FIELDS
        self._owner: Number | None = None
        self._writer: BlobWriter | None = None
        self._refusal: Refusal | None = None
        self._early: bytearray | None = None
        self._isAsking = self._hasAskedAgain = self._isHandled = self._isLost = False
        self._whenAnswered: Deferred[None] | None = None

    def begin(self, pairs: Pairs, name: str) -> None:
        self._name = name
        self._early = bytearray()
        self._ask(pairs)

    def write(self, data: bytes) -> None:
        if self._early is not None:
            if self._isAsking or len(self._early) + len(data) <= UNCLAIMED:
                self._early += data
            else:
                # The fields after the file are too late.
                self._early = None
        elif self._writer is not None:
            try:
                self._writer.write(data)
            except TooLarge:
                self._drop()
                self._isTooLarge = True

    def end(self) -> None:
        pass

    def finish(self, pairs: Pairs, exchange: HTTPExchange) -> Any:
        if not self._isAsking:
            return self._finish(pairs, exchange)
        self._whenAnswered = Deferred()
        return self._whenAnswered.addCallback(lambda _: self._finish(pairs, exchange))

    def _finish(self, pairs: Pairs, exchange: HTTPExchange) -> Any:
        try:
            query = Form.parse(self._query).items()
            command = self._route.command.decodeFields(Form([*pairs, *query]))
            if self._early is not None and not self._hasAskedAgain:
                self._hasAskedAgain = True
                self._ask(pairs)
                return self.finish(pairs, exchange)
        except MalformedReply as e:
            self._drop()
            return Refusal(NO_SUCH_ID, str(e))
        if self._refusal is not None:
            return self._refusal
        self._isHandled = True
        content = None if self._isTooLarge else self._writer
        return self._uploads.handle(
            ReceivedUpload(
                command, exchange, self._name, content, self._isTooLarge, self._drop
            )
        )

    def fail(self, reason: str, exchange: HTTPExchange) -> Refusal:
        self.lost()
        return Refusal(NO_SUCH_ID, reason)

    def lost(self) -> None:
        if not self._isHandled:
            self._isLost = True
            self._early = None
            self._drop()

    def _ask(self, pairs: Pairs) -> None:
        form = Form([*pairs, *Form.parse(self._query).items()])
        self._isAsking = True
        question = partial(self._ownerBy, form)
        address = self._exchange.network
        self._uploads.ask(question, self._answered, self._source, address)

    def _ownerBy(
        self, form: Form, sessions: Sessions, media: MediaStore
    ) -> UploadOwner | None:
        # This may run in another thread.
        number = self._claim(form, sessions)
        if number is None:
            return None
        stored = media.uploadedSince(number, self._uploads.quotas.dayBefore)
        return UploadOwner(number, stored)

    def _claim(self, form: Form, sessions: Sessions) -> Number | None:
        """
        Return the account that the beginning of the request belongs to, by its
        cookies, its query, or the fields before the file.
        """
        try:
            command = self._route.command.decodeFields(form)
        except MalformedReply:
            return None
        caller = findCaller(sessions, command, self._exchange)
        if not isinstance(caller, EndedSession):
            assert caller is not None, "uploads need a session"
            return caller.number
        # The page of the time wrote its vfwebqq after the file, and its cookies
        # before the file.
        cookies = self._exchange.cookies
        uin = form.get("uin") or cookies.get("uin", "").lstrip("o")
        skey = form.get("skey") or cookies.get("skey", "")
        if not (uin.isascii() and uin.isdigit() and len(uin) <= 10):
            return None
        number = Number(int(uin))
        return None if sessions.byCookies(number, skey) is None else number

    def _answered(self, owner: UploadOwner | Refusal | None) -> None:
        self._isAsking = False
        if self._isLost:
            return
        early = self._early or b""
        if owner is not None:
            self._early = None
            if isinstance(owner, Refusal):
                self._refusal = owner
            else:
                self._open(owner)
                self.write(bytes(early))
        elif len(early) > UNCLAIMED:
            self._early = None
        waiting, self._whenAnswered = self._whenAnswered, None
        if waiting is not None:
            waiting.callback(None)

    def _open(self, owner: UploadOwner) -> None:
        if self._isTooLarge:
            return
        uploads, address = self._uploads, self._exchange.network
        self._refusal = uploads.quotas.admit(
            owner.number, address, self._size, owner.stored, owner.fromAddress
        )
        if self._refusal is None:
            self._owner = owner.number
            self._writer = uploads.blobs.begin(self._route.limit)

    def _drop(self) -> None:
        """
        Delete the file, if it was not kept, and count it no longer.
        """
        writer, self._writer = self._writer, None
        owner, self._owner = self._owner, None
        if writer is not None:
            writer.discard()
        if owner is not None:
            kept = writer.size if writer is not None and writer.isKept else None
            self._uploads.quotas.ended(owner, self._exchange.network, self._size, kept)


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
