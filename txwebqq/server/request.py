"""
Requests of HTTP clients: large bodies are refused early, and uploads are read while
they arrive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from twisted.python.failure import Failure
from twisted.web.server import Request

from txwebqq.server.http.exchange import TEXT
from txwebqq.server.http.multipart import MultipartBody, PausableSource
from txwebqq.wire.command import Refusal, encodeRefusal
from txwebqq.wire.multipart import UploadCommand

MAX_BODY = 1024 * 1024
"""Maximum size of the body of a request that is not an upload, in bytes."""

TOO_LARGE = Refusal(100004, f"the body has more than {MAX_BODY} bytes")


@dataclass(frozen=True, slots=True)
class Upload:
    """
    A form with a file that is being received.
    """

    command: type[UploadCommand[Any]]
    body: MultipartBody


class UploadResource(Protocol):
    """
    A resource that receives uploads.
    """

    def expect(
        self, request: Request, uri: bytes, length: int | None, source: PausableSource
    ) -> Upload | None: ...


class WebQQRequest(Request):
    """
    A request that is refused as soon as its body is known to be too large.

    @ivar upload: the upload that the body is given to while it arrives, L{None} for
        other requests.
    """

    upload: Upload | None = None
    _received = 0
    _refused = False
    _limit = MAX_BODY

    def gotLength(self, length: int | None) -> None:
        self.upload = self._expect(length)
        if self.upload is not None:
            self._limit = self.upload.body.limit
        isTooLarge = length is not None and length > self._limit
        # Twisted opens a temporary file for a large body; these bodies need none.
        announced = 0 if isTooLarge or self.upload is not None else length
        super().gotLength(announced)  # type: ignore[no-untyped-call]
        if isTooLarge:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        if self._refused:
            return
        self._received += len(data)
        if self._received > self._limit:
            self._refuse()
        elif self.upload is not None:
            self.upload.body.take(data)
        else:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if not self._refused:
            super().requestReceived(  # type: ignore[no-untyped-call]
                command, path, version
            )

    def _expect(self, length: int | None) -> Upload | None:
        channel: Any = self.channel
        # Twisted sets the method and the path of a request after its body.
        if getattr(channel, "_command", b"") != b"POST":
            return None
        resource: UploadResource = channel.site.resource
        return resource.expect(self, channel._path, length, channel)

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        if self.upload is not None:
            self.upload.body.lost()

    def _refuse(self) -> None:
        self._refused = True
        if self.upload is not None:
            self.upload.body.lost()
        # The temporary file of the body so far.
        if self.content is not None:
            self.content.close()
        body = encodeRefusal(TOO_LARGE)
        self.channel.write(
            b"HTTP/1.1 413 Request Entity Too Large\r\n"
            b"Content-Type: " + TEXT + b"\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
        )
        self.channel.loseConnection()
