"""
The table of calls, and what each is given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import DeferredLock

from txwebqq.onebot.reading import MAX_NUMBER, boolIn, numberIn, objectIn, textIn
from txwebqq.onebot.surface.account import SurfaceAccount
from txwebqq.onebot.surface.protocol import SurfaceProtocol
from txwebqq.onebot.surface.replies import MALFORMED, CallFailed
from txwebqq.onebot.surface.store import Conversation


class Params:
    """
    The parameters of a call. Numbers may be texts.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def has(self, name: str) -> bool:
        """
        Check that a parameter is given.
        """
        return self.values.get(name) not in (None, "")

    def number(self, name: str) -> int:
        """
        Return a number that has to be given.

        @raise CallFailed: when it is not.
        """
        number = numberIn(self.values, name, -MAX_NUMBER)
        if number == -MAX_NUMBER:
            raise CallFailed(f"{name} is missing or no number", MALFORMED)
        return number

    def numberOr(self, name: str, default: int) -> int:
        """
        Return a number.
        """
        return self.number(name) if self.has(name) else default

    def text(self, name: str) -> str:
        """
        Return a text that has to be given, and may be empty.

        @raise CallFailed: when it is not.
        """
        if not isinstance(self.values.get(name), str | int):
            raise CallFailed(f"{name} is missing or no text", MALFORMED)
        return textIn(self.values, name)

    def textOr(self, name: str, default: str = "") -> str:
        """
        Return a text.
        """
        return textIn(self.values, name, default)

    def flag(self, name: str, default: bool) -> bool:
        """
        Return a boolean.
        """
        return boolIn(self.values, name, default)

    def object(self, name: str) -> Mapping[str, Any]:
        """
        Return an object, an empty one if none is given.
        """
        return objectIn(self.values, name)


@dataclass
class Caller:
    """
    One connection of a bot.

    @ivar locks: keep the order of what the bot sends to each conversation. Those of
        one bot do not hold up another.
    """

    account: SurfaceAccount
    isArray: bool
    locks: dict[Conversation, DeferredLock]

    @property
    def online(self) -> SurfaceProtocol:
        """
        The protocol that is signed on.

        @raise NotSignedOn: when the account is not signed on.
        """
        online = self.account.online
        assert isinstance(online, SurfaceProtocol)
        return online


Handler = Callable[[Caller, Params], Awaitable[Any]]

Register = Callable[[Handler], Handler]


class CallTable:
    """
    Calls by their names.
    """

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}

    def call(self, *names: str) -> Register:
        """
        Make a decorator that adds a function under the names of a call.
        """

        def register(handler: Handler) -> Handler:
            self.handlers.update(dict.fromkeys(names, handler))
            return handler

        return register
