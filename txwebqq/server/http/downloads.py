"""
Kept bytes on their way out: themselves, or by way of a redirect.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.server import NOT_DONE_YET

from txwebqq.imagetypes import mediaTypeOf
from txwebqq.server.domain.filetransfers import GONE
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.http.exchange import Exchange
from txwebqq.server.http.multipart import sendFile
from txwebqq.server.http.pages import TEXT
from txwebqq.server.sessions.sessions import Random, token
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.wire.command import Refusal, encodeRefusal

LINK_LIFE = 600.0
"""The seconds within which a redirect has to be followed."""

MAX_LINKS = 10_000

ABSENT = Refusal(NO_SUCH_ID, "there is no such picture for you")


class Downloads:
    """
    What pictures and files are sent through.

    @param blobs: where their bytes lie.
    """

    _log = Logger()

    def __init__(self, blobs: BlobStore, clock: IReactorTime, random: Random) -> None:
        self._blobs = blobs
        self._clock = clock
        self._random = random
        # By key: a digest, and until when it opens.
        self._links: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def resolveLink(self, key: str) -> str | None:
        """
        The digest that a URL of ours leads to, as long as it does.
        """
        digest, until = self._links.get(key, ("", 0.0))
        return digest if until > self._clock.seconds() else None

    def show(self, digest: str | None, exchange: Exchange) -> bytes | Refusal:
        """
        A picture itself; L{None} is none.
        """
        data = None if digest is None else self._blobs.read(digest)
        if data is None:
            return ABSENT
        exchange.contentType = mediaTypeOf(data[:16]).encode()
        exchange.headers.append((b"x-content-type-options", b"nosniff"))
        return data

    def redirect(self, digest: str | None, exchange: Exchange) -> bytes | Refusal:
        """
        Send the client to where a picture is.
        """
        if digest is None:
            return ABSENT
        exchange.location = self.createLink(digest, exchange)
        return b""

    def createLink(self, digest: str, exchange: Exchange) -> str:
        """
        A URL that leads to some bytes, for some minutes.
        """
        key = token(self._random, 64)
        now = self._clock.seconds()
        while self._links:
            first = next(iter(self._links))
            if self._links[first][1] > now and len(self._links) < MAX_LINKS:
                break
            del self._links[first]
        self._links[key] = digest, now + LINK_LIFE
        return f"{exchange.base}/?ver=2173&rkey={key}"

    def send(
        self,
        request: Any,
        digest: str,
        start: int,
        delivered: Callable[[], None] | None,
    ) -> int | bytes:
        """
        Answer with kept bytes.

        @param delivered: called once all have left; L{None} for a picture.
        """
        file = self._blobs.open(digest)
        if file is None:
            return refuse(request, Refusal(GONE, "the file is no longer here"), 404)
        size = file.seek(0, 2)
        file.seek(0)
        headers = request.responseHeaders
        if delivered is None:
            headers.setRawHeaders(
                b"content-type", [mediaTypeOf(file.read(16)).encode()]
            )
            headers.setRawHeaders(b"x-content-type-options", [b"nosniff"])
        file.seek(start)
        headers.setRawHeaders(b"content-length", [b"%d" % (size - start)])
        finished = sendFile(file, request)
        if delivered is not None:
            note = delivered
            finished.addCallback(lambda _: note())
        finished.addErrback(self._ebSent)
        return NOT_DONE_YET

    def _ebSent(self, failure: Any) -> None:
        self._log.failure("Could not note that a file was fetched.", failure)


def describe(request: Any, name: str) -> None:
    """
    Say that what comes is a file.
    """
    headers = request.responseHeaders
    headers.setRawHeaders(b"content-type", [b"application/octet-stream"])
    headers.setRawHeaders(b"x-content-type-options", [b"nosniff"])
    # Nothing that somebody sends is shown as a page of ours.
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    headers.setRawHeaders(b"content-disposition", [disposition.encode()])


def refuse(request: Any, refusal: Refusal, status: int = 200) -> bytes:
    """
    Say why no file comes.
    """
    request.setResponseCode(status)
    request.responseHeaders.removeHeader(b"content-disposition")
    request.setHeader(b"content-type", TEXT)
    return encodeRefusal(refusal)
