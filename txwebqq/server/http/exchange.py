"""
One HTTP exchange, as far as what answers it looks beyond its fields.
"""

from __future__ import annotations

import re
import select
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from twisted.web.server import Request

from txwebqq.server.http.connections import WatchedConnection
from txwebqq.server.http.proxies import clientAddress, clientScheme
from txwebqq.server.sessions.sessions import EndedSession, Session, Sessions
from txwebqq.wire.command import Refusal

Handler = Callable[[Any, "Exchange"], Any]
"""
Answers a question: with the reply, a refusal, or a Deferred of one of them.
"""


def parseCookies(headers: Sequence[bytes]) -> dict[str, str]:
    """
    Read C{Cookie} headers as leniently as WebQQ's clients need: some send back
    whole C{Set-Cookie} lines, and names twice (compatibility.md 2).
    """
    cookies = {}
    for part in b";".join(headers).split(b";"):
        name, equals, value = part.decode("latin-1").partition("=")
        if equals and name.strip():
            cookies[name.strip()] = value.strip()
    return cookies


class Exchange:
    """
    A request, and what its answer carries beside the body. What few answers
    need is worked out when it is asked for.

    @ivar address: where the client is.
    @ivar setCookies: whole C{Set-Cookie} lines.
    @ivar location: where to send the client, or L{None}.
    @ivar headers: further headers of the answer.
    @ivar contentType: the type of the answer, when it is not the usual one.
    @ivar status: the status of the answer, when it is not the usual one.

    @param proxies: the addresses of proxies that may say where clients are.
    """

    __slots__ = (
        "_cookies",
        "_peer",
        "_proxies",
        "_request",
        "address",
        "contentType",
        "headers",
        "location",
        "setCookies",
        "status",
    )

    def __init__(self, request: Request, proxies: Collection[str] = ()) -> None:
        self._request = request
        self._proxies = proxies
        self._peer = getattr(request.getClientAddress(), "host", "")
        self.address = self._peer
        if proxies:
            forwarded = self._said(b"x-forwarded-for")
            self.address = clientAddress(self._peer, forwarded, proxies)
        self.setCookies: list[str] = []
        self.location: str | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.contentType: bytes | None = None
        self.status: int | None = None
        self._cookies: Mapping[str, str] | None = None

    def header(self, name: bytes) -> bytes | None:
        """
        The value of a header of the request.
        """
        return self._request.getHeader(name)

    def _said(self, name: bytes) -> Sequence[bytes]:
        return self._request.requestHeaders.getRawHeaders(name) or ()

    @property
    def cookies(self) -> Mapping[str, str]:
        """
        The cookies that the client sent.
        """
        if self._cookies is None:
            self._cookies = parseCookies(self._said(b"cookie"))
        return self._cookies

    @property
    def base(self) -> str:
        """
        The URL that the client calls us by, without a path.
        """
        forwarded = self._said(b"x-forwarded-proto")
        isSecure = self._request.isSecure()
        scheme = clientScheme(self._peer, isSecure, forwarded, self._proxies)
        host = self.header(b"host") or b""
        return f"{scheme}://{host.decode('ascii')}" if _HOST.fullmatch(host) else ""

    @property
    def local(self) -> tuple[str, int]:
        """
        The address at which it met us.
        """
        met = self._request.getHost()
        return getattr(met, "host", "127.0.0.1"), getattr(met, "port", 80)

    def isLive(self) -> bool:
        """
        Whether the client can still read an answer: it may have closed its
        connection before the reactor got to see it.
        """
        channel = getattr(self._request, "channel", None)
        transport = getattr(channel, "transport", None)
        handle = getattr(transport, "socket", None)
        if not isinstance(handle, socket.socket):
            return transport is not None
        try:
            poller = select.poll()
            # What was sent before the connection was closed, such as a
            # close_notify of TLS, may be unread still.
            poller.register(handle, _CLOSED)
            return not poller.poll(0)
        except (OSError, ValueError):
            return False

    @property
    def connection(self) -> WatchedConnection | None:
        """
        The connection, if it tells what becomes of answers.
        """
        channel = getattr(self._request, "channel", None)
        return channel if isinstance(channel, WatchedConnection) else None

    def hasArrived(self, session: Session) -> bool:
        """
        Whether there is no reason to doubt that the answer to a session's last
        poll has arrived.
        """
        habit = session.habit
        return habit is None or habit.hasArrived(self.connection)

    def setCookie(self, name: str, value: str, domain: str = "qq.com") -> None:
        """
        Give the client a cookie, for all our hosts unless another domain is
        given.
        """
        self.setCookies.append(f"{name}={value}; PATH=/; DOMAIN={domain};")


_HOST = re.compile(rb"[A-Za-z0-9._:\[\]-]{1,255}")
_CLOSED = select.POLLRDHUP | select.POLLHUP | select.POLLERR

STALE = Refusal(100000, "vfwebqq is not valid")


def forSession(
    sessions: Sessions, answer: Callable[[Any, Session, Exchange], Any]
) -> Handler:
    """
    What answers a question only to those whose C{vfwebqq} is good: with the
    session that it is of.
    """

    def handler(question: Any, exchange: Exchange) -> Any:
        session = sessions.byVerifier(question.ticket.vfwebqq)
        if isinstance(session, EndedSession):
            return STALE
        return answer(question, session, exchange)

    return handler
