"""
HTTP exchanges whose replies are made by workers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from txwebqq.server.fleet.worker import Work, Worker
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import HeldReply
from txwebqq.server.sessions.session import Session
from txwebqq.wire.command import Refusal

PATIENCE = 15.0
"""Time within which a request is handled, in seconds; then it is refused."""

AWAY = Refusal(100000, "the database is away: send the request again later")


InThread = Callable[[Callable[[], object]], Deferred[Any]]
"""Calls a function in a thread that may wait for the disk."""


class FleetExchange(HTTPExchange):
    """
    An exchange that is used in another thread, while the client may disconnect.
    """

    __slots__ = ("_address", "_base", "_local")

    def __init__(self, exchange: HTTPExchange) -> None:
        super().__init__(exchange._request, exchange._proxies)
        self._address = exchange.address
        self._base = exchange.base
        self._local = exchange.local

    @property
    def address(self) -> str:
        return self._address

    @property
    def base(self) -> str:
        return self._base

    @property
    def local(self) -> tuple[str, int]:
        return self._local

    def isLive(self) -> bool:
        return True

    def hasArrived(self, session: Session) -> bool:
        return True


class RefusableWork(Work, Protocol):
    """
    Work that a client waits for.

    @ivar worker: the worker that does it.
    """

    worker: Worker | None

    def refuse(self) -> None:
        """
        Tell the client that it was not done.
        """


class PendingReply(HeldReply):
    """
    A reply to a request that a worker handles.

    @ivar isAborted: whether the client has been told that there is no reply.
    @ivar isLate: whether it waits longer, because the database is slow.
    """

    __slots__ = ("isAborted", "isLate", "work")

    def __init__(self) -> None:
        super().__init__()
        self.work: RefusableWork | None = None
        self.isAborted = self.isLate = False

    def giveOf(self, exchange: HTTPExchange, reply: Any) -> None:
        """
        Give the reply, with the headers of an exchange.
        """
        self._exchange = exchange
        self.give(reply)

    def abort(self) -> None:
        """
        Close the connection without a reply, because the request may have been
        handled.
        """
        self.isAborted = True
        request, self._request = self._request, None
        if request is not None:
            request.loseConnection()
