"""
Notification of the service manager: readiness, status and watchdog (sd_notify(3)).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from twisted.application.service import IService, MultiService, Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

STATUS_INTERVAL = 5.0
"""The seconds between two looks at the status."""

NAME = "service manager"
"""The name of the L{NotificationService} among the services of a daemon."""


class ServiceManager:
    """
    Sends datagrams to the service manager. Those that it cannot take are lost: a
    daemon must not wait for it.

    @param address: the path of its socket, or C{@} and an abstract name.
    @param watchdog: the seconds after which the manager restarts a daemon that it
        has not heard of, 0 if it does not.
    """

    _log = Logger()

    def __init__(self, address: str, watchdog: float = 0.0) -> None:
        self.watchdog = watchdog
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._hasFailed = False

    def send(self, *assignments: str) -> None:
        """
        Send assignments such as C{READY=1}, in one datagram.
        """
        data = "\n".join(assignments).encode("utf-8", "replace")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto(data, self._address)
        except OSError as e:
            if not self._hasFailed:
                self._hasFailed = True
                self._log.warn(
                    "Notifying the service manager failed: {reason}; it may take this"
                    " process for one that does not answer.",
                    reason=e.strerror or str(e),
                )
        else:
            self._hasFailed = False


def takeServiceManager(environ: MutableMapping[str, str]) -> ServiceManager | None:
    """
    Return the service manager that an environment names, L{None} if there is none,
    and remove its variables: child processes must not speak for this one.
    """
    address = environ.pop("NOTIFY_SOCKET", "")
    interval = environ.pop("WATCHDOG_USEC", "")
    process = environ.pop("WATCHDOG_PID", "")
    if address[:1] not in ("/", "@"):
        return None
    isOurs = process in ("", str(os.getpid()))
    isNumber = interval.isascii() and interval.isdigit() and len(interval) < 20
    return ServiceManager(address, int(interval) / 1e6 if isOurs and isNumber else 0.0)


class NotificationService(Service):
    """
    Tells the service manager that the daemon runs, that it stops, and how it is.

    The watchdog is told from the event loop, at half of its time: the manager
    restarts a daemon whose loop is blocked.

    @param status: returns the state of the daemon in one line.
    @param monotonic: returns the time of C{CLOCK_MONOTONIC} in nanoseconds.
    """

    _log = Logger()

    def __init__(
        self,
        manager: ServiceManager,
        status: Callable[[], str],
        reactor: IReactorTime,
        monotonic: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._manager = manager
        self._status = status
        self._reactor: Any = reactor
        self._monotonic = monotonic
        self._told = ""
        self._loops: list[LoopingCall] = []
        self.name = NAME

    def startService(self) -> None:
        """
        Tell when the event loop runs that the daemon is ready.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._reactor.callWhenRunning(self._ready)

    def _ready(self) -> None:
        if not self.running:
            return
        self._manager.send("READY=1", *self._news())
        self._repeat(STATUS_INTERVAL, self._tell)
        if self._manager.watchdog > 0:
            self._repeat(self._manager.watchdog / 2, self._live)

    def _repeat(self, seconds: float, call: Callable[[], None]) -> None:
        loop = LoopingCall(call)
        loop.clock = self._reactor
        self._loops.append(loop)
        loop.start(seconds, now=True)

    def _live(self) -> None:
        self._manager.send("WATCHDOG=1")

    def _tell(self) -> None:
        news = self._news()
        if news:
            self._manager.send(*news)

    def _news(self) -> list[str]:
        try:
            status = " ".join(self._status().split())
        except Exception:
            # The loop would end by it.
            status = "The status is not known"
            if status != self._told:
                self._log.failure("Internal error in the status of the daemon.")
        if status == self._told:
            return []
        self._told = status
        return [f"STATUS={status}"]

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """
        Tell that the settings are being read again, and after it that the daemon is
        ready again.
        """
        since = self._monotonic() // 1000
        self._manager.send("RELOADING=1", f"MONOTONIC_USEC={since}")
        try:
            yield
        finally:
            self._manager.send("READY=1", *self._news())

    def stopService(self) -> None:
        """
        Tell that the daemon stops.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        loops, self._loops = self._loops, []
        for loop in loops:
            loop.stop()
        self._manager.send("STOPPING=1")


def notifyServiceManager(
    manager: ServiceManager | None,
    daemon: MultiService,
    status: Callable[[], str],
    reactor: Any,
) -> None:
    """
    Keep the service manager informed of a daemon, if there is one. It is told that the
    daemon stops before the services stop that the daemon has already.
    """
    if manager is not None:
        notification: Any = NotificationService(manager, status, reactor)
        notification.setServiceParent(daemon)


@contextmanager
def reloading(daemon: IService) -> Iterator[None]:
    """
    Tell the service manager, if there is one, that a daemon reads its settings again
    until the end of the block.
    """
    found = getattr(daemon, "namedServices", {}).get(NAME)
    if found is None:
        yield
        return
    with found.reloading():
        yield
