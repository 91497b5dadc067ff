"""
Registration of the handlers of commands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.wire.command import Command

Handler = Callable[[Any, Any, HTTPExchange], Any]
"""
Handles a command, for the caller that L{txwebqq.server.http.authorization.findCaller}
returns. Returns the reply, a refusal, or a Deferred that fires with one of them.
"""

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
