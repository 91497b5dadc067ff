"""
The sign-up page of a server of several processes: a worker handles the forms, and the
reactor's thread writes the page.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.web.server import NOT_DONE_YET, Request

from txwebqq.server.commandresource import watchRequest
from txwebqq.server.fleet.exchange import FleetExchange, PendingReply
from txwebqq.server.fleet.worker import Backend, Outcome, Worker
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.signup import (
    SignUpAnswer,
    SignUpForms,
    SignUpPage,
    bodyOf,
)


class _PendingPage(PendingReply):
    """
    A page that is written when a worker has handled the form.
    """

    __slots__ = ()

    def wait(self, request: Request) -> None:
        """
        Set the request that the page is for.
        """
        self._request = request
        watchRequest(request, self)

    def write(self, show: Callable[[Request], bytes]) -> None:
        """
        Write the page, unless the client has disconnected or has been given one.

        @param show: sets the headers, and returns the body.
        """
        request, self._request = self._request, None
        if request is not None:
            body = show(request)
            request.setHeader(b"content-length", b"%d" % len(body))
            request.write(body)
            request.finish()


class _SignUpRequest:
    """
    A request for the page that a worker handles.
    """

    def __init__(
        self,
        signUp: FleetSignUp,
        body: bytes | None,
        exchange: FleetExchange,
        reply: _PendingPage,
    ) -> None:
        self.worker: Worker | None = None
        self._signUp = signUp
        self._body = body
        self._exchange = exchange
        self._reply = reply

    def run(self, backend: Backend) -> SignUpAnswer | None:
        if self._reply.isAborted:
            # The user may have sent it again.
            return None
        if self._body is not None:
            # As other writers, before the table of accounts is locked.
            backend.state.order()
        forms: SignUpForms = backend.signUpForms
        return forms.answer(self._body, self._exchange)

    def done(self, result: SignUpAnswer | None) -> None:
        self._signUp.answered(self._reply)
        if result is not None:
            page = self._signUp.page
            self._reply.write(lambda request: page.show(request, result))

    def failed(self, outcome: Outcome) -> None:
        self._signUp.answered(self._reply)
        if outcome is Outcome.FAILED:
            self._refuse(500)
        elif outcome is Outcome.NOT_DONE:
            self.refuse()
        else:
            self._reply.abort()

    def refuse(self) -> None:
        """
        Tell the user that the request was not handled.
        """
        self._refuse(503)

    def _refuse(self, status: int) -> None:
        page = self._signUp.page
        self._reply.write(lambda request: page.showFault(request, status))


class FleetSignUp:
    """
    C{/signup} of one of several processes
    (L{SignUpRenderer<txwebqq.server.http.signup.SignUpRenderer>}).

    @param begin: has the worker of writes do the work of a reply.
    @param answered: is told of a reply that needs no time limit any more.

    @ivar page: the page.
    """

    def __init__(
        self,
        page: SignUpPage,
        begin: Callable[[PendingReply], object],
        answered: Callable[[PendingReply], object],
    ) -> None:
        self.page = page
        self.answered = answered
        self._begin = begin

    def render(self, request: Request, exchange: HTTPExchange) -> int:
        """
        Have a request handled.

        @return: the result of L{twisted.web.resource.IResource.render}.
        """
        reply = _PendingPage()
        body = bodyOf(request)
        reply.work = _SignUpRequest(self, body, FleetExchange(exchange), reply)
        reply.wait(request)
        self._begin(reply)
        return NOT_DONE_YET
