"""
The requests of one account that have no reply yet.
"""

from __future__ import annotations

from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from txwebqq.client import WebQQClient
from txwebqq.net.bodies import FileUpload, Sink
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.multipart import UploadCommand

R = TypeVar("R")
T = TypeVar("T")

GRACE = 1.5
"""Seconds that requests in flight have to end when the account signs off."""


class InFlightRequests:
    """
    Sends the requests of one account and knows which of them are in flight, so
    that a service that stops can wait for them.
    """

    def __init__(self, client: WebQQClient, clock: IReactorTime) -> None:
        self._client = client
        self._clock = clock
        self._inFlight: set[Deferred[Any]] = set()
        # For each call of close: the requests to wait for, and its result.
        self._closing: list[tuple[set[Deferred[Any]], Deferred[None]]] = []

    def ask(self, command: Command[R]) -> Deferred[R | Refusal]:
        """
        Perform one exchange, as L{WebQQClient.ask}.
        """
        return self._track(self._client.ask(command))

    def send(
        self, upload: UploadCommand[R], source: FileUpload
    ) -> Deferred[R | Refusal]:
        """
        Perform one upload, as L{WebQQClient.send}.
        """
        return self._track(self._client.send(upload, source))

    def fetch(
        self, command: Command[bytes], sink: Sink, limit: int
    ) -> Deferred[int | Refusal]:
        """
        Perform one download, as L{WebQQClient.fetch}.
        """
        return self._track(self._client.fetch(command, sink, limit))

    def close(self) -> Deferred[None]:
        """
        Wait for the requests that are in flight now, cancel those that take
        longer than L{GRACE}, and close idle connections.

        @return: fires when that is done.
        """
        left = set(self._inFlight)
        if not left:
            return self._client.close()
        ended: Deferred[None] = Deferred()
        self._closing.append((left, ended))

        def cancelRest() -> None:
            for request in list(left):
                request.cancel()

        limit = self._clock.callLater(GRACE, cancelRest)

        def closeConnections(result: None) -> Deferred[None]:
            if limit.active():
                limit.cancel()
            return self._client.close()

        return ended.addCallback(closeConnections)

    def _track(self, request: Deferred[T]) -> Deferred[T]:
        self._inFlight.add(request)
        return request.addBoth(self._ended, request)

    def _ended(self, result: T, request: Deferred[Any]) -> T:
        self._inFlight.discard(request)
        for closing in self._closing[:]:
            left, ended = closing
            left.discard(request)
            if not left:
                self._closing.remove(closing)
                ended.callback(None)
        return result
