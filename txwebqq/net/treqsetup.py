"""
Setup of treq: a connection pool that does not log, and a cookie jar that stays
empty.
"""

from __future__ import annotations

from typing import Any, cast

from treq.cookies import IndexableCookieJar
from twisted.web.client import HTTPConnectionPool

IDLE_TIMEOUT = 45
"""Seconds for which an idle connection is kept; servers close theirs after a
minute or more."""

MAX_CONNECTIONS = 8
"""Idle connections kept to each host."""

# The factory logs each connection that is opened or closed.
_QuietFactory: Any = type(
    "_QuietFactory", (cast(Any, HTTPConnectionPool)._factory,), {"noisy": False}
)


def connectionPool(reactor: Any) -> HTTPConnectionPool:
    """
    Make a pool of persistent connections that never sends a request twice.
    """
    pool = HTTPConnectionPool(reactor)
    pool._factory = _QuietFactory
    pool.retryAutomatically = False
    pool.cachedConnectionTimeout = IDLE_TIMEOUT
    pool.maxPersistentPerHost = MAX_CONNECTIONS
    return pool


class NullCookieJar(IndexableCookieJar):
    """
    A cookie jar for treq that neither sends nor keeps cookies: treq has one jar
    for all requests, and each account has its own
    L{CookieStore<txwebqq.net.cookies.CookieStore>}.
    """

    def add_cookie_header(self, request: Any) -> None: ...

    def extract_cookies(self, response: Any, request: Any) -> None: ...
