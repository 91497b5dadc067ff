"""
The pages of the endpoint for operators: C{/healthz}, C{/readyz} and C{/metrics}.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import Request

from txwebqq.onebot.authorization import MISSING, refusalOf
from txwebqq.operation.metrics import Source

TEXT = "text/plain; charset=utf-8"

FAULT = "internal error: see the log"

Page = tuple[int, str, bytes]
"""The HTTP status, the C{Content-Type} and the body."""


class OperationResource(Resource):
    """
    Replies to those who have the token, and without a token to all programs of this
    machine but browsers, in which any page could ask.

    @param render: returns the metrics in the text format.
    @param contentType: the C{Content-Type} of that format.
    @param token: C{""} if none is needed.
    """

    isLeaf = True
    _log = Logger()

    def __init__(
        self,
        sources: Sequence[Source],
        render: Callable[[], bytes],
        contentType: str,
        token: str = "",
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._sources = sources
        self._render = render
        self._contentType = contentType
        self._token = token
        self._pages: dict[bytes, Callable[[], Page]] = {
            b"/healthz": lambda: (200, TEXT, b"ok\n"),
            b"/readyz": self._readiness,
            b"/metrics": self._metrics,
        }

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
        # Twisted logs a request of HEAD whose reply has a body.
        return b"" if request.method == b"HEAD" else body

    def _reply(self, request: Request) -> Page:
        headers = {
            name.decode("latin-1").lower(): values[0].decode("latin-1")
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        path, _, query = (request.uri or b"").partition(b"?")
        refusal = refusalOf(headers, query.decode("latin-1"), self._token)
        if refusal is not None:
            if refusal is MISSING:
                request.setHeader(b"www-authenticate", b"Bearer")
            return _page(refusal.status, refusal.reason)
        if request.method not in (b"GET", b"HEAD"):
            request.setHeader(b"allow", b"GET, HEAD")
            return _page(405, "not GET or HEAD")
        page = self._pages.get(path)
        if page is None:
            return _page(404, "there are /healthz, /readyz and /metrics")
        try:
            return page()
        except Exception:
            self._log.failure("Reading {path} failed.", path=path.decode("latin-1"))
            return _page(500, FAULT)

    def _readiness(self) -> Page:
        problems = [each for source in self._sources for each in source.problems()]
        if not problems:
            return _page(200, "ok")
        # One line for each, also when the reason came from a server.
        return _page(503, "\n".join(" ".join(each.split()) for each in problems))

    def _metrics(self) -> Page:
        return 200, self._contentType, self._render()


def _page(status: int, text: str) -> Page:
    return status, TEXT, f"{text}\n".encode("utf-8", "replace")
