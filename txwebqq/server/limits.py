"""
Limits of connections and requests, by the addresses of clients.
"""

from __future__ import annotations

import resource
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from twisted.logger import Logger

from txwebqq.ratelimit import MAX_REMEMBERED, RateLimiter

CHARGED_BYTES = 4096
"""Size of the part of a form that counts as one more request."""

CHARGED_UPLOAD_BYTES = 256 * 1024
"""Size of the part of an upload that counts as one more request: an upload is written
to a file as it arrives, and has limits of its own."""

RESERVED_DESCRIPTORS = 128
"""Number of file descriptors for other purposes than connections of clients: files,
the database and the log."""

MAX_DESCRIPTORS = 65_536
"""Maximum number of file descriptors that the server asks the system for."""

REPORT_INTERVAL = 600.0
"""Time within which an address that exceeds a limit is logged once, in seconds."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """
    Limits of connections and requests.

    @ivar connections: maximum number of open connections of one address, at most
        half of all.
    @ivar total: maximum number of open connections, L{None} for no limit.
    @ivar rate: number of requests of one address in a second; further requests wait.
    @ivar burst: number of requests of one address that need not wait, after a pause.
    @ivar seconds: time for the head of a request, and again for each
        C{bytesASecond * seconds} bytes of its body, in seconds.
    @ivar bytesASecond: minimum speed at which a body arrives.
    @ivar unread: time within which the client must read some of a reply, in seconds.
    """

    connections: int = 4000
    total: int | None = None
    rate: float = 500.0
    burst: int = 5000
    seconds: float = 30.0
    bytesASecond: int = 512
    unread: float = 180.0


DEFAULT_LIMITS = ConnectionLimits()


class BoundedConnection(Protocol):
    """
    A connection that is counted.
    """

    def isIdle(self) -> bool:
        """
        Check whether no request of the connection is being answered.
        """

    def drop(self) -> None:
        """
        Close the connection at once.
        """


class AddressLimits:
    """
    Counts connections and requests by address.

    @param now: returns the time in seconds.
    @ivar proxies: the addresses of proxies whose C{X-Forwarded-For} is trusted.
    @ivar isClosing: whether each connection is closed after its next reply.
    """

    _log = Logger()
    isClosing = False

    def __init__(
        self,
        now: Callable[[], float],
        limits: ConnectionLimits,
        proxies: Collection[str] = (),
    ) -> None:
        self.proxies = proxies
        self._now = now
        self.setLimits(limits)
        self._count = 0
        # The connections of each address, the oldest first.
        self._open: dict[str, dict[BoundedConnection, None]] = {}
        # The requests through a proxy that are being answered.
        self._forwarded: dict[str, int] = {}
        # The time at which each address has paid for its last request.
        self._paid: OrderedDict[str, float] = OrderedDict()
        self._reports = RateLimiter(now, 1, REPORT_INTERVAL)

    def setLimits(self, limits: ConnectionLimits) -> None:
        """
        Change the limits; connections that are open stay open.
        """
        self.limits = limits
        self._most = limits.connections
        if limits.total is not None:
            self._most = min(self._most, max(1, limits.total // 2))

    def __len__(self) -> int:
        return self._count

    def connected(self, address: str, connection: BoundedConnection) -> bool:
        """
        Count a connection. When there is no room for it, an idle connection is
        closed, of the address with the most connections that has an idle one.

        @param address: C{""} for a UNIX socket, whose connections are limited only
            by the total.

        @return: whether the connection may stay open; only then it is counted.
        """
        same = self._open.get(address, {})
        if address and len(same) >= self._most:
            self._report(address, f"{self._most} connections are open")
            return False
        total = self.limits.total
        if total is not None and self._count >= total and not self._makeRoom(total):
            return False
        self._open.setdefault(address, {})[connection] = None
        self._count += 1
        return True

    def disconnected(self, address: str, connection: BoundedConnection) -> None:
        """
        Count a connection no longer, if it is counted.
        """
        same = self._open.get(address)
        if same is None or connection not in same:
            return
        del same[connection]
        self._count -= 1
        if not same:
            del self._open[address]

    def _makeRoom(self, total: int) -> bool:
        busiest = sorted(self._open.items(), key=lambda item: -len(item[1]))
        for address, same in busiest:
            for connection in same:
                if connection.isIdle():
                    self._report(address, f"all {total} connections are open")
                    self.disconnected(address, connection)
                    connection.drop()
                    return True
        return False

    def forwarded(self, address: str) -> bool:
        """
        Count a request that came through a proxy, as a connection of its client.

        @return: whether it may be answered; only then it is counted.
        """
        count = self._forwarded.get(address, 0)
        if count >= self.limits.connections:
            self._report(address, f"{count} requests are open")
            return False
        self._forwarded[address] = count + 1
        return True

    def answered(self, address: str) -> None:
        """
        Count a request that came through a proxy no longer.
        """
        count = self._forwarded.pop(address, 0)
        if count > 1:
            self._forwarded[address] = count - 1

    def delay(self, address: str, size: int, isUpload: bool = False) -> float:
        """
        Count a request.

        @param size: the size of its body, in bytes.
        @param isUpload: whether the body is an upload.

        @return: the time for which the request has to wait, in seconds.
        """
        if not address:
            return 0.0
        now, limits = self._now(), self.limits
        part = CHARGED_UPLOAD_BYTES if isUpload else CHARGED_BYTES
        cost = (1 + size // part) / limits.rate
        paid = max(now, self._paid.pop(address, 0.0)) + cost
        self._paid[address] = paid
        if len(self._paid) > MAX_REMEMBERED:
            self._paid.popitem(last=False)
        wait = paid - now - limits.burst / limits.rate
        if wait <= 0.0:
            return 0.0
        self._report(address, f"more than {limits.rate:g} requests in a second")
        return wait

    def _report(self, address: str, cause: str) -> None:
        if self._reports.take(address):
            self._log.warn(
                "Limited the address {address}: {cause}.", address=address, cause=cause
            )


def raiseDescriptorLimit() -> int:
    """
    Raise the number of file descriptors that this process may open to the maximum
    that the system allows it.

    @return: the number of connections of clients that may be open then.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_DESCRIPTORS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft == resource.RLIM_INFINITY:
        soft = MAX_DESCRIPTORS
    return max(soft - RESERVED_DESCRIPTORS, soft // 2)
