"""
The injection of faults: a resource around that of the server, and the connections of
replies that go wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import directlyProvides, providedBy

from txwebqq.server.faults.plan import (
    Delay,
    Fault,
    FaultPlan,
    RequestFault,
    Reset,
    Retcode,
    Status,
)
from txwebqq.server.faults.replies import Ending, Output, alter, eventsOf
from txwebqq.server.http.multipart import PausableSource
from txwebqq.server.request import Upload, targetOf
from txwebqq.wire.command import Refusal, encodeRefusal
from txwebqq.wire.commands.messages import Poll2

POLL = Poll2.path


class ServerResource(Protocol):
    """
    The resource of a server.
    """

    @property
    def plainPaths(self) -> Container[bytes]: ...

    def expect(
        self, request: Request, uri: bytes, length: int | None, source: PausableSource
    ) -> Upload | None: ...

    def render(self, request: Request) -> int | bytes: ...


class Timers:
    """
    Delayed calls that can be cancelled together.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._calls: set[IDelayedCall] = set()

    def later(self, seconds: float, function: Callable[[], object]) -> IDelayedCall:
        """
        Call a function after a time, in seconds.
        """

        def run() -> None:
            self._calls.discard(call)
            function()

        call = self._clock.callLater(seconds, run)
        self._calls.add(call)
        return call

    def cancel(self, call: IDelayedCall) -> None:
        """
        Cancel a call, if it has not been made.
        """
        if call in self._calls:
            self._calls.discard(call)
            call.cancel()

    def clear(self) -> None:
        """
        Cancel all calls.
        """
        for call in list(self._calls):
            self.cancel(call)


class InterceptedTransport:
    """
    Stands in for the transport of a connection until a reply is sent: collects the
    reply, and sends other bytes in its place. What is written after the reply is sent
    after those.
    """

    def __init__(self, channel: Any, timers: Timers) -> None:
        self._channel = channel
        self._transport = channel.transport
        self._timers = timers
        self._written = bytearray()
        self._close: Callable[[], object] | None = None
        directlyProvides(self, providedBy(self._transport))
        channel.transport = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """
        Collect bytes.
        """
        self._written += data

    def writeSequence(self, parts: list[bytes]) -> None:
        """
        Collect bytes.
        """
        self._written += b"".join(parts)

    def loseConnection(self) -> None:
        """
        Close the connection after the reply.
        """
        self._close = self._transport.loseConnection

    def loseWriteConnection(self) -> None:
        """
        Close the connection for writing after the reply.
        """
        self._close = self._transport.loseWriteConnection

    def take(self) -> bytes:
        """
        Return the bytes that were written, and forget them.
        """
        data, self._written = bytes(self._written), bytearray()
        return data

    def send(self, output: Output) -> None:
        """
        Send bytes in place of the reply, and give the connection its transport back.
        """
        if output.delay:
            self._timers.later(output.delay, lambda: self._send(output, 0))
        else:
            self._send(output, 0)

    def _send(self, output: Output, start: int) -> None:
        end = start + output.size if output.size else len(output.data)
        self._transport.write(output.data[start:end])
        if end < len(output.data):
            self._timers.later(output.interval, lambda: self._send(output, end))
            return
        self._channel.transport = self._transport
        if output.ending is Ending.RESET:
            self._transport.abortConnection()
            return
        self._transport.write(self.take())
        if output.ending is Ending.CLOSED:
            self._transport.loseConnection()
        elif self._close is not None:
            self._close()


class FaultyResource(Resource):
    """
    The resource of a server whose requests and replies go wrong.

    @param clock: for delays.
    """

    isLeaf = True
    _log = Logger()

    def __init__(
        self, server: ServerResource, plan: FaultPlan, clock: IReactorTime
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._server = server
        self._plan = plan
        self._timers = Timers(clock)

    @property
    def plainPaths(self) -> Container[bytes]:
        """
        The paths of requests that are no uploads.
        """
        return self._server.plainPaths

    def expect(
        self, request: Request, uri: bytes, length: int | None, source: PausableSource
    ) -> Upload | None:
        """
        Return the receiver of an upload.
        """
        return self._server.expect(request, uri, length, source)

    def stop(self) -> None:
        """
        Leave nothing on the clock: what is delayed does not happen any more.
        """
        self._timers.clear()

    def render(self, request: Request) -> int | bytes:
        path = targetOf(request.uri)[0].decode("latin-1")
        fault = self._plan.onRequest(path)
        if fault is None:
            if self._plan.hasPollFaults and path == POLL:
                self._intercept(request, self._pollFault)
        elif fault.isAfter:
            self._tell(fault, path)
            self._intercept(request, lambda data: fault)
        else:
            self._tell(fault, path)
            return self._before(request, fault)
        return self._server.render(request)

    def _tell(self, fault: Fault, path: str) -> None:
        self._log.info(
            "Fault {count} on purpose: {kind} at {path}.",
            count=self._plan.counts.total(),
            kind=fault.kind,
            path=path,
        )

    def _pollFault(self, data: bytes) -> Fault | None:
        events = eventsOf(data)
        if events is None:
            return None
        fault = self._plan.onPolled(len(events))
        if fault is not None:
            self._tell(fault, POLL)
        return fault

    def _before(self, request: Request, fault: RequestFault) -> int | bytes:
        """
        Let a request go wrong before the server sees it.
        """
        match fault:
            case Delay(least=least, most=most):
                seconds = self._plan.random.uniform(least, most)
                call = self._timers.later(seconds, lambda: self._render(request))
                request.notifyFinish().addErrback(lambda _: self._timers.cancel(call))
                return NOT_DONE_YET
            case Status(code=code, html=html, location=location):
                request.setResponseCode(code)
                request.setHeader(b"content-type", b"text/html")
                if location:
                    request.setHeader(b"location", location.encode())
                return html.encode()
            case Retcode(code=code):
                request.setHeader(b"content-type", b"text/plain; charset=utf-8")
                return encodeRefusal(Refusal(code))
            case _:
                assert isinstance(fault, Reset)
                channel: Any = request.channel
                channel.transport.abortConnection()
                return NOT_DONE_YET

    def _render(self, request: Request) -> None:
        untyped: Any = request
        try:
            untyped.render(self._server)
        except BaseException:
            untyped.processingFailed(Failure())

    def _intercept(
        self, request: Request, choose: Callable[[bytes], Fault | None]
    ) -> None:
        """
        Let the reply to a request go wrong.

        @param choose: returns the fault of a reply, L{None} for none.
        """
        transport = InterceptedTransport(request.channel, self._timers)

        def finished(result: None) -> None:
            data = transport.take()
            fault = choose(data)
            output = Output(data)
            if fault is not None:
                output = alter(data, fault, self._plan.random)
            transport.send(output)

        request.notifyFinish().addCallbacks(finished, lambda _: None)
