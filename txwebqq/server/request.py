"""
Requests of HTTP clients: large bodies are refused early, and uploads are read while
they arrive.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from twisted.web.server import Request

from txwebqq.net.wholerequest import WholeRequest
from txwebqq.server.http.channel import HEADERS
from txwebqq.server.http.exchange import TEXT, HTTPExchange
from txwebqq.server.http.multipart import MultipartBody, PausableSource
from txwebqq.server.limits import AddressLimits
from txwebqq.wire.command import Refusal, encodeRefusal
from txwebqq.wire.form import MAX_PARAMETERS
from txwebqq.wire.multipart import UploadCommand

MAX_BODY = 128 * 1024
"""Maximum size of the body of a request that is not an upload, in bytes."""

BUSY = Refusal(100004, "too many requests of your address are open")

TOO_LARGE = Refusal(100004, f"the request is larger than {MAX_BODY} bytes")


@dataclass(frozen=True, slots=True)
class Upload:
    """
    A form with a file that is being received.
    """

    command: type[UploadCommand[Any]]
    body: MultipartBody


class LosableReply(Protocol):
    """
    A reply that may be given later.
    """

    def lost(self) -> None: ...


class UploadResource(Protocol):
    """
    A resource that receives uploads.

    @ivar plainPaths: the paths of requests that are no uploads.
    """

    @property
    def plainPaths(self) -> Container[bytes]: ...

    def expect(
        self, request: Request, uri: bytes, length: int | None, source: PausableSource
    ) -> Upload | None: ...


class WebQQRequest(WholeRequest):
    """
    A request that is refused as soon as its body is known to be too large, and
    waits if its address has sent too many.

    @ivar upload: the upload that the body is given to while it arrives, L{None} for
        other requests.
    @ivar receivedSize: the size of the body so far, in bytes.
    """

    upload: Upload | None = None
    receivedSize = 0
    _network = ""
    _waiting: IDelayedCall | None = None
    _refused = False
    _limit = MAX_BODY
    _held: LosableReply | None = None

    def __repr__(self) -> str:
        # Twisted logs requests, and the query may have secrets.
        path = targetOf(self.uri)[0]
        return f"<{type(self).__name__} {self.method!r} {path!r}>"

    def gotLength(self, length: int | None) -> None:
        addresses: AddressLimits | None = getattr(self.channel, "addresses", None)
        if addresses is not None and addresses.proxies:
            network = HTTPExchange(self, addresses.proxies).network
            if network and not addresses.forwarded(network):
                self._refuse(b"503 Service Unavailable", BUSY)
                return
            self._network = network
        self.upload = self._expect(length)
        if self.upload is not None:
            self._limit = self.upload.body.limit
        if length is not None and length > self._limit:
            self._refuse(b"413 Request Entity Too Large", TOO_LARGE)

    def handleContentChunk(self, data: bytes) -> None:
        if self._refused:
            return
        self.receivedSize += len(data)
        if self.receivedSize > self._limit:
            self._refuse(b"413 Request Entity Too Large", TOO_LARGE)
        elif self.upload is not None:
            self.upload.body.take(data)
        else:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if self._refused:
            return
        if path.count(b"&") > MAX_PARAMETERS:
            self._refuse(b"414 URI Too Long", TOO_LARGE)
            return
        channel: Any = self.channel
        addresses: AddressLimits | None = getattr(channel, "addresses", None)
        wait = 0.0
        if addresses is not None:
            network = self._network or channel.network
            isUpload = self.upload is not None
            wait = addresses.delay(network, self.receivedSize, isUpload)
        if wait > 0.0:
            self._waiting = channel.callLater(
                wait, self._cbAdmitted, command, path, version
            )
        else:
            super().requestReceived(command, path, version)

    def _cbAdmitted(self, command: bytes, path: bytes, version: bytes) -> None:
        self._waiting = None
        super().requestReceived(command, path, version)

    def _expect(self, length: int | None) -> Upload | None:
        channel: Any = self.channel
        # Twisted sets the method and the path of a request after its body.
        if getattr(channel, "_command", b"") != b"POST":
            return None
        resource: UploadResource = channel.site.resource
        if channel._path in resource.plainPaths:
            return None
        return resource.expect(self, channel._path, length, channel)

    def hold(self, reply: LosableReply) -> None:
        """
        Keep the request until it is replied to, without its body, and tell the reply
        when the client disconnects.
        """
        self._held = reply
        self.content = None

    def finish(self) -> None:
        self.answered()
        base: Any = super()
        base.finish()

    def connectionLost(self, reason: Failure) -> None:
        held = self._held
        self.answered()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()
        base: Any = super()
        base.connectionLost(reason)
        if held is not None:
            held.lost()
        if self.upload is not None:
            self.upload.body.lost()

    def answered(self) -> None:
        # The reply knows the request.
        self._held = None
        network = self._network
        if network:
            self._network = ""
            channel: Any = self.channel
            channel.addresses.answered(network)

    def _refuse(self, status: bytes, refusal: Refusal) -> None:
        self._refused = True
        if self.upload is not None:
            self.upload.body.lost()
        body = encodeRefusal(refusal)
        usual = b"".join(b"%s: %s\r\n" % (n, v) for n, (v,) in HEADERS.items())
        self.channel.write(
            b"HTTP/1.1 " + status + b"\r\n" + usual + b"Content-Type: " + TEXT + b"\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
        )
        self.channel.loseConnection()


def targetOf(uri: bytes) -> tuple[bytes, bytes]:
    """
    Return the path and the query of a request line. Clients of a proxy write the host
    in the request line as well.
    """
    path, _, query = uri.partition(b"?")
    if not path.startswith(b"/"):
        _, _, rest = path.partition(b"://")
        path = b"/" + rest.partition(b"/")[2]
    return path, query
