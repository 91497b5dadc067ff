"""
One HTTP exchange, as far as what answers it looks beyond its fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from txwebqq.server.sessions import Ended, Session, Sessions
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
    @ivar isLive: whether somebody is there to read an answer.
    @ivar header: the value of a header of the request, or L{None}.
    @ivar setCookies: whole C{Set-Cookie} lines.
    @ivar location: where to send the client, or L{None}.
    @ivar headers: further headers of the answer.
    @ivar contentType: the type of the answer, when it is not the usual one.
    @ivar status: the status of the answer, when it is not the usual one.
    """

    __slots__ = (
        "_base",
        "_cookieHeaders",
        "_cookies",
        "_local",
        "address",
        "contentType",
        "header",
        "headers",
        "isLive",
        "location",
        "setCookies",
        "status",
    )

    def __init__(
        self,
        address: str,
        cookieHeaders: Callable[[], Sequence[bytes]],
        isLive: Callable[[], bool],
        header: Callable[[bytes], bytes | None] = lambda name: None,
        base: Callable[[], str] = lambda: "",
        local: Callable[[], tuple[str, int]] = lambda: ("127.0.0.1", 80),
    ) -> None:
        self.address = address
        self.isLive = isLive
        self.setCookies: list[str] = []
        self.location: str | None = None
        self.header = header
        self._base = base
        self._local = local
        self.headers: list[tuple[bytes, bytes]] = []
        self.contentType: bytes | None = None
        self.status: int | None = None
        self._cookieHeaders = cookieHeaders
        self._cookies: Mapping[str, str] | None = None

    @property
    def cookies(self) -> Mapping[str, str]:
        """
        The cookies that the client sent.
        """
        if self._cookies is None:
            self._cookies = parseCookies(self._cookieHeaders())
        return self._cookies

    @property
    def base(self) -> str:
        """
        The URL that the client calls us by, without a path.
        """
        return self._base()

    @property
    def local(self) -> tuple[str, int]:
        """
        The address at which it met us.
        """
        return self._local()

    def setCookie(self, name: str, value: str, domain: str = "qq.com") -> None:
        """
        Give the client a cookie, for all our hosts unless another domain is
        given.
        """
        self.setCookies.append(f"{name}={value}; PATH=/; DOMAIN={domain};")


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
        if isinstance(session, Ended):
            return STALE
        return answer(question, session, exchange)

    return handler
