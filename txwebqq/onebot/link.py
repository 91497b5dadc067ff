"""
The link to a program that speaks OneBot 11: its events, and calls with their answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from twisted.internet.defer import Deferred, fail, gatherResults
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from txwebqq.errors import (
    LoginRefused,
    MalformedReply,
    NotSent,
    RequestRefused,
    Unreachable,
)
from txwebqq.model import Number
from txwebqq.onebot.reading import numberIn
from txwebqq.onebot.websocket import WebSocket, WebSocketClosed
from txwebqq.wire.command import printable
from txwebqq.wire.jsontext import parseJSON

CALL_TIMEOUT = 60.0
"""Seconds that a call may take, and those that the programs need for what is in
it."""

BYTES_PER_SECOND = 256 * 1024
"""The speed at which programs send pictures and files on to Tencent, at least."""

MAYBE_DONE = "it may have been carried out"
"""The consequence of a call without an answer."""

TOKEN_REFUSED = frozenset({1401, 1403})
"""The retcodes of a first frame by which NapCat and LLOneBot refuse a token, after
they have accepted the handshake."""


class LinkListener(Protocol):
    """
    Receives what comes over a link.
    """

    def eventReceived(self, event: Mapping[str, Any]) -> None:
        """
        Called with each event, as parsed from JSON.
        """

    def linkLost(self, reason: Exception) -> None:
        """
        Called once and last, if the link was ever open.

        @param reason: L{LoginRefused} when the token was refused, else
            L{Unreachable}.
        """


@dataclass(eq=False)
class _Call:
    action: str
    answer: Deferred[Any] = field(default_factory=Deferred)
    limit: IDelayedCall | None = None


class OneBotLink:
    """
    One link, over one WebSocket or two.

    Calls are answered in any order; the echo says which one an answer belongs to. A
    call is never sent twice: without an answer it may have been carried out.

    @param number: the number of the account, for the log.
    @ivar whenOpen: fires when a WebSocket for calls is open; fails as C{linkLost}
        when there is none. Cancel it to give up.
    """

    _log = Logger()

    def __init__(
        self, number: Number, listener: LinkListener, clock: IReactorTime
    ) -> None:
        self.whenOpen: Deferred[None] = Deferred(self._giveUp)
        self._number = number
        self._listener = listener
        self._clock = clock
        # Of those that are open, the one for calls is the first.
        self._sockets: list[WebSocket] = []
        self._calls: dict[str, _Call] = {}
        self._echoes = count(1)
        self._hasHeard = False
        self._isOpen = False
        self._isLost = False

    @property
    def isOpen(self) -> bool:
        """
        Whether there is a WebSocket for calls.
        """
        return self._isOpen and not self._isLost

    @property
    def isLost(self) -> bool:
        """
        Whether the link is over.
        """
        return self._isLost

    def probe(self) -> None:
        """
        Lose the link unless the program answers a ping at once.
        """
        for socket in list(self._sockets):
            socket.probe()

    def call(
        self,
        action: str,
        params: Mapping[str, Any] | None = None,
        timeout: float = CALL_TIMEOUT,
    ) -> Deferred[Any]:
        """
        Make a call.

        @return: fires with C{data} of the answer; fails with L{NotSent} when there is
            no link, L{RequestRefused}, or L{Unreachable} when no answer came: then it
            may have been carried out.
        """
        socket = self._sockets[0] if self.isOpen and self._sockets else None
        if socket is None or not socket.isOpen:
            return fail(NotSent("there is no link to the OneBot program"))
        echo = str(next(self._echoes))
        try:
            text = json.dumps(
                {"action": action, "params": params or {}, "echo": echo},
                ensure_ascii=False,
                allow_nan=False,
            )
            # Half of a surrogate pair cannot be sent as UTF-8.
            text.encode()
        except ValueError:
            return fail(NotSent(f"{action} cannot be written as JSON"))
        timeout += len(text) // BYTES_PER_SECOND
        call = _Call(action, Deferred(lambda _: self._drop(echo)))
        self._calls[echo] = call
        call.limit = self._clock.callLater(timeout, self._timedOut, echo, timeout)
        socket.sendText(text)
        return call.answer

    def close(self, reason: str = "") -> Deferred[None]:
        """
        Close the link. The listener is told nothing more.

        @return: fires when the connections are closed.
        """
        self._isLost = True
        self._failCalls()
        closing = [socket.close(1000, reason) for socket in list(self._sockets)]
        return gatherResults(closing).addCallback(lambda _: None)

    # A handler of WebSockets.

    def opened(self, socket: WebSocket) -> None:
        """
        Use a WebSocket for calls and events.
        """
        if self._isLost:
            socket.abort()
            return
        self._sockets.insert(0, socket)
        if not self._isOpen:
            self._isOpen = True
            self.whenOpen.callback(None)

    def eventsOpened(self, socket: WebSocket) -> None:
        """
        Use a WebSocket for events only.
        """
        if self._isLost:
            socket.abort()
            return
        self._sockets.append(socket)

    def textReceived(self, socket: WebSocket, text: str) -> None:
        """
        Read a frame: an event, or the answer to a call.
        """
        if self._isLost:
            return
        isFirst, self._hasHeard = not self._hasHeard, True
        try:
            frame = parseJSON(text)
        except MalformedReply:
            self._ignore("a frame that is not JSON")
            return
        if not isinstance(frame, dict):
            self._ignore("a frame that is no object")
        elif frame.get("post_type"):
            self._listener.eventReceived(frame)
        elif isinstance(frame.get("echo"), str) and frame["echo"] in self._calls:
            self._answered(self._forget(frame["echo"]), frame)
        elif isFirst and _isTokenRefusal(frame):
            self._lose(LoginRefused("the OneBot program refuses the token"))
        elif frame.get("status") == "failed":
            # Without an echo: of a call that it could not read.
            self._ignore(f"a failure without a call: {_reason(frame)}")
        else:
            self._ignore("an answer without a call")

    def closed(self, socket: WebSocket, reason: WebSocketClosed) -> None:
        """
        Lose the link.
        """
        if socket in self._sockets:
            self._sockets.remove(socket)
        # The page is of a proxy or a network, which knows nothing of the token.
        if reason.status in (401, 403) and not reason.isPage:
            self._lose(LoginRefused(f"the OneBot program refuses the token: {reason}"))
        else:
            self._lose(Unreachable(printable(str(reason)), reason.status))

    def _lose(self, reason: Exception) -> None:
        if self._isLost:
            return
        self._isLost = True
        # First of all: the failures of the calls say less than the reason.
        if self._isOpen:
            self._listener.linkLost(reason)
        elif not self.whenOpen.called:
            self.whenOpen.errback(reason)
        self._failCalls()
        for socket in list(self._sockets):
            socket.close()

    def _failCalls(self) -> None:
        calls, self._calls = self._calls, {}
        for call in calls.values():
            _stop(call)
            call.answer.errback(
                Unreachable(
                    f"the link was lost before {call.action} was answered; {MAYBE_DONE}"
                )
            )

    def _giveUp(self, opened: Deferred[None]) -> None:
        self._isLost = True
        for socket in list(self._sockets):
            socket.abort()

    def _answered(self, call: _Call | None, frame: Mapping[str, Any]) -> None:
        if call is None:
            return
        if frame.get("status") in ("ok", "async"):
            call.answer.callback(frame.get("data"))
        elif frame.get("status") == "failed":
            call.answer.errback(
                RequestRefused(
                    _retcode(frame), f"{call.action} was refused: {_reason(frame)}"
                )
            )
        else:
            call.answer.errback(
                MalformedReply(f"{call.action}: the answer has no status")
            )

    def _timedOut(self, echo: str, seconds: float) -> None:
        call = self._calls.pop(echo)
        call.answer.errback(
            Unreachable(
                f"{call.action} was not answered within {seconds:g} s; {MAYBE_DONE}"
            )
        )

    def _forget(self, echo: str) -> _Call | None:
        call = self._calls.pop(echo, None)
        if call is not None:
            _stop(call)
        return call

    def _drop(self, echo: str) -> None:
        self._forget(echo)

    def _ignore(self, what: str) -> None:
        self._log.warn(
            "Ignored {what} from the OneBot program (account {number}).",
            what=what,
            number=self._number,
        )


class EventsOnly:
    """
    The handler of a WebSocket that is for the events of a link.
    """

    def __init__(self, link: OneBotLink) -> None:
        self._link = link

    def opened(self, socket: WebSocket) -> None:
        """
        Use a WebSocket.
        """
        self._link.eventsOpened(socket)

    def textReceived(self, socket: WebSocket, text: str) -> None:
        """
        Read an event.
        """
        self._link.textReceived(socket, text)

    def closed(self, socket: WebSocket, reason: WebSocketClosed) -> None:
        """
        Lose the link.
        """
        self._link.closed(socket, reason)


def _stop(call: _Call) -> None:
    if call.limit is not None and call.limit.active():
        call.limit.cancel()


def _retcode(frame: Mapping[str, Any]) -> int:
    return numberIn(frame, "retcode", -1)


def _isTokenRefusal(frame: Mapping[str, Any]) -> bool:
    return frame.get("status") == "failed" and _retcode(frame) in TOKEN_REFUSED


def _reason(frame: Mapping[str, Any]) -> str:
    for name in ("wording", "message", "msg"):
        text = frame.get(name)
        if isinstance(text, str) and text:
            return printable(text)
    return "without a reason"
