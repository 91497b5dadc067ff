"""
One WebSocket of a bot, opened by either side.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from txwebqq.onebot.surface.account import SurfaceAccount
from txwebqq.onebot.surface.calls.dispatcher import CallDispatcher
from txwebqq.onebot.surface.replies import encode
from txwebqq.onebot.surface.segments import asFormat
from txwebqq.onebot.websocket import WebSocket, WebSocketClosed

HEARTBEAT = 30.0
"""Seconds between two heartbeats, if nothing else is configured."""


class BotConnection:
    """
    Handles a WebSocket: a bot receives events and makes calls.

    @param name: the connection in log lines.
    @param isArray: whether messages are arrays of segments, or texts with CQ codes.
    @param heartbeat: seconds between two heartbeats, 0 for none.
    @param hasEvents: whether the bot receives events.
    @param hasCalls: whether the bot makes calls.
    @param hasOwn: whether the bot is told of messages of the account's own.
    """

    _log = Logger()

    def __init__(
        self,
        account: SurfaceAccount,
        name: str,
        *,
        isArray: bool = True,
        heartbeat: float = HEARTBEAT,
        hasEvents: bool = True,
        hasCalls: bool = True,
        hasOwn: bool = False,
    ) -> None:
        self._account = account
        self._name = name
        self._isArray = isArray
        self._interval = heartbeat
        self._hasEvents = hasEvents
        self._hasCalls = hasCalls
        self._hasOwn = hasOwn
        self._dispatcher = CallDispatcher(account, isArray)
        self._socket: WebSocket | None = None
        self._timer: IDelayedCall | None = None

    def opened(self, socket: WebSocket) -> None:
        """
        Tell the bot that it is connected.
        """
        self._socket = socket
        self._log.info(
            "A bot is connected (account {number}): {name}.",
            number=self._account.number,
            name=self._name,
        )
        if self._hasEvents:
            self._send(self._meta("lifecycle", sub_type="connect"))
            self._account.subscribe(self._happened, self._hasOwn)
            self._beatLater()

    def textReceived(self, socket: WebSocket, text: str) -> None:
        """
        Perform a call.
        """
        if self._hasCalls:
            self._dispatcher.textReceived(text, self._send)

    def closed(self, socket: WebSocket, reason: WebSocketClosed) -> None:
        """
        Forget the bot.
        """
        if self._socket is None:
            return
        self._socket = None
        self._account.unsubscribe(self._happened)
        self._dispatcher.close()
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self._log.info(
            "A bot is gone (account {number}): {name}: {reason}.",
            number=self._account.number,
            name=self._name,
            reason=str(reason),
        )

    def _happened(self, event: dict[str, Any]) -> bool:
        self._send(asFormat(event, self._isArray))
        return True

    def _send(self, value: dict[str, Any]) -> None:
        if self._socket is not None:
            self._socket.sendText(encode(value))

    def _meta(self, kind: str, **fields: Any) -> dict[str, Any]:
        return self._account.event("meta_event", meta_event_type=kind, **fields)

    def _beatLater(self) -> None:
        if self._interval:
            self._timer = self._account.clock.callLater(self._interval, self._beat)

    def _beat(self) -> None:
        interval = int(self._interval * 1000)
        status = self._account.status
        self._beatLater()
        self._send(self._meta("heartbeat", status=status, interval=interval))
