"""
The applications of C{twistd webqq}: the default one, and the import of others.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.logger import Logger
from twisted.python.reflect import namedAny

from txwebqq.errors import InvalidConfiguration, WebQQError
from txwebqq.interfaces import IWebQQFactory
from txwebqq.model import (
    Event,
    GroupMessage,
    Message,
    Number,
    StatusChange,
    Uin,
)
from txwebqq.protocol import WebQQFactory, WebQQProtocol


class LoggingProtocol(WebQQProtocol):
    """
    Logs the type and the ids of each event, and the texts of messages on
    request.
    """

    _log = Logger()

    def connectionMade(self) -> None:
        """
        Forget the numbers of friends, whose uins are new.
        """
        self._numbers: dict[Uin, Number] = {}

    def signedOn(self) -> None:
        """
        Log the number of friends and groups.
        """
        self._log.info(
            "Roster loaded (account {number}): {friends} friends, {groups} groups.",
            number=self.account.number,
            friends=len(self.buddies),
            groups=len(self.groups),
        )

    def eventReceived(self, event: Event) -> object:
        """
        Log an event before it is dispatched.
        """
        shown = ""
        match event:
            case Message():
                about = f"from {event.sender}, id {event.messageId}"
                shown = event.text
            case GroupMessage():
                about = f"from {event.sender} in {event.group}, id {event.messageId}"
                shown = event.text
            case StatusChange():
                # The number has to be fetched.
                return super().eventReceived(event)
            case _:
                about = f"of {uin}" if (uin := getattr(event, "uin", None)) else ""
        self._log.info("{kind} {about}", kind=type(event).__name__, about=about)
        if shown and getattr(self.factory, "logText", False):
            self._log.info("Text: {text}", text=shown)
        return super().eventReceived(event)

    async def statusChanged(self, change: StatusChange) -> None:
        """
        Log the new status of a friend.
        """
        uin = change.uin
        if uin not in self._numbers:
            try:
                self._numbers[uin] = await self.fetchNumber(uin)
            except WebQQError:
                # The line is worth more than the number.
                self._numbers[uin] = Number(0)
        buddy = self.buddies.get(uin)
        self._log.info(
            "{nick} ({number}) is {status}.",
            nick=buddy.nick if buddy else "A friend",
            number=self._numbers[uin] or "number unknown",
            status=change.status.value,
        )


class LoggingFactory(WebQQFactory):
    """
    The default application.

    @ivar logText: whether to log the texts of messages.
    """

    protocol = LoggingProtocol
    logText = False


def loadFactory(
    name: str | None, logText: bool, arguments: Mapping[str, Any]
) -> IWebQQFactory:
    """
    Make the factory of the application.

    @param name: the value of C{--app}, L{None} for the default.
    @param logText: for the default: whether to log the texts of messages.
    @param arguments: keyword arguments for the factory.

    @raise InvalidConfiguration: when the application cannot be used.
    """
    if name is None:
        if arguments:
            raise InvalidConfiguration("app-options needs --app")
        default = LoggingFactory()
        default.logText = logText
        return default
    # The application is usually in the folder in which twistd is started.
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    module, colon, attribute = name.partition(":")
    if colon and module and attribute:
        raise InvalidConfiguration(
            f"--app {name}: module and factory are joined by a dot, as in "
            f"--app {module}.{attribute}"
        )
    try:
        make: Callable[..., Any] = namedAny(name)
        _refuseProtocol(name, make)
        factory = make(**arguments)
    except InvalidConfiguration:
        raise
    except Exception as e:
        reason = f"{type(e).__name__}: {e}"
        raise InvalidConfiguration(f"--app {name} cannot be used: {reason}") from e
    if not IWebQQFactory.providedBy(factory):
        raise InvalidConfiguration(f"--app {name} does not return a WebQQFactory")
    return factory


def _refuseProtocol(name: str, named: object) -> None:
    """
    @raise InvalidConfiguration: when the option C{--app} names a protocol.
    """
    if not (isinstance(named, type) and issubclass(named, WebQQProtocol)):
        return
    factories = [
        value.__name__
        for value in vars(sys.modules[named.__module__]).values()
        if isinstance(value, type)
        and issubclass(value, WebQQFactory)
        and value.protocol is named
    ]
    meant = (
        f"--app {named.__module__}.{factories[0]}"
        if factories
        else f"a WebQQFactory whose attribute protocol is {named.__name__}"
    )
    raise InvalidConfiguration(f"--app {name} is a protocol; name its factory: {meant}")
