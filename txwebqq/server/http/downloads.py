"""
Downloads of stored pictures and files: directly, or by a redirect.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO
from urllib.parse import quote

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.server import NOT_DONE_YET

from txwebqq.imagetypes import mediaTypeOf
from txwebqq.server.domain.files.offline import GONE
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.exchange import TEXT, HTTPExchange
from txwebqq.server.http.multipart import sendFile
from txwebqq.server.sessions.session import Session
from txwebqq.server.sessions.sessions import Random, token
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.wire.command import Refusal, encodeRefusal

LINK_LIFE = 600.0
"""Time for which the target of a redirect is valid, in seconds."""

MAX_LINKS = 10_000
"""Maximum number of valid targets of redirects."""

ABSENT = Refusal(NO_SUCH_ID, "there is no such picture for you")

FILE_GONE = Refusal(GONE, "the file is no longer here")


def _ignoreDelivery() -> None:
    pass


class Downloads:
    """
    Sends stored pictures and files to clients.
    """

    _log = Logger()

    def __init__(self, blobs: BlobStore, clock: IReactorTime, random: Random) -> None:
        self._blobs = blobs
        self._clock = clock
        self._random = random
        # By key: the digest, the time at which the link expires, and the session that
        # it was given to.
        self._links: OrderedDict[str, tuple[str, float, Session]] = OrderedDict()

    def resolveLink(self, key: str) -> str | None:
        """
        Return the digest of the file that a link leads to, L{None} for an expired or
        unknown link, and after the end of the session that it was given to.
        """
        found = self._links.get(key)
        if found is None:
            return None
        digest, until, session = found
        isGood = session.ended is None and until > self._clock.seconds()
        return digest if isGood else None

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
        key = token(self._random, 64)
        now = self._clock.seconds()
        while self._links:
            first = next(iter(self._links))
            if self._links[first][1] > now and len(self._links) < MAX_LINKS:
                break
            del self._links[first]
        self._links[key] = digest, now + LINK_LIFE, session
        return f"{exchange.base}/?ver=2173&rkey={key}"

    def sendPicture(self, request: Any, digest: str) -> int | bytes:
        """
        Send a picture.

        @return: the result of L{twisted.web.resource.IResource.render}.
        """
        file = self._blobs.open(digest)
        if file is not None:
            mediaType = mediaTypeOf(file.read(16)).encode()
            request.responseHeaders.setRawHeaders(b"content-type", [mediaType])
        return self._send(request, file, 0, _ignoreDelivery)

    def sendFile(
        self,
        request: Any,
        digest: str,
        name: str,
        start: int,
        delivered: Callable[[], None] = _ignoreDelivery,
    ) -> int | bytes:
        """
        Send a file.

        @param start: the number of bytes to leave out.
        @param delivered: is called when all of the others have been sent.

        @return: the result of L{twisted.web.resource.IResource.render}.
        """
        describe(request, name)
        return self._send(request, self._blobs.open(digest), start, delivered)

    def _send(
        self,
        request: Any,
        file: BinaryIO | None,
        start: int,
        delivered: Callable[[], None],
    ) -> int | bytes:
        if file is None:
            return refuse(request, FILE_GONE, 404)
        size = file.seek(0, 2)
        file.seek(start)
        headers = request.responseHeaders
        headers.setRawHeaders(b"content-length", [b"%d" % (size - start)])
        finished = sendFile(file, request)
        finished.addCallback(lambda _: delivered())
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
