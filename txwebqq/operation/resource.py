"""
The pages of the endpoint for operators: the status page, C{/healthz}, C{/readyz} and
C{/metrics}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import Request

from txwebqq.net.site import peerAddress, textHeaders
from txwebqq.onebot.authorization import MISSING, TokenAuthenticator
from txwebqq.operation.metrics import Source
from txwebqq.operation.statuspage import PAGE_HEADERS, pageFiles, statusText

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"

FAULT = "internal error: see the log"

OWN_PAGES = ("none", "same-origin")
"""The values of C{Sec-Fetch-Site} for an address that a user has typed, and for the
requests of the page that it led to."""

Page = tuple[int, str, bytes]
"""The HTTP status, the C{Content-Type} and the body."""


class ReadableMetrics(Protocol):
    """
    The metrics of the daemon.
    """

    def text(self) -> bytes:
        """
        Write the present values in the text format.
        """

    def values(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """
        Return the labels and values of each time series.
        """


class OperationResource(Resource):
    """
    Replies to those who have the token, and without a token to all programs of this
    machine but the pages of others in a browser. Everybody gets the files of the
    status page, which asks for the token.

    @param contentType: the C{Content-Type} of the metrics in the text format.
    @param now: returns the time in seconds since 1970.
    @param token: C{""} if none is needed.
    @param daemon: the name of the daemon.
    """

    isLeaf = True
    _log = Logger()

    def __init__(
        self,
        sources: Sequence[Source],
        metrics: ReadableMetrics,
        contentType: str,
        now: Callable[[], float],
        token: str = "",
        daemon: str = "",
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._sources = sources
        self._metrics = metrics
        self._contentType = contentType
        self._now = now
        self._authenticator = TokenAuthenticator(now)
        self._token = token
        self._daemon = daemon
        self._files = pageFiles()
        self._pages: dict[bytes, Callable[[], Page]] = {
            b"/healthz": lambda: (200, TEXT, b"ok\n"),
            b"/readyz": self._readiness,
            b"/metrics": self._metricsText,
            b"/status.json": self._status,
        }

    def setToken(self, token: str) -> None:
        """
        Change the token that requests need, C{""} for none.
        """
        self._token = token

    def render(self, request: Request) -> bytes:
        """
        Reply to a request.
        """
        status, contentType, body = self._reply(request)
        request.setResponseCode(status)
        request.setHeader(b"content-type", contentType.encode())
        request.setHeader(b"content-length", b"%d" % len(body))
        request.setHeader(b"cache-control", b"no-store")
        request.setHeader(b"x-content-type-options", b"nosniff")
        for name, value in PAGE_HEADERS.items():
            request.setHeader(name, value)
        # Twisted logs a request of HEAD whose reply has a body.
        return b"" if request.method == b"HEAD" else body

    def _reply(self, request: Request) -> Page:
        headers = textHeaders(request.requestHeaders)
        path, _, query = (request.uri or b"").partition(b"?")
        if headers.get("sec-fetch-site") in OWN_PAGES:
            del headers["sec-fetch-site"]
        host = headers.get("host", "")
        if headers.get("origin") in (f"http://{host}", f"https://{host}"):
            # Browsers name the origin of a page when it loads a module.
            del headers["origin"]
        file = self._files.get(path)
        refusal = self._authenticator.refusalOf(
            headers, query.decode("latin-1"), self._token, peerAddress(request)
        )
        if refusal is not None and not (self._token and file is not None):
            if refusal is MISSING:
                request.setHeader(b"www-authenticate", b"Bearer")
            return _page(refusal.status, refusal.reason)
        if request.method not in (b"GET", b"HEAD"):
            request.setHeader(b"allow", b"GET, HEAD")
            return _page(405, "not GET or HEAD")
        if file is not None:
            return (200, *file)
        page = self._pages.get(path)
        if page is None:
            return _page(
                404, "there are /, /status.json, /healthz, /readyz and /metrics"
            )
        try:
            return page()
        except Exception:
            self._log.failure("Reading {path} failed.", path=path.decode("latin-1"))
            return _page(500, FAULT)

    def _problems(self) -> list[str]:
        problems = [each for source in self._sources for each in source.problems()]
        # One line for each, also when the reason came from a server.
        return [" ".join(each.split()) for each in problems]

    def _readiness(self) -> Page:
        problems = self._problems()
        return _page(503, "\n".join(problems)) if problems else _page(200, "ok")

    def _metricsText(self) -> Page:
        return 200, self._contentType, self._metrics.text()

    def _status(self) -> Page:
        values = self._metrics.values()
        text = statusText(self._daemon, self._now(), self._problems(), values)
        return 200, JSON, text


def _page(status: int, text: str) -> Page:
    return status, TEXT, f"{text}\n".encode("utf-8", "replace")
