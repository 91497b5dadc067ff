"""
The endpoint for operators: its pages, to whom it replies, its format and its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.error import CannotListenError, ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from tests.rig import CapturedLog
from txwebqq import __version__
from txwebqq.errors import InvalidConfiguration
from txwebqq.operation.metrics import Histogram, Sample, counter, gauge, histogram
from txwebqq.operation.service import OperationService
from txwebqq.operation.settings import OperationSettings

LOOPBACK = "tcp:9100:interface=127.0.0.1"

SIZE = gauge("test_size", "A size.", "place")
CALLS = counter("test_calls_total", "Calls.")
TIMES = histogram("test_seconds", "Times.")


class FixedSource:
    """
    A source with fixed values.
    """

    metrics = (SIZE, CALLS, TIMES)

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.times = Histogram((0.1, 1.0))
        for value in (0.05, 0.1, 0.5, 7.0):
            self.times.observe(value)
        self.isBroken = False

    def samples(self) -> Iterator[Sample]:
        if self.isBroken:
            raise ZeroDivisionError("in a source")
        yield SIZE, ('a "b"\n\\',), 2.5
        yield CALLS, (), 3
        yield TIMES, (), self.times

    def problems(self) -> Iterable[str]:
        return self.reasons


class Transport(StringTransport):
    """
    A transport that loses its connection when it is aborted.
    """

    protocol: Any

    def abortConnection(self) -> None:
        self.protocol.connectionLost(Failure(ConnectionDone()))


class Endpoint:
    """
    An endpoint in memory.
    """

    def __init__(self, token: str = "") -> None:
        self.reactor: Any = MemoryReactorClock()
        self.source = FixedSource()
        settings = OperationSettings(LOOPBACK, token)
        self.service = OperationService(settings, [self.source], self.reactor)
        self.service.startService()

    def connect(self) -> Transport:
        transport = Transport()
        transport.protocol = self.service.site.buildProtocol(None)
        transport.protocol.makeConnection(transport)
        return transport

    def ask(
        self, path: str, *headers: str, host: str = "localhost", method: str = "GET"
    ) -> tuple[int, str]:
        """
        Send a request.

        @return: the status and the body.
        """
        transport = self.connect()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]
        transport.protocol.dataReceived("\r\n".join(lines).encode())
        head, _, body = transport.value().decode().partition("\r\n\r\n")
        self.head = head
        transport.abortConnection()
        return int(head.split()[1]), body


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """
    Make an endpoint without a token.
    """
    endpoint = Endpoint()
    yield endpoint
    endpoint.service.stopService()
    assert endpoint.reactor.getDelayedCalls() == []


def test_health(endpoint: Endpoint) -> None:
    """
    A daemon that replies is healthy, also when it is not ready.
    """
    endpoint.source.reasons.append("the sky falls")
    assert endpoint.ask("/healthz") == (200, "ok\n")


def test_ready(endpoint: Endpoint) -> None:
    """
    A daemon without problems is ready; otherwise each reason has a line.
    """
    assert endpoint.ask("/readyz") == (200, "ok\n")
    endpoint.source.reasons = ["the disk is full", "of two\nlines"]
    assert endpoint.ask("/readyz") == (503, "the disk is full\nof two lines\n")


def test_metrics(endpoint: Endpoint) -> None:
    """
    The metrics are in the text format, with those of the process and of Python.
    """
    endpoint.reactor.advance(1.0)
    status, body = endpoint.ask("/metrics")
    assert status == 200
    assert "Content-Type: text/plain; version=0.0.4; charset=utf-8" in endpoint.head
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(body)
        for sample in family.samples
    }
    assert samples["test_size", 'a "b"\n\\'] == 2.5
    assert samples["test_calls_total",] == 3
    buckets = [samples["test_seconds_bucket", le] for le in ("0.1", "1.0", "+Inf")]
    assert buckets == [2, 3, 4]
    assert samples["test_seconds_count",] == 4
    assert samples["test_seconds_sum",] == 7.65
    assert samples["txwebqq_info", __version__] == 1
    assert samples["txwebqq_event_loop_lag_seconds_count",] == 1
    assert samples["txwebqq_memory_blocks",] > 10_000
    assert samples["process_open_fds",] > 0
    assert ("python_gc_collections_total", "2") in samples


def test_ownRegistry(endpoint: Endpoint) -> None:
    """
    Nothing is registered where other libraries of the process register theirs.
    """
    names = {family.name for family in REGISTRY.collect()}
    assert not any(name.startswith(("txwebqq", "test_")) for name in names)


def test_lag(endpoint: Endpoint) -> None:
    """
    The time by which a call is late is measured each second.
    """
    lag = endpoint.service.services[0]
    endpoint.reactor.advance(1.0)
    # The reactor comes back after four seconds.
    endpoint.reactor.rightNow += 4.0
    endpoint.reactor.advance(0)
    [(_, _, measured)] = lag.samples()
    assert measured.total == 3.0
    assert dict(measured.buckets())["2.5"] == 1


def test_delayedCalls(endpoint: Endpoint) -> None:
    """
    The delayed calls are counted when the metrics are read, without those that were
    cancelled.
    """

    def delayedCalls() -> str:
        lines = endpoint.ask("/metrics")[1].splitlines()
        return next(line for line in lines if line.startswith("txwebqq_delayed_calls"))

    before = float(delayedCalls().split()[1])
    later = endpoint.reactor.callLater(60.0, lambda: None)
    assert float(delayedCalls().split()[1]) == before + 1
    later.cancel()
    assert float(delayedCalls().split()[1]) == before


@pytest.mark.parametrize(
    "path", ["/status", "/page/", "/metrics/", "/healthz/x", "//metrics", "*"]
)
def test_unknown(endpoint: Endpoint, path: str) -> None:
    """
    Other paths are not found.
    """
    assert endpoint.ask(path)[0] in (404, 405)


def test_methods(endpoint: Endpoint) -> None:
    """
    C{HEAD} gets no body, and other methods change nothing.
    """
    assert endpoint.ask("/healthz", method="HEAD") == (200, "")
    assert "Content-Length: 3" in endpoint.head
    assert endpoint.ask("/healthz", method="DELETE")[0] == 405


@pytest.mark.parametrize("path", ["/healthz", "/status.json", "/metrics", "/"])
def test_browsers(endpoint: Endpoint, path: str) -> None:
    """
    No page but that of the endpoint can read it in a browser of this machine, by
    none of the names that such a page has for it.
    """
    for origin in ("http://page.example", "http://localhost:9101", "null", "http://"):
        request = (path, f"Origin: {origin}")
        assert endpoint.ask(*request, host="localhost:9100")[0] == 403
        assert endpoint.ask(*request, "Sec-Fetch-Site: none")[0] == 403
    for site in ("cross-site", "same-site", ""):
        request = (path, f"Sec-Fetch-Site: {site}")
        assert endpoint.ask(*request)[0] == 403
        assert endpoint.ask(*request, "Origin: http://localhost")[0] == 403
    rebound = "Origin: http://page.example"
    assert endpoint.ask(path, rebound, host="page.example")[0] == 403
    for host in ("page.example", "page.example:9100", "127.0.0.1.page.example", ""):
        status, body = endpoint.ask(path, host=host)
        assert status == 403
        assert "ok" not in body.split()
    for host in ("localhost", "LOCALHOST:9100", "127.0.0.1:9100", "[::1]:9100"):
        assert endpoint.ask("/healthz", host=host)[0] == 200


def test_token() -> None:
    """
    With a token all requests for values need it, from any host.
    """
    endpoint = Endpoint("s3cret")
    for path in ("/healthz", "/readyz", "/metrics", "/status.json", "/x"):
        status, body = endpoint.ask(path)
        assert (status, body) == (401, "a token is needed\n")
        assert "WWW-Authenticate: Bearer" in endpoint.head
        assert endpoint.ask(path, "Authorization: Bearer wrong")[0] == 403
    right = "Authorization: Bearer s3cret"
    assert endpoint.ask("/healthz", right, host="bot.example") == (200, "ok\n")
    assert "s3cret" not in repr(OperationSettings(LOOPBACK, "s3cret"))


def test_fault(
    endpoint: Endpoint, flushLoggedErrors: Callable[..., list[Failure]]
) -> None:
    """
    A fault of ours is logged, and the endpoint replies to later requests.
    """
    endpoint.source.isBroken = True
    with CapturedLog() as log:
        assert endpoint.ask("/metrics") == (500, "internal error: see the log\n")
    assert "Reading /metrics failed." in log.text
    assert endpoint.ask("/healthz")[0] == 200
    assert len(flushLoggedErrors(ZeroDivisionError)) == 1


def test_stop() -> None:
    """
    The end closes the connections that are open, and leaves nothing on the clock.
    """
    endpoint = Endpoint()
    first, second = endpoint.connect(), endpoint.connect()
    first.protocol.dataReceived(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    second.protocol.dataReceived(b"GET /hea")
    assert len(endpoint.service.site.channels) == 2
    stopped: list[object] = []
    endpoint.service.stopService().addBoth(stopped.append)
    assert stopped == [None]
    assert not endpoint.service.site.channels
    assert endpoint.reactor.getDelayedCalls() == []


def test_portTaken() -> None:
    """
    A port that is taken is an error at the start.
    """
    reactor: Any = MemoryReactorClock()

    def refuse(*args: object, **kwargs: object) -> None:
        raise CannotListenError("127.0.0.1", 9100, OSError(98, "in use"))

    reactor.listenTCP = refuse
    service = OperationService(OperationSettings(LOOPBACK), [], reactor)
    with pytest.raises(CannotListenError):
        service.privilegedStartService()


def test_invalidEndpoint() -> None:
    """
    An endpoint that cannot be used is named.
    """
    with pytest.raises(InvalidConfiguration, match="--operate tcp:x"):
        OperationService(OperationSettings("tcp:x"), [], MemoryReactorClock())
