"""
Downloads of stored pictures and files: directly, or by a redirect.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from twisted.logger import Logger
from twisted.web.server import NOT_DONE_YET, Request

from txwebqq.imagetypes import mediaTypeOf
from txwebqq.model import Number
from txwebqq.server.domain.files.offline import GONE
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.exchange import TEXT, HTTPExchange
from txwebqq.server.http.multipart import sendFile
from txwebqq.server.http.replies import sendReply
from txwebqq.server.sessions.session import Session
from txwebqq.server.sessions.sessions import Sessions
from txwebqq.server.sessions.signatures import Signer
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.wire.command import Command, Refusal, encodeRefusal

LINK_LIFE = 600
"""Time for which the target of a redirect is valid, in seconds."""

ABSENT = Refusal(NO_SUCH_ID, "there is no such picture for you")

FILE_GONE = Refusal(GONE, "the file is no longer here")

# The SHA-256, the end of the life, the account, and the signature.
_LINK = re.compile("([0-9a-f]{64})([0-9a-f]{8})([0-9a-f]{1,16})-([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class FileReply:
    """
    A file that is sent in reply to a request.

    @ivar digest: of the file.
    @ivar name: the name that the client saves it by; C{""} for a picture to be shown.
    @ivar start: the number of bytes to leave out.
    @ivar offlineKey: the key of an offline file, whose delivery counts; else C{""}.
    """

    digest: str
    name: str = ""
    start: int = 0
    offlineKey: str = field(default="", repr=False)


class Downloads:
    """
    Shows stored pictures, and makes the links to them.

    @param signer: signs the links, of which the server keeps no table.
    @param now: returns the time in Unix seconds.
    """

    def __init__(
        self,
        blobs: BlobStore,
        sessions: Sessions,
        signer: Signer,
        now: Callable[[], float],
    ) -> None:
        self._blobs = blobs
        self._sessions = sessions
        self._signer = signer
        self._now = now

    def resolveLink(self, key: str) -> str | None:
        """
        Return the digest of the file that a link leads to, L{None} for an expired or
        unknown link, and after the end of the session that it was given to.
        """
        parts = _LINK.fullmatch(key)
        if parts is None:
            return None
        digest, until, number, signature = parts.groups()
        if int(until, 16) <= self._now():
            return None
        session = self._sessions.existing(Number(int(number, 16)))
        if session is None or session.ended is not None:
            return None
        isOurs = hmac.compare_digest(self._sign(digest, until, session), signature)
        return digest if isOurs else None

    def _sign(self, digest: str, until: str, session: Session) -> str:
        # The key of its ids belongs to one session, and outlives its tickets.
        return self._signer.sign(digest, until, session.number, session.sessionIds.key)

    def show(self, digest: str | None, exchange: HTTPExchange) -> bytes | Refusal:
        """
        Return the content of a picture.

        @param digest: L{None} when there is no such picture.
        """
        data = None if digest is None else self._blobs.read(digest)
        if data is None:
            return ABSENT
        exchange.contentType = mediaTypeOf(data[:16]).encode()
        return data

    def redirect(
        self, digest: str | None, session: Session, exchange: HTTPExchange
    ) -> bytes | Refusal:
        """
        Redirect the client to a link to a picture.

        @param digest: L{None} when there is no such picture.
        """
        if digest is None:
            return ABSENT
        exchange.location = self.createLink(digest, session, exchange)
        return b""

    def createLink(self, digest: str, session: Session, exchange: HTTPExchange) -> str:
        """
        Return a URL at which a file can be downloaded for L{LINK_LIFE} seconds, as long
        as the session has not ended.
        """
        until = f"{int(self._now()) + LINK_LIFE:08x}"
        signature = self._sign(digest, until, session)
        key = f"{digest}{until}{session.number:x}-{signature}"
        return f"{exchange.base}/?ver=2173&rkey={key}"


class FileSender:
    """
    Sends stored files to clients.

    @param delivered: is called with the key of an offline file when all of it has
        been sent.
    """

    _log = Logger()

    def __init__(self, blobs: BlobStore, delivered: Callable[[str], object]) -> None:
        self._blobs = blobs
        self._delivered = delivered

    def send(
        self,
        request: Request,
        exchange: HTTPExchange,
        command: type[Command[Any]],
        reply: FileReply | Refusal,
    ) -> int:
        """
        Send a file, or the refusal in its place.

        @return: the result of L{twisted.web.resource.IResource.render}.
        """
        file = None if isinstance(reply, Refusal) else self._blobs.open(reply.digest)
        if isinstance(reply, Refusal) or file is None:
            if not isinstance(reply, Refusal):
                exchange.status, reply = 404, FILE_GONE
            return sendReply(request, exchange, command, reply)
        headers = request.responseHeaders
        if reply.name:
            describe(request, reply.name)
        else:
            mediaType = mediaTypeOf(file.read(16)).encode()
            headers.setRawHeaders(b"content-type", [mediaType])
        size = file.seek(0, 2)
        file.seek(reply.start)
        headers.setRawHeaders(b"content-length", [b"%d" % (size - reply.start)])
        finished = sendFile(file, request)
        if reply.offlineKey:
            key = reply.offlineKey
            finished.addCallback(lambda _: self._delivered(key))
        finished.addErrback(self._ebSent)
        return NOT_DONE_YET

    def _ebSent(self, failure: Any) -> None:
        self._log.failure(
            "Could not send a file, or record that it was fetched.", failure
        )


def describe(request: Any, name: str) -> None:
    """
    Set the headers of a file download.
    """
    headers = request.responseHeaders
    headers.setRawHeaders(b"content-type", [b"application/octet-stream"])
    # A browser must not show a file of another user as a page of this server.
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    headers.setRawHeaders(b"content-disposition", [disposition.encode()])


def refuse(request: Any, refusal: Refusal, status: int = 200) -> bytes:
    """
    Set the headers of a refusal in place of a file, and return its body.
    """
    request.setResponseCode(status)
    request.responseHeaders.removeHeader(b"content-disposition")
    request.setHeader(b"content-type", TEXT)
    return encodeRefusal(refusal)
