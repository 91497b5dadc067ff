"""
The calls of one account, as the commands use them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from txwebqq.errors import RequestRefused
from txwebqq.model import Account, Content, Gid, Number
from txwebqq.onebot.actions.downloads import Downloads
from txwebqq.onebot.events.names import NameStore
from txwebqq.onebot.events.reader import EventReader
from txwebqq.onebot.segments import PictureStore, writeContent

NOT_SERVED = 1404
"""The retcode of a command that OneBot 11 has nothing for."""

NO_SUCH_ACTION = frozenset({404, 1404})
"""The retcodes by which programs say that they lack an action."""

Call = Callable[[str, Mapping[str, Any]], Deferred[Any]]
"""Makes a call: the action and its parameters."""


class Memory:
    """
    The memory of an account, from one sign-on to the next.

    @ivar reader: reads its events, and keeps the ids of requests.
    @ivar pictures: its pictures.
    @ivar names: the names of friends and of members of its groups.
    @ivar status: its presence, as it was set last.
    @ivar masks: the treatments of groups' messages that were set.
    @ivar settings: the settings of WebQQ's page, by application: today's QQ has
        none.
    @ivar hasCategories: whether the program may tell categories of friends.
    """

    def __init__(self, account: Account) -> None:
        self.pictures = PictureStore()
        self.names = NameStore()
        self.reader = EventReader(account.number, self.pictures, self.names)
        self.status = account.status
        self.masks: dict[Gid, int] = {}
        self.settings: dict[int, dict[str, Any]] = {}
        self.hasCategories = True


class Calls:
    """
    Makes the calls of one sign-on.

    @ivar call: makes a call.
    @ivar send: makes a call that sends a message or a file, when the pace allows it.
    @ivar downloads: fetches pictures and files by their addresses.
    """

    def __init__(
        self,
        number: Number,
        call: Call,
        send: Call,
        memory: Memory,
        downloads: Downloads,
        clock: IReactorTime,
    ) -> None:
        self.number = number
        self.call = call
        self.send = send
        self.memory = memory
        self.downloads = downloads
        self.clock = clock

    def segments(self, content: Content, isPrivate: bool) -> list[dict[str, Any]]:
        """
        Translate a content to send.

        @param isPrivate: whether it is for a friend or a stranger.

        @raise RequestRefused: when a part of it cannot be sent.
        """
        try:
            return writeContent(content, self.memory.pictures, isPrivate)
        except ValueError as e:
            raise refusal(str(e)) from e

    def flag(self, who: int, group: int = 0) -> str:
        """
        Return the id of a request of an account.

        @raise RequestRefused: when no such request has come.
        """
        try:
            return self.memory.reader.flags[who, group]
        except KeyError:
            raise refusal("no request of this account has come") from None


Handlers = Mapping[type[Any], Callable[[Calls, Any], Awaitable[Any]]]
"""Functions that carry out commands, by the classes of these."""


def refusal(reason: str) -> RequestRefused:
    """
    Make the failure of a command that cannot be carried out.
    """
    return RequestRefused(NOT_SERVED, reason)
