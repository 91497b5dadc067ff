"""
Registration of the handlers of commands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Request

from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.wire.command import Command

Handler = Callable[[Any, Any, HTTPExchange], Any]
"""
Handles a command, for the caller that L{txwebqq.server.http.authorization.findCaller}
returns. Returns the reply, a refusal, a L{HeldReply} that is given one of them later,
or a Deferred that fires with one of them.
"""

Sender = Callable[[Request, HTTPExchange, type[Command[Any]], Any], object]
"""Writes the reply to a request."""


class HeldReply:
    """
    A reply that is given later, to one request. Each message has two of them, and
    they take a third of the time and the memory of a Deferred.
    """

    __slots__ = ("_command", "_exchange", "_request", "_send")

    _log = Logger()

    def __init__(self) -> None:
        self._request: Request | None = None

    def hold(
        self,
        request: Request,
        exchange: HTTPExchange,
        command: type[Command[Any]],
        send: Sender,
    ) -> None:
        """
        Set the request that the reply is for.
        """
        self._request = request
        self._exchange = exchange
        self._command = command
        self._send = send

    def give(self, reply: Any) -> None:
        """
        Write the reply, unless the client has disconnected or has been given one.
        """
        request, self._request = self._request, None
        if request is None:
            return
        try:
            self._send(request, self._exchange, self._command, reply)
        except Exception:
            path = self._command.path
            self._log.failure(
                "The reply of {path} could not be written.", Failure(), path=path
            )

    def lost(self) -> None:
        """
        Be told that the client has disconnected.
        """
        self._request = None


M = TypeVar("M", bound=Callable[..., Any])

_COMMANDS = "_handledCommands"


def answers(*commands: type[Command[Any]]) -> Callable[[M], M]:
    """
    Mark a method as the handler of commands.
    """

    def mark(method: M) -> M:
        setattr(method, _COMMANDS, commands)
        return method

    return mark


def handlersOf(api: object) -> dict[type[Command[Any]], Callable[..., Any]]:
    """
    Return the handlers of an object, by their commands.
    """
    return {
        command: getattr(api, name)
        for name, member in vars(type(api)).items()
        for command in getattr(member, _COMMANDS, ())
    }
