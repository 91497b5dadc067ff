"""
One HTTP exchange: the headers, cookies and address of the request, and the headers of
the reply.
"""

from __future__ import annotations

import re
import select
import socket
from collections.abc import Collection, Mapping, Sequence
from ipaddress import IPv4Address

from twisted.web.server import Request

from txwebqq.net.site import peerAddress
from txwebqq.net.wholerequest import WholeRequest
from txwebqq.ratelimit import networkOf
from txwebqq.server.http.connections import WatchedConnection
from txwebqq.server.http.proxies import clientAddress, clientScheme
from txwebqq.server.sessions.session import Session

HTML = b"text/html; charset=utf-8"
SCRIPT = b"application/x-javascript; charset=utf-8"
TEXT = b"text/plain; charset=utf-8"

PAGE_HEADER = b"x-webqq-page"


def parseCookies(headers: Sequence[bytes]) -> dict[str, str]:
    """
    Parse C{Cookie} headers leniently: some WebQQ clients send whole C{Set-Cookie}
    lines, and names twice (compatibility.md 2).
    """
    cookies = {}
    for part in b";".join(headers).split(b";"):
        name, equals, value = part.decode("latin-1").partition("=")
        if equals and name.strip():
            cookies[name.strip()] = value.strip()
    return cookies


class HTTPExchange:
    """
    One request, and the headers of its reply.

    @ivar setCookies: the C{Set-Cookie} headers of the reply.
    @ivar location: the target of a redirect, L{None} for other replies.
    @ivar headers: other headers of the reply.
    @ivar contentType: the C{Content-Type} of the reply, L{None} for the usual one of
        the command.
    @ivar status: the status of the reply, L{None} for 200.

    @param proxies: the addresses of proxies whose C{X-Forwarded-For} is trusted.
    """

    __slots__ = (
        "_cookies",
        "_proxies",
        "_request",
        "contentType",
        "headers",
        "location",
        "setCookies",
        "status",
    )

    def __init__(self, request: Request, proxies: Collection[str] = ()) -> None:
        self._request = request
        self._proxies = proxies
        self.setCookies: tuple[str, ...] = ()
        self.location: str | None = None
        self.headers: tuple[tuple[bytes, bytes], ...] = ()
        self.contentType: bytes | None = None
        self.status: int | None = None
        self._cookies: Mapping[str, str] | None = None

    @property
    def _peer(self) -> str:
        return peerAddress(self._request)

    @property
    def address(self) -> str:
        """
        The address of the client.
        """
        if not self._proxies:
            return self._peer
        forwarded = self._headers(b"x-forwarded-for")
        return clientAddress(self._peer, forwarded, self._proxies)

    @property
    def network(self) -> str:
        """
        The text by which the client's address is counted.
        """
        return networkOf(self.address)

    def header(self, name: bytes) -> bytes | None:
        """
        Return the value of a header of the request.
        """
        return self._request.getHeader(name)

    def _headers(self, name: bytes) -> Sequence[bytes]:
        return self._request.requestHeaders.getRawHeaders(name) or ()

    @property
    def isFromPage(self) -> bool:
        """
        Whether the request is one of the chat page, which has no cookies: what would be
        in them is in the header C{X-WebQQ-Page}, which pages of other sites can neither
        send nor read.
        """
        return bool(self._headers(PAGE_HEADER))

    @property
    def cookies(self) -> Mapping[str, str]:
        """
        The cookies of the request, or what the chat page sends instead.
        """
        if self._cookies is None:
            own = self._headers(PAGE_HEADER)
            self._cookies = parseCookies(own or self._headers(b"cookie"))
        return self._cookies

    @property
    def base(self) -> str:
        """
        The URL of the server as the client has written it, without a path;
        C{""} when the C{Host} header is invalid.
        """
        forwarded = self._headers(b"x-forwarded-proto")
        isSecure = self._request.isSecure()
        scheme = clientScheme(self._peer, isSecure, forwarded, self._proxies)
        host = self.header(b"host") or b""
        return f"{scheme}://{host.decode('ascii')}" if _HOST.fullmatch(host) else ""

    @property
    def isOwnForm(self) -> bool:
        """
        Whether nothing indicates that a page of another site has had a browser send
        the request: the request is no C{GET}, as links are, and names no other
        C{Origin} than this server and the hosts of C{qq.com}.
        """
        if self._request.method == b"GET":
            return False
        origin = self.header(b"origin")
        if origin is None:
            return self.header(b"sec-fetch-site") != b"cross-site"
        _, _, host = origin.partition(b"://")
        return host == self.header(b"host") or _OWN_HOST.fullmatch(host) is not None

    @property
    def local(self) -> tuple[str, int]:
        """
        The address and port at which the server has accepted the connection.
        """
        address = self._request.getHost()
        return getattr(address, "host", "127.0.0.1"), getattr(address, "port", 80)

    @property
    def reached(self) -> tuple[str, int]:
        """
        The IPv4 address and port at which the client reaches the server: that in the
        URL of its request, or else that of the connection. It is for this client
        only, since the client has written the URL.
        """
        host, _, port = self.base.rpartition("//")[2].partition(":")
        try:
            return str(IPv4Address(host)), int(port or 80)
        except ValueError:
            return self.local

    def keepReached(self) -> None:
        """
        Forget the headers of the request that L{reached} does not need, because the
        request is held for long. A browser sends 700 bytes of them.
        """
        if isinstance(self._request, WholeRequest):
            self._request.keepHeaders(_REACHED)

    def isLive(self) -> bool:
        """
        Check whether the client can still read a reply: the client may have closed
        the connection without the reactor having noticed.
        """
        channel = getattr(self._request, "channel", None)
        transport = None if channel is None else channel.transport
        handle = getattr(transport, "socket", None)
        if not isinstance(handle, socket.socket):
            return transport is not None
        try:
            poller = select.poll()
            # Data from before the connection was closed, such as a close_notify of
            # TLS, may still be unread.
            poller.register(handle, _CLOSED)
            return not poller.poll(0)
        except (OSError, ValueError):
            return False

    @property
    def connection(self) -> WatchedConnection | None:
        """
        The connection, if it reports the arrival of replies.
        """
        channel = getattr(self._request, "channel", None)
        return channel if isinstance(channel, WatchedConnection) else None

    def hasArrived(self, session: Session) -> bool:
        """
        Check whether nothing contradicts that the reply to a session's last poll has
        arrived.
        """
        habit = session.habit
        return habit is None or habit.hasArrived(self.connection)

    def setCookie(self, name: str, value: str, domain: str = "qq.com") -> None:
        """
        Set a cookie of the client, by default for all hosts of the server. The chat
        page is told it in a header C{X-WebQQ-NAME}.
        """
        if self.isFromPage:
            self.headers += ((f"x-webqq-{name}".encode(), value.encode("latin-1")),)
            return
        self.setCookies += (f"{name}={value}; PATH=/; DOMAIN={domain};",)


_OWN_HOST = re.compile(rb"(?:[a-z0-9-]+\.)*qq\.com")
_HOST = re.compile(rb"[A-Za-z0-9._:\[\]-]{1,255}")
_REACHED = (b"host:", b"x-forwarded-proto:")
_CLOSED = select.POLLRDHUP | select.POLLHUP | select.POLLERR
