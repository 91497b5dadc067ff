"""
Calls over HTTP: C{POST /ACTION} with JSON or a form, or C{GET /ACTION?...}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.web.http import parse_qs
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from txwebqq.net.endpoints import listeningService
from txwebqq.net.site import SiteWithoutAccessLog, peerAddress, textHeaders
from txwebqq.onebot.authorization import TOO_MANY, TokenAuthenticator
from txwebqq.onebot.surface.account import SurfaceAccount
from txwebqq.onebot.surface.calls.dispatcher import CallDispatcher
from txwebqq.onebot.surface.config import HTTPSettings
from txwebqq.onebot.surface.replies import (
    UNKNOWN_ACTION,
    Call,
    CallFailed,
    encode,
    parseObject,
)

MAX_BODY = 32 * 1024 * 1024
"""Maximum size of the body of a request, in bytes."""

FORM = "application/x-www-form-urlencoded"


class BoundedRequest(Request):
    """
    A request whose body is dropped when it is too long.
    """

    received = 0

    def handleContentChunk(self, data: bytes) -> None:
        """
        Keep a part of the body.
        """
        self.received += len(data)
        if self.received <= MAX_BODY:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]


class CallResource(Resource):
    """
    Performs calls.

    @param now: returns the time in seconds.
    """

    _log = Logger()
    isLeaf = True

    def __init__(
        self,
        account: SurfaceAccount,
        settings: HTTPSettings,
        now: Callable[[], float],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._account = account
        self.settings = settings
        self._authenticator = TokenAuthenticator(now)
        self.dispatcher = CallDispatcher(account, settings.isArray)

    def render(self, request: Request) -> Any:
        """
        Perform the call of a request.
        """
        headers = textHeaders(request.requestHeaders)
        query = (request.uri or b"").partition(b"?")[2].decode("latin-1")
        refusal = self._authenticator.refusalOf(
            headers, query, self.settings.token, peerAddress(request)
        )
        if refusal is not None:
            if refusal is not TOO_MANY:
                self._log.warn(
                    "A call was refused (account {number}): {reason}.",
                    number=self._account.number,
                    reason=refusal.reason,
                )
            return _refuse(request, refusal.status, refusal.reason)
        if getattr(request, "received", 0) > MAX_BODY:
            return _refuse(request, 413)
        try:
            params = _paramsOf(request, headers.get("content-type", ""))
        except _Refused as e:
            return _refuse(request, e.status)
        except CallFailed:
            return _refuse(request, 400)
        action = (request.path or b"/").decode("utf-8", "replace").strip("/")
        isGone: list[object] = []
        request.notifyFinish().addErrback(isGone.append)

        def answer(reply: dict[str, Any]) -> None:
            if isGone:
                return
            if reply["retcode"] == UNKNOWN_ACTION:
                request.setResponseCode(404)
            request.setHeader("Content-Type", "application/json; charset=utf-8")
            request.write(encode(reply).encode())
            request.finish()

        self.dispatcher.perform(Call(action, params, {})).addCallback(answer)
        return NOT_DONE_YET


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _paramsOf(request: Request, contentType: str) -> dict[str, Any]:
    params = _decoded(request.args or {})
    if request.method == b"GET":
        return params
    if request.method != b"POST":
        raise _Refused(405)
    assert request.content is not None
    request.content.seek(0)
    body = request.content.read(MAX_BODY)
    kind = contentType.partition(";")[0].strip().lower()
    if not body:
        return params
    if kind == FORM:
        return {**params, **_decoded(parse_qs(body, True))}
    if kind != "application/json":
        raise _Refused(406)
    return {**params, **parseObject(body)}


def _decoded(fields: Mapping[bytes, Sequence[bytes]]) -> dict[str, Any]:
    params: dict[str, Any] = {
        name.decode("utf-8", "replace"): values[0].decode("utf-8", "replace")
        for name, values in fields.items()
    }
    params.pop("access_token", None)
    return params


def _refuse(request: Request, status: int, reason: str = "") -> bytes:
    request.setResponseCode(status)
    request.setHeader("Content-Type", "text/plain; charset=utf-8")
    return f"{reason or status}\n".encode()


class HTTPListener(MultiService):
    """
    Listens for calls over HTTP.

    @ivar site: the HTTP server.

    @raise InvalidConfiguration: when the endpoint cannot be used.
    """

    def __init__(
        self, account: SurfaceAccount, settings: HTTPSettings, reactor: Any
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.resource = CallResource(account, settings, reactor.seconds)
        make: Any = SiteWithoutAccessLog
        self.site = make(self.resource, requestFactory=BoundedRequest, reactor=reactor)
        listening = listeningService(settings.listen, self.site, reactor)
        listening.setServiceParent(self)

    def stopService(self) -> Deferred[None]:
        """
        Stop listening, and drop the calls that have not begun.

        @return: fires when that is done.
        """
        self.resource.dispatcher.close()
        return maybeDeferred(super().stopService)
