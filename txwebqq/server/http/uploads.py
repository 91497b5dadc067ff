"""
Uploads: forms with a file, which is written to the disk while it arrives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from txwebqq.errors import MalformedReply
from txwebqq.model import Number
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.authorization import Caller, findCaller, unauthorizedReply
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.multipart import MAX_FIELDS
from txwebqq.server.sessions.session import EndedSession
from txwebqq.server.sessions.sessions import Sessions
from txwebqq.server.storage.blobs import BlobStore, BlobWriter, TooLarge
from txwebqq.server.uploadquotas import UploadQuotas
from txwebqq.wire.command import Refusal
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
    handler: UploadHandler
    limit: int


@dataclass(frozen=True, slots=True)
class UploadStore:
    """
    The place where files of forms are written to, the sessions that may send them,
    and their limits.
    """

    sessions: Sessions
    blobs: BlobStore
    quotas: UploadQuotas


class FileUploadReceiver:
    """
    Writes the file of a form to the disk while it arrives
    (L{txwebqq.server.http.multipart.UploadReceiver}). Nothing is written before an
    account is known that sends the file, and may store it.

    @param exchange: the headers of the request.
    @param length: the length of the request's body, L{None} if it is not known.
    """

    def __init__(
        self,
        uploads: UploadStore,
        route: UploadRoute,
        query: bytes,
        exchange: HTTPExchange,
        length: int | None,
    ) -> None:
        self._uploads = uploads
        self._route = route
        self._query = query
        self._exchange = exchange
        self._name = ""
        self._size = route.limit if length is None else min(length, route.limit)
        # The form around a file is not larger than this.
        self._isTooLarge = length is not None and length > route.limit + MAX_FIELDS
        self._owner: Number | None = None
        self._writer: BlobWriter | None = None
        self._refusal: Refusal | None = None
        self._early: bytearray | None = None

    def begin(self, pairs: Pairs, name: str) -> None:
        self._name = name
        owner = self._claim(pairs)
        if owner is None:
            self._early = bytearray()
        else:
            self._open(owner)

    def write(self, data: bytes) -> None:
        if self._early is not None:
            if len(self._early) + len(data) <= UNCLAIMED:
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
        try:
            query = Form.parse(self._query).items()
            command = self._route.command.decodeFields(Form([*pairs, *query]))
            caller = findCaller(self._uploads.sessions, command, exchange)
            if isinstance(caller, EndedSession):
                return unauthorizedReply(command, caller)
            if self._early is not None:
                early, self._early = self._early, None
                self._open(_numberOf(caller))
                self.write(bytes(early))
            if self._refusal is not None:
                return self._refusal
            if self._writer is None and not self._isTooLarge:
                return _NO_SENDER
            content = None if self._isTooLarge else self._writer
            return self._route.handler(
                command, caller, ReceivedFile(self._name, content)
            )
        except MalformedReply as e:
            return Refusal(NO_SUCH_ID, str(e))
        finally:
            self._drop()

    def fail(self, reason: str, exchange: HTTPExchange) -> Refusal:
        self.lost()
        return Refusal(NO_SUCH_ID, reason)

    def lost(self) -> None:
        self._early = None
        self._drop()

    def _claim(self, pairs: Pairs) -> Number | None:
        """
        Return the account that the beginning of the request belongs to, by its
        cookies, its query, or the fields before the file.
        """
        form = Form([*pairs, *Form.parse(self._query).items()])
        sessions = self._uploads.sessions
        try:
            command = self._route.command.decodeFields(form)
        except MalformedReply:
            return None
        caller = findCaller(sessions, command, self._exchange)
        if not isinstance(caller, EndedSession):
            return _numberOf(caller)
        # The page of the time wrote its vfwebqq after the file, and its cookies
        # before the file.
        cookies = self._exchange.cookies
        uin = form.get("uin") or cookies.get("uin", "").lstrip("o")
        skey = form.get("skey") or cookies.get("skey", "")
        if not (uin.isascii() and uin.isdigit() and len(uin) <= 10):
            return None
        number = Number(int(uin))
        return None if sessions.byCookies(number, skey) is None else number

    def _open(self, owner: Number) -> None:
        if self._isTooLarge:
            return
        uploads, address = self._uploads, self._exchange.network
        self._refusal = uploads.quotas.admit(owner, address, self._size)
        if self._refusal is None:
            self._owner = owner
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


def _numberOf(caller: Caller) -> Number:
    assert caller is not None, "uploads need a session"
    return caller.number


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
